//! A store of every released schema, with rows in every table it had, is brought up to date and served
//! from.

use std::fs;
use std::path::{Path, PathBuf};

use hark::store::{
    Access, Archive as _, Directory as _, EventLog as _, EventSearch, Lapsed, Queue as _,
    Record as _, SqlStore, StoreAddress,
};
use hark::turn::{Outcome, Role};

use super::rows::{Database, Rows, shared};
use crate::conformance::{ended, finish, from, lease, plan};
use crate::harness::postgres::{self, Postgres};

/// When it is opened again, after all that is in it.
const NOW_MS: i64 = 5_000_000_000_000;

/// The migrations of a database, oldest first.
fn migrations(database: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(database);
    let files = fs::read_dir(folder.join("migrations")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Compares what was there with what is there now.
#[track_caller]
fn check_kept(version: usize, before: &[(String, Rows)], now: &Database) {
    let tables = now.everything();
    for (table, old) in before {
        // What the schema has of its own, and what was cut in pieces.
        if table == "hark_schema" {
            continue;
        }
        let new = tables.get(table).unwrap_or_else(|| panic!("{version}: {table} is gone"));
        assert_eq!(old.len(), new.len(), "{version}: {table}");
        let were_words = old[0].contains_key("kind");
        let (old, new) = (shared(old, new), shared(new, old));
        if table == "parts" && were_words {
            // The words became JSON.
            let json = |row: &std::collections::BTreeMap<String, String>| {
                let mut row = row.clone();
                let words = format!(r#"{{"text":"{}"}}"#, row["content"]);
                row.insert("content".to_owned(), words);
                row
            };
            let old: Rows = old.iter().map(json).collect();
            assert_eq!(old, new, "{version}: {table}");
            continue;
        }
        assert_eq!(old, new, "{version}: {table}");
    }
}

/// Looks at what was there, finishes what was begun and answers somebody new.
async fn check_served(version: usize, store: &SqlStore) {
    let counts = store.messages(NOW_MS).await.unwrap();
    assert_eq!((counts.done, counts.leased, counts.queued), (1, 1, 1), "{version}");
    let turns = store.turns(None, 9).await.unwrap();
    assert_eq!(turns.len(), 3, "{version}");
    let ended_turn = turns.iter().find(|turn| turn.turn.0 == "turn 1").unwrap();
    let report = ended_turn.report.as_ref().expect("it ended");
    assert_eq!((report.reply.text.reveal(), report.outcome), ("yes", Outcome::Text), "{version}");
    assert_eq!(ended_turn.statuses, ["delivered"], "{version}");
    store.directory().await.unwrap();

    // On a file no other process can have it; elsewhere it is over.
    let owner = "messages lease_owner 2".into();
    let reclaimed = store.reclaim(Lapsed::Predecessor(owner), NOW_MS, NOW_MS).await.unwrap();
    assert_eq!(reclaimed, 1, "{version}");
    let accepted = vec![from("wamid.new", Some("15550000009"), None)];
    store.accept(accepted, NOW_MS).await.unwrap();
    let repeated = store.accept(vec![from("wamid.new", Some("15550000009"), None)], NOW_MS);
    assert_eq!(repeated.await.unwrap(), [hark::turn::Accepted::Duplicate], "{version}");
    let leases = lease(store, NOW_MS).await;
    let mut ids: Vec<&str> = leases.iter().map(|lease| lease.first().id.0.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["wamid.2", "wamid.3", "wamid.new"], "{version}");
    for lease in &leases {
        let begun = store.begin(lease, "hark".into(), 1.5, NOW_MS).await.unwrap();
        assert!(!begun.finished, "{version}");
        let index = plan(store, lease, Role::Answer, "yes").await;
        let sent = Ok(format!("out.{}", lease.first().id.0).as_str().into());
        store.settle(&lease.turn, index, sent, NOW_MS).await.unwrap();
        finish(store, lease, &ended("hello", Outcome::Text), NOW_MS).await;
    }
    let counts = store.messages(NOW_MS).await.unwrap();
    assert_eq!((counts.done, counts.leased, counts.queued), (4, 0, 0), "{version}");
    let events = store.events(EventSearch { limit: 1000, ..EventSearch::default() }).await.unwrap();
    let ids: Vec<i64> = events.events.iter().map(|event| event.id).collect();
    assert!(ids.len() > 6 && ids.is_sorted_by(|one, next| one < next), "{version}: {ids:?}");
}

#[tokio::test]
async fn a_file_of_every_released_schema_is_brought_up_to_date_and_served_from() {
    let migrations = migrations("sqlite");
    assert!(migrations.len() >= 16);
    for version in 1..=migrations.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hark.db");
        let old = Database::file(&path);
        old.run(&migrations[..version].join("\n"));
        old.fill();
        old.run(&format!("PRAGMA user_version = {version}"));
        let before: Vec<(String, Rows)> = old.everything().into_iter().collect();
        let store = SqlStore::open(&path, Access::Serve).unwrap();
        check_kept(version, &before, &old);
        check_served(version, &store).await;
    }
}

#[tokio::test]
async fn a_server_of_every_released_schema_is_brought_up_to_date_and_served_from() {
    let migrations = migrations("postgres");
    assert!(migrations.len() >= 2);
    for version in 1..=migrations.len() {
        let url = Postgres::shared().database();
        let old = Database::Server(url.clone());
        old.run(&migrations[..version].join("\n"));
        old.run(&format!(
            "CREATE TABLE hark_schema (version BIGINT NOT NULL); INSERT INTO hark_schema VALUES ({version})"
        ));
        old.fill();
        // As whoever gave them their numbers left it.
        for table in ["contacts", "conversations", "messages", "statuses"] {
            old.run(&format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), 3)"));
        }
        old.run(
            "SELECT setval(pg_get_serial_sequence('events', 'written'), 3);
             UPDATE events_numbered SET last = 3",
        );
        let before: Vec<(String, Rows)> = old.everything().into_iter().collect();
        let at: StoreAddress = postgres::address(&url, 2);
        let store = SqlStore::open(at, Access::Serve).unwrap();
        check_kept(version, &before, &old);
        check_served(version, &store).await;
    }
}
