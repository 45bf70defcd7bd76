//! The world of a test: the real service, a temporary store and the shipped simulator.
//!
//! Nothing is mocked: webhooks and provider calls go over HTTP, and the record is SQLite on disk.
//! A test that leaves a job or a sent message unseen fails when its [`TestApp`] is dropped.

pub(crate) mod api;
pub(crate) mod certificates;
pub(crate) mod database;
pub(crate) mod postgres;
mod redact;
pub(crate) mod redis;
pub(crate) mod redis_cluster;
mod rewind;
mod service;
mod setup;
#[cfg(feature = "model-micro")]
pub(crate) mod sound;
pub(crate) mod update;
pub(crate) mod words;

use std::cell::Cell;
use std::time::Duration;

use hark::simulator::{Call, CallKind, ConversationMessage, PersonMessage, PersonSays, Simulator};
use hark::store::SqlStore;
use hark::store::{Archive as _, MessageCounts, TurnRow};
use hark::turn::{MessageId, Reason, TurnReport};
use serde_json::{Value, json};
pub(crate) use service::OtherNode;
use service::Service;
pub(crate) use setup::Setup;
use setup::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The business number of every test.
pub(crate) const NUMBER: &str = "106540352242922";
/// The person who writes unless a test names another.
pub(crate) const PERSON: &str = "15550001111";
pub(crate) const APP_SECRET: &str = "test-app-secret";
pub(crate) const TOKEN: &str = "test-access-token";
pub(crate) const VERIFY_TOKEN: &str = "test-verify-token";

/// Nothing a test waits for takes longer on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at what gives no notice.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A reason as the JSON has it.
pub(crate) fn words_of(reason: Option<Reason>) -> Option<String> {
    reason.map(|reason| reason.to_string())
}

/// A running service and everything around it.
pub(crate) struct TestApp {
    service: Service,
    world: World,
    store: SqlStore,
    pub(crate) simulator: Simulator,
    client: reqwest::Client,
    /// Sent messages that the test has looked at.
    seen: Cell<usize>,
}

impl TestApp {
    /// Prepares a service with scripted engines; `.await` starts it.
    pub(crate) fn start() -> Setup {
        Setup::default()
    }

    /// Lets a person send a message; returns when its webhook is answered.
    pub(crate) async fn deliver(&self, message: PersonMessage) -> MessageId {
        let id = self.simulator.send(message).await;
        self.simulator.settled().await;
        id
    }

    /// Lets the person with this phone number send a text.
    pub(crate) async fn text(&self, from: &str, text: &str) -> MessageId {
        self.deliver(PersonMessage::new(from, PersonSays::Text(text.to_owned()))).await
    }

    /// Waits until `done` holds.
    pub(crate) async fn wait_until(&self, what: &str, done: impl AsyncFn() -> bool) {
        let wait = async {
            while !done().await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}: not in {PATIENCE:?}");
    }

    /// Waits until nothing can happen before the clock moves: every message that is due is
    /// answered, and every webhook of the simulator is taken.
    pub(crate) async fn run_until_idle(&self) {
        self.run_until(|| self.now_ms()).await;
    }

    /// Like [`Self::run_until_idle`], for what waits for a time of the system clock.
    pub(crate) async fn run_until_done(&self) {
        self.run_until(|| i64::MAX).await;
    }

    /// Waits until nothing is left that is due by then. A webhook of the simulator may bring more.
    async fn run_until(&self, until_ms: impl Fn() -> i64) {
        let idle = async || unanswered(&self.store, until_ms()).await == 0;
        loop {
            self.simulator.settled().await;
            self.wait_until("all messages answered", &idle).await;
            self.simulator.settled().await;
            if idle().await {
                return;
            }
        }
    }

    /// Moves the clock alone: the person writes nothing.
    pub(crate) fn pass(&self, ms: i64) {
        self.world.clock.advance(ms);
    }

    /// Moves the clock and wakes the lanes, which sleep by the system's.
    pub(crate) async fn advance(&self, ms: i64) {
        self.world.clock.advance(ms);
        let id = format!("wamid.wake.{}", self.world.clock.now_ms());
        let wake = json!({ "id": id, "from": PERSON, "type": "reaction" });
        let (status, _) = self.post_signed(&update::messages(NUMBER, &[wake])).await;
        assert_eq!(status, 200);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.world.clock.now_ms()
    }

    /// How many stored messages are in each state.
    pub(crate) async fn counts(&self) -> MessageCounts {
        self.store.messages(self.now_ms()).await.unwrap()
    }

    /// Everything hark has sent so far, in order.
    pub(crate) fn sent(&self) -> Vec<ConversationMessage> {
        let sent = self.simulator.sent();
        self.seen.set(sent.len());
        sent
    }

    /// The one message hark has sent.
    #[track_caller]
    pub(crate) fn sent_one(&self) -> ConversationMessage {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        sent.remove(0)
    }

    /// The words of everything that was sent as text.
    pub(crate) fn sent_texts(&self) -> Vec<String> {
        self.sent().into_iter().filter_map(|message| message.text).collect()
    }

    /// The file of a sent voice note.
    #[track_caller]
    pub(crate) fn note_of(&self, message: &ConversationMessage) -> bytes::Bytes {
        let media = message.media.as_ref().expect("it is a voice note");
        self.simulator.note(&media.id).unwrap()
    }

    /// Every provider call so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.simulator.calls()
    }

    pub(crate) fn count(&self, kind: CallKind) -> usize {
        self.calls().iter().filter(|call| call.kind == kind).count()
    }

    /// Every provider call without what differs from run to run; the read mark, which races with
    /// the download, comes first.
    pub(crate) fn calls_redacted(&self) -> Value {
        let mut calls = self.calls();
        calls.sort_by_key(|call| call.kind != CallKind::Read);
        redact::ids_times_and_sizes(json!(calls))
    }

    /// Every turn, oldest first.
    pub(crate) async fn turns(&self) -> Vec<TurnRow> {
        let mut turns = self.store.turns(None, 1000).await.unwrap();
        turns.reverse();
        turns
    }

    /// The report of the only turn.
    #[track_caller]
    pub(crate) fn report(&self) -> impl Future<Output = TurnReport> {
        let caller = std::panic::Location::caller();
        async move {
            let turns = self.turns().await;
            assert_eq!(turns.len(), 1, "{caller}: {turns:#?}");
            turns[0].report.clone().expect("the turn is finished")
        }
    }

    /// What a service in a process of its own has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.world.log_path()).unwrap()
    }

    /// The address of a path of the service.
    pub(crate) fn address(&self, path: &str) -> String {
        self.url(path)
    }

    /// The address of the simulator.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}", self.world.api)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.world.address)
    }

    /// Gets a path of the service: status and body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(self.url(path)).timeout(PATIENCE).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Gets a path that only those may ask who run the service.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.world.admin);
        let answer = self.client.get(url).timeout(PATIENCE).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Its metrics.
    pub(crate) async fn metrics(&self) -> String {
        self.admin("/metrics").await.1
    }

    /// Sends these bytes of a request, and reads until the service closes.
    pub(crate) async fn say(&self, words: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.world.address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, read).await.expect("it is answered").unwrap();
        answer
    }

    /// Posts a text to a number, signed with this secret; returns the status and how many were taken.
    pub(crate) async fn post_text(&self, number: &str, secret: &str, id: &str) -> (u16, u64) {
        let body = update::messages(number, &[update::text(id, "hello")]).to_string();
        let signature = update::sign(secret, body.as_bytes());
        let (status, answer) = self.post_webhook("/webhook", body, Some(&signature)).await;
        (status, answer["accepted"].as_u64().unwrap_or(0))
    }

    /// Posts a body as the provider does; `signature` is the whole header, if one is sent.
    pub(crate) async fn post_webhook(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
        signature: Option<&str>,
    ) -> (u16, Value) {
        let mut request = self.client.post(self.url(path)).timeout(PATIENCE).body(body);
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// Posts a body signed with the secret of the test's number.
    pub(crate) async fn post_signed(&self, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let signature = update::sign(APP_SECRET, body.as_bytes());
        self.post_webhook("/webhook", body, Some(&signature)).await
    }

    /// Stops the service as SIGTERM does, and starts it on the same store and address.
    pub(crate) async fn restart(&mut self) {
        self.service.stop().await;
        self.service.start(&self.world).await;
    }

    /// Lets the service read its configuration again after `toml` was added to the file, in its
    /// own process by SIGHUP; returns whether it was taken.
    pub(crate) async fn reload_with(&mut self, toml: &str) -> bool {
        self.world.add_to_config(toml);
        self.service.reload(&self.world).await
    }

    /// The folder of the service's files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.world.folder()
    }

    /// Kills the service's process with SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.service.kill().await;
    }

    /// Stops the service's process as SIGTERM does; returns when it has ended.
    pub(crate) async fn terminate(&mut self) {
        self.service.terminate().await;
    }

    /// The id of the service's process.
    pub(crate) fn process(&self) -> u32 {
        self.service.process()
    }

    /// Starts another process on the same store, with these keys beside its configuration.
    pub(crate) async fn another_node(&self, keys: &[(&str, &str)]) -> OtherNode {
        OtherNode::start(&self.world, keys).await
    }

    /// Posts texts of people to a node, signed, in one webhook.
    pub(crate) async fn post_to(&self, node: &str, texts: &[Value]) -> u16 {
        let body = update::messages(NUMBER, texts).to_string();
        let signature = update::sign(APP_SECRET, body.as_bytes());
        let request = self.client.post(format!("{node}/webhook")).timeout(PATIENCE).body(body);
        let request = request.header("X-Hub-Signature-256", signature);
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }

    /// Runs one of hark's commands on the same configuration; returns what it prints.
    #[track_caller]
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let ran = self.ran(arguments);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Runs one of hark's commands on the same configuration.
    pub(crate) fn ran(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hark"));
        command.arg("--config").arg(self.world.config_path()).args(arguments);
        command.envs(&self.world.environment).output().unwrap()
    }

    /// Starts the service again after [`Self::kill`].
    pub(crate) async fn start_again(&mut self) {
        self.service.start(&self.world).await;
    }
}

/// Messages that are being answered, or are due until then.
async fn unanswered(store: &SqlStore, until_ms: i64) -> u32 {
    let counts = store.messages(until_ms).await.unwrap();
    counts.leased + counts.due
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // A runtime of its own, since this one cannot wait here.
        let store = &self.store;
        let left = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(unanswered(store, i64::MAX))
        };
        let jobs = std::thread::scope(|scope| scope.spawn(left).join().unwrap());
        let sent = self.simulator.sent().len();
        assert_eq!(jobs, 0, "the test leaves messages without an answer");
        assert_eq!(sent, self.seen.get(), "hark sent messages that the test never looked at");
    }
}

#[tokio::test]
#[should_panic(expected = "hark sent messages that the test never looked at")]
async fn a_sent_message_that_nobody_looks_at_fails_its_test() {
    let app = TestApp::start().await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
}

#[tokio::test]
#[should_panic(expected = "the test leaves messages without an answer")]
async fn a_message_that_is_left_fails_its_test() {
    let app = TestApp::start().thinks_ms(60_000).await;
    app.text(PERSON, "hello").await;
}
