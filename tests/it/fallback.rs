//! Lists of engines: who stands in for whom, for how long, and what is said about it.

use std::net::SocketAddr;

use hark::turn::{Outcome, TurnReport};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::update::voice_note;
use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::ears::{Ears, Told, refusal};
use crate::openai::serve;
use crate::openai::speech::{Answer, Speech};
use crate::program::Hark;

const ONE: &str = "Dolphins swim around the boat.";

/// A speech server that can be stopped and started again at its address.
struct Mortal {
    speech: Speech,
    address: SocketAddr,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Mortal {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut mortal = Self { speech: Speech::paced(0.0), address, running: None };
        mortal.serve(listener);
        mortal
    }

    fn serve(&mut self, listener: TcpListener) {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = axum::serve(listener, self.speech.router()).with_graceful_shutdown(stopped);
        self.running = Some((stop, tokio::spawn(async move { server.await.unwrap() })));
    }

    async fn die(&mut self) {
        let (stop, running) = self.running.take().expect("it lives");
        stop.cancel();
        running.await.unwrap();
    }

    async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }
}

/// A server as an entry of a list.
fn entry(url: &str, keys: &str) -> String {
    format!("{{ engine = \"openai\", url = \"{url}\", model = \"m\", retries = 0{keys} }}")
}

/// A service that speaks with these, in this order.
fn speaking(list: &[&str]) -> Setup {
    TestApp::start().answers(ONE).set("tts.engine", &format!("[{}]", list.join(", ")))
}

/// The report of one answer.
async fn answer(app: &TestApp) -> TurnReport {
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent();
    app.turns().await.pop().expect("a turn").report.expect("it is finished")
}

/// The value of a metric of this engine.
async fn metric(app: &TestApp, name: &str, role: &str, engine: &str) -> Option<f64> {
    let metrics = app.metrics().await;
    let line = format!("{name}{{role=\"{role}\",engine=\"{engine}\"}} ");
    metrics.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok())
}

#[tokio::test]
async fn a_speech_server_that_dies_is_stood_in_for_until_it_comes_back() {
    let mut mortal = Mortal::start().await;
    let name = format!("openai@{}", mortal.address);
    let url = format!("http://{}/v1", mortal.address);
    let app = speaking(&[&entry(&url, ""), "\"scripted\""]).await;
    let left_alone = async || metric(&app, "hark_engine_left_alone", "tts", &name).await;
    assert_eq!(answer(&app).await.engines.tts, [&*name]);
    assert_eq!(left_alone().await, Some(0.0));

    mortal.die().await;
    for _ in 0..4 {
        let report = answer(&app).await;
        assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None));
        assert_eq!(report.engines.tts, ["scripted"]);
    }
    assert_eq!(left_alone().await, Some(1.0));
    let failures = metric(&app, "hark_engine_failures_total", "tts", &name).await;
    assert_eq!(failures, Some(3.0), "the fourth was not even tried");

    mortal.come_back().await;
    assert_eq!(answer(&app).await.engines.tts, ["scripted"], "its pause is not over");
    app.advance(5_000).await;
    assert_eq!(answer(&app).await.engines.tts, [&*name]);
    assert_eq!(left_alone().await, Some(0.0));
    let spoke = metric(&app, "hark_engine_turns_total", "tts", &name).await;
    assert_eq!(spoke, Some(2.0));
}

#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once() {
    let speech = Speech::start().await;
    speech.answers([Answer::Never]);
    let keys = ", first_audio_timeout_ms = 300, parallel = 1";
    let app = speaking(&[&entry(&speech.url, keys), "\"scripted\""]).await;
    for _ in 0..3 {
        assert_eq!(answer(&app).await.engines.tts, ["scripted"]);
    }
    assert_eq!(speech.requests().len(), 1);
}

#[tokio::test]
async fn a_sentence_that_breaks_off_midway_is_not_begun_again() {
    let speech = Speech::start().await;
    speech.answers([Answer::Break(30_000)]);
    let app = speaking(&[&entry(&speech.url, ""), "\"scripted\""]).await;
    let report = answer(&app).await;
    assert_eq!(report.outcome, Outcome::Text);
    assert_eq!(report.engines.tts.len(), 1, "{:?}", report.engines);
    assert_eq!(answer(&app).await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn the_words_go_out_as_text_only_if_every_voice_fails() {
    let (one, other) = (Speech::start().await, Speech::start().await);
    let refuses = Answer::Status(401, None, "{}".to_owned());
    one.answers([refuses.clone(), refuses]);
    other.answers([Answer::Status(500, None, "{}".to_owned())]);
    let app = speaking(&[&entry(&one.url, ""), &entry(&other.url, "")]).await;
    let report = answer(&app).await;
    assert_eq!((report.outcome, report.engines.tts.len()), (Outcome::Text, 0));
    // The first is left alone now, and the other speaks.
    let report = answer(&app).await;
    assert_eq!(report.outcome, Outcome::VoiceNote);
    assert_eq!(report.engines.tts, [other.url.replace("http://", "openai@").replace("/v1", "")]);
    assert_eq!((one.requests().len(), other.requests().len()), (1, 2));
}

#[tokio::test]
async fn ears_that_refuse_are_stood_in_for_and_warned_of_once() {
    let ears = Ears::hearing("at the server");
    ears.tells([Told::Status(401, None, refusal("no"))]);
    let url = serve(ears.router()).await;
    let list = format!("[{}, \"scripted\"]", entry(&url, ""));
    let app = TestApp::start().set("agents.0.stt", &list).in_a_process().await;
    for _ in 0..3 {
        app.deliver(voice_note("en_hours.ogg")).await;
        app.run_until_done().await;
    }
    app.sent();
    for turn in app.turns().await {
        let report = turn.report.expect("it is finished");
        assert_eq!(report.outcome, Outcome::VoiceNote);
        assert_eq!(report.engines.stt, ["scripted"]);
    }
    assert_eq!(ears.requests().len(), 1);
    assert_eq!(app.log().matches("an engine fails").count(), 1, "{}", app.log());
}

#[tokio::test]
async fn a_busy_server_that_asks_for_a_rest_gets_it() {
    let ears = Ears::hearing("at the server");
    ears.tells([Told::Status(429, Some(120), refusal("no"))]);
    let url = serve(ears.router()).await;
    let list = format!("[{}, \"scripted\"]", entry(&url, ""));
    let app = TestApp::start().set("stt.engine", &list).await;
    let heard_by = async || {
        app.deliver(voice_note("en_hours.ogg")).await;
        app.run_until_idle().await;
        app.sent();
        app.turns().await.pop().expect("a turn").report.expect("it is finished").engines.stt
    };
    assert_eq!(heard_by().await, ["scripted"]);
    app.advance(119_000).await;
    assert_eq!((heard_by().await, ears.requests().len()), (vec!["scripted".to_owned()], 1));
    app.advance(1_000).await;
    assert_eq!(heard_by().await, [url.replace("http://", "openai/m@").replace("/v1", "")]);
}

#[tokio::test]
async fn an_engine_of_a_list_has_its_own_voice_before_the_agents() {
    let (one, other) = (Speech::start().await, Speech::start().await);
    one.answers([Answer::Status(500, None, "{}".to_owned())]);
    let list = [entry(&one.url, ", voice = \"nova\""), entry(&other.url, "")];
    let app = speaking(&[&list[0], &list[1]]).set("agents.0.voice", "shimmer").await;
    answer(&app).await;
    let voice = |speech: &Speech| speech.requests()[0].json["voice"].clone();
    assert_eq!((voice(&one), voice(&other)), ("nova".into(), "shimmer".into()));
}

/// What `hark ask` prints with this configuration.
async fn ask(toml: &str, path: Option<&str>) -> (Value, String) {
    let toml = format!("[llm]\nengine = \"scripted\"\ntext = \"{ONE}\"\n{toml}");
    let hark = Hark::new().file("hark.toml", toml);
    let hark = path.into_iter().fold(hark, |hark, path| hark.env("PATH", path));
    let ran = hark.run(&["ask", "--text", "hello", "--json"]).await;
    (ran.json(0)[0].clone(), ran.stderr)
}

#[tokio::test]
async fn a_program_that_is_missing_at_the_start_is_named_once_and_stood_in_for() {
    let list = "[[agents]]\nname = \"hark\"\ntts = [\"espeak\", \"scripted\"]\n";
    let (report, said) = ask(list, Some("/nowhere")).await;
    assert_eq!(report["engines"]["tts"], serde_json::json!(["scripted"]));
    assert_eq!(said.matches("apt-get install espeak-ng").count(), 1, "{said}");
    let (report, said) = ask(list, None).await;
    assert_eq!(report["engines"]["tts"], serde_json::json!(["espeak"]));
    assert_eq!(said, "");
    let alone = Hark::new().file("hark.toml", "[tts]\nengine = [\"espeak\"]\n");
    let ran = alone.env("PATH", "/nowhere").run(&["say", "hello"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("apt-get install"), "{ran:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_list_is_refused_by_its_place() {
    let check = async |toml: &str, words: &str| {
        let hark = Hark::new().file("hark.toml", toml);
        let ran = hark.run(&["ask", "--text", "hello"]).await;
        assert_eq!(ran.code, 64, "{toml}: {}{}", ran.text(), ran.stderr);
        assert!(ran.stderr.contains(words), "{toml}: {}", ran.stderr);
    };
    let server = "{ engine = \"openai\", url = \"http://127.0.0.1:1\", model = \"m\" }";
    let agent = |keys: &str| format!("[[agents]]\nname = \"hark\"\n{keys}\n");
    check("[tts]\nengine = []", "hark.toml: tts.engine: the list is empty; name at least one")
        .await;
    check("[tts]\nengine = [\"espeak\", \"x\"]", "hark.toml: tts.engine[1]: unknown engine \"x\"")
        .await;
    let twice = "tts.engine[1]: is the same as engine[0]; leave it out";
    check("[tts]\nengine = [\"espeak\", \"espeak\"]", twice).await;
    check(&format!("[tts]\nengine = [{server}, {server}]"), twice).await;
    check("[tts]\nengine = [1]", "tts.engine[0]: must be an engine's name, or a table").await;
    check("[tts]\nengine = [\"openai\", \"espeak\"]", "hark.toml: tts.url: is missing").await;
    let own = "[tts]\nengine = [{ engine = \"openai\", url = \"ftp://a\", model = \"m\" }]";
    check(own, "tts.engine[0].url: must begin with http").await;
    check("[llm]\nengine = [\"faq\"]", "llm.engine: must be one engine's name").await;
    check(&agent("llm = [\"faq\", \"scripted\"]"), "agents[0].llm: must be one engine's name")
        .await;
    check(&agent("tts = []"), "hark.toml: agents[0].tts: the list is empty").await;
    check(&agent("tts = [\"espeak\", \"x\"]"), "agents[0].tts[1]: unknown engine \"x\"").await;
    check(
        &agent("tts = [\"espeak\", { engine = \"openai\" }]"),
        "agents[0].tts[1].url: is missing",
    )
    .await;
    check(&agent("tts = { engine = [\"x\"] }"), "agents[0].tts: engine[0]: unknown engine").await;
    check(
        &agent("stt = [{ engine = \"scripted\", language = \"en\" }]"),
        "stt[0].language: is the same",
    )
    .await;
    let model = format!("[stt]\nengine = [\"whisper\", {}]", server.replace(", model = \"m\"", ""));
    check(&model, "stt.engine[1].model: is missing; set a model of the server").await;
}

#[cfg(feature = "stt-whisper")]
#[tokio::test]
async fn a_model_of_a_list_that_is_not_there_is_named_with_the_line_that_pulls_it() {
    let list = "[\"scripted\", { engine = \"whisper\", model = \"base\" }]";
    let toml = format!("[[agents]]\nname = \"hark\"\nstt = {list}\n");
    let hark = Hark::new().file("hark.toml", toml).file("a.ogg", "not heard anyway");
    let ran = hark.run(&["transcribe", "a.ogg"]).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    for words in ["agents[0].stt[1].model: no model `base`", "hark models pull base"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}
