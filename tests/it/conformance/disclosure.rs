//! When a person was told that a machine speaks: with a part that was planned, in one chat.

use hark::store::{Draft, Lease, Queue as _, Record};
use hark::turn::{Outcome, Role};

use super::{Backend, begun, ended, finish, from, lease, lease_one, on_every_backend, plan, text};

on_every_backend! {
    it_counts_from_the_planning_of_a_part_that_says_so,
    a_turn_that_ends_without_it_has_told_nothing,
    it_belongs_to_a_person_and_a_number,
}

/// A draft that tells it.
fn telling(outcome: Outcome) -> Draft {
    let mut draft = ended("hi", outcome);
    draft.report.disclosure = Some("A machine speaks.".to_owned());
    draft
}

/// When the turn of a lease was told of by then.
async fn told_ms(store: &impl Record, lease: &Lease) -> Option<i64> {
    store.begin(lease, "hark".into(), 0.0, 9_000).await.unwrap().told_ms
}

async fn it_counts_from_the_planning_of_a_part_that_says_so<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    store.draft(&lease, &telling(Outcome::Text)).await.unwrap();
    assert_eq!(told_ms(&store, &lease).await, None, "nothing is planned");
    let parts = vec![(Role::Answer, hark::turn::Content::Text("words".into()))];
    store.plan(&lease, parts.into(), 2_000).await.unwrap();
    drop(store);
    let store = backend.open();
    assert_eq!(told_ms(&store, &lease).await, Some(2_000));
    finish(&store, &lease, &telling(Outcome::Text), 3_000).await;
    let next = begun(&store, "2", 4_000).await;
    assert_eq!(told_ms(&store, &next).await, Some(2_000));
    store.draft(&next, &ended("hi", Outcome::Text)).await.unwrap();
    plan(&store, &next, Role::Answer, "words").await;
    finish(&store, &next, &ended("hi", Outcome::Text), 5_000).await;
    let last = begun(&store, "3", 6_000).await;
    assert_eq!(told_ms(&store, &last).await, Some(2_000), "the second turn did not tell it");
}

async fn a_turn_that_ends_without_it_has_told_nothing<B: Backend>() {
    for end in [ended("hi", Outcome::Fallback), telling(Outcome::Failed)] {
        let backend = B::fresh();
        let store = backend.open();
        let lease = begun(&store, "1", 1_000).await;
        store.draft(&lease, &telling(Outcome::VoiceNote)).await.unwrap();
        plan(&store, &lease, Role::Answer, "words").await;
        finish(&store, &lease, &end, 3_000).await;
        let next = begun(&store, "2", 4_000).await;
        assert_eq!(told_ms(&store, &next).await, None);
    }
}

async fn it_belongs_to_a_person_and_a_number<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "1", 1_000).await;
    store.draft(&first, &telling(Outcome::Text)).await.unwrap();
    plan(&store, &first, Role::Answer, "words").await;
    finish(&store, &first, &telling(Outcome::Text), 2_000).await;

    let (mut elsewhere, disposition) = text("2");
    elsewhere.number = "another".into();
    let other = from("3", Some("1777"), None);
    store.accept(vec![(elsewhere, disposition), other], 3_000).await.unwrap();
    for lease in lease(&store, 3_000).await {
        assert_eq!(told_ms(&store, &lease).await, None, "{:?}", lease.lane);
    }
    // The same person, by another name from now on.
    store.accept(vec![from("4", Some(crate::harness::PERSON), Some("US.1"))], 4_000).await.unwrap();
    store.accept(vec![from("5", None, Some("US.1"))], 4_000).await.unwrap();
    let named = lease_one(&store, 4_000).await;
    assert_eq!(told_ms(&store, &named).await, Some(0));
}
