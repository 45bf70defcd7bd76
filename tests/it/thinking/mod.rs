//! Answers of a language model: what it is asked, and what becomes of its words.

mod faults;
mod shapes;
mod whole;

use std::time::Duration;

use futures_util::StreamExt as _;
use hark::agent::openai::{OpenAiResponder, Settings};
use hark::agent::prompt::Persona;
use hark::agent::{AgentError, Delta, Question, Responder as _, Usage};
use hark::remote::model_client;
use hark::turn::{Outcome, TurnReport};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::faults::check_broken;
use crate::harness::update::voice_note;
use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::chat::{Asked, Chat, DONE, Script, delta, event, finish, used};
use crate::openai::{router, serve};

const KEY: &str = "k3y-of-the-test";

/// A service whose agent asks a server with these scripts.
async fn asking(scripts: impl IntoIterator<Item = Script>) -> (Setup, Chat) {
    let chat = Chat::new(scripts);
    let url = serve(router(chat.clone())).await;
    let setup = TestApp::start().set("llm.engine", "openai").set("llm.url", &url);
    (setup.set("llm.model", "test-model").set("llm.api_key", KEY), chat)
}

fn messages(asked: &Asked) -> &[Value] {
    asked.body["messages"].as_array().expect("a list")
}

/// The report of one written question, which is sent and answered.
async fn answered(app: &TestApp, question: &str) -> TurnReport {
    app.text(PERSON, question).await;
    app.run_until_idle().await;
    app.turns().await.pop().expect("a turn").report.expect("it is finished")
}

/// Checks that a written question is answered by a voice note with this text.
async fn check_voice(scripts: Vec<Script>, requests: usize, text: &str) -> Vec<Asked> {
    let (setup, chat) = asking(scripts).await;
    let app = setup.await;
    let report = answered(&app, "what is the price").await;
    assert_eq!((report.reply.text.reveal(), report.outcome), (text, Outcome::VoiceNote));
    assert_eq!(report.reason, None);
    assert_eq!(app.sent_one().kind, "audio");
    let asked = chat.asked();
    assert_eq!(asked.len(), requests);
    asked
}

#[tokio::test]
async fn a_streamed_answer_becomes_a_voice_note() {
    let (setup, chat) = asking([Script::says("Two euros fifty. It is ready at noon.")]).await;
    let app = setup.hears("what is the price").set("agents.0.timezone", "Europe/Madrid");
    let app = app.set("stt.uncertain", "low_probability").set("gate.low_probability", "answer");
    let app = app.set("llm.temperature", "0.5").set("llm.max_tokens", "77").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    let report = app.report().await;
    assert_eq!(report.reply.text, "Two euros fifty. It is ready at noon.");
    assert!(report.stages.iter().any(|stage| stage.name.name() == "llm"));

    let [asked] = &chat.asked()[..] else { panic!("one request") };
    let header = |name: &str| asked.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("authorization"), format!("Bearer {KEY}"));
    assert_eq!(header("content-type"), "application/json");
    let mut body = asked.body.clone();
    let sent = body["messages"].take();
    let expected = json!({
        "model": "test-model", "messages": null, "stream": true, "max_tokens": 77,
        "temperature": 0.5, "stream_options": { "include_usage": true },
    });
    assert_eq!(body, expected);
    let system = sent[0]["content"].as_str().unwrap();
    for words in ["Answer in English.", "read out", "no markdown"] {
        assert!(system.contains(words), "no {words:?} in {system}");
    }
    assert_eq!((&sent[0]["role"], &sent[1]["role"]), (&json!("system"), &json!("user")));
    let question = sent[1]["content"].as_str().unwrap();
    assert!(
        question.starts_with("[It is ") && question.contains("(Europe/Madrid).] "),
        "{question}"
    );
    assert!(question.contains("] [voice message, transcribed, language: English"), "{question}");
    assert!(question.contains("doubtful: the words are guesses; perhaps misheard"), "{question}");
    assert!(question.ends_with("] what is the price"), "{question}");
    assert_eq!(sent.as_array().unwrap().len(), 2);

    let metrics = app.metrics().await;
    for (kind, least) in [("prompt", 20), ("completion", 7)] {
        let line = format!("hark_llm_tokens_total{{engine=\"openai/test-model\",kind=\"{kind}\"}}");
        let value = metrics.lines().find_map(|l| l.strip_prefix(&line)?.trim().parse::<u64>().ok());
        assert!(value.is_some_and(|value| value >= least), "{line}: {value:?}");
    }
}

#[tokio::test]
async fn the_conversation_so_far_goes_along_as_far_as_its_tokens_reach() {
    let answers = ["First answer.", "Second answer.", "Third answer.", "Fourth answer."];
    let (setup, chat) = asking(answers.map(Script::says)).await;
    // Each exchange counts as 14 or 15 tokens.
    let setup = setup.set("agents.0.memory.summary", "false");
    let app = setup.set("llm.history_tokens", "30").set("agents.0.prompt", "You sell bread.").await;
    for (question, answer) in ["one", "two", "three", "four"].iter().zip(answers) {
        assert_eq!(answered(&app, question).await.reply.text, answer);
    }
    app.sent();
    let asked = chat.asked();
    let said = |at: usize| -> Vec<_> {
        let said = messages(&asked[at])[1..].iter().map(|m| m["content"].as_str().unwrap());
        said.map(|said| said.rsplit("] ").next().unwrap()).collect()
    };
    assert_eq!(said(0), ["one"]);
    assert_eq!(said(1), ["one", answers[0], "two"]);
    assert_eq!(said(3), ["two", answers[1], "three", answers[2], "four"]);
    let roles: Vec<_> = messages(&asked[1]).iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert!(messages(&asked[0])[0]["content"].as_str().unwrap().starts_with("You sell bread."));
}

#[tokio::test]
async fn an_agents_files_are_told_to_its_model_and_the_demo_shops_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faq.csv");
    std::fs::write(&file, "question,answer\nWhat is the price?,Two euros fifty.\n").unwrap();
    let (setup, chat) = asking([Script::says("Two fifty.")]).await;
    let app = setup.set("agents.0.knowledge.0", file.to_str().unwrap()).await;
    answered(&app, "what is the price").await;
    answered(&app, "and what about the bigger ones").await;
    answered(&app, "thanks").await;
    app.sent();
    let asked = chat.asked();
    let last =
        |asked: &Asked| messages(asked).last().unwrap()["content"].as_str().unwrap().to_owned();
    let on_file =
        "on file that may answer the question, and where:\n- What is the price? Two euros fifty.";
    assert!(last(&asked[0]).contains(on_file), "{}", last(&asked[0]));
    assert!(!last(&asked[2]).contains("on file"), "{}", last(&asked[2]));
    // A server that keeps the beginning of a prompt reads it once.
    assert_eq!(messages(&asked[0])[0], messages(&asked[2])[0]);
    assert_eq!(messages(&asked[1])[2], messages(&asked[2])[2]);
    let asked = check_voice(vec![Script::says("Hm.")], 1, "Hm.").await;
    assert!(!last(&asked[0]).contains("on file"), "{}", last(&asked[0]));
}

#[tokio::test]
async fn every_servers_way_to_stream_is_understood() {
    let text = "Größe: 2 € – 你好.";
    for length in [1, 2, 3, 5, 64, 4096] {
        check_voice(vec![Script::says(text).in_pieces_of(length)], 1, text).await;
    }
    // CRLF, no space after the colon, comments, chunks without choices or content.
    let bare = format!(
        ": OPENROUTER PROCESSING\r\n\r\nid: 1\r\ndata:{}\r\n\r\n: still here\r\n\r\ndata:{}\r\n\r\n\
         data:{}\r\n\r\ndata:{}\r\n\r\n",
        json!({ "object": "chat.completion.chunk" }),
        delta(&json!({ "role": "assistant", "content": null })),
        delta(&json!({ "content": "Two euros.", "unknown": [{}] })),
        json!({ "choices": [{ "finish_reason": "stop" }], "x_groq": { "usage": {} } }),
    );
    check_voice(vec![Script::stream(bare)], 1, "Two euros.").await;
    // [DONE] without a reason, and a reason without [DONE].
    check_voice(vec![Script::words("Two euros.").then(DONE)], 1, "Two euros.").await;
    check_voice(vec![Script::words("Two euros.").then(&finish("stop"))], 1, "Two euros.").await;
    // A server that keeps the connection open after all was said.
    let open = Script::words("Two euros.").then(&finish("stop")).then_hangs();
    check_voice(vec![open], 1, "Two euros.").await;
    let broken = Script::words("Two euros.").then(&finish("stop")).then_breaks();
    check_voice(vec![broken], 1, "Two euros.").await;
    // One that does not stream.
    let whole = json!({
        "choices": [{ "message": { "role": "assistant", "content": "Two\neuros." } }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2 },
    });
    let whole = Script::status(200, "application/json", &format!("\n {whole}"));
    check_voice(vec![whole.clone()], 1, "Two\neuros.").await;
    check_voice(vec![whole.in_pieces_of(7)], 1, "Two\neuros.").await;
    // One that sends us elsewhere on its own host.
    let moved = Script::status(307, "text/plain", "").header("location", "/v1/chat/completions");
    let asked = check_voice(vec![moved, Script::says("Two euros.")], 2, "Two euros.").await;
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn what_a_model_thinks_is_not_said() {
    let words = |text: &str| event(&delta(&json!({ "content": text })));
    let thinking = Script::words("")
        .then(&event(&delta(&json!({ "reasoning_content": "They want", "content": null }))))
        .then(&event(&delta(&json!({ "reasoning": "a price.", "content": "" }))))
        .then(&words("<th"))
        .then(&words("ink>\nTwo or three? </thi"))
        .then(&words("nk>\n\nTwo "))
        .then(&words("euros."))
        .then(&finish("stop"))
        .then(&used(1, 2))
        .then(DONE);
    check_voice(vec![thinking.clone()], 1, "Two euros.").await;
    check_voice(vec![thinking.in_pieces_of(1)], 1, "Two euros.").await;
    let all_thought = Script::words("<think>Hm, hm, hm").then(&finish("length")).then(DONE);
    check_broken(all_thought, 1, "used up llm.max_tokens before its first word").await;
    check_broken(Script::says("<think>Hm.</think> "), 1, "no answer, but thoughts alone").await;
    check_broken(Script::says(" "), 1, "the answer is empty").await;
}

#[tokio::test]
async fn a_key_that_a_server_does_not_know_is_left_out_or_renamed_from_then_on() {
    let scripts = [
        Script::error(400, "Unrecognized request argument: stream_options"),
        Script::error(400, "Use 'max_completion_tokens' instead of 'max_tokens'."),
        Script::error(422, "'temperature' does not support 0.5 with this model."),
        Script::says("Two euros."),
    ];
    let (setup, chat) = asking(scripts).await;
    let app = setup.set("llm.temperature", "0.5").set("llm.retries", "0").await;
    answered(&app, "one").await;
    answered(&app, "two").await;
    assert_eq!(app.sent().len(), 2);
    let asked = chat.asked();
    assert_eq!(asked.len(), 5);
    for asked in &asked[3..] {
        let keys: Vec<&String> = asked.body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["max_completion_tokens", "messages", "model", "stream"]);
    }
    let hopeless = Script::error(400, "max_tokens is too large");
    check_broken(hopeless, 2, "refused (HTTP 400): max_tokens is too large; check llm.model").await;
}

/// A responder without a service around it.
async fn responder(chat: &Chat) -> OpenAiResponder {
    let settings = Settings {
        url: Some(serve(router(chat.clone())).await.parse().unwrap()),
        model: Some("m".to_owned()),
        api_key: None,
        temperature: None,
        max_tokens: 10,
        extra: toml::Table::new(),
        images: false,
        history_tokens: 0,
        connect_timeout_ms: 1_000,
        first_token_timeout_ms: 30_000,
        stall_timeout_ms: 1_000,
        timeout_ms: 30_000,
        retries: 0,
        max_rounds: 4,
    };
    let persona =
        Persona { prompt: None, timezone: jiff::tz::TimeZone::UTC, history_tokens: 0, rich: None };
    let client = model_client(Duration::from_secs(1));
    OpenAiResponder::new(settings, persona, client).unwrap()
}

#[tokio::test]
async fn words_come_one_by_one_and_the_cost_at_the_end() {
    let chat = Chat::new([Script::says("Two euros.").paced(0, 20.0)]);
    let responder = responder(&chat).await;
    let question = Question::written("hello", "en");
    // The first answer shows that the server's answers begin within no thought.
    let first = responder.respond(question.clone(), &CancellationToken::new()).await;
    assert_eq!(first.count().await, 2);
    let answer = responder.respond(question, &CancellationToken::new()).await;
    let deltas: Vec<_> = answer.map(Result::unwrap).collect().await;
    let text = |text: &str| Delta::Text(text.to_owned());
    let usage = Usage { prompt_tokens: 20, completion_tokens: 7, ..Usage::default() };
    let usage = Delta::Usage(usage);
    assert_eq!(deltas, [text("Two "), text("euros."), usage]);
    assert!(chat.asked()[0].headers.get("authorization").is_none());
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_cut() {
    let text = "word ".repeat(20_000);
    let chat = Chat::new([Script::says(&text).in_pieces_of(10_000)]);
    let responder = responder(&chat).await;
    let question = Question::written("hello", "en");
    let answer = responder.respond(question, &CancellationToken::new()).await;
    let mut deltas: Vec<_> = answer.collect().await;
    let last = deltas.pop().expect("an end");
    assert!(matches!(last, Err(AgentError::CutShort(_))), "{last:?}");
    let bytes: usize = deltas
        .iter()
        .map(|delta| match delta {
            Ok(Delta::Text(text)) => text.len(),
            Ok(Delta::Usage(_)) => 0,
            other => panic!("{other:?}"),
        })
        .sum();
    assert!(((64 << 10)..(64 << 10) + 10).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn a_voice_that_is_slow_takes_nothing_from_the_servers_time() {
    let chat = Chat::new([Script::says("One. Two. Three.").paced(0, 20.0)]);
    let responder = responder(&chat).await;
    let question = Question::written("hello", "en");
    responder.respond(question.clone(), &CancellationToken::new()).await.count().await;
    let mut answer = responder.respond(question, &CancellationToken::new()).await;
    let mut deltas = 0;
    while let Some(delta) = answer.next().await {
        delta.unwrap();
        deltas += 1;
        // Longer than a server may be silent.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    assert_eq!(deltas, 4);
}

#[tokio::test]
async fn a_turn_that_is_cancelled_hangs_up_at_once() {
    let words = Script::words("Two euros.").then_hangs();
    for script in [Script::says("late").paced(60_000, 0.0), Script::words("").then_hangs(), words] {
        let chat = Chat::new([script]);
        let responder = responder(&chat).await;
        let cancel = CancellationToken::new();
        let asked = async {
            while chat.open() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            cancel.cancel();
        };
        let answer = responder.respond(Question::written("hello", "en"), &cancel).await;
        let (answer, ()) = tokio::join!(answer.collect::<Vec<_>>(), asked);
        assert!(matches!(answer.last(), Some(Err(AgentError::Cancelled))), "{answer:?}");
        let hung_up = async {
            while chat.open() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), hung_up).await.expect("it hangs up");
    }
}

#[tokio::test]
async fn a_connection_serves_more_than_one_turn() {
    let (setup, chat) = asking([Script::says("Two euros.")]).await;
    let app = setup.await;
    for question in ["one", "two", "three"] {
        answered(&app, question).await;
    }
    app.sent();
    let peers: Vec<_> = chat.asked().into_iter().map(|asked| asked.peer).collect();
    assert!(peers[0].is_some() && peers.iter().all(|peer| *peer == peers[0]), "{peers:?}");
}
