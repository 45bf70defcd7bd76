//! What waits behind a turn's message joins it, and stays with it whatever becomes of the process.

use hark::store::{Burst, Lapsed, Lease, LeasedMessage, Queue, Record, StoreError, Tenure};

use super::{Backend, begun, lease, lease_one, lessee, on_every_backend, text};

fn ids(messages: &[LeasedMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.id.0.as_str()).collect()
}

fn burst(lease: &Lease) -> Burst {
    Burst::of(&lease.messages, 700, false)
}

async fn the_messages_of_a_burst_join_a_turn<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", 1_000).await;
    assert!(!store.more_waits(&first).await.unwrap());
    for (id, at_ms) in [("b", 1_700), ("c", 2_400), ("d", 3_101)] {
        store.accept(vec![text(id)], at_ms).await.unwrap();
    }
    assert!(store.more_waits(&first).await.unwrap());
    let joined = store.gather(&first, burst(&first), 3_200).await.unwrap();
    assert_eq!(ids(&joined), ["b", "c"], "each came within the window of the one before");
    assert!(lease(&store, 9_000).await.is_empty(), "the lane is held");
    let renewed = store.renew(&lessee("a", 70_000), &[first.key()]).await.unwrap();
    assert_eq!(renewed, [Tenure::Held]);
    assert_eq!(store.ack(&first.key()).await.unwrap(), Tenure::Held);
    let next = lease_one(&store, 9_000).await;
    assert_eq!(ids(&next.messages), ["d"], "what was answered is done");
    assert_ne!(next.turn, first.turn);
}

async fn what_joined_a_turn_is_leased_with_it_again<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", 1_000).await;
    store.accept(vec![text("b")], 1_500).await.unwrap();
    store.gather(&first, burst(&first), 1_500).await.unwrap();
    store.release(&first.key(), 2_000, false).await.unwrap();
    let again = lease_one(&store, 2_000).await;
    assert_eq!((ids(&again.messages), again.attempt), (vec!["a", "b"], 1));
    // Its process dies.
    store.reclaim(Lapsed::Predecessor("a".into()), 3_000, 3_000).await.unwrap();
    let third = lease_one(&store, 3_000).await;
    assert_eq!((ids(&third.messages), third.attempt), (vec!["a", "b"], 2));
    assert_eq!(third.turn, first.turn);
    let late = store.gather(&first, burst(&first), 3_000).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
}

async fn all_that_waits_joins_where_that_is_asked_for<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", 1_000).await;
    store.release(&first.key(), 9_000, true).await.unwrap();
    store.accept(vec![text("b"), text("c")], 1_100).await.unwrap();
    let first = lease_one(&store, 9_000).await;
    store.begin(&first, "hark".into(), 1.5, 9_000).await.unwrap();
    assert_eq!(ids(&first.messages), ["a"]);
    let all = Burst { all: true, ..burst(&first) };
    assert_eq!(ids(&store.gather(&first, all, 9_000).await.unwrap()), ["b", "c"]);
    store.finish(&first, &super::ended("x", hark::turn::Outcome::Text), 9_100).await.unwrap();
    store.ack(&first.key()).await.unwrap();
    assert!(lease(&store, 10_000).await.is_empty());
}

async fn an_answer_that_gives_way_is_not_planned_once_more_waits<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", 1_000).await;
    let parts = || vec![(hark::turn::Role::Answer, hark::turn::Content::Text("yes".into()))];
    let plan = |unless_more| hark::store::SendPlan { unless_more, ..parts().into() };
    store.accept(vec![text("b")], 1_500).await.unwrap();
    let refused = store.plan(&first, plan(true), 1_600).await;
    assert!(matches!(refused, Err(StoreError::MoreCame)), "{refused:?}");
    assert_eq!(store.plan(&first, plan(false), 1_600).await.unwrap().len(), 1);
}

on_every_backend!(
    the_messages_of_a_burst_join_a_turn,
    what_joined_a_turn_is_leased_with_it_again,
    all_that_waits_joins_where_that_is_asked_for,
    an_answer_that_gives_way_is_not_planned_once_more_waits,
);
