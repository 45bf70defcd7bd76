//! Numbers, agents and secrets: versions that are met or not, nothing half done, every change counted.

use hark::store::{AgentRow, Changed, Directory, Expected, Sealed, SecretRow};

use super::{Backend, on_every_backend};

on_every_backend! {
    a_number_is_changed_by_its_version_and_goes_with_its_secrets,
    every_version_of_an_agent_is_kept_and_none_comes_twice,
    secrets_are_valid_side_by_side_and_a_changed_one_stands_alone,
    what_is_sealed_anew_is_sealed_whole_or_not_at_all,
    what_belongs_to_no_number_is_kept_once,
}

fn secret(id: &str, owner: &str, name: &str, created_ms: i64) -> SecretRow {
    SecretRow {
        id: id.to_owned(),
        owner: owner.to_owned(),
        name: name.to_owned(),
        sealed: Sealed(id.as_bytes().to_vec()),
        created_ms,
    }
}

fn agent(name: &str, spec: Option<&str>) -> AgentRow {
    AgentRow {
        name: name.to_owned(),
        version: 0,
        spec: spec.map(str::to_owned),
        sealed: spec.map(|spec| Sealed(spec.as_bytes().to_vec())),
        restores: None,
        created_ms: 0,
    }
}

/// The ids of all secrets, oldest first.
async fn secrets(store: &impl Directory) -> Vec<String> {
    store.directory().await.unwrap().secrets.into_iter().map(|secret| secret.id).collect()
}

async fn a_number_is_changed_by_its_version_and_goes_with_its_secrets<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let put = async |spec: &str, expected, secrets| {
        store.put_number("1", spec, expected, secrets, 7).await.unwrap()
    };
    assert_eq!(put("{}", Expected::Version(1), vec![]).await, Changed::Absent);
    let both = vec![secret("a", "1", "app_secret", 1), secret("b", "1", "access_token", 1)];
    assert_eq!(put("{}", Expected::New, both).await, Changed::Now(1));
    assert_eq!(put("{}", Expected::New, vec![]).await, Changed::Stale(1));
    assert_eq!(put("{\"a\":1}", Expected::Version(1), vec![]).await, Changed::Now(2));
    assert_eq!(put("{}", Expected::Version(1), vec![]).await, Changed::Stale(2));
    let rows = store.directory().await.unwrap();
    assert_eq!((rows.numbers.len(), rows.numbers[0].spec.as_str()), (1, "{\"a\":1}"));
    assert_eq!((rows.revision, store.revision().await.unwrap()), (2, 2), "refusals do not count");
    assert_eq!(store.remove_number("1", 1).await.unwrap(), Changed::Stale(2));
    assert_eq!(store.remove_number("1", 2).await.unwrap(), Changed::Now(3));
    assert_eq!(store.remove_number("1", 2).await.unwrap(), Changed::Absent);
    assert!(secrets(&store).await.is_empty());
    drop(store);
    assert_eq!(backend.open().revision().await.unwrap(), 3);
}

async fn every_version_of_an_agent_is_kept_and_none_comes_twice<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let put = async |spec: Option<&str>, expected| {
        store.put_agent(agent("desk", spec), expected, 9).await.unwrap()
    };
    assert_eq!(put(Some("one"), Expected::New).await, Changed::Now(1));
    assert_eq!(put(Some("two"), Expected::New).await, Changed::Stale(1));
    assert_eq!(put(Some("two"), Expected::Version(1)).await, Changed::Now(2));
    assert_eq!(put(None, Expected::Version(2)).await, Changed::Now(3));
    assert_eq!(put(Some("x"), Expected::Version(3)).await, Changed::Absent);
    assert!(store.directory().await.unwrap().agents.is_empty());
    assert_eq!(put(Some("anew"), Expected::New).await, Changed::Now(4));
    let versions = store.agent_versions("desk").await.unwrap();
    let specs: Vec<_> = versions.iter().map(|row| (row.version, row.spec.as_deref())).collect();
    assert_eq!(specs, [(4, Some("anew")), (3, None), (2, Some("two")), (1, Some("one"))]);
    let now = store.directory().await.unwrap().agents;
    assert_eq!((now.len(), now[0].version, &now[0].sealed), (1, 4, &versions[0].sealed));
}

async fn secrets_are_valid_side_by_side_and_a_changed_one_stands_alone<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = vec![secret("a", "1", "app_secret", 1), secret("t", "1", "access_token", 1)];
    store.put_number("1", "{}", Expected::New, first, 1).await.unwrap();
    let add = async |id: &str, version| {
        store.add_secret(secret(id, "1", "app_secret", 2), version).await.unwrap()
    };
    assert_eq!(add("b", 7).await, Changed::Stale(1));
    assert_eq!(add("b", 1).await, Changed::Now(2));
    assert_eq!(secrets(&store).await, ["a", "t", "b"]);
    assert_eq!(store.remove_secret("1", "none", 2, 3).await.unwrap(), Changed::Absent);
    assert_eq!(store.remove_secret("2", "a", 2, 3).await.unwrap(), Changed::Absent);
    assert_eq!(store.remove_secret("1", "a", 2, 3).await.unwrap(), Changed::Now(3));
    let alone = vec![secret("c", "1", "app_secret", 4)];
    store.put_number("1", "{}", Expected::Version(3), alone, 4).await.unwrap();
    assert_eq!(secrets(&store).await, ["t", "c"]);
}

async fn what_is_sealed_anew_is_sealed_whole_or_not_at_all<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let check = |word: &str| Sealed(word.as_bytes().to_vec());
    assert_eq!(store.seal_check().await.unwrap(), None);
    assert_eq!(store.keep_seal_check(check("old")).await.unwrap(), check("old"));
    assert_eq!(store.keep_seal_check(check("late")).await.unwrap(), check("old"));
    store.keep_secret(secret("a", "@webhook", "verify_token", 1)).await.unwrap();
    store.put_agent(agent("desk", Some("spec")), Expected::New, 1).await.unwrap();
    let fails = store.reseal(
        check("new"),
        Box::new(|place, sealed| {
            (!place.starts_with("agents/")).then(|| Sealed([&b"new"[..], &sealed.0].concat()))
        }),
    );
    assert!(fails.await.unwrap_err().to_string().contains("agents/desk"));
    assert_eq!(store.seal_check().await.unwrap(), Some(check("old")));
    assert_eq!(store.directory().await.unwrap().secrets[0].sealed, check("a"));
    let anew = store.reseal(
        check("new"),
        Box::new(|place, sealed| Some(Sealed([place.as_bytes(), b":", &sealed.0].concat()))),
    );
    assert_eq!(anew.await.unwrap(), 2);
    assert_eq!(store.seal_check().await.unwrap(), Some(check("new")));
    let rows = store.directory().await.unwrap();
    assert_eq!(rows.secrets[0].sealed, check("secrets/@webhook/verify_token:a"));
    assert_eq!(rows.agents[0].sealed, Some(check("agents/desk:spec")));
}

async fn what_belongs_to_no_number_is_kept_once<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let keep =
        async |id| store.keep_secret(secret(id, "@webhook", "verify_token", 1)).await.unwrap().id;
    assert_eq!((keep("a").await, keep("b").await), ("a".to_owned(), "a".to_owned()));
    assert_eq!(store.revision().await.unwrap(), 1);
}
