//! The store's file under a running service, and before one starts: deleted, replaced, locked,
//! damaged, readable by others.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use hark::store::{Access, SqlStore};
use hark::store::{Queue as _, StoreError};

use crate::conformance::text;
use crate::harness::{NUMBER, TestApp, update};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Checks that nothing is answered 200 while the store is `broken`, and all of it once it is mended.
async fn check_refused_while(
    broken: impl AsyncFnOnce(&TestApp),
    mended: impl AsyncFnOnce(&TestApp),
) {
    let app = TestApp::start().await;
    let body = |id: &str| update::messages(NUMBER, &[update::text(id, "hi")]);
    assert_eq!(app.post_signed(&body("wamid.1")).await.0, 200);
    app.run_until_idle().await;
    broken(&app).await;
    // The last look at the store is true for a second.
    app.wait_until("it is not ready", async || app.get("/readyz").await.0 == 503).await;
    for _ in 0..3 {
        assert_eq!(app.post_signed(&body("wamid.2")).await.0, 503);
    }
    assert_eq!(app.admin("/readyz").await.1, r#"{"status":"store not writable"}"#);
    mended(&app).await;
    app.wait_until("it is ready", async || app.get("/readyz").await.0 == 200).await;
    assert_eq!(app.post_signed(&body("wamid.2")).await.0, 200);
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_deleted_file_is_noticed_and_nothing_is_written_into_it() {
    let file = |app: &TestApp| app.folder().join("hark.db");
    check_refused_while(
        async |app| fs::rename(file(app), file(app).with_extension("away")).unwrap(),
        async |app| fs::rename(file(app).with_extension("away"), file(app)).unwrap(),
    )
    .await;
}

#[tokio::test]
async fn a_replaced_file_is_noticed() {
    let file = |app: &TestApp| app.folder().join("hark.db");
    check_refused_while(
        async |app| {
            fs::rename(file(app), file(app).with_extension("away")).unwrap();
            fs::copy(file(app).with_extension("away"), file(app)).unwrap();
        },
        async |app| fs::rename(file(app).with_extension("away"), file(app)).unwrap(),
    )
    .await;
}

#[tokio::test]
async fn a_store_that_another_program_holds_is_not_ready() {
    let holder = std::cell::RefCell::new(None);
    check_refused_while(
        async |app| {
            let database = app.database();
            database.execute_batch("BEGIN IMMEDIATE").unwrap();
            *holder.borrow_mut() = Some(database);
            app.wait_until("it is not ready", async || app.get("/readyz").await.0 == 503).await;
            // One after the other would take 40 s.
            let all = futures_util::future::join_all((0..20).map(|_| app.get("/readyz")));
            let all = tokio::time::timeout(Duration::from_secs(20), all).await;
            assert!(all.expect("nobody waits for the others").iter().all(|one| one.0 == 503));
        },
        async |_| drop(holder.take()),
    )
    .await;
}

#[tokio::test]
async fn an_outage_is_logged_once_however_much_comes() {
    let mut app = TestApp::start().in_a_process().await;
    let file = app.folder().join("hark.db");
    fs::rename(&file, file.with_extension("away")).unwrap();
    for n in 0..20 {
        let body = update::messages(NUMBER, &[update::text(&format!("wamid.{n}"), "hi")]);
        assert_eq!(app.post_signed(&body).await.0, 503);
    }
    let errors = app.log().lines().filter(|line| line.contains("ERROR")).count();
    assert_eq!(errors, 1, "{}", app.log());
    assert!(app.log().contains("hark.db was deleted while hark runs"), "{}", app.log());
    app.kill().await;
}

#[test]
fn a_damaged_store_is_named_before_a_webhook_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hark.db");
    drop(SqlStore::open(&file, Access::Serve).unwrap());
    // The store's threads close it; the last one takes the file of commits away, unless two close at
    // the same time and each takes the other for the last.
    while folder.path().join("hark.db-wal").exists() {
        drop(SqlStore::open(&file, Access::Serve));
        (0..1_000).for_each(|_| std::thread::yield_now());
    }
    let whole = fs::read(&file).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    // The first bytes of a page say what it is; the header says what the file is.
    for at in [0, page, 3 * page, 7 * page] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].fill(0xff);
        fs::write(&file, &bytes).unwrap();
        let refused = SqlStore::open(&file, Access::Serve).map(drop);
        let Err(error @ StoreError::Open { .. }) = refused else { panic!("{at}: {refused:?}") };
        let said = error.to_string();
        assert!(said.contains("damaged") || said.contains("not a database"), "{at}: {said}");
    }
}

#[tokio::test]
async fn nobody_else_can_read_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("var").join("hark");
    let file = inner.join("hark.db");
    let store = SqlStore::open(&file, Access::Serve).unwrap();
    store.accept(vec![text("wamid.1")], 1).await.unwrap();
    for end in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(Path::new(&format!("{}{end}", file.display()))), 0o600, "{end}");
    }
    assert_eq!((mode(&inner), mode(inner.parent().unwrap())), (0o700, 0o700));
    drop(store);
    // One of an earlier version is closed to others when it is opened.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    drop(SqlStore::open(&file, Access::Serve).unwrap());
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn two_names_of_one_file_are_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("hark.db"), folder.path().join("other.db"));
    let first = SqlStore::open(&file, Access::Serve).unwrap();
    symlink(&file, &link).unwrap();
    let second = SqlStore::open(&link, Access::Serve).map(drop);
    assert!(matches!(second, Err(StoreError::InUse { .. })), "{second:?}");
    drop(first);
    SqlStore::open(&link, Access::Serve).unwrap();
}

#[test]
fn a_service_that_is_just_gone_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hark.db");
    let first = SqlStore::open(&file, Access::Serve).unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| SqlStore::open(&file, Access::Serve).map(drop));
        #[expect(clippy::disallowed_methods, reason = "it has found the lock held by then")]
        std::thread::sleep(Duration::from_millis(300));
        drop(first);
        second.join().unwrap().unwrap();
    });
}

#[tokio::test]
async fn a_stop_leaves_no_commits_for_the_next_start_to_write() {
    let mut app = TestApp::start().await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "hi")])).await;
    app.run_until_idle().await;
    app.sent_one();
    app.restart().await;
    let wal = app.folder().join("hark.db-wal");
    assert!(fs::metadata(wal).map_or(0, |about| about.len()) < 100_000);
}
