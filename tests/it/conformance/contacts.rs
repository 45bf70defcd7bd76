//! One person is one contact and one lane, however they are named.

use hark::store::{Archive as _, Queue as _, Record as _};
use hark::turn::{Outcome, ReplyMode};

use super::{Backend, ended, finish, from, lease, lease_one, on_every_backend};

on_every_backend! {
    a_number_and_a_user_id_that_come_together_are_one_contact,
    contacts_seen_apart_become_one_with_all_they_had,
    a_number_with_a_new_owner_leaves_the_old_contact_as_it_was,
    a_turn_begins_although_its_contact_was_merged_after_the_lease,
}

async fn a_number_and_a_user_id_that_come_together_are_one_contact<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let messages = vec![
        from("1", Some("1555"), None),
        from("2", Some("1555"), Some("US.1")),
        from("3", None, Some("US.1")),
        from("4", Some("1555"), None),
    ];
    store.accept(messages, 1_000).await.unwrap();
    let mut contacts = Vec::new();
    for id in ["1", "2", "3", "4"] {
        let lease = lease_one(&store, 1_000).await;
        assert_eq!(lease.first().id, id.into());
        contacts.push((lease.lane.contact_id, lease.contact.user_id.clone()));
        store.ack(&lease.key()).await.unwrap();
    }
    let one = (contacts[0].0, Some("US.1".into()));
    assert!(contacts.iter().all(|contact| *contact == one), "{contacts:?}");
}

async fn contacts_seen_apart_become_one_with_all_they_had<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![from("1", Some("1555"), None)], 1_000).await.unwrap();
    let by_phone = lease_one(&store, 1_000).await;
    store.begin(&by_phone, "hark".into(), 0.0, 1_000).await.unwrap();
    store.set_reply_mode(&by_phone.turn, ReplyMode::Text).await.unwrap();
    let mut end = ended("hola", Outcome::Text);
    end.language = Some("es".into());
    finish(&store, &by_phone, &end, 1_000).await;
    store.accept(vec![from("2", None, Some("US.1"))], 1_000).await.unwrap();
    store.accept(vec![from("3", Some("1555"), Some("US.1"))], 1_000).await.unwrap();
    let merged = lease_one(&store, 1_000).await;
    assert_ne!(merged.lane, by_phone.lane);
    assert_eq!(merged.contact.phone, Some("1555".into()));
    assert_eq!(merged.contact_language, Some("es".into()));
    assert_eq!(merged.reply_mode, Some(ReplyMode::Text));
    assert_eq!(
        store.history(&merged.lane, 9_usize.into(), 1_000).await.unwrap().exchanges.len(),
        1
    );
    assert_eq!(store.turns(Some("US.1".to_owned()), 9).await.unwrap().len(), 1);
}

async fn a_number_with_a_new_owner_leaves_the_old_contact_as_it_was<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![from("1", Some("1555"), Some("US.1"))], 1_000).await.unwrap();
    store.accept(vec![from("2", Some("1555"), Some("US.2"))], 1_000).await.unwrap();
    store.accept(vec![from("3", None, Some("US.3"))], 1_000).await.unwrap();
    store.accept(vec![from("4", Some("1555"), Some("US.3"))], 1_000).await.unwrap();
    let leases = lease(&store, 1_000).await;
    let people: Vec<_> = leases
        .iter()
        .map(|lease| (lease.first().id.0.as_str(), lease.contact.clone()))
        .map(|(id, contact)| (id, contact.user_id.unwrap().0, contact.phone.map(|phone| phone.0)))
        .collect();
    let expected = [
        ("1", "US.1".to_owned(), None),
        ("2", "US.2".to_owned(), None),
        ("3", "US.3".to_owned(), Some("1555".to_owned())),
    ];
    assert_eq!(people, expected);
}

async fn a_turn_begins_although_its_contact_was_merged_after_the_lease<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    store.accept(vec![from("1", Some("1555"), None)], 1_000).await.unwrap();
    let lease = lease_one(&store, 1_000).await;
    let younger = [from("2", None, Some("US.1")), from("3", Some("1555"), Some("US.1"))];
    store.accept(younger.to_vec(), 1_000).await.unwrap();
    store.begin(&lease, "hark".into(), 0.0, 1_000).await.unwrap();
    assert_eq!(store.turns(None, 1).await.unwrap()[0].contact, "US.1");
}
