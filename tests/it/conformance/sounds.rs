//! What sound is kept, and until when: rows before files and after them.

use hark::store::{People as _, SoundIndex, SoundRow};
use hark::turn::{Outcome, SoundSide, TurnId};

use super::{Backend, begun, ended, finish, on_every_backend};

on_every_backend! {
    sound_is_found_until_its_time_is_over,
    the_sound_of_who_is_forgotten_is_overdue_and_no_more_is_taken,
}

fn row(turn: &TurnId, side: SoundSide, kept_ms: i64) -> SoundRow {
    SoundRow {
        turn: turn.clone(),
        side,
        key: format!("1/{turn}-{}.ogg", side.name()),
        kind: "audio/ogg".to_owned(),
        bytes: 7,
        kept_ms,
        kept_until_ms: kept_ms + 1_000,
    }
}

async fn sound_is_found_until_its_time_is_over<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let turn = begun(&store, "1", 1_000).await.turn;
    let (came, sent) = (row(&turn, SoundSide::In, 2_000), row(&turn, SoundSide::Out, 2_000));
    assert!(store.announce(came.clone()).await.unwrap());
    assert_eq!(store.sound(&turn, SoundSide::In, 2_000).await.unwrap(), None, "not written yet");
    assert!(store.announce(came.clone()).await.unwrap(), "a second try, where the first failed");
    assert!(store.written(&turn, SoundSide::In, 2_000).await.unwrap());
    assert!(!store.announce(came.clone()).await.unwrap(), "it is kept: not once more");
    assert_eq!(store.sound(&turn, SoundSide::In, 2_999).await.unwrap(), Some(came.clone()));
    assert_eq!(store.sound(&turn, SoundSide::In, 3_000).await.unwrap(), None);
    // What was announced and never written is overdue as well: its file may be there.
    assert!(store.announce(sent.clone()).await.unwrap());
    assert_eq!(store.overdue(2_999, None, 9).await.unwrap(), []);
    assert_eq!(store.overdue(3_000, None, 9).await.unwrap(), [came.clone(), sent.clone()]);
    assert_eq!(
        store.overdue(3_000, Some(came.clone()), 9).await.unwrap(),
        std::slice::from_ref(&sent)
    );
    assert_eq!(store.overdue(3_000, None, 1).await.unwrap(), std::slice::from_ref(&came));
    store.deleted(&came).await.unwrap();
    assert_eq!(store.overdue(3_000, None, 9).await.unwrap(), [sent]);
    store.keep_at_most(500).await.unwrap();
    assert_eq!(store.overdue(2_500, None, 9).await.unwrap().len(), 1);
    store.keep_at_most(5_000).await.unwrap();
    assert_eq!(store.overdue(2_500, None, 9).await.unwrap().len(), 1, "no longer than promised");
}

async fn the_sound_of_who_is_forgotten_is_overdue_and_no_more_is_taken<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    finish(&store, &lease, &ended("words", Outcome::VoiceNote), 1_100).await;
    let turn = &lease.turn;
    assert!(store.announce(row(turn, SoundSide::In, 2_000)).await.unwrap());
    let person = store.contacts(None, 9).await.unwrap().remove(0);
    assert!(store.forget(person.id).await.unwrap());
    let overdue = store.overdue(0, None, 9).await.unwrap();
    assert_eq!(overdue.len(), 1, "{overdue:?}");
    assert!(!store.announce(row(turn, SoundSide::Out, 2_000)).await.unwrap(), "the turn is gone");
    store.deleted(&overdue[0]).await.unwrap();
    assert!(!store.written(turn, SoundSide::In, 2_100).await.unwrap(), "it was deleted meanwhile");
}
