//! What waits, what runs and what gave up; and letting go of it.

use hark::store::BacklogState::{Dead, Running, Waiting};
use hark::store::{
    Backlog, BacklogChange, BacklogRow, BacklogSearch, BacklogState, Burst, Lease, Queue, Record,
};
use hark::turn::{Outcome, Reason};

use super::{Backend, begun, ended, finish, from, lease, lease_one, on_every_backend, text};

fn all(state: Option<BacklogState>) -> BacklogSearch {
    BacklogSearch { state, row: None, after: 0, limit: 10 }
}

fn states(rows: &[BacklogRow]) -> Vec<BacklogState> {
    rows.iter().map(|row| row.state).collect()
}

async fn messages_are_listed_by_what_they_do<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lost = begun(&store, "a", 1_000).await;
    let mut gave_up = ended("hi", Outcome::Fallback);
    gave_up.report.reason = Some(Reason::GaveUp { attempts: 3 });
    finish(&store, &lost, &gave_up, 1_500).await;
    let answered = begun(&store, "b", 2_000).await;
    finish(&store, &answered, &ended("hi", Outcome::Text), 2_500).await;
    begun(&store, "c", 3_000).await;
    store.accept(vec![text("d"), from("e", Some("1555"), None)], 4_000).await.unwrap();
    let rows = store.backlog(all(None)).await.unwrap();
    assert_eq!(
        states(&rows),
        [Dead, Running, Waiting, Waiting],
        "oldest first, without what is done"
    );
    assert_eq!(rows[0].reason.as_deref(), Some("gave up after 3 attempts"));
    assert_eq!((rows[0].dead_ms, rows[1].node.as_deref()), (Some(1_500), Some("a")));
    for state in [Dead, Running, Waiting] {
        let rows = store.backlog(all(Some(state))).await.unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.state == state), "{rows:?}");
    }
    let rest = BacklogSearch { after: rows[1].row, limit: 1, ..all(None) };
    assert_eq!(store.backlog(rest).await.unwrap(), rows[2..3]);
    let one = BacklogSearch { row: Some(rows[3].row), ..all(None) };
    assert_eq!(store.backlog(one).await.unwrap(), rows[3..]);
}

async fn what_gave_up_is_answered_anew_or_let_go<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lost = begun(&store, "a", 1_000).await;
    finish(&store, &lost, &ended("hi", Outcome::Failed), 1_500).await;
    let row = store.backlog(all(None)).await.unwrap()[0].row;
    assert_eq!(store.replay(row, 5_000).await.unwrap(), BacklogChange::Done);
    let again = lease_one(&store, 5_000).await;
    assert_eq!((again.messages[0].id.0.as_str(), again.attempt), ("a", 1));
    assert_ne!(again.turn, lost.turn);
    assert_eq!(store.replay(row, 5_000).await.unwrap(), BacklogChange::Running);
    assert_eq!(store.give_up(row, 5_000).await.unwrap(), BacklogChange::Running);
    let begun = store.begin(&again, "hark".into(), 0.0, 5_000).await.unwrap();
    assert!(!begun.finished && begun.parts.is_empty());
    finish(&store, &again, &ended("hi", Outcome::Failed), 5_500).await;
    assert_eq!(store.give_up(row, 6_000).await.unwrap(), BacklogChange::Done);
    assert_eq!(store.give_up(row, 6_000).await.unwrap(), BacklogChange::Unknown);
    assert_eq!(store.replay(99, 6_000).await.unwrap(), BacklogChange::Unknown);
    assert!(store.backlog(all(None)).await.unwrap().is_empty());
}

async fn what_waits_is_tried_at_once_or_not_at_all<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", 1_000).await;
    store.release(&first.key(), 90_000, true).await.unwrap();
    store.accept(vec![text("b")], 1_000).await.unwrap();
    assert!(lease(&store, 2_000).await.is_empty(), "the lane waits for its first");
    let row = store.backlog(all(None)).await.unwrap()[0].row;
    store.replay(row, 2_000).await.unwrap();
    let again = lease_one(&store, 2_000).await;
    assert_eq!(again.turn, first.turn, "it goes on where it was");
    store.release(&again.key(), 90_000, true).await.unwrap();
    assert_eq!(store.give_up(row, 3_000).await.unwrap(), BacklogChange::Done);
    assert_eq!(lease_one(&store, 3_000).await.messages[0].id.0, "b", "the lane goes on");
}

async fn what_is_answered_together_is_tried_again_and_let_go_together<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let ids = |lease: &Lease| -> Vec<String> {
        lease.messages.iter().map(|message| message.id.0.clone()).collect()
    };
    let burst = begun(&store, "a", 1_000).await;
    store.accept(vec![text("b")], 1_500).await.unwrap();
    store.gather(&burst, Burst::of(&burst.messages, 700, false), 1_500).await.unwrap();
    finish(&store, &burst, &ended("hi", Outcome::Failed), 2_000).await;
    let rows = store.backlog(all(None)).await.unwrap();
    assert_eq!(states(&rows), [Dead], "one answer is missing");
    assert_eq!(store.replay(rows[0].row, 3_000).await.unwrap(), BacklogChange::Done);
    let again = lease_one(&store, 3_000).await;
    assert_eq!((ids(&again), again.attempt), (vec!["a".to_owned(), "b".to_owned()], 1));
    store.release(&again.key(), 90_000, true).await.unwrap();
    let second = store.backlog(all(None)).await.unwrap()[1].row;
    assert_eq!(store.replay(second, 4_000).await.unwrap(), BacklogChange::Done);
    let again = lease_one(&store, 4_000).await;
    assert_eq!(ids(&again), ["a", "b"], "named by its second message");
    store.release(&again.key(), 90_000, true).await.unwrap();
    assert_eq!(store.give_up(second, 5_000).await.unwrap(), BacklogChange::Done);
    assert!(store.backlog(all(None)).await.unwrap().is_empty());
    assert!(lease(&store, 95_000).await.is_empty());
}

on_every_backend!(
    what_is_answered_together_is_tried_again_and_let_go_together,
    messages_are_listed_by_what_they_do,
    what_gave_up_is_answered_anew_or_let_go,
    what_waits_is_tried_at_once_or_not_at_all,
);
