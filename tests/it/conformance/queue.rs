//! What is accepted is leased once, in the order of its lane.

use hark::store::{Archive as _, Disposition, MessageCounts, Queue as _, Tenure};
use hark::turn::{Accepted, Body, TurnId};

use super::{Backend, from, lease, lease_one, on_every_backend, text};
use crate::harness::NUMBER;

on_every_backend! {
    a_message_is_accepted_once,
    a_turn_is_made_of_the_message_as_it_came,
    what_is_not_to_be_answered_is_kept,
    a_lane_is_leased_in_order_and_one_at_a_time,
    no_more_is_leased_than_is_asked_for,
    a_message_that_waits_holds_its_lane_only,
    the_lanes_sleep_until_the_head_of_a_lane_is_due,
    only_an_attempt_is_counted_as_one,
}

async fn a_message_is_accepted_once<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let twice = store.accept(vec![text("1"), text("1"), text("2")], 1_000).await.unwrap();
    assert_eq!(twice, [Accepted::New, Accepted::Duplicate, Accepted::New]);
    let (mut elsewhere, disposition) = text("1");
    elsewhere.number = "other".into();
    let answers = store.accept(vec![(elsewhere, disposition)], 1_000).await.unwrap();
    assert_eq!(answers, [Accepted::New], "another number has its own ids");
    for lease in lease(&store, 1_000).await {
        store.ack(&lease.key()).await.unwrap();
    }
    drop(store);
    let store = backend.open();
    assert_eq!(store.accept(vec![text("1")], 9_000).await.unwrap(), [Accepted::Duplicate]);
    assert_eq!(lease_one(&store, 9_000).await.first().id, "2".into());
}

async fn a_turn_is_made_of_the_message_as_it_came<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let (mut message, disposition) = from("1", Some("1555"), Some("US.1"));
    message.from.as_mut().unwrap().profile_name = Some("Ann".into());
    message.about.reply_to = Some("0".into());
    store.accept(vec![(message.clone(), disposition)], 1_000).await.unwrap();
    let lease = lease_one(&store, 2_000).await;
    assert_eq!(lease.turn, TurnId::from_message(&NUMBER.into(), &"1".into()));
    assert_eq!((&lease.lane.number, &lease.node), (&NUMBER.into(), &"a".into()));
    assert_eq!(Some(&lease.contact), message.from.as_ref());
    assert_eq!((lease.contact_language.as_ref(), lease.reply_mode), (None, None));
    let first = lease.first();
    assert_eq!((&first.id, &first.body), (&message.id, &message.body));
    assert_eq!(first.about, message.about);
    assert_eq!((first.raw_type.as_str(), first.received_ms, lease.attempt), ("text", 1_000, 1));
}

async fn what_is_not_to_be_answered_is_kept<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let mut messages = vec![text("queued"), text("stored"), text("expired"), text("nobody")];
    messages[1].1 = Disposition::Store;
    messages[2].1 = Disposition::Expire;
    (messages[3].0.from, messages[3].0.body) = (None, Body::Silent);
    store.accept(messages, 1_000).await.unwrap();
    let counts = MessageCounts { due: 1, queued: 1, stored: 2, expired: 1, ..Default::default() };
    assert_eq!(store.messages(1_000).await.unwrap(), counts);
    let lease = lease_one(&store, 1_000).await;
    let counts = MessageCounts { due: 0, queued: 0, leased: 1, ..counts };
    assert_eq!(store.messages(1_000).await.unwrap(), counts);
    store.ack(&lease.key()).await.unwrap();
    let counts = MessageCounts { leased: 0, done: 1, ..counts };
    assert_eq!(store.messages(1_000).await.unwrap(), counts);
}

async fn a_lane_is_leased_in_order_and_one_at_a_time<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let (mut other_number, disposition) = text("4");
    other_number.number = "other".into();
    let other_person = from("3", Some("2"), None);
    let messages = vec![text("1"), text("2"), other_person, (other_number, disposition)];
    store.accept(messages, 1_000).await.unwrap();
    let leases = lease(&store, 1_000).await;
    let ids: Vec<&str> = leases.iter().map(|lease| lease.first().id.0.as_str()).collect();
    assert_eq!(ids, ["1", "3", "4"], "a lane is one contact on one number");
    assert!(lease(&store, 1_000).await.is_empty());
    store.ack(&leases[0].key()).await.unwrap();
    assert_eq!(lease_one(&store, 1_000).await.first().id, "2".into());
}

async fn no_more_is_leased_than_is_asked_for<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let people = ["1", "2", "3"].map(|id| from(id, Some(id), None));
    store.accept(people.to_vec(), 1_000).await.unwrap();
    for (limit, leased) in [(0, 0), (2, 2), (2, 1)] {
        let leases = store.lease(&super::lessee("a", 9_000), limit, 1_000).await.unwrap();
        assert_eq!(leases.len(), leased);
    }
}

async fn a_message_that_waits_holds_its_lane_only<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1")], 1_000).await.unwrap();
    let first = lease_one(&store, 1_000).await;
    assert_eq!(store.release(&first.key(), 5_000, true).await.unwrap(), Tenure::Held);
    store.accept(vec![text("2"), from("3", Some("2"), None)], 1_000).await.unwrap();
    let counts = store.messages(4_999).await.unwrap();
    assert_eq!((counts.due, counts.queued), (1, 3));
    assert_eq!(lease_one(&store, 4_999).await.first().id, "3".into());
    let again = lease_one(&store, 5_000).await;
    assert_eq!((&again.turn, again.attempt), (&first.turn, 2));
}

async fn the_lanes_sleep_until_the_head_of_a_lane_is_due<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1"), text("2")], 1_000).await.unwrap();
    let first = lease_one(&store, 1_000).await;
    assert_eq!(store.next_due_ms().await.unwrap(), None);
    store.release(&first.key(), 5_000, true).await.unwrap();
    assert_eq!(store.next_due_ms().await.unwrap(), Some(5_000));
}

async fn only_an_attempt_is_counted_as_one<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![text("1")], 1_000).await.unwrap();
    for (attempt, was_attempt) in [(1, false), (1, true), (2, false), (2, true), (3, true)] {
        let lease = lease_one(&store, 1_000).await;
        assert_eq!(lease.attempt, attempt);
        store.release(&lease.key(), 1_000, was_attempt).await.unwrap();
    }
}
