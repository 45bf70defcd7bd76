//! A store is saved while a service runs on it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use hark::store::{Access, Archive as _, Queue as _, SqlStore};
use serde_json::Value;

use super::rows::Database;
use crate::harness::{PERSON, TestApp, update};

/// Saves the store of a service that takes messages meanwhile, and looks at what was saved.
async fn check_backup(app: &TestApp) {
    let file = app.folder().join("saved.db");
    let name = file.display().to_string();
    app.text(PERSON, "before").await;
    app.run_until_done().await;
    let node = app.address("");
    let posting = async {
        for n in 0..40 {
            let text = update::text(&format!("wamid.{n}"), "more");
            assert_eq!(app.post_to(&node, &[text]).await, 200);
        }
    };
    let saving = async {
        tokio::task::block_in_place(|| app.command(&["store", "backup", &name, "--json"]))
    };
    let ((), printed) = tokio::join!(posting, saving);
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["file"], name.as_str());
    assert!(report["rows"].as_u64().unwrap() > 10 && report["bytes"].as_u64().unwrap() > 4096);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = std::fs::read_dir(app.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("saved.db."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    app.run_until_done().await;
    app.sent();
    check_saved(&file).await;

    let refused = app.ran(&["store", "backup", &name]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("saved.db is there already: name another file"), "{said}");
    app.command(&["store", "backup", &name, "--force"]);
    let saved = Database::file(&file);
    assert_eq!(saved.number("SELECT count(*) FROM turns"), 41);
}

/// Serves from what was saved: what was being answered then is answered again.
async fn check_saved(file: &Path) {
    let saved = Database::file(file);
    assert_eq!(saved.sql("PRAGMA integrity_check"), [["ok"]]);
    assert_eq!(saved.number("SELECT count(*) FROM nodes"), 0);
    let living = "SELECT count(*) FROM messages WHERE state = 'leased' AND lease_until_ms <> 0";
    assert_eq!(saved.number(living), 0);
    let store = SqlStore::open(file, Access::Serve).unwrap();
    let turns = store.turns(None, 100).await.unwrap();
    assert!(!turns.is_empty());
    store.reclaim(hark::store::Lapsed::Expired, 1, 1).await.unwrap();
    assert_eq!(store.messages(i64::MAX).await.unwrap().leased, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_saved_while_a_service_writes_to_it() {
    check_backup(&TestApp::start().in_a_process().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_saved_into_a_file_while_a_service_writes_to_it() {
    check_backup(&TestApp::start().in_a_process().on_postgres().await).await;
}

#[test]
fn a_backup_of_an_old_schema_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("hark.db"), folder.path().join("saved.db"));
    let old = Database::file(&store);
    old.run(include_str!("../../../src/store/sqlite/migrations/0001_turns.sql"));
    old.fill();
    old.run("PRAGMA user_version = 1");
    let saved = hark::store::backup_store(&(&store).into(), &file, false, &mut |_| {}).unwrap();
    assert_eq!((saved.tables, saved.rows), (5, 15));
    assert_eq!(old.sql("PRAGMA user_version"), [["1"]]);
    assert_eq!(Database::file(&file).everything(), old.everything());
}
