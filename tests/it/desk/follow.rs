//! Events: every step by its name, in order, and resumed.

use futures_util::StreamExt as _;
use hark::events::asyncapi::asyncapi;
use hark::events::catalogue::{CATALOGUE, EventField, FieldKind, problem};
use hark::remote::http_client;
use serde_json::Value;

use super::{Tokens, close, operator, says, writes};
use crate::harness::update::voice_note;
use crate::harness::{PERSON, TestApp};

/// Reads events until there are so many, as a client that sends `Last-Event-ID`.
pub(super) async fn read(app: &TestApp, token: &str, last: &str, many: usize) -> Vec<Value> {
    let client = http_client();
    let answer = client.get(app.address("/api/v1/events")).bearer_auth(token);
    let answer = answer.header("Last-Event-ID", last).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut text, mut pieces) = (String::new(), answer.bytes_stream());
    let mut events = Vec::new();
    while events.len() < many {
        let piece = tokio::time::timeout(std::time::Duration::from_secs(10), pieces.next()).await;
        let piece = piece.unwrap_or_else(|_| panic!("{} of {many}: {text}", events.len()));
        text.push_str(std::str::from_utf8(&piece.unwrap().unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            events.extend(data.map(|data| serde_json::from_str::<Value>(data).unwrap()));
            let wrong = events
                .last()
                .and_then(|event: &Value| problem(event["type"].as_str().unwrap(), &event["data"]));
            assert_eq!(wrong, None);
            text = rest.to_owned();
        }
    }
    events
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_step_is_told_in_order_and_a_client_that_was_away_misses_none() {
    let app = TestApp::start().hears("When are you open?").await;
    let tokens = Tokens::of(&app).await;
    operator(&app, &tokens.admin, "Ann").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    writes(&app, "human please").await;
    says(&app, &tokens.operator, "Hello, Ann here").await.expect(202);
    app.run_until_idle().await;
    let tickets = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
    close(&app, &tokens.operator, &tickets["items"][0]).await.expect(200);

    let expected = [
        "whatsapp-business-voice-message-received",
        "whatsapp-business-voice-message-with-user-info-received",
        "voice-message-transcribed",
        "generate-ai-agent-answer-with-user-info",
        "ai-agent-answer-generated",
        "send-whatsapp-business-voice-message",
        "whatsapp-business-voice-message-sent",
        "turn-ended",
        "whatsapp-business-text-message-received",
        "whatsapp-business-text-message-with-user-info-received",
        "ai-agent-answer-generated",
        "send-whatsapp-business-voice-message",
        "whatsapp-business-voice-message-sent",
        "turn-ended",
        "open-ticket",
        "ticket-opened",
        "agent-assigned",
        "get-conversation",
        "conversation-document",
        "agent-answer-generated",
        "send-whatsapp-business-text-message",
        "whatsapp-business-text-message-sent",
        "turn-ended",
        "ticket-closed",
    ];
    // The two notes are played as well, whenever that is told.
    let all = read(&app, &tokens.operator, "0", expected.len() + 2).await;
    let played = |event: &Value| event["type"] == "whatsapp-business-voice-message-played";
    let (played, events): (Vec<Value>, Vec<Value>) = all.into_iter().partition(played);
    assert_eq!((types(&events), played.len()), (expected.to_vec(), 2));
    let first = &events[0];
    assert_eq!((&first["specversion"], &first["subject"]), (&"1.0".into(), &"1".into()));
    assert_eq!(first["data"]["contact"]["phone"], PERSON);
    assert_eq!(events[2]["data"]["text"], "When are you open?");
    let document = events[18]["data"]["messages"].as_array().unwrap();
    assert_eq!(document.len(), 4, "{document:#?}");

    let (status, document) = app.get("/api/v1/asyncapi.json").await;
    assert_eq!((status, serde_json::from_str::<Value>(&document).unwrap()), (200, asyncapi()));
    let last = events[9]["id"].as_str().unwrap();
    let after = |event: &&Value| event["id"].as_str().unwrap().parse::<i64>().unwrap();
    let missed = events.iter().chain(&played).filter(|event| after(event) > after(&&events[9]));
    let missed = missed.count();
    let rest = read(&app, &tokens.operator, last, missed).await;
    assert!(after(&&rest[0]) > after(&&events[9]), "nothing comes twice");
    assert_eq!(rest.last(), events.last());
    app.sent();
}

#[tokio::test]
async fn a_stream_says_where_it_begins_before_anything_happens() {
    let app = TestApp::start().await;
    let token = Tokens::of(&app).await.operator;
    writes(&app, "Hello").await;
    let before = read(&app, &token, "0", 8).await;
    let newest = before.last().unwrap()["id"].as_str().unwrap();
    let answer = http_client().get(app.address("/api/v1/events")).bearer_auth(&token).send().await;
    let mut pieces = answer.unwrap().bytes_stream();
    let first = tokio::time::timeout(std::time::Duration::from_secs(10), pieces.next()).await;
    assert_eq!(first.expect("it comes").unwrap().unwrap(), format!("id: {newest}\n\n"));
    app.sent();
}

const FLOW: &str = "
whatsapp-business-{text,voice,media}-message-received
  └▶ whatsapp-business-{text,voice,media}-message-with-user-info-received
       └▶ voice-message-transcribed                                    a voice note alone
            └▶ generate-ai-agent-answer-with-user-info
                 └▶ ai-agent-answer-generated
                      ├▶ send-whatsapp-business-{text,voice,media}-message
                      │    └▶ whatsapp-business-{text,voice,media}-message-sent
                      │         ├▶ whatsapp-business-voice-message-played
                      │         └▶ whatsapp-business-message-failed
                      ├▶ turn-ended
                      │    └▶ credits-low                              docs/USAGE.md
                      └▶ open-ticket                                   by the agent, a rule or an operator
                           └▶ ticket-opened
                                └▶ agent-assigned
                                     ├▶ get-conversation
                                     │    └▶ conversation-document
                                     ├▶ agent-answer-generated         as often as an operator answers
                                     │    └▶ send-whatsapp-business-{text,voice}-message ...
                                     └▶ ticket-closed
";

/// docs/EVENTS.md, made of the catalogue; with `HARK_DOCS=write` it is written first.
#[test]
fn the_page_of_events_is_made_of_the_catalogue() {
    let mut table = String::new();
    for entry in CATALOGUE {
        let name = entry.kind.name();
        let of_kinds = |kinds: &str| {
            let parts = ["text", "voice", "media"].map(|kind| name.split_once(kind));
            let (before, after) = parts.into_iter().flatten().next()?;
            Some(FLOW.contains(&format!("{before}{kinds}{after}")))
        };
        let drawn = FLOW.contains(name) || of_kinds("{text,voice,media}") == Some(true);
        assert!(drawn, "{name} is not in the flow");
        let data: Vec<String> = entry.data.iter().map(described).collect();
        table += &format!("\n### `{name}`\n\n{}\n\n{}\n", entry.about, data.join("\n"));
    }
    let head = include_str!("events.md");
    let page = format!("{head}\n```{FLOW}```\n\n## Types\n{table}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/EVENTS.md");
    #[expect(clippy::disallowed_methods, reason = "make docs says so")]
    if std::env::var("HARK_DOCS").as_deref() == Ok("write") {
        std::fs::write(file, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), page, "run: make docs");
}

fn described(field: &EventField) -> String {
    let maybe = if field.always { "" } else { ", if known" };
    let inside = |fields: &[EventField]| {
        let fields: Vec<_> =
            fields.iter().map(|field| format!("`{}`: {}", field.name, field.about)).collect();
        format!(" ({})", fields.join("; "))
    };
    let members = match field.kind {
        FieldKind::Object(fields) | FieldKind::List(fields) => inside(fields),
        _ => String::new(),
    };
    format!("- `{}`{maybe}: {}{members}", field.name, field.about)
}
