//! `hark init`: by flags, on a terminal, and on to an answered note.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use hark::config::{self, Config};
use hark::registry::ProviderKind;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::program::{Hark, PATIENCE};

const META: [&str; 7] = [
    "init",
    "--phone-number-id",
    "106540352242922",
    "--access-token-file",
    "token",
    "--app-secret-file",
    "elsewhere/secret",
];

/// Files as a newcomer may have them; the doctor asks nobody who is not there.
fn newcomer() -> Hark {
    Hark::new()
        .file("token", "my-token\n")
        .file("elsewhere/secret", "my-secret\n")
        .file("faq.csv", "question,answer\nWhere are you?,Here.\n")
        .env("HARK__NUMBERS__0__API_URL", "http://127.0.0.1:9")
}

fn load(hark: &Hark) -> Config {
    config::load(Some(&hark.path("hark.toml")), &BTreeMap::new()).unwrap()
}

fn mode(hark: &Hark, file: &str) -> u32 {
    std::fs::metadata(hark.path(file)).unwrap().permissions().mode() & 0o777
}

fn read(hark: &Hark, file: &str) -> String {
    std::fs::read_to_string(hark.path(file)).unwrap()
}

#[tokio::test]
async fn flags_alone_write_a_configuration_that_loads() {
    let hark = newcomer();
    let more = ["--public-url", "https://voice.example.com/", "--knowledge", "faq.csv"];
    let llm = ["--llm-url", "http://127.0.0.1:9/v1", "--llm-model", "a \"model\""];
    let rest = ["--language", "es", "--app-id", "77", "--display-name", "Tienda", "--agent", "ana"];
    let ran = hark.run(&[&META[..], &more, &llm, &rest].concat()).await;
    // The doctor has findings: nobody is at these addresses, and there is no model.
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    let (config, token) = (load(&hark), read(&hark, "verify_token"));
    for said in [
        "wrote hark.toml, verify_token\n",
        "callback URL  https://voice.example.com/webhook\n",
        &format!("verify token  {token}"),
        "hark doctor says:\n",
        "fix: run `hark models pull base`",
    ] {
        assert!(ran.text().contains(said), "{said}: {}", ran.text());
    }
    for secret in ["my-token", "my-secret"] {
        assert!(!ran.text().contains(secret) && !read(&hark, "hark.toml").contains(secret));
    }
    assert_eq!((mode(&hark, "verify_token"), token.trim().len()), (0o600, 32));
    let (number, agent) = (&config.numbers[0], &config.agents[1]);
    assert_eq!(number.access_token.as_ref().unwrap().expose_secret(), "my-token");
    assert_eq!(number.app_secret.as_ref().unwrap().expose_secret(), "my-secret");
    assert_eq!((number.provider, number.app_id.as_deref()), (ProviderKind::Meta, Some("77")));
    assert_eq!(number.display_name.as_deref(), Some("Tienda"));
    assert_eq!(config.webhook.verify_token.as_ref().unwrap().expose_secret(), token.trim());
    assert_eq!((agent.name.as_str(), config.default_agent.as_str()), ("ana", "ana"));
    assert_eq!(agent.language, Some("es".into()));
    assert_eq!(agent.knowledge.as_deref(), Some(&[hark.path("faq.csv")][..]));
    assert_eq!(config.llm.text("model"), Some("a \"model\""));
    assert_eq!(config.stt.text("model"), Some("base"));
}

#[tokio::test]
async fn every_comment_is_a_key_that_can_be_set() {
    let llm = ["--llm-url", "http://127.0.0.1:9/v1", "--llm-model", "m"];
    let rehearsal = ["init", "--provider", "simulator"];
    for arguments in [&META[..], &[&META[..], &llm].concat(), &rehearsal] {
        let hark = newcomer();
        hark.run(arguments).await;
        let (text, mut keys) = (read(&hark, "hark.toml"), 0);
        let uncommented: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.split(' ').nth(1) == Some("=") => {
                    keys += 1;
                    key
                }
                _ => line,
            })
            .collect();
        assert!(keys >= 15, "{keys}: {text}");
        std::fs::write(hark.path("hark.toml"), uncommented.join("\n")).unwrap();
        load(&hark);
    }
}

#[tokio::test]
async fn what_is_missing_is_named_by_its_flag() {
    let ran = Hark::new().run(&["init"]).await;
    assert_eq!((ran.code, ran.text()), (2, ""));
    let flags = "--phone-number-id, --access-token-file, --app-secret-file";
    assert!(ran.stderr.contains(flags), "{}", ran.stderr);
    let ran = newcomer().run(&[&META[..], &["--llm-url", "http://127.0.0.1:9"]].concat()).await;
    assert!(ran.code == 2 && ran.stderr.ends_with("say --llm-model\n"), "{}", ran.stderr);
    for wrong in [
        ["--phone-number-id", "+1 555"],
        ["--public-url", "voice.example.com"],
        ["--language", "English"],
        ["--llm-model", "m"],
        ["--provider", "360dialog"],
    ] {
        let ran = newcomer().run(&["init", wrong[0], wrong[1]]).await;
        assert_eq!((ran.code, ran.text()), (2, ""), "{wrong:?}: {}", ran.stderr);
    }
    let ran = Hark::new().run(&META).await;
    assert!(ran.code == 1 && ran.stderr.contains("token: No such file"), "{}", ran.stderr);
}

#[tokio::test]
async fn nothing_is_replaced_unless_it_is_forced_and_a_word_that_meta_knows_is_kept() {
    let hark = newcomer();
    hark.run(&[&META[..], &["--dir", "etc"]].concat()).await;
    let word = read(&hark, "etc/verify_token");
    let again = [&META[..], &["--config", "etc/hark.toml", "--agent", "bo"]].concat();
    let ran = hark.run(&again).await;
    assert_eq!((ran.code, ran.text()), (1, ""));
    assert!(ran.stderr.contains("etc/hark.toml is there already; --force"), "{}", ran.stderr);
    let ran = hark.run(&[&again[..], &["--force"]].concat()).await;
    assert!(ran.code == 0 && ran.text().contains("hark --config etc/hark.toml serve"), "{ran:?}");
    assert_eq!(read(&hark, "etc/verify_token"), word);
    assert!(read(&hark, "etc/hark.toml").contains("name = \"bo\""));

    let broken = newcomer().env("HARK__LIMITS__TURN_SECONDS", "0");
    let ran = broken.run(&META).await;
    assert!(ran.code == 64 && ran.text().contains("limits.turn_seconds"), "{}", ran.text());
}

#[tokio::test]
async fn the_secrets_of_a_rehearsal_are_not_taken_for_those_of_meta() {
    let hark = newcomer();
    let ran = hark.run(&["init", "--provider", "simulator", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    let ran = hark.run(&["init", "--force", "--phone-number-id", "106540352242922"]).await;
    let flags = "say --access-token-file, --app-secret-file\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(flags), "{}", ran.stderr);
    assert!(read(&hark, "hark.toml").contains("simulator"), "it was replaced");
}

/// Types on a terminal: each answer when its question is there.
async fn types(hark: &Hark, answers: &[(&str, &str)]) -> String {
    let line = format!("{} init", env!("CARGO_BIN_EXE_hark"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(hark.path(""));
    command.env("HARK__NUMBERS__0__API_URL", "http://127.0.0.1:9");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("script is there");
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut seen) = (String::new(), 0);
    for (question, answer) in answers {
        while !shown[seen..].contains(question) {
            let mut piece = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, screen.read(&mut piece));
            let read = read.await.unwrap_or_else(|_| panic!("no {question}: {shown}")).unwrap();
            assert!(read > 0, "no {question}: {shown}");
            shown += &String::from_utf8_lossy(&piece[..read]);
        }
        seen = shown.len();
        if question.contains("not shown") {
            // A terminal that is made silent throws away what was typed before.
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
        keyboard.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    }
    let rest = screen.read_to_string(&mut shown);
    tokio::time::timeout(PATIENCE, rest).await.expect("it ends").unwrap();
    shown
}

#[tokio::test]
async fn on_a_terminal_it_asks_and_shows_no_secret() {
    let hark = Hark::new();
    let shown = types(
        &hark,
        &[
            ("meta, simulator [meta]: ", "facebook"),
            ("must be meta or simulator", "meta"),
            ("Phone number id", "+1 555"),
            ("has digits only", "106540352242922"),
            ("(not shown): ", ""),
            ("(not shown): ", "typed-token"),
            ("(not shown): ", "typed secret"),
            ("(not shown): ", "typed-secret"),
            ("App id", ""),
            ("Your https address", "https://voice.example.com"),
            ("Language", "de"),
            ("Language model's server", "http://127.0.0.1:9/v1"),
            ("Its model", "qwen"),
            ("(not shown): ", "typed-key"),
            ("Name of the agent [assistant]", ""),
            ("Whisper model (hark models list) [base]", "small"),
        ],
    )
    .await;
    for secret in ["typed-token", "typed-secret", "typed secret", "typed-key"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("wrote hark.toml, access_token, app_secret, verify_token, llm_key"));
    let config = load(&hark);
    let number = &config.numbers[0];
    assert_eq!(number.access_token.as_ref().unwrap().expose_secret(), "typed-token");
    assert_eq!(number.app_secret.as_ref().unwrap().expose_secret(), "typed-secret");
    assert_eq!(config.llm.text("api_key"), Some("typed-key"));
    assert_eq!((config.llm.text("model"), config.stt.text("model")), (Some("qwen"), Some("small")));
    for file in ["access_token", "app_secret", "verify_token", "llm_key"] {
        assert_eq!(mode(&hark, file), 0o600, "{file}");
    }
}

/// Waits until a look returns something.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it comes")
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn from_init_to_an_answered_note_and_a_new_word() {
    let probe = TcpListener::bind("127.0.0.78:0").await.unwrap();
    let whatsapp = probe.local_addr().unwrap().to_string();
    drop(probe);
    let hark = Hark::new()
        .file("q.ogg", include_bytes!("../../audio-fixtures/en_hours.ogg"))
        .env("HARK__SERVER__LISTEN", "127.0.0.1:0")
        .env("HARK__NUMBERS__0__API_URL", &format!("http://{whatsapp}"));
    let ran = hark.run(&["init", "--provider", "simulator", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    assert!(ran.text().contains("fix: start `hark simulate`"), "{}", ran.text());
    let service = hark.start(&["serve"]).await;
    let (webhook, secret) = (service.url("/webhook"), read(&hark, "rehearsal_app_secret"));
    let simulate = ["simulate", "--listen", &whatsapp, "--webhook", &webhook, "--app-secret"];
    let number = [secret.trim(), "--phone-number-id", "100000000000001"];
    let simulator = hark.start(&[&simulate[..], &number].concat()).await;
    assert_eq!(hark.run(&["doctor"]).await.code, 0, "now it finds nothing");

    let client = hark::remote::http_client();
    let note = json!({ "from": "15550001111", "file": hark.path("q.ogg") });
    let sent = client.post(simulator.url("/sim/messages")).json(&note).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let turn = until(async || {
        let turns = hark.run(&["turns", "--json"]).await.json(0);
        turns.into_iter().find(|turn| turn["outcome"].is_string())
    });
    assert_eq!(turn.await["outcome"], "voice_note");

    // A secret that init wrote is read again at a hangup.
    std::fs::write(hark.path("verify_token"), "another-word\n").unwrap();
    service.hang_up().await;
    let query = "hub.mode=subscribe&hub.verify_token=another-word&hub.challenge=4711";
    let handshake = service.url(&format!("/webhook?{query}"));
    until(async || {
        let answer = client.get(&handshake).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    assert_eq!((service.stop().await, simulator.stop().await), (0, 0));
}
