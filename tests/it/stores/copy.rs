//! A store is copied from one database to another: every table, every row, whatever stops it.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use hark::store::{
    Access, CopyReport, CopyStep, EventLog as _, Queue as _, SqlStore, StoreAddress, copy_store,
};
use hark::turn::Accepted;

use super::rows::{Database, shared};
use crate::conformance::{from, text};
use crate::harness::postgres::{self, Postgres};
use crate::harness::{PERSON, TestApp};

/// Tables that say something of one database alone: they are not compared.
const OWN: [&str; 3] = ["hark_schema", "events_numbered", "nodes"];

/// A store of a test.
pub(super) struct Place {
    pub(super) at: StoreAddress,
    pub(super) sql: Database,
    /// As a configuration names it.
    pub(super) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub(super) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hark.db");
        let url = path.display().to_string();
        Self { at: (&path).into(), sql: Database::file(&path), url, _folder: Some(folder) }
    }

    pub(super) fn server() -> Self {
        let url = Postgres::shared().database();
        let at = postgres::address(&url, 2);
        Self { at, sql: Database::Server(url.clone()), url, _folder: None }
    }

    /// Makes the tables and fills them; the process that had one of the messages is gone.
    pub(super) fn filled(self) -> Self {
        drop(self.open());
        self.sql.fill();
        if let Database::Server(_) = &self.sql {
            self.sql.run(
                "UPDATE events_numbered SET last = 3;
                 SELECT setval(pg_get_serial_sequence('events', 'written'), 3);
                 SELECT setval(pg_get_serial_sequence('customers', 'id'), 3);
                 SELECT setval(pg_get_serial_sequence('messages', 'id'), 3);
                 SELECT setval(pg_get_serial_sequence('contacts', 'id'), 3);
                 SELECT setval(pg_get_serial_sequence('conversations', 'id'), 3)",
            );
        }
        self
    }

    pub(super) fn open(&self) -> SqlStore {
        SqlStore::open(&self.at, Access::Serve).unwrap()
    }
}

/// Both kinds of database, each as source and as target.
fn directions() -> [(Place, Place); 4] {
    [
        (Place::file().filled(), Place::server()),
        (Place::server().filled(), Place::file()),
        (Place::file().filled(), Place::file()),
        (Place::server().filled(), Place::server()),
    ]
}

#[track_caller]
fn copied(from: &Place, to: &Place) -> CopyReport {
    let report = copy_store(&from.at, &to.at, &mut |_| {}).unwrap();
    assert!(report.is_same(), "{report:#?}");
    report
}

/// Compares every table of two databases, by their own lists of them.
#[track_caller]
fn check_same(from: &Place, to: &Place) {
    let (here, there) = (from.sql.everything(), to.sql.everything());
    let names = |all: &std::collections::BTreeMap<String, _>| -> Vec<String> {
        all.keys().filter(|table| !OWN.contains(&table.as_str())).cloned().collect()
    };
    assert_eq!(names(&here), names(&there));
    for table in names(&here) {
        let (old, new) = (&here[&table], &there[&table]);
        let (mut old, mut new) = (shared(old, new), shared(new, old));
        if table == "messages" {
            // Nobody has the lease any more.
            for row in old.iter_mut().filter(|row| row["state"] == "leased") {
                row.insert("lease_until_ms".to_owned(), "0".to_owned());
            }
        }
        old.sort();
        new.sort();
        assert_eq!(old, new, "{table}");
    }
    assert!(there["nodes"].is_empty(), "nobody serves from a copy");
}

#[tokio::test]
async fn every_table_is_copied_in_every_direction_and_served_from() {
    for (from, to) in directions() {
        let before = from.sql.everything();
        let report = copied(&from, &to);
        assert_eq!(before, from.sql.everything(), "the source is as it was");
        check_same(&from, &to);
        assert!(report.rewritten.is_empty(), "{:?}", report.rewritten);
        let tables: Vec<&str> = report.tables.iter().map(|table| table.table.as_str()).collect();
        for table in before.keys().filter(|table| !OWN.contains(&table.as_str())) {
            assert!(tables.contains(&table.as_str()), "{table} is not in the report");
        }
        // The order of turns of one moment, which no column of a file has.
        let order = "SELECT id FROM turns ORDER BY rowid";
        assert_eq!(from.sql.sql(order), to.sql.sql(order));
        let store = to.open();
        let lapsed = hark::store::Lapsed::Expired;
        assert_eq!(store.reclaim(lapsed, 1, 1).await.unwrap(), 1, "what was leased is free");
        assert_eq!(to.sql.sql("SELECT count(*) FROM lanes"), [["2"]]);
        // Triggers work again.
        store.accept(vec![from_somebody("wamid.new")], 1).await.unwrap();
        assert_eq!(to.sql.sql("SELECT count(*) FROM lanes"), [["3"]]);
    }
}

fn from_somebody(id: &str) -> (hark::turn::Inbound, hark::store::Disposition) {
    from(id, Some("15550000009"), None)
}

#[tokio::test]
async fn numbers_go_on_behind_the_highest_that_there_ever_was() {
    for (from, to) in directions() {
        let gone = "DELETE FROM dead_events WHERE event = 3; DELETE FROM events WHERE id = 3;
                    DELETE FROM customers WHERE id = 3";
        from.sql.run(gone);
        copied(&from, &to);
        let customer = "INSERT INTO customers (phone, known, fields, source, version, created_ms,
                            updated_ms) VALUES ('1', 1, '{}', 'api', 1, 1, 1) RETURNING id";
        assert_eq!(to.sql.sql(customer), [["4"]]);
        let store = to.open();
        assert_eq!(store.newest_event().await.unwrap(), 3);
        store.accept(vec![from_somebody("wamid.new")], 1).await.unwrap();
        assert_eq!(store.newest_event().await.unwrap(), 4);
        assert_eq!(to.sql.sql("SELECT max(id) FROM messages"), [["4"]]);
        assert_eq!(to.sql.sql("SELECT max(id) FROM contacts"), [["4"]]);
    }
}

#[tokio::test]
async fn events_that_had_no_place_yet_come_behind_all_others_in_a_file() {
    let (from, to) = (Place::server().filled(), Place::file());
    let store = from.open();
    for n in 4..7 {
        store.accept(vec![from_somebody(&format!("wamid.{n}"))], n).await.unwrap();
    }
    drop(store);
    assert_eq!(from.sql.number("SELECT count(*) FROM events WHERE id IS NULL"), 3);
    copied(&from, &to);
    let told = "SELECT id, at_ms FROM events WHERE id > 3 ORDER BY id";
    assert_eq!(to.sql.sql(told), [["4", "4"], ["5", "5"], ["6", "6"]]);
    assert_eq!(to.open().newest_event().await.unwrap(), 6);
}

#[test]
fn a_character_that_postgres_cannot_keep_is_named_and_stays_where_it_came_from() {
    let (from, to) = (Place::file().filled(), Place::server());
    from.sql.run(
        r#"UPDATE contacts SET profile_name = 'a' || char(0) || 'b' WHERE id = 2;
           UPDATE messages SET body = '{"kind":"text","text":"a\u0000b \\u0000"}' WHERE id = 3"#,
    );
    let report = copied(&from, &to);
    let named: Vec<(&str, &str, &str)> = report
        .rewritten
        .iter()
        .map(|value| (value.table.as_str(), value.key.as_str(), value.column.as_str()))
        .collect();
    assert_eq!(named, [("contacts", "2", "profile_name"), ("messages", "3", "body")]);
    let name = "SELECT profile_name FROM contacts WHERE id = 2";
    assert_eq!(to.sql.sql(name), [["a\u{fffd}b"]]);
    let body = "SELECT body FROM messages WHERE id = 3";
    assert_eq!(to.sql.sql(body), [[r#"{"kind":"text","text":"a\ufffdb \\u0000"}"#]]);
    assert_eq!(from.sql.sql(name), [["a\0b"]]);
}

#[test]
fn a_copy_that_is_not_the_same_is_refused_by_a_service_and_begins_anew() {
    let (from, to) = (Place::file().filled(), Place::server());
    let mut spoilt = false;
    let report = copy_store(&from.at, &to.at, &mut |step| {
        // Somebody else writes to the target, behind the back of the copy.
        if matches!(step, CopyStep::Checks { .. }) && !std::mem::replace(&mut spoilt, true) {
            to.sql.run("UPDATE usage SET credits = 99 WHERE turn = 'turn 1'");
        }
    });
    let report = report.unwrap();
    let other: Vec<&str> = report
        .tables
        .iter()
        .filter(|table| !table.is_same())
        .map(|table| table.table.as_str())
        .collect();
    assert_eq!(other, ["usage"]);
    let error = SqlStore::open(&to.at, Access::Serve).map(drop).unwrap_err().to_string();
    assert!(error.contains("a copy into it has not ended"), "{error}");
    copied(&from, &to);
    check_same(&from, &to);
}

/// Runs a copy that stops before its `n`th step; returns whether it was over before.
fn stopped_at(from: &Place, to: &Place, n: usize) -> bool {
    let mut steps = 0;
    let mut step = |_: CopyStep<'_>| {
        steps += 1;
        assert!(steps <= n, "it is stopped here");
    };
    catch_unwind(AssertUnwindSafe(|| copy_store(&from.at, &to.at, &mut step).unwrap())).is_ok()
}

#[test]
fn a_copy_that_is_stopped_at_any_step_goes_on_and_ends_right() {
    let from = Place::file().filled();
    let mut n = 0;
    loop {
        let to = Place::file();
        if stopped_at(&from, &to, n) {
            break;
        }
        assert!(SqlStore::open(&to.at, Access::Inspect).is_err(), "half a store");
        copied(&from, &to);
        check_same(&from, &to);
        n += 3;
    }
    assert!(n > 60, "{n} steps");
}

#[test]
fn a_copy_whose_source_has_changed_meanwhile_begins_anew() {
    for (from, to) in
        [(Place::file().filled(), Place::server()), (Place::server().filled(), Place::file())]
    {
        assert!(!stopped_at(&from, &to, 40));
        from.sql.run("UPDATE contacts SET profile_name = 'other' WHERE id = 1");
        let mut anew = 0;
        let report = copy_store(&from.at, &to.at, &mut |step| {
            anew += usize::from(step == CopyStep::Anew);
        });
        assert!(report.unwrap().is_same() && anew == 1);
        check_same(&from, &to);
    }
}

/// `hark store copy` of a store.
fn command(from: &Place, to: &Place, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hark"));
    command.args(["store", "copy", "--to", &to.url]).current_dir(folder).env_clear();
    command.env("HARK__STORE__URL", &from.url).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_copy_that_is_killed_goes_on_where_it_was() {
    const STATUSES: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in
        [(Place::file().filled(), Place::server()), (Place::server().filled(), Place::file())]
    {
        from.sql.run(&format!(
            "WITH RECURSIVE n (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM n WHERE n < {STATUSES})
             INSERT INTO statuses (id, number, provider_id, status, at_ms)
             SELECT n, '900', 'out.' || n, 'read', n FROM n"
        ));
        for table in ["contacts", "messages", "statuses"] {
            let mut child = command(&from, &to, folder.path()).spawn().unwrap();
            let lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let begins = format!("{table}: ");
            let mut lines = lines.map(Result::unwrap);
            assert!(lines.any(|line| line.starts_with(&begins)), "{table}");
            child.kill().unwrap();
            child.wait().unwrap();
            let error = SqlStore::open(&to.at, Access::Serve).map(drop).unwrap_err().to_string();
            assert!(
                error.contains("a copy into it has not ended: run `hark store copy`"),
                "{error}"
            );
        }
        let ran = command(&from, &to, folder.path()).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{printed}{said}");
        assert!(said.starts_with("going on with a copy that was begun: "), "{said}");
        assert!(printed.contains("the copy is the same: set [store] url to it"), "{printed}");
        check_same(&from, &to);
    }
}

#[test]
fn what_lies_beside_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Place::file().filled(), Place::server());
    let key = format!("{}.key", from.url);
    std::fs::write(&key, "00\n").unwrap();
    let sound = Path::new(&from.url).with_file_name("sound");
    std::fs::create_dir(&sound).unwrap();
    let ran = command(&from, &to, folder.path()).arg("--json").output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let beside: Vec<&str> =
        report["beside"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let [of_key, of_sound] = &beside[..] else { panic!("{beside:?}") };
    assert!(
        of_key.starts_with(&format!("the key of its secrets is {key}: copy it to ")),
        "{of_key}"
    );
    let sound = format!("the sound of its turns is in {}: move the folder to ", sound.display());
    assert!(of_sound.starts_with(&sound), "{of_sound}");
    let saved = folder.path().join("saved.db");
    let mut backup = Command::new(env!("CARGO_BIN_EXE_hark"));
    backup.args(["store", "backup"]).arg(&saved).current_dir(folder.path());
    let ran = backup.env("HARK__STORE__URL", &from.url).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains(&format!("keep their key with it: {key}")), "{printed}");
}

#[tokio::test]
async fn a_service_moves_to_postgres_and_knows_everybody() {
    let mut app = TestApp::start().in_a_process().await;
    let one = app.text(PERSON, "one").await;
    app.run_until_done().await;
    let admin = app.command(&["token", "create", "--role", "admin", "--name", "me", "--json"]);
    assert!(admin.contains("token"), "{admin}");
    app.terminate().await;
    let to = Place::server();
    let printed = app.command(&["store", "copy", "--to", &to.url, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&report["same"], &report["rewritten"]), (&true.into(), &serde_json::json!([])));
    let turns = report["tables"].as_array().unwrap().iter().find(|table| table["table"] == "turns");
    assert_eq!(turns.unwrap()["rows_there"], 1, "{printed}");
    let node = app.another_node(&[("HARK__STORE__URL", &to.url)]).await;
    let store = SqlStore::open(&to.at, Access::Inspect).unwrap();
    let repeated = store.accept(vec![text(&one.0)], 1).await.unwrap();
    assert_eq!(repeated, [Accepted::Duplicate]);
    let two = crate::harness::update::text("wamid.two", "two");
    assert_eq!(app.post_to(&node.address(""), &[two]).await, 200);
    app.wait_until("all are answered", async || app.sent().len() == 2).await;
    assert_eq!(to.sql.number("SELECT count(*) FROM turns"), 2);
    assert_eq!(to.sql.number("SELECT count(*) FROM contacts"), 1, "it is the same person");
}
