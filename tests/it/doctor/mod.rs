//! `hark doctor` on a good set-up and on broken ones: the real program, the shipped simulator as
//! the provider, and a real service behind the webhook.

mod customers;
mod encrypted;
mod network;
mod postgres;
mod redis;
mod servers;
mod stored;

use hark::clock::Clock;
use hark::remote::http_client;
use hark::simulator::{CallKind, Simulator, SimulatorSettings};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::program::{Hark, Ran};

const NUMBER: &str = "900";
const TOKEN: &str = "token-of-the-doctor";
const SECRET: &str = "secret-of-the-doctor";
const WORD: &str = "word-of-the-doctor";

/// A fake WhatsApp; returns its address.
async fn whatsapp() -> (Simulator, String) {
    let settings = SimulatorSettings {
        webhook: "http://127.0.0.1:1/webhook".parse().unwrap(),
        app_secret: SECRET.into(),
        door: hark::simulator::Door::Meta,
        phone_number_id: NUMBER.into(),
        access_token: Some(TOKEN.into()),
        public_url: None,
        clock: Clock::System,
        id_seed: "doctor".to_owned(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let simulator = Simulator::new(settings, http_client());
    let handle = simulator.clone();
    tokio::spawn(simulator.serve(listener, CancellationToken::new()));
    (handle, address)
}

/// A configuration with no problems found, as far as `api_url` is.
fn good(api_url: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[webhook]\nverify_token = \"{WORD}\"\n\
         [[numbers]]\nphone_number_id = \"{NUMBER}\"\nprovider = \"simulator\"\n\
         access_token = \"{TOKEN}\"\napp_id = \"77\"\napp_secret = \"{SECRET}\"\n\
         display_number = \"+1 555 010 0000\"\napi_url = \"{api_url}\"\n"
    )
}

/// `hark` with a configuration that only its owner can read.
fn hark(configuration: &str) -> Hark {
    let hark = Hark::new().file("hark.toml", configuration);
    mode(&hark, "hark.toml", 0o600);
    hark
}

fn mode(hark: &Hark, file: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(hark.path(file), permissions).unwrap();
}

/// Runs the doctor; checks that it tells no secret, and what its findings are made of.
async fn findings(hark: &Hark, code: i32) -> Vec<Value> {
    let ran = hark.run(&["doctor", "--json"]).await;
    tells_no_secret(&ran);
    let lines = ran.json(code);
    assert_eq!(lines.len(), 1, "{}", ran.text());
    assert_eq!(lines[0].as_object().unwrap().len(), 1, "{}", ran.text());
    let findings = lines[0]["findings"].as_array().unwrap().clone();
    for finding in &findings {
        let keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.len(), 4, "{finding}");
        for key in ["level", "key", "message", "fix"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
        }
        assert!(finding["level"] == "error" || finding["level"] == "warning", "{finding}");
    }
    findings
}

fn tells_no_secret(ran: &Ran) {
    let said = format!("{}{}", ran.text(), ran.stderr);
    for secret in [TOKEN, SECRET, WORD, "wrong-token", "wrong-secret", "15550100000"] {
        assert!(!said.contains(secret), "{said}");
    }
}

/// Checks that exactly this is found: key, level, and words of the message and of the fix.
#[track_caller]
fn is(found: &[Value], expected: &[(&str, &str, &str, &str)]) {
    let keys: Vec<&str> = found.iter().map(|finding| finding["key"].as_str().unwrap()).collect();
    assert_eq!(keys, expected.iter().map(|(key, ..)| *key).collect::<Vec<_>>(), "{found:#?}");
    for (finding, (_, level, message, fix)) in found.iter().zip(expected) {
        assert_eq!(finding["level"], *level, "{finding}");
        assert!(finding["message"].as_str().unwrap().contains(message), "{finding}");
        assert!(finding["fix"].as_str().unwrap().contains(fix), "{finding}");
    }
}

#[tokio::test]
async fn a_good_set_up_has_nothing_to_mend() {
    let (simulator, api) = whatsapp().await;
    let hark = hark(&good(&api)).file("faq.csv", "question,answer\nWhere are you?,Here.\n");
    let hark = hark.env("HARK__DISCLOSURE__ENABLED", "true");
    let service = hark.start(&["serve"]).await;
    let hark = hark.env("HARK__SERVER__PUBLIC_URL", &service.url(""));
    assert_eq!(findings(&hark, 0).await, Vec::<Value>::new());
    let kinds: Vec<CallKind> = simulator.calls().iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::NumberInfo, CallKind::AppInfo], "nothing else is asked");

    let ran = hark.run(&["doctor"]).await;
    tells_no_secret(&ran);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.text());
    for check in [
        "ok       configuration hark.toml is read; numbers: 1, agents: 1",
        "ok       configuration people are told every 30 days that a machine speaks",
        "ok       numbers       numbers[0] is known to http://127.0.0.1",
        "ok       numbers       numbers[0].app_secret is the app's",
        "ok       store         hark.db is writable",
        "ok       webhook       http://127.0.0.1",
        "no problems found",
    ] {
        assert!(ran.text().contains(check), "{check}: {}", ran.text());
    }
    assert_eq!(service.stop().await, 0);
}

#[tokio::test]
async fn an_app_secret_that_cannot_be_checked_is_said_to_be_unchecked() {
    let (_, api) = whatsapp().await;
    let hark = hark(&good(&api).replace("app_id = \"77\"\n", ""));
    let ran = hark.run(&["doctor"]).await;
    tells_no_secret(&ran);
    let not_checked = "skipped  numbers       numbers[0].app_secret: not checked, since \
                       numbers[0].app_id is not set";
    assert!(ran.code == 0 && ran.text().contains(not_checked), "{}", ran.text());
    assert!(ran.text().contains("not asked: server.public_url is not set"), "{}", ran.text());
}

#[tokio::test]
async fn a_store_that_is_not_there_yet_is_not_made() {
    let (_, api) = whatsapp().await;
    let hark = hark(&good(&api));
    assert_eq!(findings(&hark, 0).await, Vec::<Value>::new());
    let left: Vec<_> =
        std::fs::read_dir(hark.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["hark.toml"]);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_64_with_its_fix() {
    let unreadable = |key, message, fix| [(key, "error", message, fix)];
    let hark = hark("[server\nlisten = \"wrong-token\"");
    is(&findings(&hark, 64).await, &unreadable("hark.toml", "line 1 is not TOML", "hark.toml"));
    let ran = hark.run(&["doctor"]).await;
    assert_eq!(ran.code, 64);
    assert!(ran.text().starts_with("error    configuration hark.toml: "), "{}", ran.text());
    assert!(ran.text().contains("fix: correct hark.toml"), "{}", ran.text());

    let (_, api) = whatsapp().await;
    let hark = self::hark(&good(&api)).env("HARK__LOG__LEVEL", "loud=3=x");
    is(&findings(&hark, 64).await, &unreadable("log.level", "loud", "HARK__LOG__LEVEL"));
    let hark = Hark::new();
    let ran = hark.run(&["doctor", "--json", "--config", "none.toml"]).await;
    is(
        ran.json(64)[0]["findings"].as_array().unwrap(),
        &unreadable("none.toml", "No such file", "--config"),
    );
}

#[tokio::test]
async fn all_that_is_missing_is_listed_at_once() {
    let (simulator, api) = whatsapp().await;
    // Each of these hid those after it when the first was all that was said.
    let toml = good(&api)
        .replace("[server]", "[server]\nlisen = \"\"")
        .replace("app_secret = ", "# ")
        .replace("access_token = ", "access_token_file = \"none\" # ")
        + "agent = \"nobody\"\n[[agents]]\nname = \"hark\"\nknowledge = [\"none.csv\"]\n\
           [llm]\nengine = \"openai\"\n[stt]\nmodel = \"small\"\n[tts]\nengine = \"espeak\"\n";
    let hark = hark(&toml).env("PATH", "/nowhere").env("HARK__QUEUE__TURNS", "0");
    let expected = [
        ("numbers[0].access_token_file", "error", "none: No such file", "in hark.toml"),
        ("server.lisen", "error", "unknown field", "correct server.lisen in hark.toml"),
        ("llm.url", "error", "is missing", "set llm.url in hark.toml"),
        ("llm.model", "error", "is missing", "set llm.model"),
        ("numbers[0].agent", "error", "no agent \"nobody\"", "in hark.toml"),
        ("numbers[0].app_secret", "error", "is missing", "set numbers[0].app_secret"),
        ("queue.turns", "error", "from 1 to 10000", "in HARK__QUEUE__TURNS"),
    ];
    is(&findings(&hark, 64).await, &expected);
    assert!(simulator.calls().is_empty(), "there is no token to ask with");

    let hark = hark.env("HARK__NUMBERS__0__AGENT", "hark").env("HARK__SERVER__LISTEN", "x");
    let found = findings(&hark, 64).await;
    let keys: Vec<&str> = found.iter().map(|finding| finding["key"].as_str().unwrap()).collect();
    for key in ["llm.model", "stt.model", "tts.engine", "agents[0].knowledge"] {
        assert!(keys.contains(&key), "{key}: {keys:?}");
    }
    let ran = hark.run(&["serve"]).await;
    assert_eq!((ran.code, ran.text(), ran.stderr.lines().count()), (64, "", 6), "{}", ran.stderr);
    assert!(ran.stderr.lines().all(|line| line.starts_with("hark: ")), "{}", ran.stderr);
}

#[tokio::test]
async fn without_a_number_there_is_nothing_to_serve() {
    let found = findings(&Hark::new(), 1).await;
    is(&found, &[("numbers", "error", "no business number", "[[numbers]]")]);
}

#[tokio::test]
async fn a_model_that_is_missing_cut_changed_or_monolingual_is_found() {
    let micro = include_bytes!("../../../models/hark-micro-en.bin");
    let (_, api) = whatsapp().await;
    let check = async |name: &str, file: Option<&[u8]>, expected: (&str, &str)| {
        let toml = good(&api) + &format!("[stt]\nmodel = \"{name}\"\n");
        let mut hark = hark(&toml);
        if let Some(file) = file {
            hark = hark.file(name, file);
        }
        let (message, fix) = expected;
        is(&findings(&hark, 1).await, &[("stt.model", "error", message, fix)]);
    };
    check("small", None, ("no model `small`", "hark models pull small")).await;
    let file = "models/hark-micro-en.bin";
    let mut changed = micro.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    check(file, Some(&changed), ("is damaged", "that one is built in")).await;
    check(file, Some(&micro[..1 << 20]), ("is incomplete", "hark models pull")).await;
    check(file, Some(b"<html>"), ("a web page", "hark models pull")).await;

    let toml = good(&api) + "[[agents]]\nname = \"hark\"\nlanguages = [\"en\", \"es\"]\n";
    let expected = [("stt.model", "error", "does not know \"es\"", "hark models pull base")];
    is(&findings(&hark(&toml), 1).await, &expected);
}

#[tokio::test]
async fn espeak_and_its_voices_are_sought() {
    let (_, api) = whatsapp().await;
    let toml = good(&api) + "[tts]\nengine = \"espeak\"\n";
    let none = hark(&toml).env("PATH", "/nowhere");
    let expected = [("tts.engine", "error", "espeak-ng could not be started", "apt-get install")];
    is(&findings(&none, 1).await, &expected);

    let agent = "[[agents]]\nname = \"hark\"\nstt = \"scripted\"\n";
    let klingon =
        format!("{toml}{agent}language = \"tlh\"\nvoice = {{ en = \"en-us\", es = \"bart\" }}\n");
    let expected = [
        ("agents[0].voice", "error", "no voice \"bart\"", "espeak-ng --voices"),
        ("agents[0].tts", "error", "no voice for \"tlh\"", "[tts] engine"),
    ];
    is(&findings(&hark(&klingon), 1).await, &expected);
    let known = format!("{toml}{agent}languages = [\"pt-BR\", \"zh\"]\nvoice = \"en-gb+f3\"\n");
    assert_eq!(findings(&hark(&known), 0).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_found() {
    let (_, api) = whatsapp().await;
    // Tests may run as root, whom no permission stops.
    for store in ["a-folder", "hark.toml/hark.db", "text.db"] {
        let toml = good(&api) + &format!("[store]\nurl = \"{store}\"\n");
        let hark = hark(&toml).file("a-folder/x", "").file("text.db", "this is no database at all");
        is(&findings(&hark, 1).await, &[("store.url", "error", store, "[store] url")]);
    }
}

#[tokio::test]
async fn knowledge_that_cannot_be_read_is_found_file_by_file() {
    let (_, api) = whatsapp().await;
    let agent =
        "[[agents]]\nname = \"hark\"\nknowledge = [\"none.csv\", \"bad.csv\", \"faq.csv\"]\n";
    let hark = hark(&(good(&api) + agent))
        .file("bad.csv", "question,answer\nWhen?,\n")
        .file("faq.csv", "question,answer\nWhere are you?,Here.\n");
    let expected = [
        ("agents[0].knowledge", "error", "none.csv: No such file", "none.csv"),
        ("agents[0].knowledge", "error", "bad.csv, line 2", "bad.csv"),
    ];
    is(&findings(&hark, 1).await, &expected);
}

#[tokio::test]
async fn words_that_the_model_cannot_take_are_found() {
    let (_, api) = whatsapp().await;
    let agent = "[[agents]]\nname = \"hark\"\nvocabulary = [\"Lumivelo\"]\n";
    let takes_none = ("agents[0].vocabulary", "warning", "takes no words", "models pull base");
    is(&findings(&hark(&(good(&api) + agent)), 1).await, &[takes_none]);
}

#[tokio::test]
async fn a_trial_that_meets_real_people_is_told_what_is_missing() {
    let (_, api) = whatsapp().await;
    let toml = good(&api).replace("\"simulator\"", "\"meta\"").replace("verify_token", "# none");
    let hark = hark(&toml)
        .env("HARK__SERVER__PUBLIC_URL", "http://voice.example")
        .env("HARK__TTS__ENGINE", "scripted");
    let expected = [
        ("webhook.verify_token", "error", "is missing", "verify_token_file"),
        ("server.public_url", "error", "https", "certificate"),
        ("agents[0].knowledge", "warning", "made-up shop", "faq.csv"),
        ("tts.engine", "warning", "made for tests", "tts.engine"),
        ("stt.model", "warning", "hardly any real person", "hark models pull base"),
    ];
    is(&findings(&hark, 1).await, &expected);
}

#[tokio::test]
async fn secrets_that_everyone_can_read_are_found_once_a_file() {
    let (_, api) = whatsapp().await;
    let secret = format!("app_secret = \"{SECRET}\"");
    let toml = good(&api).replace(&secret, "app_secret_file = \"secret\"");
    let hark = hark(&toml).file("secret", SECRET);
    mode(&hark, "secret", 0o600);
    assert_eq!(findings(&hark, 0).await, Vec::<Value>::new());
    mode(&hark, "secret", 0o644);
    mode(&hark, "hark.toml", 0o640);
    let expected = [("numbers[0].app_secret", "warning", "can read", "chmod 600 secret")];
    is(&findings(&hark, 1).await, &expected);
    mode(&hark, "hark.toml", 0o604);
    assert_eq!(findings(&hark, 1).await.len(), 2);
}
