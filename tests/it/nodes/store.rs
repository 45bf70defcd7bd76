//! What only a database that several processes share has to do: made once, refused if it is another's, and
//! right while all write at once.

use std::collections::BTreeMap;
use std::thread;

use hark::store::{
    Access, EventLog as _, EventSearch, Lessee, Queue as _, SqlStore, StoreAddress, StoreError,
};
use hark::turn::Accepted;

use crate::conformance::text;
use crate::harness::postgres::{self, Postgres};

fn address(url: &str) -> StoreAddress {
    postgres::address(url, 4)
}

fn refused(url: &str) -> String {
    match SqlStore::open(address(url), Access::Serve).map(drop) {
        Err(error @ StoreError::Open { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_that_is_not_harks_is_refused_and_left_as_it_is() {
    let server = Postgres::start();
    let tables = "SELECT string_agg(table_name, ',' ORDER BY table_name)
                  FROM information_schema.tables WHERE table_schema = 'public'";
    let url = server.database();
    server.sql("hark0", "CREATE TABLE orders (id INT)");
    let said = refused(&url);
    assert!(said.contains("not hark's, such as orders: give hark a database"), "{said}");
    assert_eq!(server.sql("hark0", tables), "orders");

    let url = server.database();
    drop(SqlStore::open(address(&url), Access::Serve).unwrap());
    server.sql("hark1", "UPDATE hark_schema SET version = 99");
    let said = refused(&url);
    assert!(said.contains("/hark1") && said.contains("a newer version of hark"), "{said}");
    assert_eq!(server.sql("hark1", "SELECT version FROM hark_schema"), "99");

    server.database();
    server.sql("hark2", "CREATE ROLE guest LOGIN PASSWORD 'secret'");
    let guest = server.url("hark2").replace("user=postgres", "user=guest&password=secret");
    let said = refused(&guest);
    assert!(said.contains("permission denied for schema public"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(server.sql("hark2", tables), "");

    let said = refused("postgres://hark:secret@127.0.0.1:1/hark");
    assert!(said.contains("127.0.0.1:1/hark") && !said.contains("secret"), "{said}");
    let said = refused(&server.url("nowhere"));
    assert!(said.contains("database \"nowhere\" does not exist"), "{said}");
}

#[test]
fn processes_that_start_at_once_make_the_tables_once() {
    let url = Postgres::shared().database();
    let opened: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            thread::spawn(move || SqlStore::open(address(&url), Access::Serve).map(drop))
        })
        .collect();
    for opened in opened {
        opened.join().unwrap().unwrap();
    }
}

/// Two processes' stores on one database.
fn two_stores() -> [SqlStore; 2] {
    let url = Postgres::shared().database();
    [(); 2].map(|()| SqlStore::open(address(&url), Access::Serve).unwrap())
}

#[tokio::test]
async fn a_message_that_comes_to_two_nodes_at_once_is_taken_once() {
    let [one, two] = two_stores();
    for n in 0..40 {
        let id = format!("wamid.{n}");
        let (first, second) =
            tokio::join!(one.accept(vec![text(&id)], 1), two.accept(vec![text(&id)], 1));
        let mut answers = [first.unwrap()[0], second.unwrap()[0]];
        answers.sort_by_key(|answer| *answer == Accepted::Duplicate);
        assert_eq!(answers, [Accepted::New, Accepted::Duplicate], "{id}");
    }
    let lessee = Lessee { node: "a".into(), until_ms: 9_000 };
    assert_eq!(one.lease(&lessee, 100, 2).await.unwrap().len(), 1, "they are of one person");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_that_are_written_side_by_side_are_read_once_and_in_order() {
    const MESSAGES: usize = 200;
    const WRITERS: usize = 8;
    let stores = std::sync::Arc::new(two_stores());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let stores = stores.clone();
            tokio::spawn(async move {
                for n in 0..MESSAGES / WRITERS {
                    let (mut message, queue) = text(&format!("wamid.{writer}.{n}"));
                    let phone = Some(format!("1555{:04}", writer % 4).as_str().into());
                    message.from.as_mut().unwrap().phone = phone;
                    stores[writer % 2].accept(vec![(message, queue)], 1).await.unwrap();
                }
            })
        })
        .collect();
    let mut search = EventSearch { limit: 7, ..EventSearch::default() };
    let mut ids = Vec::new();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while ids.len() < MESSAGES {
        let page = stores[1].events(search.clone()).await.unwrap();
        for event in page.events {
            let data: serde_json::Value = serde_json::from_str(event.data.reveal()).unwrap();
            let message = data["message"]["id"].as_str().unwrap().to_owned();
            let writer = message.rsplit_once('.').unwrap().0.to_owned();
            said.entry(writer).or_default().push(message);
            ids.push(event.id);
        }
        search.after = page.upto;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let expected: Vec<i64> = (1..=i64::try_from(MESSAGES).unwrap()).collect();
    assert_eq!(ids, expected, "none is missing, none comes behind a later one");
    for (writer, messages) in said {
        let expected: Vec<String> =
            (0..MESSAGES / WRITERS).map(|n| format!("{writer}.{n}")).collect();
        assert_eq!(messages, expected, "each writer waited for one before the next");
    }
}
