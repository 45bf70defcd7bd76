//! Access: tokens as they are kept, and requests that come twice.

use hark::store::{Claim, ClaimTimes, Sealed, TokenRole, TokenRow, Tokens};

use super::{Backend, on_every_backend};

on_every_backend! {
    a_token_is_kept_used_and_revoked,
    a_request_is_claimed_once_until_it_is_forgotten,
}

async fn a_token_is_kept_used_and_revoked<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let token = |id: &str, role, created_ms| TokenRow {
        id: id.to_owned(),
        name: "me".to_owned(),
        role,
        hash: format!("hash of {id}"),
        created_ms,
        last_used_ms: None,
        revoked_ms: None,
    };
    let (one, two) = (token("b", TokenRole::Admin, 1), token("a", TokenRole::Operator, 2));
    store.add_token(one.clone()).await.unwrap();
    store.add_token(two.clone()).await.unwrap();
    assert!(store.add_token(two.clone()).await.is_err(), "an id is used once");
    assert_eq!(store.tokens().await.unwrap(), [one.clone(), two.clone()]);
    store.token_used("b", 5).await.unwrap();
    assert!(store.revoke_token("b", 6).await.unwrap());
    assert!(
        !store.revoke_token("b", 7).await.unwrap() && !store.revoke_token("c", 7).await.unwrap()
    );
    let revoked = TokenRow { last_used_ms: Some(5), revoked_ms: Some(6), ..one };
    assert_eq!(store.token("b").await.unwrap(), Some(revoked));
    drop(store);
    assert_eq!(backend.open().token("a").await.unwrap(), Some(two));
    assert_eq!(backend.open().token("c").await.unwrap(), None);
}

async fn a_request_is_claimed_once_until_it_is_forgotten<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let claim = async |key: &str, request: &str, now_ms: i64| {
        let times = ClaimTimes { now_ms, since_ms: now_ms - 100, stuck_ms: now_ms - 10 };
        store.claim("me", key, request, times).await.unwrap()
    };
    let answer = Sealed(b"answer".to_vec());
    assert_eq!(claim("k", "request", 1_000).await, Claim::Mine);
    assert_eq!(claim("k", "request", 1_001).await, Claim::Running);
    assert_eq!(claim("k", "other", 1_001).await, Claim::OtherRequest);
    assert_eq!(claim("k", "request", 1_011).await, Claim::Mine, "nobody answered it");
    store.settle_claim("me", "k", Some(answer.clone())).await.unwrap();
    assert_eq!(claim("k", "request", 1_050).await, Claim::Answered(answer.clone()));
    assert_eq!(claim("k", "other", 1_050).await, Claim::OtherRequest);
    assert_eq!(claim("k", "other", 1_112).await, Claim::Mine, "it is forgotten");
    store.settle_claim("me", "k", None).await.unwrap();
    assert_eq!(claim("k", "third", 1_112).await, Claim::Mine, "it was given free");
    let times = ClaimTimes { now_ms: 1_112, since_ms: 0, stuck_ms: 0 };
    let other = store.claim("you", "k", "any", times).await.unwrap();
    assert_eq!(other, Claim::Mine, "a key is of one caller");
}
