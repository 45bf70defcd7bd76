//! The configuration is read again while the service runs: what is new answers the next turn, turns
//! that run keep what they began with, and a broken file changes nothing.

use hark::simulator::CallKind;
use serde_json::json;

use crate::harness::update::{self, fixture};
use crate::harness::{NUMBER, PERSON, TestApp};

/// The keys of the agent that answers everybody.
fn agent(keys: &str) -> String {
    format!("[[agents]]\nname = \"hark\"\nreply = \"text\"\n{keys}\n")
}

/// That agent with this answer.
fn answers(text: &str) -> String {
    agent(&format!("llm = {{ text = \"{text}\" }}"))
}

/// A second number; paused, since the simulator plays one.
fn second(id: &str, secret: &str) -> String {
    format!(
        "[[numbers]]\nphone_number_id = \"{id}\"\nprovider = \"simulator\"\n\
         access_token = \"other\"\nstatus = \"paused\"\n{secret}\n"
    )
}

fn person(n: usize) -> String {
    format!("1555{n:07}")
}

#[tokio::test]
async fn a_new_answer_is_the_next_turns_and_turns_that_run_keep_the_old_one() {
    // Whoever has begun has the old answer, however long the reading takes.
    let mut app = TestApp::start().thinks_ms(2_000).await;
    assert!(app.reload_with(&answers("old")).await);
    for n in 0..20 {
        app.simulator.send_text(&person(n), "hello").await;
    }
    app.wait_until("all turns run", async || app.count(CallKind::Read) == 20).await;
    assert!(app.reload_with(&answers("new")).await);
    for n in 20..40 {
        app.simulator.send_text(&person(n), "hello").await;
    }
    app.run_until_idle().await;
    for sent in app.sent() {
        let n: usize = sent.contact[4..].parse().unwrap();
        assert_eq!(sent.text.as_deref(), Some(if n < 20 { "old" } else { "new" }), "{n}");
    }
    assert_eq!(app.sent().len(), 40);
}

#[tokio::test]
async fn nothing_is_lost_while_it_is_read_again_and_again() {
    let mut app = TestApp::start().thinks_ms(5).await;
    assert!(app.reload_with(&answers("0")).await);
    let people = app.simulator.clone();
    let writing = tokio::spawn(async move {
        for n in 0..200 {
            people.send_text(&person(n), "hello").await;
            tokio::task::yield_now().await;
        }
    });
    for round in 1..=10 {
        assert!(app.reload_with(&answers(&round.to_string())).await);
    }
    writing.await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 200);
    let turns = app.turns().await;
    assert!(turns.iter().all(|turn| turn.attempt == 1), "none found its number unconfigured");
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts().last().map(String::as_str), Some("10"));
}

#[tokio::test]
async fn the_reply_policy_and_a_knowledge_file_are_read_again() {
    let mut app = TestApp::start().await;
    let faq = app.folder().join("faq.csv");
    let keys = agent("llm = \"faq\"\nknowledge = [\"faq.csv\"]");
    std::fs::write(&faq, "question,answer\nWhen do you open?,At nine.\n").unwrap();
    assert!(app.reload_with(&keys).await);
    app.text(PERSON, "When do you open?").await;
    app.run_until_idle().await;
    std::fs::write(&faq, "question,answer\nWhen do you open?,At ten.\n").unwrap();
    assert!(app.reload_with(&keys).await);
    app.text(PERSON, "When do you open?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["At nine.", "At ten."]);
    assert!(app.reload_with(&keys.replace("\"text\"", "\"voice\"")).await);
    app.text(PERSON, "When do you open?").await;
    app.run_until_idle().await;
    assert!(app.sent().last().unwrap().media.is_some());
    std::fs::remove_file(&faq).unwrap();
    assert!(!app.reload_with(&keys).await, "the file has gone");
    app.text(PERSON, "When do you open?").await;
    app.run_until_idle().await;
    assert_eq!(app.turns().await[3].report.as_ref().unwrap().reply.text, "At ten.");
    app.sent();
}

#[tokio::test]
async fn a_number_is_added_and_its_app_secret_changed_in_its_file() {
    let mut app = TestApp::start().await;
    let (ours, secret) = (crate::harness::APP_SECRET, app.folder().join("secret"));
    assert_eq!(app.post_text("200", ours, "wamid.1").await, (200, 0), "it is nobody's yet");
    std::fs::write(&secret, "one\n").unwrap();
    let number = second("200", "app_secret_file = \"secret\"");
    assert!(app.reload_with(&number).await);
    assert_eq!(app.post_text("200", "one", "wamid.2").await, (200, 1));
    assert_eq!(app.post_text("200", ours, "wamid.3").await, (200, 0), "that is another's secret");
    std::fs::write(&secret, "two\n").unwrap();
    assert_eq!(app.post_text("200", "two", "wamid.4").await.0, 401, "it was not read yet");
    assert!(app.reload_with(&number).await);
    assert_eq!(app.post_text("200", "one", "wamid.5").await.0, 401);
    assert_eq!(app.post_text("200", "two", "wamid.6").await, (200, 1));
    assert!(app.reload_with("").await);
    assert_eq!(app.post_text("200", "two", "wamid.7").await.0, 401, "it has gone");
}

#[tokio::test]
async fn a_number_is_paused_and_active_again() {
    let mut app = TestApp::start().set("agents.0.reply", "text").thinks_ms(100).await;
    app.text(PERSON, "one").await;
    app.wait_until("the turn runs", async || app.count(CallKind::Read) == 1).await;
    assert!(app.reload_with("status = \"paused\"").await);
    app.text(PERSON, "two").await;
    app.run_until_idle().await;
    assert_eq!(app.counts().await.stored, 1);
    assert!(app.reload_with("status = \"active\"").await);
    app.text(PERSON, "three").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one", "three"]);
}

#[tokio::test]
async fn a_message_accepted_before_a_pause_is_answered_soon_after_it() {
    let mut app = TestApp::start().set("agents.0.reply", "text").await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    app.text(PERSON, "one").await;
    app.run_until_idle().await;
    assert!(app.reload_with("status = \"paused\"").await);
    for _ in 0..3 {
        app.advance(60_000).await;
        app.run_until_idle().await;
    }
    assert_eq!(app.sent_texts(), [""; 0], "its number is paused");
    assert!(app.reload_with("status = \"active\"").await);
    app.advance(10_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one"]);
}

#[tokio::test]
async fn the_verify_token_is_read_again() {
    let mut app = TestApp::start().await;
    let path = "/webhook?hub.mode=subscribe&hub.challenge=7&hub.verify_token=";
    let folder = app.folder().join("hark.toml");
    let toml = std::fs::read_to_string(&folder).unwrap();
    std::fs::write(&folder, toml.replace(crate::harness::VERIFY_TOKEN, "another")).unwrap();
    assert_eq!(app.get(&format!("{path}another")).await.0, 403);
    assert!(app.reload_with("").await);
    assert_eq!(app.get(&format!("{path}another")).await, (200, "7".to_owned()));
    assert_eq!(app.get(&format!("{path}{}", crate::harness::VERIFY_TOKEN)).await.0, 403);
}

#[tokio::test]
async fn the_program_reads_its_file_at_a_sighup_and_a_broken_one_changes_nothing() {
    let mut app = TestApp::start().thinks_ms(300).in_a_process().await;
    for n in 0..5 {
        app.simulator.send_text(&person(n), "hello").await;
    }
    app.wait_until("all turns run", async || app.count(CallKind::Read) == 5).await;
    assert!(app.reload_with(&answers("new")).await);
    app.run_until_done().await;
    assert!(app.sent().iter().all(|sent| sent.media.is_some()), "as before: by voice");
    let broken = [
        ("[llm", "hark.toml: the file: line "),
        ("no_such_key = 1", "hark.toml: numbers[0].no_such_key: unknown field"),
        (&agent("knowledge = [\"none.csv\"]\nllm = \"faq\""), "hark.toml: agents[0].knowledge: "),
        (&second("200", "app_secret_file = \"none\""), "hark.toml: numbers[1].app_secret_file: "),
        (&agent("llm = \"openai\""), "hark.toml: agents[0].llm: url: is missing"),
    ];
    for (toml, named) in broken {
        assert!(!app.reload_with(toml).await, "{toml}");
        let log = app.log();
        let line = log.lines().rfind(|line| line.contains("was not read again: ")).unwrap();
        assert!(line.contains("ERROR") && line.contains(named), "{named}: {line}");
    }
    app.text(PERSON, "hello").await;
    app.run_until_done().await;
    assert_eq!(app.sent_texts(), ["new"]);
}

#[tokio::test]
async fn keys_that_wait_for_a_start_are_named_in_one_line() {
    let mut app = TestApp::start().in_a_process().await;
    let later = "[server]\nlisten = \"127.0.0.1:1\"\n[queue]\nturns = 7\n\
                 [limits]\naudio_seconds = 1\nturn_seconds = 9\n";
    assert!(app.reload_with(later).await);
    let named = "server.listen, queue.turns, limits.audio_seconds";
    app.wait_until("they are named", async || app.log().contains(named)).await;
    assert_eq!(app.log().matches(named).count(), 1);
    assert!(!app.log().contains("turn_seconds,"), "that one is in use");
    let long = fixture("en_hours.ogg");
    app.deliver(update::audio(long, "audio/ogg")).await;
    app.run_until_done().await;
    let sent = app.sent_one();
    assert!(sent.media.is_some(), "{}", json!(sent));
    assert_eq!(app.post_text(NUMBER, "wrong", "wamid.1").await.0, 401);
}
