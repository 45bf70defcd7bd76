//! A disk that takes no more, under the real program: one line when it begins and one when it ends,
//! webhooks that are sent again, and nothing lost or doubled.
//!
//! The kernel itself refuses to let the store's file grow, by a limit of the process's own
//! (`RLIMIT_FSIZE`), which needs no rights. It answers EFBIG where a full disk answers ENOSPC; both fail
//! in the write.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::harness::update::{messages, text};
use crate::harness::{NUMBER, TestApp};

/// Lets no file of the service grow beyond this; none at all may grow by much at 0.
fn limit_files(app: &TestApp, bytes: Option<u64>) {
    let process = Pid::from_raw(app.process().try_into().unwrap());
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(process, Resource::Fsize, limit).unwrap();
}

/// Posts a message with this id; returns the status.
async fn post(app: &TestApp, id: &str) -> u16 {
    app.post_signed(&messages(NUMBER, &[text(id, &format!("about {id}"))])).await.0
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_nothing_is_lost_or_doubled() {
    let mut app = TestApp::start()
        .in_a_process()
        .set("log.level", "info")
        .set("agents.0.reply", "text")
        .thinks_ms(1_000)
        .await;
    assert_eq!(post(&app, "wamid.before").await, 200);
    // It is being answered when the disk fills up.
    let grown = fs::metadata(app.folder().join("hark.db-wal")).unwrap().len();
    limit_files(&app, Some(grown));
    app.wait_until("it is not ready", async || app.get("/readyz").await.0 == 503).await;
    for _again in 0..3 {
        for n in 0..5 {
            assert_eq!(post(&app, &format!("wamid.{n}")).await, 503);
        }
        assert_eq!(app.get("/readyz").await.0, 503);
    }
    limit_files(&app, None);
    app.wait_until("it is ready again", async || app.get("/readyz").await.0 == 200).await;
    for n in 0..5 {
        assert_eq!(post(&app, &format!("wamid.{n}")).await, 200);
    }
    app.run_until_done().await;
    let texts = app.sent_texts();
    let once: BTreeSet<&String> = texts.iter().collect();
    assert_eq!((texts.len(), once.len()), (6, 6), "{texts:?}");
    let log = app.log();
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("ERROR"), 1, "{log}");
    assert_eq!(lines("ERROR the store cannot be written"), 1, "{log}");
    assert_eq!(lines("INFO  the store can be written again"), 1, "{log}");
    app.terminate().await;
}
