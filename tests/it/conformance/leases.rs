//! A lease belongs to one node until its time, and passes on when that node is dead.

use hark::store::{Archive as _, Lapsed, Queue as _, Record as _, StoreError, Tenure};
use hark::turn::{Content, Outcome, Role};

use super::{Backend, begun, ended, lease_one, lessee, on_every_backend, plan, text};

on_every_backend! {
    a_lease_that_expired_is_taken_over_and_its_first_node_changes_nothing,
    a_lease_that_is_renewed_does_not_expire,
    an_old_lease_of_the_same_node_is_not_its_new_one,
    a_node_takes_up_what_its_predecessor_left,
    a_turn_whose_part_may_be_out_waits_for_its_status,
    only_the_latest_attempt_may_write,
}

async fn a_lease_that_expired_is_taken_over_and_its_first_node_changes_nothing<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1"), text("2")], 1_000).await.unwrap();
    let first = store.lease(&lessee("a", 2_000), 9, 1_000).await.unwrap().remove(0);
    assert_eq!(store.reclaim(Lapsed::Expired, 1_999, 9_000).await.unwrap(), 0);
    assert!(store.lease(&lessee("b", 9_000), 9, 1_999).await.unwrap().is_empty());
    assert_eq!(store.reclaim(Lapsed::Expired, 2_000, 9_000).await.unwrap(), 1);
    let second = store.lease(&lessee("b", 9_000), 9, 2_000).await.unwrap().remove(0);
    assert_eq!((&second.turn, second.attempt), (&first.turn, 2));

    let old = first.key();
    assert_eq!(
        store.renew(&lessee("a", 8_000), std::slice::from_ref(&old)).await.unwrap(),
        [Tenure::Lost]
    );
    assert_eq!(store.release(&old, 2_000, true).await.unwrap(), Tenure::Lost);
    assert_eq!(store.ack(&old).await.unwrap(), Tenure::Lost);
    assert!(store.lease(&lessee("a", 9_000), 9, 2_000).await.unwrap().is_empty());
    assert_eq!(store.ack(&second.key()).await.unwrap(), Tenure::Held);
    assert_eq!(store.ack(&second.key()).await.unwrap(), Tenure::Lost, "it has ended");
    assert_eq!(lease_one(&store, 2_000).await.first().id, "2".into());
}

async fn a_lease_that_is_renewed_does_not_expire<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1"), super::from("2", Some("2"), None)], 1_000).await.unwrap();
    let leases = store.lease(&lessee("a", 2_000), 9, 1_000).await.unwrap();
    let keys: Vec<_> = leases.iter().map(hark::store::Lease::key).collect();
    let kept = store.renew(&lessee("a", 5_000), &keys[1..]).await.unwrap();
    assert_eq!(kept, [Tenure::Held]);
    assert_eq!(store.reclaim(Lapsed::Expired, 4_999, 9_000).await.unwrap(), 1);
    let kept = store.renew(&lessee("a", 9_000), &keys).await.unwrap();
    assert_eq!(kept, [Tenure::Lost, Tenure::Held]);
    assert_eq!(store.reclaim(Lapsed::Expired, 8_999, 9_000).await.unwrap(), 0);
}

async fn an_old_lease_of_the_same_node_is_not_its_new_one<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1")], 1_000).await.unwrap();
    let old = lease_one(&store, 1_000).await;
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let new = lease_one(&store, 1_000).await;
    assert_eq!(store.ack(&old.key()).await.unwrap(), Tenure::Lost);
    assert_eq!(store.ack(&new.key()).await.unwrap(), Tenure::Held);
}

async fn a_node_takes_up_what_its_predecessor_left<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "1", 1_000).await;
    drop(store);
    let store = backend.open();
    assert!(store.lease(&lessee("a", 9_000), 9, 2_000).await.unwrap().is_empty());
    let left = store.reclaim(Lapsed::Predecessor("a".into()), 2_000, 7_000).await.unwrap();
    assert_eq!(left, 1);
    let second = lease_one(&store, 2_000).await;
    assert_eq!((&second.turn, second.attempt), (&first.turn, 2));
}

async fn a_turn_whose_part_may_be_out_waits_for_its_status<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let planned = begun(&store, "1", 1_000).await;
    plan(&store, &planned, Role::Answer, "words").await;
    store.reclaim(Lapsed::Predecessor("a".into()), 2_000, 7_000).await.unwrap();
    assert_eq!(store.next_due_ms().await.unwrap(), Some(7_000));
    let settled = lease_one(&store, 7_000).await;
    store.settle(&settled.turn, 0, Ok("wamid.1".into()), 7_000).await.unwrap();
    store.reclaim(Lapsed::Predecessor("a".into()), 8_000, 13_000).await.unwrap();
    assert_eq!(store.next_due_ms().await.unwrap(), Some(8_000));
}

async fn only_the_latest_attempt_may_write<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let old = begun(&store, "1", 1_000).await;
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let new = lease_one(&store, 1_000).await;
    store.begin(&new, "hark".into(), 0.0, 1_000).await.unwrap();
    let parts = || vec![(Role::Answer, Content::Text("words".into()))];
    let refused = store.plan(&old, parts().into(), 1_000).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    let refused = store.begin(&old, "hark".into(), 0.0, 1_000).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    let draft = ended("stale", Outcome::Failed);
    let finished = store.finish(&old, &draft, 1_000).await.map(drop);
    for refused in [store.draft(&old, &draft).await, finished] {
        assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    }
    let row = store.turns(None, 1).await.unwrap().remove(0);
    assert!(row.heard.is_none() && row.report.is_none(), "{row:?}");
    assert_eq!(store.plan(&new, parts().into(), 1_000).await.unwrap()[0].index, 0);
}
