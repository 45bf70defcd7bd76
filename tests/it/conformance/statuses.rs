//! What the provider says of a part changes the part, and its turn if it is the answer.

use hark::store::{Archive as _, Lapsed, Lease, Loss, Queue, Record, StatusEffect};
use hark::turn::{Content, DeliveryStatus, Outcome, PartState, Reason, Role, StatusUpdate, TurnId};

use super::{Backend, begun, ended, finish, lease_one, on_every_backend, plan};
use crate::harness::NUMBER;

on_every_backend! {
    statuses_are_kept_once_and_shown_by_part_and_time,
    a_status_proves_that_a_planned_part_was_sent,
    a_failed_status_fails_a_finished_turn,
    a_failed_status_that_comes_first_fails_the_turn_at_its_end,
    a_turn_stands_without_what_was_beside_it,
    a_lost_note_opens_its_turn_again,
    a_note_that_is_lost_before_the_end_of_its_lease_opens_its_turn_again,
    a_status_without_our_data_is_known_by_the_message,
    a_status_without_our_data_that_comes_first_opens_its_turn_at_its_end,
    statuses_of_other_senders_change_nothing,
}

/// A status of the part `index` of a turn.
fn status(turn: &TurnId, index: u32, id: &str, status: DeliveryStatus, at_ms: i64) -> StatusUpdate {
    let failed = status == DeliveryStatus::Failed;
    StatusUpdate {
        number: NUMBER.into(),
        message: id.into(),
        status,
        at_ms,
        error_code: failed.then_some(131_026),
        error_title: failed.then(|| "Undeliverable".to_owned()),
        callback_data: Some(turn.callback_data(index)),
    }
}

/// Plans the answer as part 0, and settles it as sent under the id "a".
async fn send(store: &impl Record, lease: &Lease) {
    plan(store, lease, Role::Answer, "words").await;
    store.settle(&lease.turn, 0, Ok("a".into()), 1_000).await.unwrap();
}

fn undelivered() -> Reason {
    Reason::Undelivered { code: Some(131_026), title: Some("Undeliverable".to_owned()) }
}

async fn statuses_are_kept_once_and_shown_by_part_and_time<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let of = |index, id, word, at_ms| status(&lease.turn, index, id, word, at_ms);
    let statuses = vec![
        of(1, "b", DeliveryStatus::Sent, 50),
        of(0, "a", DeliveryStatus::Read, 300),
        of(0, "a", DeliveryStatus::Delivered, 200),
        of(0, "a", DeliveryStatus::Delivered, 250),
    ];
    store.record_statuses(statuses, 2_000).await.unwrap();
    assert_eq!(store.turns(None, 1).await.unwrap()[0].statuses, ["delivered", "read", "sent"]);
}

async fn a_status_proves_that_a_planned_part_was_sent<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    for words in ["one", "two", "three"] {
        plan(&store, &lease, Role::Answer, words).await;
    }
    let statuses = vec![
        status(&lease.turn, 0, "a", DeliveryStatus::Delivered, 1),
        status(&lease.turn, 1, "b", DeliveryStatus::Failed, 1),
    ];
    store.record_statuses(statuses, 2_000).await.unwrap();
    store.reclaim(Lapsed::Predecessor("a".into()), 1_000, 1_000).await.unwrap();
    let lease = lease_one(&store, 1_000).await;
    let parts = store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap().parts;
    let states: Vec<_> = parts.into_iter().map(|part| part.state).collect();
    let sent = PartState::Sent("a".into());
    assert_eq!(states, [sent, PartState::Failed, PartState::Planned]);
}

async fn a_failed_status_fails_a_finished_turn<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    send(&store, &lease).await;
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    let failed = status(&lease.turn, 0, "a", DeliveryStatus::Failed, 1);
    store.record_statuses(vec![failed], 2_000).await.unwrap();
    let report = store.turns(None, 1).await.unwrap().remove(0).report.unwrap();
    assert_eq!((report.outcome, report.reason), (Outcome::Failed, Some(undelivered())));
}

async fn a_failed_status_that_comes_first_fails_the_turn_at_its_end<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let early = status(&lease.turn, 0, "a", DeliveryStatus::Failed, 1);
    store.record_statuses(vec![early], 2_000).await.unwrap();
    send(&store, &lease).await;
    assert!(store.turns(None, 1).await.unwrap()[0].report.is_none());
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    let report = store.turns(None, 1).await.unwrap().remove(0).report.unwrap();
    assert_eq!((report.outcome, report.reason), (Outcome::Failed, Some(undelivered())));
}

/// Plans a note as part 0, and settles it as sent under the id "a".
async fn send_note(store: &impl Record, lease: &Lease) {
    let note = vec![(Role::Answer, Content::Voice("media.1".into()))];
    store.plan(lease, note.into(), 1_000).await.unwrap();
    store.settle(&lease.turn, 0, Ok("a".into()), 1_000).await.unwrap();
}

/// Checks that the only thing to do is to send the words of the lost note.
async fn check_opened(store: &(impl Queue + Record), turn: &TurnId) {
    let lease = lease_one(store, 2_000).await;
    assert_eq!((&lease.turn, lease.attempt), (turn, 2));
    let begun = store.begin(&lease, "hark".into(), 0.0, 2_000).await.unwrap();
    assert!(!begun.finished && begun.parts[0].is_lost_note());
    let draft = begun.draft.expect("its words are known");
    assert_eq!(
        (draft.report.reply.text.reveal(), draft.report.reason),
        ("yes, hi", Some(undelivered()))
    );
}

async fn a_lost_note_opens_its_turn_again<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    send_note(&store, &lease).await;
    finish(&store, &lease, &ended("hi", Outcome::VoiceNote), 1_000).await;
    store.accept(vec![super::text("2")], 1_500).await.unwrap();
    let failed = |id| status(&lease.turn, 0, id, DeliveryStatus::Failed, 1);
    let effects = store.record_statuses(vec![failed("a"), failed("a")], 2_000).await.unwrap();
    assert_eq!(effects, [StatusEffect::Failed(Loss::Resend), StatusEffect::Known]);
    assert!(store.turns(None, 1).await.unwrap()[0].report.is_none(), "it runs again");
    drop(store);
    let store = backend.open();
    check_opened(&store, &lease.turn).await;
    plan(&store, &lease_as(&lease, 2), Role::Answer, "yes, hi").await;
    let effects = store.record_statuses(vec![failed("copy")], 2_000).await.unwrap();
    assert_eq!(effects, [StatusEffect::Failed(Loss::Replaced)]);
}

/// The same lease in a later attempt.
fn lease_as(lease: &Lease, attempt: u32) -> Lease {
    let mut lease = lease.clone();
    lease.attempt = attempt;
    lease
}

async fn a_note_that_is_lost_before_the_end_of_its_lease_opens_its_turn_again<B: Backend>() {
    let failed = |turn: &TurnId| vec![status(turn, 0, "a", DeliveryStatus::Failed, 1)];
    // Before the turn's end, and between that and the end of the lease.
    for early in [true, false] {
        let backend = B::fresh();
        let store = backend.open();
        let lease = begun(&store, "1", 1_000).await;
        if early {
            store.record_statuses(failed(&lease.turn), 1_000).await.unwrap();
        }
        send_note(&store, &lease).await;
        store.finish(&lease, &ended("hi", Outcome::VoiceNote), 1_000).await.unwrap();
        if !early {
            store.record_statuses(failed(&lease.turn), 1_000).await.unwrap();
        }
        assert!(super::lease(&store, 2_000).await.is_empty(), "it is still leased");
        store.ack(&lease.key()).await.unwrap();
        check_opened(&store, &lease.turn).await;
    }
}

async fn a_turn_stands_without_what_was_beside_it<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    plan(&store, &lease, Role::Answer, "words").await;
    plan(&store, &lease, Role::Beside, "a link").await;
    let of = |index, id| status(&lease.turn, index, id, DeliveryStatus::Failed, 1);
    store.record_statuses(vec![of(1, "early")], 2_000).await.unwrap();
    finish(&store, &lease, &ended("hi", Outcome::VoiceNote), 1_000).await;
    store.record_statuses(vec![of(1, "late")], 2_000).await.unwrap();
    let report = store.turns(None, 1).await.unwrap().remove(0).report.unwrap();
    assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None));
}

async fn a_status_without_our_data_is_known_by_the_message<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    send(&store, &lease).await;
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    let failed = status(&lease.turn, 0, "a", DeliveryStatus::Failed, 1);
    let failed = StatusUpdate { callback_data: None, ..failed };
    store.record_statuses(vec![failed], 2_000).await.unwrap();
    let row = store.turns(None, 1).await.unwrap().remove(0);
    assert_eq!(
        (row.statuses, row.report.unwrap().outcome),
        (vec!["failed".to_owned()], Outcome::Failed)
    );
}

async fn a_status_without_our_data_that_comes_first_opens_its_turn_at_its_end<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    let early = status(&lease.turn, 0, "a", DeliveryStatus::Failed, 1);
    let early = StatusUpdate { callback_data: None, ..early };
    store.record_statuses(vec![early], 1_000).await.unwrap();
    send_note(&store, &lease).await;
    finish(&store, &lease, &ended("hi", Outcome::VoiceNote), 1_000).await;
    check_opened(&store, &lease.turn).await;
}

async fn statuses_of_other_senders_change_nothing<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    send(&store, &lease).await;
    finish(&store, &lease, &ended("hi", Outcome::Text), 1_000).await;
    let failed = status(&lease.turn, 0, "x", DeliveryStatus::Failed, 1);
    let theirs = StatusUpdate { callback_data: Some("theirs".to_owned()), ..failed.clone() };
    let unknown = StatusUpdate { callback_data: Some("hark:0000:0".to_owned()), ..failed };
    // Of a number whose app is another: signed, and none of ours to tell.
    let number = || "number-of-another-app".into();
    let named = status(&lease.turn, 0, "y", DeliveryStatus::Failed, 1);
    let named = StatusUpdate { number: number(), ..named };
    let known = StatusUpdate { callback_data: None, message: "a".into(), ..named.clone() };
    store.record_statuses(vec![theirs, unknown, named, known], 2_000).await.unwrap();
    let row = store.turns(None, 1).await.unwrap().remove(0);
    assert!(row.statuses.is_empty(), "{row:?}");
    assert_eq!(row.report.unwrap().outcome, Outcome::Text);
}
