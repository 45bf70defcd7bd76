//! What is not copied, or not copied into: refused with its reason, and left as it was.

use hark::store::{Access, CopyError, NodeRow, Nodes as _, SqlStore, StoreAddress, copy_store};

use super::copy::Place;
use super::rows::Database;
use crate::harness::postgres::{self, Postgres};

#[track_caller]
fn refused(from: &StoreAddress, to: &StoreAddress) -> String {
    copy_store(from, to, &mut |_| {}).unwrap_err().to_string()
}

/// A database that is filled by hand, of either kind.
fn odd_targets(sql: &str) -> [(StoreAddress, Database, Option<tempfile::TempDir>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let (file, url) = (Database::file(&path), Postgres::shared().database());
    let server = Database::Server(url.clone());
    for database in [&file, &server] {
        database.run(sql);
    }
    [((&path).into(), file, Some(folder)), (postgres::address(&url, 1), server, None)]
}

#[test]
fn a_target_that_is_somebody_elses_is_left_alone() {
    let from = Place::file().filled();
    for (to, sql, _folder) in odd_targets("CREATE TABLE orders (id BIGINT PRIMARY KEY)") {
        let said = refused(&from.at, &to);
        assert!(said.contains("tables that are not hark's, such as orders"), "{said}");
        assert_eq!(sql.tables(), ["orders"]);
    }
}

#[test]
fn a_target_that_is_not_empty_is_left_alone() {
    let from = Place::file().filled();
    for to in [Place::file().filled(), Place::server().filled()] {
        let before = to.sql.everything();
        let said = refused(&from.at, &to.at);
        assert!(said.contains("is not empty: it has rows in "), "{said}");
        assert_eq!(to.sql.everything(), before);
    }
}

#[test]
fn a_newer_schema_is_neither_read_nor_written() {
    let newer = |place: &Place| match &place.sql {
        Database::File(_) => place.sql.run("PRAGMA user_version = 99"),
        Database::Server(_) => place.sql.run("UPDATE hark_schema SET version = 99"),
    };
    for (from, to) in [(Place::file(), Place::server()), (Place::server(), Place::file())] {
        drop((from.open(), to.open()));
        newer(&to);
        let said = refused(&from.at, &to.at);
        assert!(said.contains("a newer version of hark"), "{said}");
        let to = Place::file();
        newer(&from);
        let said = refused(&from.at, &to.at);
        assert!(said.contains("a newer version of hark"), "{said}");
    }
}

#[test]
fn a_file_that_a_service_has_is_not_copied() {
    let (from, to) = (Place::file(), Place::file());
    let service = from.open();
    let said = refused(&from.at, &to.at);
    assert!(said.contains("in use by another hark"), "{said}");
    let said = refused(&to.at, &from.at);
    assert!(said.contains("could not be opened"), "{said}: there is no store");
    drop(service);
    drop(to.open());
    let service = to.open();
    let said = refused(&from.at, &to.at);
    assert!(said.contains("in use by another hark"), "{said}");
    drop(service);
    assert!(copy_store(&from.at, &to.at, &mut |_| {}).unwrap().is_same());
}

#[tokio::test]
async fn a_server_from_which_a_node_serves_is_not_copied() {
    let (from, to) = (Place::server(), Place::server());
    let (source, target) = (from.open(), to.open());
    let lives = async |store: &SqlStore| {
        let now_ms = store.clock().expect("a server has one").now_ms();
        let node = NodeRow {
            session: "0123".to_owned(),
            id: "one".to_owned(),
            host: "here".to_owned(),
            version: "0".to_owned(),
            setup: String::new(),
            turns: 0,
            started_ms: now_ms,
            seen_ms: now_ms,
        };
        store.node_lives(node, 0).await.unwrap();
    };
    lives(&target).await;
    let said = refused(&from.at, &to.at);
    assert!(said.contains("is in use by a hark, the node one: stop it"), "{said}");
    target.node_ended("0123").await.unwrap();
    lives(&source).await;
    let said = refused(&from.at, &to.at);
    assert!(said.contains("is in use by a hark, the node one: stop it"), "{said}");
    source.node_ended("0123").await.unwrap();
    assert!(copy_store(&from.at, &to.at, &mut |_| {}).unwrap().is_same());
}

#[test]
fn what_somebody_writes_meanwhile_is_said_to_be_missing() {
    let (from, to) = (Place::file().filled(), Place::file());
    let mut written = false;
    let copied = copy_store(&from.at, &to.at, &mut |_| {
        if !std::mem::replace(&mut written, true) {
            from.sql.run("UPDATE contacts SET profile_name = 'other'");
        }
    });
    let said = copied.unwrap_err().to_string();
    assert!(
        said.contains("somebody has written to ") && said.contains("run the command"),
        "{said}"
    );
    let said = SqlStore::open(&to.at, Access::Serve).map(drop).unwrap_err().to_string();
    assert!(said.contains("a copy into it has not ended"), "{said}");
    assert!(copy_store(&from.at, &to.at, &mut |_| {}).unwrap().is_same());
    let said = refused(&from.at, &to.at);
    assert!(said.contains("a copy of it has ended there"), "{said}");
}

#[test]
fn half_a_copy_is_no_source_and_goes_on_with_its_own_alone() {
    let (from, other, to) = (Place::file().filled(), Place::file().filled(), Place::file());
    let mut steps = 0;
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        copy_store(&from.at, &to.at, &mut |_| {
            steps += 1;
            assert!(steps < 20, "it is stopped here");
        })
    }));
    assert!(stopped.is_err());
    let said = refused(&other.at, &to.at);
    assert!(said.contains("the target of a copy of another store"), "{said}");
    let said = refused(&to.at, &Place::file().at);
    assert!(said.contains("it has no whole store"), "{said}");
    for access in [Access::Serve, Access::Inspect] {
        let said = SqlStore::open(&to.at, access).map(drop).unwrap_err().to_string();
        assert!(said.contains("a copy into it has not ended"), "{said}");
    }
    let said = SqlStore::look(&to.at).map(drop).unwrap_err().to_string();
    assert!(said.contains("a copy into it has not ended"), "{said}");
    assert!(copy_store(&from.at, &to.at, &mut |_| {}).unwrap().is_same());
}

#[test]
fn a_row_that_the_target_cannot_keep_is_named_and_mended_by_hand() {
    let (from, to) = (Place::file().filled(), Place::server());
    from.sql.run("PRAGMA foreign_keys = OFF; UPDATE messages SET body = 'no JSON' WHERE id = 2");
    match copy_store(&from.at, &to.at, &mut |_| {}) {
        Err(CopyError::Row { table, key, cause }) => {
            assert_eq!((table.as_str(), key.as_str()), ("messages", "2"));
            assert!(cause.contains("invalid input syntax for type json"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    from.sql.run("UPDATE messages SET body = '{}' WHERE id = 2");
    assert!(copy_store(&from.at, &to.at, &mut |_| {}).unwrap().is_same());
}

#[test]
fn a_store_is_not_copied_into_itself_nor_from_nowhere() {
    let from = Place::file().filled();
    let said = refused(&from.at, &from.at);
    assert!(said.ends_with("is the store itself"), "{said}");
    let nowhere = Place::server();
    let said = refused(&nowhere.at, &Place::file().at);
    assert!(said.contains("it has no store"), "{said}");
}
