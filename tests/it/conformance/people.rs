//! People: listed in parts, looked at, and forgotten with all that hangs on them.

use hark::store::{Archive as _, People, Queue as _};
use hark::turn::Outcome;

use super::{Backend, begun, ended, finish, from, on_every_backend};

on_every_backend! {
    people_are_listed_in_parts_and_forgotten_alone,
}

async fn people_are_listed_in_parts_and_forgotten_alone<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let lease = begun(&store, "1", 1_000).await;
    finish(&store, &lease, &ended("secret words", Outcome::Text), 1_100).await;
    let others = vec![from("2", Some("1666"), None), from("3", None, Some("US.1"))];
    store.accept(others, 2_000).await.unwrap();
    let all = store.contacts(None, 9).await.unwrap();
    assert_eq!(all.len(), 3);
    let first = store.contacts(None, 2).await.unwrap();
    let rest = store.contacts(Some(first[1].id), 2).await.unwrap();
    assert_eq!([first, rest].concat(), all);
    let person = all.last().unwrap();
    assert_eq!(store.contact(person.id).await.unwrap().as_ref(), Some(person));
    let messages = store.messages_of(person.id).await.unwrap();
    assert_eq!((messages.len(), messages[0].id.as_str()), (1, "1"));
    assert!(store.forget(person.id).await.unwrap());
    assert!(!store.forget(person.id).await.unwrap(), "there is nobody");
    assert_eq!(store.contact(person.id).await.unwrap(), None);
    assert!(store.messages_of(person.id).await.unwrap().is_empty());
    assert!(store.turns(None, 9).await.unwrap().is_empty());
    assert_eq!(store.contacts(None, 9).await.unwrap(), all[..2]);
    assert_eq!(store.messages(2_000).await.unwrap().queued, 2);
}
