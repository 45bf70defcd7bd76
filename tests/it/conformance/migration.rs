//! A SQLite store of the first two migrations, with data in it, is read and finished as it was.
//!
//! The old schema has no port any more, so that it is filled by SQL.

use hark::store::{Access, SqlStore};
use hark::store::{Archive as _, Lapsed, MessageCounts, Queue as _, Record as _, StoreError};
use hark::turn::{Content, Outcome, Part, PartState, Reason, ReplyMode, Role, Uncertainty};

use super::{ended, finish, lease, lessee};

const OLD: [&str; 2] = [
    include_str!("../../../src/store/sqlite/migrations/0001_turns.sql"),
    include_str!("../../../src/store/sqlite/migrations/0002_reply_mode.sql"),
];

/// Anna was asked whether she said "a table", with links beside the note; Ben's turn has a note
/// that was refused, a text that may be out and a fallback; Carl waits, and his first message was
/// given up; Dora's was leased and never begun.
const DATA: &str = r#"
    INSERT INTO contacts (id, user_id, phone, profile_name, language, reply_mode, created_ms) VALUES
        (1, 'US.1', '1', 'Anna', 'en', 'voice', 1), (2, NULL, '2', NULL, NULL, NULL, 1),
        (3, NULL, '3', NULL, NULL, 'text', 1), (4, NULL, '4', NULL, NULL, NULL, 1);
    INSERT INTO messages (id, number, provider_id, contact_id, raw_type, body, sent_ms, received_ms,
                          state, attempts, available_ms) VALUES
        (1, '900', 'in.1', 1, 'text', '{"kind":"text","text":"a table"}', 1, 1, 'done', 1, 1),
        (2, '900', 'in.2', 2, 'text', '{"kind":"text","text":"two"}', 2, 2, 'leased', 1, 2),
        (3, '900', 'in.3', 3, 'text', '{"kind":"text","text":"three"}', 3, 3, 'done', 3, 3),
        (4, '900', 'in.4', 3, 'text', '{"kind":"text","text":"four"}', 4, 4, 'queued', 0, 4),
        (5, '900', 'in.5', 4, 'text', '{"kind":"text","text":"five"}', 5, 5, 'leased', 1, 5),
        (6, '900', 'in.6', NULL, 'system', '{"kind":"silent"}', 6, 6, 'stored', 0, 6),
        (7, '900', 'in.7', 4, 'text', '{"kind":"text","text":"old"}', 7, 7, 'expired', 0, 7);
    INSERT INTO turns (id, number, contact_id, message, agent, attempt, heard, report, outcome, reason,
                       queue_ms, created_ms, finished_ms) VALUES
        ('t1', '900', 1, 'in.1', 'hark', 1, 'a table', REPORT, 'question',
         'confirm: low_probability', 1.5, 10, 20),
        ('t2', '900', 2, 'in.2', 'hark', 1, 'two', REPORT, NULL, NULL, 2.5, 30, NULL),
        ('t3', '900', 3, 'in.3', 'hark', 3, 'three', REPORT, 'failed',
         'provider status failed 131026: gone', 3.5, 40, 50);
    INSERT INTO parts (turn, idx, state, kind, content, provider_id, error, planned_ms, sent_ms) VALUES
        ('t1', 0, 'sent', 'voice', 'media.1', 'out.1', NULL, 11, 12),
        ('t1', 900, 'sent', 'text', 'https://a.example/"quoted"', 'out.2', NULL, 11, 13),
        ('t2', 0, 'failed', 'voice', 'media.2', NULL, 'too large', 31, NULL),
        ('t2', 1, 'planned', 'text', 'two in words', NULL, NULL, 32, NULL),
        ('t2', 1000, 'failed', 'text', 'sorry', NULL, 'no', 33, NULL),
        ('t3', 0, 'sent', 'text', '', 'out.3', NULL, 41, 42);
    INSERT INTO statuses (number, provider_id, status, at_ms, error_code, error_title, turn, idx) VALUES
        ('900', 'out.1', 'delivered', 15, NULL, NULL, 't1', 0),
        ('900', 'out.3', 'failed', 55, 131026, 'gone', 't3', 0);
    PRAGMA user_version = 2;
"#;

const REPORT: &str = r#"'{"transcript":null,"reply":{"text":"yes"},"audio":null,"stages":[],
    "total_ms":2.0,"overhead_ms":1.0,"outcome":"question","reason":"confirm: low_probability"}'"#;

fn old_store(folder: &tempfile::TempDir) -> SqlStore {
    let path = folder.path().join("hark.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    for sql in OLD {
        database.execute_batch(sql).unwrap();
    }
    database.execute_batch(&DATA.replace("REPORT", REPORT)).unwrap();
    drop(database);
    SqlStore::open(&path, Access::Serve).unwrap()
}

#[tokio::test]
async fn what_an_older_version_recorded_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = old_store(&folder);
    let counts = MessageCounts { due: 1, queued: 1, leased: 2, done: 2, stored: 1, expired: 1 };
    assert_eq!(store.messages(100).await.unwrap(), counts);
    let turns = store.turns(None, 9).await.unwrap();
    let [failed, runs, question] = &turns[..] else { panic!("{turns:#?}") };
    let ends = |row: &hark::store::TurnRow| {
        row.report.as_ref().map(|report| (report.outcome, report.reason.clone()))
    };
    let title = Some("gone".to_owned());
    let undelivered = Reason::Undelivered { code: Some(131_026), title };
    assert_eq!(ends(failed), Some((Outcome::Failed, Some(undelivered))));
    assert_eq!(ends(runs), None);
    let confirm = Reason::Confirm(Uncertainty::LowProbability);
    assert_eq!(ends(question), Some((Outcome::Question, Some(confirm))));
    assert_eq!((question.contact.reveal(), question.queue_ms), ("US.1", Some(1.5)));
    assert_eq!(
        (&question.heard, &question.statuses[..]),
        (&Some("a table".into()), &["delivered".to_owned()][..])
    );
    let json = serde_json::to_string(question).unwrap();
    let (before, after) = (
        r#"{"turn":"t1","number":"900","contact":"US.1","name":"Anna","agent":"hark","attempt":1,"created_ms":10,"#,
        concat!(
            r#","statuses":["delivered"],"messages":2,"deliveries":[{"part":0,"#,
            r#""status":"delivered","at_ms":15,"code":null,"details":null}]}"#
        ),
    );
    let report = REPORT.trim_matches(['\'', '{', '}']).replace("\n    ", "");
    let expected = format!("{before}\"queue_ms\":1.5,\"heard\":\"a table\",{report}{after}");
    assert_eq!(json, expected, "as `hark turns --json` prints it");
}

#[tokio::test]
async fn what_an_older_version_left_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let store = old_store(&folder);
    assert_eq!(
        store.reclaim(Lapsed::Expired, i64::MAX, 0).await.unwrap(),
        0,
        "no lease had a time"
    );
    let reclaimed = store.reclaim(Lapsed::Predecessor("a".into()), 100, 5_100).await.unwrap();
    assert_eq!(reclaimed, 2);
    let leases = lease(&store, 100).await;
    let ids: Vec<&str> = leases.iter().map(|lease| lease.first().id.0.as_str()).collect();
    assert_eq!(ids, ["in.4", "in.5"], "the one with a planned part waits for its status");
    let modes: Vec<_> = leases.iter().map(|lease| lease.reply_mode).collect();
    assert_eq!(modes, [Some(ReplyMode::Text), None]);

    let unfinished = store.lease(&lessee("a", 9_000), 9, 5_100).await.unwrap().remove(0);
    assert_eq!((unfinished.turn.0.as_str(), unfinished.attempt), ("t2", 2));
    let begun = store.begin(&unfinished, "hark".into(), 0.0, 5_100).await.unwrap();
    assert!(!begun.finished);
    let text = |words: &str| Content::Text(words.into());
    let part = |index, role, content, state| Part { index, role, content, state, due_ms: 0 };
    let expected = [
        part(0, Role::Answer, Content::Voice("media.2".into()), PartState::Failed),
        part(1, Role::Answer, text("two in words"), PartState::Planned),
        part(1000, Role::Fallback, text("sorry"), PartState::Failed),
    ];
    assert_eq!(begun.parts, expected);
    let draft = begun.draft.expect("it was about to be sent");
    assert_eq!((draft.heard, draft.language), (Some("two".into()), None));
    assert_eq!(draft.report.reply.text, "yes");

    store.settle(&unfinished.turn, 1, Ok("out.4".into()), 5_200).await.unwrap();
    let parts = vec![(Role::Beside, text("https://b.example"))];
    assert_eq!(store.plan(&unfinished, parts.into(), 5_200).await.unwrap()[0].index, 1001);
    finish(&store, &unfinished, &ended("two", Outcome::Text), 5_300).await;
    let row = store.turns(Some("2".to_owned()), 9).await.unwrap().remove(0);
    assert_eq!(row.report.unwrap().outcome, Outcome::Text);
}

#[tokio::test]
async fn an_old_question_still_waits_for_its_yes_and_old_links_fail_no_note() {
    let folder = tempfile::tempdir().unwrap();
    let store = old_store(&folder);
    let late = hark::turn::StatusUpdate {
        number: "900".into(),
        message: "out.2".into(),
        status: hark::turn::DeliveryStatus::Failed,
        at_ms: 60,
        error_code: None,
        error_title: None,
        callback_data: Some("hark:t1:900".to_owned()),
    };
    store.record_statuses(vec![late], 2_000).await.unwrap();
    let lane = hark::store::Lane { number: "900".into(), contact_id: 1 };
    let history = store.history(&lane, 9_usize.into(), 3_600_019).await.unwrap();
    assert_eq!(history.to_confirm, Some("a table".into()));
    assert_eq!(history.exchanges.len(), 1);
    let row = store.turns(Some("US.1".to_owned()), 1).await.unwrap().remove(0);
    assert_eq!(row.report.unwrap().outcome, Outcome::Question);
    store.accept(vec![super::from("in.8", None, Some("US.1"))], 100).await.unwrap();
    let leases = lease(&store, 100).await;
    let anna = leases.iter().find(|lease| lease.lane.contact_id == 1).unwrap();
    assert_eq!(
        (anna.reply_mode, anna.contact_language.clone()),
        (Some(ReplyMode::Voice), Some("en".into()))
    );
}

#[tokio::test]
async fn a_schema_is_changed_by_no_look_beside_a_service_and_by_no_older_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hark.db");
    let service = SqlStore::open(&path, Access::Serve).unwrap();
    let set_version = |version| {
        let database = rusqlite::Connection::open(&path).unwrap();
        database.pragma_update(None, "user_version", version).unwrap();
    };
    let inspected = || SqlStore::open(&path, Access::Inspect).map(drop);
    inspected().unwrap();
    set_version(2);
    assert!(matches!(inspected(), Err(StoreError::InUse { .. })));
    set_version(99);
    assert!(inspected().unwrap_err().to_string().contains("a newer version of hark"));
    drop(service);
}
