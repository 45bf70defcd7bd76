//! Customers: whose contact is whose, what goes before what, and files that are joined.

use hark::store::{
    CustomerChange, CustomerEntry, CustomerPatch, CustomerSource, Customers, Imported, OnFile,
    People, Queue,
};
use hark::turn::{Customer, Personal};

use super::{Backend, from, on_every_backend};

on_every_backend! {
    a_contact_is_a_customer_by_its_id_or_its_number,
    what_a_server_told_holds_for_its_time_and_gives_way,
    a_file_is_joined_to_what_is_known,
    two_customers_never_share_a_number_or_an_id,
    customers_are_listed_in_parts_and_found_by_words,
    whoever_is_forgotten_is_no_customer_either,
    a_large_file_lets_others_write,
}

const PHONE: &str = "49301234567";

fn named(name: &str, plan: &str) -> Customer {
    let mut customer = Customer { name: Some(name.into()), ..Customer::default() };
    customer.fields.set("plan", plan);
    customer
}

fn entry(phone: Option<&str>, user_id: Option<&str>, customer: Customer) -> CustomerEntry {
    CustomerEntry {
        user_id: user_id.map(Personal::from),
        phone: phone.map(Personal::from),
        customer,
    }
}

fn row(line: u64, phone: &str, user_id: &str, name: &str, plan: &str) -> CustomerPatch {
    let id = |id: &str| Some(Personal::from(id)).filter(|_| !id.is_empty());
    CustomerPatch {
        line,
        user_id: id(user_id),
        phone: id(phone),
        name: Some(name.into()),
        language: None,
        fields: vec![("plan".to_owned(), plan.into())],
    }
}

/// Lets a person write, and returns the contact's row.
async fn contact(store: &(impl Queue + People), phone: Option<&str>, user_id: Option<&str>) -> i64 {
    let id = format!("in.{phone:?}{user_id:?}");
    store.accept(vec![from(&id, phone, user_id)], 1).await.unwrap();
    let is =
        |id: &Option<Personal>, other| id.is_some() && id.as_ref().map(Personal::reveal) == other;
    let all = store.contacts(None, 9).await.unwrap();
    let row = all.iter().find(|row| is(&row.user_id, user_id) || is(&row.phone, phone));
    row.expect("they wrote").id
}

/// The name that is on file of a contact.
async fn name(store: &impl Customers, contact: i64, now_ms: i64) -> Option<String> {
    match store.on_file(contact, now_ms).await.unwrap() {
        OnFile::Known(customer) => customer.name.map(|name| name.0),
        OnFile::Unknown => Some("unknown".to_owned()),
        OnFile::Nothing => None,
    }
}

async fn a_contact_is_a_customer_by_its_id_or_its_number<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let add = async |phone, user_id, name: &str| {
        store.add_customer(entry(phone, user_id, named(name, "x")), 5).await.unwrap()
    };
    add(Some(PHONE), None, "by number").await;
    add(None, Some("US.1"), "by id").await;
    add(Some("525512345678"), None, "Mexican").await;
    let known = async |phone, user_id| {
        let contact = contact(&store, phone, user_id).await;
        name(&store, contact, 9).await
    };
    assert_eq!(known(Some(PHONE), None).await.as_deref(), Some("by number"));
    assert_eq!(known(Some("49307654321"), Some("US.1")).await.as_deref(), Some("by id"));
    assert_eq!(known(Some("5215512345678"), None).await.as_deref(), Some("Mexican"));
    assert_eq!(known(Some("49300000000"), Some("US.9")).await, None);
    // Who has both is known by the id first.
    assert_eq!(known(Some(PHONE), Some("US.1")).await.as_deref(), Some("by id"));
    drop(store);
    let contacts = backend.open().contacts(None, 9).await.unwrap();
    let store = backend.open();
    let newest = contacts.iter().find(|row| row.phone == Some("5215512345678".into())).unwrap();
    assert_eq!(name(&store, newest.id, 9).await.as_deref(), Some("Mexican"), "it is on disk");
}

async fn what_a_server_told_holds_for_its_time_and_gives_way<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let ann = contact(&store, Some(PHONE), Some("US.1")).await;
    let bob = contact(&store, Some("49307654321"), None).await;
    store.keep_lookup(ann, Some(named("Ann", "gold")), 100, 200).await.unwrap();
    store.keep_lookup(bob, None, 100, 200).await.unwrap();
    assert_eq!(name(&store, ann, 199).await.as_deref(), Some("Ann"));
    assert_eq!(name(&store, bob, 199).await.as_deref(), Some("unknown"));
    assert_eq!(name(&store, ann, 200).await, None);
    assert_eq!(name(&store, bob, 200).await, None);
    let listed = store.customers(None, 9, None).await.unwrap();
    let ann_row = &listed[0];
    assert_eq!((listed.len(), ann_row.source), (1, CustomerSource::Lookup), "{listed:?}");
    assert_eq!(ann_row.expires_ms, Some(200));

    // What is told again takes its place, and what is out of date goes.
    store.keep_lookup(ann, Some(named("Anna", "gold")), 300, 400).await.unwrap();
    assert_eq!(name(&store, ann, 301).await.as_deref(), Some("Anna"));
    assert_eq!(store.customers(None, 9, None).await.unwrap().len(), 1);
    // What is imported or written goes before it, and is not replaced by it.
    let imported = store.import(vec![row(2, PHONE, "", "Ann Lee", "silver")], 310).await.unwrap();
    assert_eq!(imported, [Imported::Added]);
    store.keep_lookup(ann, Some(named("Nobody", "")), 320, 420).await.unwrap();
    assert_eq!(name(&store, ann, 500).await.as_deref(), Some("Ann Lee"));
    assert_eq!(store.customers(None, 9, None).await.unwrap().len(), 1);

    // Of somebody who is forgotten meanwhile nothing is kept.
    assert!(store.forget(bob).await.unwrap());
    store.keep_lookup(bob, Some(named("Bob", "")), 600, 700).await.unwrap();
    assert_eq!(store.customers(None, 9, None).await.unwrap().len(), 1);
}

async fn a_file_is_joined_to_what_is_known<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let CustomerChange::Now(ann, 1) =
        store.add_customer(entry(Some("1"), None, named("Ann", "gold")), 5).await.unwrap()
    else {
        panic!("she is new")
    };
    store.add_customer(entry(None, Some("US.2"), named("Bob", "x")), 5).await.unwrap();
    let file = |plan: &str| {
        let more = CustomerPatch {
            name: None,
            fields: vec![("town".to_owned(), "Köln".into()), ("plan".to_owned(), "".into())],
            ..row(3, "1", "US.1", "", "")
        };
        vec![more, row(4, "2", "", "Cy", plan), row(5, "1", "US.2", "Eve", "x")]
    };
    let became = store.import(file("gold"), 10).await.unwrap();
    assert_eq!(became, [Imported::Updated, Imported::Added, Imported::OfTwo]);
    let row = store.customer(ann).await.unwrap().unwrap();
    let fields: Vec<(&str, &str)> =
        row.entry.customer.fields.iter().map(|(name, value)| (name, value.reveal())).collect();
    assert_eq!(fields, [("town", "Köln")], "an empty cell removes");
    assert_eq!(row.entry.customer.name, Some("Ann".into()), "what has no column stays");
    assert_eq!(row.entry.user_id, Some("US.1".into()));
    assert_eq!((row.version, row.source, row.updated_ms), (2, CustomerSource::Import, 10));
    let again = store.import(file("gold"), 20).await.unwrap();
    assert_eq!(again, [Imported::Unchanged, Imported::Unchanged, Imported::OfTwo]);
    assert_eq!(store.customer(ann).await.unwrap().unwrap().version, 2);
    let other = store.import(file("silver"), 30).await.unwrap();
    assert_eq!(other, [Imported::Unchanged, Imported::Updated, Imported::OfTwo]);
}

async fn two_customers_never_share_a_number_or_an_id<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let add = async |entry| store.add_customer(entry, 5).await.unwrap();
    let CustomerChange::Now(ann, 1) = add(entry(Some("1"), Some("US.1"), named("Ann", ""))).await
    else {
        panic!("she is new")
    };
    let CustomerChange::Now(bob, 1) = add(entry(Some("2"), None, named("Bob", ""))).await else {
        panic!("he is new")
    };
    let taken = CustomerChange::Taken(ann);
    assert_eq!(add(entry(Some("1"), None, Customer::default())).await, taken);
    assert_eq!(add(entry(Some("9"), Some("US.1"), Customer::default())).await, taken);
    let put = async |id, version, entry| store.put_customer(id, version, entry, 7).await.unwrap();
    assert_eq!(put(bob, 1, entry(Some("1"), None, Customer::default())).await, taken);
    assert_eq!(put(bob, 2, entry(Some("3"), None, named("B", ""))).await, CustomerChange::Stale(1));
    assert_eq!(put(99, 1, entry(Some("3"), None, named("B", ""))).await, CustomerChange::Absent);
    let other = put(bob, 1, entry(Some("3"), None, named("Bo", "new"))).await;
    assert_eq!(other, CustomerChange::Now(bob, 2));
    let row = store.customer(bob).await.unwrap().unwrap();
    assert_eq!((row.version, row.updated_ms, row.created_ms), (2, 7, 5));
    assert!(store.remove_customer(bob).await.unwrap());
    assert!(!store.remove_customer(bob).await.unwrap());
    assert_eq!(store.customer(bob).await.unwrap(), None);
    let CustomerChange::Now(next, 1) = add(entry(Some("3"), None, Customer::default())).await
    else {
        panic!("the number is free")
    };
    assert!(next > bob, "an id is not used again");
}

async fn customers_are_listed_in_parts_and_found_by_words<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let many = (1..=1_500).map(|n| row(n, &format!("4930{n:07}"), "", &format!("Person {n}"), "x"));
    store.import(many.collect(), 5).await.unwrap();
    let all = store.customers(None, 9_999, None).await.unwrap();
    assert_eq!(all.len(), 1_500);
    let first = store.customers(None, 700, None).await.unwrap();
    let rest = store.customers(Some(first[699].id), 9_999, None).await.unwrap();
    assert_eq!([first, rest].concat(), all);
    let found = async |words: &str| {
        let rows = store.customers(None, 9, Some(words.to_owned())).await.unwrap();
        rows.into_iter().map(|row| row.entry.customer.name.unwrap().0).collect::<Vec<_>>()
    };
    assert_eq!(found("PERSON 1499").await, ["Person 1499"]);
    assert_eq!(found("person 3").await.len(), 9, "no more than wanted");
    assert_eq!(found("+49 (30) 0000007").await, ["Person 7"]);
    assert!(found("nobody").await.is_empty());
}

async fn whoever_is_forgotten_is_no_customer_either<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let ann = contact(&store, Some(PHONE), Some("US.1")).await;
    store.add_customer(entry(Some(PHONE), None, named("Ann", "gold")), 5).await.unwrap();
    store.add_customer(entry(None, Some("US.1"), named("Ann", "gold")), 5).await.unwrap();
    store.add_customer(entry(Some("2"), None, named("Bob", "x")), 5).await.unwrap();
    assert_eq!(store.customer_of(ann).await.unwrap().unwrap().entry.user_id, Some("US.1".into()));
    assert!(store.forget(ann).await.unwrap());
    let left = store.customers(None, 9, None).await.unwrap();
    assert_eq!((left.len(), &left[0].entry.customer.name), (1, &Some("Bob".into())));
}

async fn a_large_file_lets_others_write<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let many = (1..=5_000).map(|n| row(n, &format!("4930{n:07}"), "", "A", "x")).collect();
    let mut import = std::pin::pin!(store.import(many, 5));
    let accept = store.accept(vec![from("1", Some(PHONE), None)], 1);
    tokio::select! {
        _ = &mut import => panic!("a webhook waits for the whole file"),
        accepted = accept => assert_eq!(accepted.unwrap().len(), 1),
    }
    assert_eq!(import.await.unwrap(), [Imported::Added; 5_000]);
}
