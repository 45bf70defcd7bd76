//! Order: one contact's messages one at a time, different contacts side by side.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hark::clock::Clock;
use hark::queue::lanes::{Lanes, LeasePace};
use hark::queue::{Cancel, Handled, JobHandler, News, Wake};
use hark::simulator::{Call, CallKind};
use hark::store::{Access, SqlStore};
use hark::store::{Archive as _, Lease, Queue as _};
use hark::turn::PhoneNumberId;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::conformance;
use crate::harness::update::text_of;
use crate::harness::{NUMBER, PERSON, TestApp};

/// `r` for each turn's read mark and `m` for each message, in the order of the calls.
fn rhythm(app: &TestApp) -> String {
    let letter = |call: Call| match call.kind {
        CallKind::Read => Some('r'),
        CallKind::Messages => Some('m'),
        _ => None,
    };
    app.calls().into_iter().filter_map(letter).collect()
}

/// The JSON of each message that was sent.
fn messages(app: &TestApp) -> Vec<Value> {
    let calls = app.calls().into_iter();
    calls.filter(|call| call.kind == CallKind::Messages).map(|call| call.body).collect()
}

#[tokio::test]
async fn messages_of_one_contact_are_answered_in_order_and_one_at_a_time() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    for text in ["one", "two", "three"] {
        app.text(PERSON, text).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one", "two", "three"]);
    assert_eq!(rhythm(&app), "rmrmrm");
}

#[tokio::test]
async fn contacts_do_not_wait_for_each_other() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(400).await;
    for person in ["15550000001", "15550000002", "15550000003", "15550000004"] {
        app.text(person, "hello").await;
    }
    app.run_until_idle().await;
    assert_eq!(rhythm(&app), "rrrrmmmm");
    assert_eq!(app.sent().len(), 4);
}

#[tokio::test]
async fn a_message_waiting_to_be_tried_again_holds_its_lane_only() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    app.text(PERSON, "one").await;
    app.run_until_idle().await;
    app.text(PERSON, "two").await;
    app.text("15550000002", "other").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["other"]);
    app.advance(2_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["other", "one", "two"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_message() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    app.text(PERSON, "one").await;
    app.run_until_idle().await;
    app.text(PERSON, "two").await;
    app.advance(-TEN_HOURS_MS).await;
    app.wait_until("both are answered", async || app.counts().await.done == 2).await;
    assert_eq!(app.sent_texts(), ["one", "two"]);
    let metrics = app.metrics().await;
    for counted in ["hark_waits_cut_total", "hark_clock_jumps_total{direction=\"back\"}"] {
        assert!(metrics.contains(counted), "{metrics}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_nothing_ran_holds_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hark.db");
    let store = Arc::new(SqlStore::open(&path, Access::Serve).unwrap());
    store.accept(vec![conformance::text("1")], TEN_HOURS_MS).await.unwrap();
    let (done, mut dones) = mpsc::channel(9);
    let (queue, may_end) = (Arc::clone(&store) as _, Semaphore::new(1));
    let (jobs, clock) = (Arc::new(Hangs { may_end, done }), Clock::manual(1_000));
    let lanes =
        Lanes::new(queue, jobs, clock, Wake::default(), 8, ("a".into(), LeasePace::alone()));
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let stopping = stop.clone();
    let lanes = tokio::spawn(async move { lanes.run(stopping, abort).await });
    let answered = tokio::time::timeout(PATIENCE, dones.recv()).await;
    assert_eq!(answered, Ok(Some(NUMBER.into())));
    stop.cancel();
    lanes.await.unwrap();
}

#[tokio::test]
async fn a_phone_number_and_its_user_id_are_one_lane() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    app.deliver(text_of(PERSON, None, "by phone")).await;
    app.deliver(text_of(PERSON, Some("US.1349"), "by both")).await;
    app.deliver(text_of("", Some("US.1349"), "by id")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["by phone", "by both", "by id"]);
    assert_eq!(rhythm(&app), "rmrmrm");
    let turns = app.turns().await;
    assert!(turns.iter().all(|turn| turn.contact == "US.1349"), "{turns:#?}");
}

#[tokio::test]
async fn contacts_seen_apart_become_one_when_a_message_names_both() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    app.deliver(text_of(PERSON, None, "by phone")).await;
    app.deliver(text_of("", Some("US.1349"), "by id")).await;
    app.deliver(text_of(PERSON, Some("US.1349"), "by both")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts().last().unwrap(), "by both");
    assert_eq!(app.sent().len(), 3);
    let turns = app.turns().await;
    assert!(turns.iter().all(|turn| turn.contact == "US.1349"), "{turns:#?}");
}

#[tokio::test]
async fn a_person_without_a_phone_number_is_answered_by_user_id() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.deliver(text_of("", Some("US.1349"), "hello")).await;
    app.run_until_idle().await;
    app.sent_one();
    let message = &messages(&app)[0];
    assert_eq!((&message["recipient"], &message["to"]), (&"US.1349".into(), &Value::Null));
}

const TEN_HOURS_MS: i64 = 10 * 60 * 60 * 1000;

/// Nothing a test waits for takes longer on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Turns of one number last until they may end, of others no time.
struct Hangs {
    may_end: Semaphore,
    done: mpsc::Sender<PhoneNumberId>,
}

#[async_trait]
impl JobHandler for Hangs {
    async fn handle(&self, lease: Lease, _: Cancel, _: News) -> Handled {
        if lease.lane.number == NUMBER.into() {
            self.may_end.acquire().await.unwrap().forget();
        }
        self.done.send(lease.lane.number).await.unwrap();
        Handled::Done
    }
}

#[tokio::test]
async fn a_number_whose_model_hangs_does_not_hold_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hark.db");
    let store = Arc::new(SqlStore::open(&path, Access::Serve).unwrap());
    let write = async |number: &str, people: usize| {
        let message = |person: usize| {
            let (mut message, queue) = conformance::text(&format!("{number}.{person}"));
            message.number = number.into();
            message.from.as_mut().unwrap().phone = Some(format!("1555{person:04}").as_str().into());
            (message, queue)
        };
        store.accept((0..people).map(message).collect(), 1_000).await.unwrap();
    };
    write(NUMBER, 12).await;
    let (done, mut dones) = mpsc::channel(99);
    let handler = Arc::new(Hangs { may_end: Semaphore::new(0), done });
    let (queue, wake, stop) = (Arc::clone(&store) as _, Wake::default(), CancellationToken::new());
    let jobs = Arc::clone(&handler) as _;
    let lanes = Lanes::new(
        queue,
        jobs,
        Clock::manual(1_000),
        wake.clone(),
        8,
        ("a".into(), LeasePace::alone()),
    );
    let (stopping, abort) = (stop.clone(), CancellationToken::new());
    let lanes = tokio::spawn(async move { lanes.run(stopping, abort).await });
    while store.messages(1_000).await.unwrap().leased < 8 {
        tokio::task::yield_now().await;
    }
    // More people than the number's share, and they come when every place is held.
    write("900", 20).await;
    wake.wake();
    for _ in 0..20 {
        assert_eq!(dones.recv().await, Some("900".into()));
    }
    while store.messages(1_000).await.unwrap().leased > 8 {
        tokio::task::yield_now().await;
    }
    let waiting = store.messages(1_000).await.unwrap();
    assert_eq!((waiting.leased, waiting.queued), (8, 4), "no more of the first began");
    handler.may_end.add_permits(12);
    for _ in 0..12 {
        assert_eq!(dones.recv().await, Some(NUMBER.into()));
    }
    stop.cancel();
    lanes.await.unwrap();
}

#[tokio::test]
async fn more_people_than_turns_fit_side_by_side_are_all_answered() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(50).await;
    for person in 0..100 {
        app.simulator.send_text(&format!("1555000{person:04}"), "hello").await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 100);
}
