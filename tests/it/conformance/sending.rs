//! When parts may go: the pace of a number and of a person, and the 24 hours.

use hark::store::{Queue, Record, SendPlan, StoreError};
use hark::turn::{Content, Role};

use super::{Backend, begun, from, lease_one, on_every_backend};

const HOURS_MS: i64 = 60 * 60 * 1000;
/// A time of these days: more than fits into 32 bits.
const NOW: i64 = 1_795_000_000_000;

fn texts(count: usize, per_second: u32) -> SendPlan {
    let parts = vec![(Role::Answer, Content::Text("yes".into())); count];
    SendPlan { parts, per_second, unless_more: false }
}

async fn a_number_and_a_person_get_messages_at_their_pace<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", NOW).await;
    let due =
        |parts: Vec<hark::turn::Part>| parts.iter().map(|part| part.due_ms).collect::<Vec<_>>();
    let planned = due(store.plan(&first, texts(46, 80), NOW).await.unwrap());
    assert_eq!((&planned[..45], planned[45]), (&[NOW; 45][..], NOW + 6_000), "a person's burst");
    store.accept(vec![from("b", Some("34600111222"), None)], NOW).await.unwrap();
    let other = lease_one(&store, NOW).await;
    store.begin(&other, "hark".into(), 0.0, NOW).await.unwrap();
    let planned = due(store.plan(&other, texts(36, 80), NOW).await.unwrap());
    assert_eq!(
        (planned[33], planned[34], planned[35]),
        (NOW, NOW + 13, NOW + 25),
        "the number's second"
    );
    let begun = store.begin(&other, "hark".into(), 0.0, NOW).await.unwrap();
    assert_eq!(begun.parts[35].due_ms, NOW + 25, "it is kept");
}

async fn who_has_not_written_for_a_day_gets_templates_alone<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let first = begun(&store, "a", NOW).await;
    let late_ms = NOW + 1 + 24 * HOURS_MS;
    assert_eq!(store.plan(&first, texts(1, 80), late_ms - 1).await.unwrap().len(), 1);
    let refused = store.plan(&first, texts(1, 80), late_ms).await;
    assert!(matches!(refused, Err(StoreError::WindowShut)), "{refused:?}");
    let words = None;
    let template = Content::Template { name: "n".into(), language: "en".into(), words };
    let template = vec![(Role::Answer, template)];
    assert_eq!(store.plan(&first, template.into(), late_ms).await.unwrap().len(), 1);
    // They write again: whatever the message, the window is open.
    store.accept(vec![super::text("b")], late_ms).await.unwrap();
    assert_eq!(store.plan(&first, texts(1, 80), late_ms + 1).await.unwrap().len(), 1);
}

on_every_backend!(
    a_number_and_a_person_get_messages_at_their_pace,
    who_has_not_written_for_a_day_gets_templates_alone,
);
