//! The bridge and what goes wrong around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use serde_json::json;

use super::Between;
use super::desk::{FakeDesk, Mood, WEB_INBOX};
use crate::harness::sound::{converted, wav};
use crate::harness::update::{fixture, voice_note};
use crate::harness::{PERSON, TestApp};
use crate::openai::serve;
use crate::program::Hark;

#[tokio::test]
async fn a_bridge_that_is_killed_goes_on_where_it_was() {
    let between = Between::of(TestApp::start().hears("spoken").await).await;
    let bridge = between.bridge().await;
    let id = between.ticket().await;
    let before = between.desk.lines().len();
    between.app.text(PERSON, "one").await;
    between.app.run_until_idle().await;
    between.desk_has(before + 1).await;
    // The next message is taken, and its answer lost: the bridge cannot know whether it is there.
    between.desk.mood(Mood::LosesAnswers);
    between.app.text(PERSON, "two").await;
    between.app.run_until_idle().await;
    between.desk_has(before + 2).await;
    between.logs_nothing_personal(&bridge);
    drop(bridge);

    // While it is away people go on writing; Chatwoot marks what the bridge does not take.
    between.app.text(PERSON, "three").await;
    between.app.deliver(voice_note("en_hours.ogg")).await;
    between.app.run_until_idle().await;
    assert_eq!(between.desk.writes(id, "nobody takes this").await, 0);
    let before = before + 3;
    let bridge = between.bridge().await;
    let lines = between.desk_has(before + 2).await;
    let incoming: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("incoming: ")).collect();
    let sound = fixture("en_hours.ogg").len();
    let voice = format!("Voice note: spoken [audio {sound} bytes]");
    assert_eq!(incoming, ["one", "two", "three", &voice]);

    // What it took while hark was away goes out later, once.
    drop(bridge);
    let _bridge = between.bridge().await;
    assert_eq!(between.desk.writes(id, "Ann here").await, 200);
    let message = between.desk.messages().last().unwrap().clone();
    assert_eq!(between.desk.calls_again(&message).await, 200);
    between.person_has(2).await;
    assert_eq!(between.desk.calls_again(&message).await, 200);
    between.app.run_until_idle().await;
    assert_eq!(between.app.sent_texts(), ["Ann here"]);
    between.ends_well();
}

/// Times that the bridge is killed.
const KILLS: usize = 12;

/// Killed at any moment, while both sides write: what the person writes is in Chatwoot once and in order,
/// and so is at the person whatever the bridge said that it had taken.
#[tokio::test]
async fn over_many_kills_nothing_is_lost_and_nothing_comes_twice() {
    let between = Between::of(TestApp::start().await).await;
    let mut bridge = between.bridge().await;
    let id = between.ticket().await;
    let first = between.app.sent().len();
    let (mut asked, mut taken, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..KILLS {
        for part in ["a", "b"] {
            asked.push(format!("question {round} {part}"));
            between.app.text(PERSON, asked.last().unwrap()).await;
            let answer = format!("answer {round} {part}");
            if between.desk.writes(id, &answer).await == 200 {
                taken.push(answer.clone());
            }
            written.push(answer);
        }
        // In the middle of it, or when some of it is in Chatwoot.
        if round % 3 == 1 {
            between.desk_has(1 + 2 * asked.len()).await;
        }
        // The next one has its place before this one is gone from the machine.
        drop(bridge);
        bridge = between.bridge().await;
    }
    let incoming = || -> Vec<String> {
        let lines = between.desk.lines();
        let words = lines.iter().filter_map(|line| line.strip_prefix("incoming: "));
        words.map(str::to_owned).collect()
    };
    between.app.wait_until("all questions", &async || incoming().len() >= asked.len()).await;
    assert_eq!(incoming(), asked);
    between.person_has(first + taken.len()).await;
    let sent = between.app.sent_texts();
    assert!(taken.iter().all(|answer| sent.contains(answer)), "{taken:?}\n{sent:?}");
    // One that was kept and not answered any more may be there, too; none twice or out of order.
    let in_order: Vec<String> =
        written.iter().filter(|answer| sent.contains(answer)).cloned().collect();
    assert_eq!(sent, in_order);
    assert!(taken.len() > KILLS, "{taken:?}");
    between.ends_well();
}

#[tokio::test]
async fn while_chatwoot_is_away_the_agent_answers_and_then_everything_comes_in_order() {
    let between = Between::of(TestApp::start().await).await;
    let bridge = between.bridge().await;
    between.desk.mood(Mood::Away);
    between.app.text(PERSON, "human please").await;
    between.app.run_until_idle().await;
    bridge.said_one_of(&["Chatwoot does not do it now"]).await;
    assert_eq!(between.tickets().await[0]["operator"], json!(null));
    between.app.text(PERSON, "still here?").await;
    between.app.run_until_idle().await;
    assert_eq!(between.app.sent().len(), 2, "nobody is left alone with silence");
    between.desk.mood(Mood::Well);
    let lines = between.desk_has(2).await;
    assert!(lines.contains(&"incoming: still here?".to_owned()), "{lines:#?}");
    let taken = async || between.tickets().await[0]["operator"] == "Chatwoot";
    between.app.wait_until("the ticket is taken", &taken).await;
    between.app.text(PERSON, "hello?").await;
    between.app.run_until_idle().await;
    between.desk_has(3).await;
    assert_eq!(between.app.sent().len(), 2);
    between.ends_well();
}

#[tokio::test]
async fn what_chatwoot_tells_while_hark_is_away_goes_out_when_it_is_back() {
    let mut between = Between::of(TestApp::start().in_a_process().await).await;
    let bridge = between.bridge().await;
    let id = between.ticket().await;
    between.app.kill().await;
    bridge.said_one_of(&["hark's events broke off"]).await;
    assert_eq!(between.desk.writes(id, "first").await, 200);
    assert_eq!(between.desk.writes(id, "second").await, 200);
    bridge.said_one_of(&["something was not done"]).await;
    drop(bridge);
    let _bridge = {
        between.app.start_again().await;
        between.bridge().await
    };
    between.person_has(3).await;
    assert_eq!(between.app.sent_texts(), ["first", "second"]);
    between.ends_well();
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_beside_it() {
    let between = Between::of(TestApp::start().await).await;
    let _bridge = between.bridge().await;
    let id = between.ticket().await;
    let desk = &between.desk;
    let said = async |words: &str| {
        let there = async || desk.lines().iter().any(|line| line.contains(words));
        between.app.wait_until(words, &there).await;
        let note = desk.messages().into_iter().rfind(|m| m["private"] == true).unwrap();
        let about = note["content_attributes"]["in_reply_to"].as_i64().unwrap();
        desk.messages().into_iter().find(|m| m["id"] == about).unwrap()["message_type"].clone()
    };
    desk.attaches(id, "", "audio/wav", &wav(&vec![0.0; 32_000])).await;
    assert_eq!(said("nobody speaks in it").await, "outgoing");
    let film = [b"\0\0\0\x18ftypisom\0\0\0\0", &b"....hdlr....vide"[..]].concat();
    desk.attaches(id, "", "video/mp4", &film).await;
    said("it is a video").await;
    desk.attaches(id, "", "image/png", b"png").await;
    said("hark sends text and voice, and no image").await;
    desk.attaches(id, "", "audio/mpeg", b"no sound at all").await;
    said("Not sent: audio").await;
    desk.writes(desk.begins(), "Hello?").await;
    said("does not know this conversation").await;
    // A file at an address that nobody configured is not asked for.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let secret = get(async move || count.fetch_add(1, Ordering::Relaxed).to_string());
    let elsewhere = serve(Router::new().route("/v1/meta-data", secret)).await;
    desk.attaches_elsewhere(id, &format!("{elsewhere}/meta-data")).await;
    said("which the bridge may not ask").await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    // Five minutes of a recording are more than a megabyte of JSON.
    let long = converted(&fixture("en_long.ogg"), "-ar 48000 -c:a pcm_s16le -f wav").await;
    assert!(long.len() > 1 << 20);
    desk.attaches(id, "", "audio/wav", &long).await;
    between.person_has(2).await;
    assert_eq!(between.app.sent().last().unwrap().kind, "audio");

    // WhatsApp does not deliver what was written.
    between.app.simulator.fail_delivery(131_047, 1);
    desk.writes(id, "too late").await;
    said("(WhatsApp's code 131047)").await;
    between.app.run_until_idle().await;
    between.app.sent();
    assert_eq!(desk.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_conversation_that_was_deleted_in_chatwoot_is_made_again() {
    let between = Between::of(TestApp::start().await).await;
    let _bridge = between.bridge().await;
    between.ticket().await;
    let before = between.desk.messages().len();
    between.desk.deletes_everything();
    between.app.text(PERSON, "are you there?").await;
    between.app.run_until_idle().await;
    let lines = between.desk_has(before + 1).await;
    assert!(lines.contains(&"incoming: are you there?".to_owned()), "{lines:#?}");
    assert_eq!(between.desk.conversations().len(), 2);
    between.app.sent();
    between.ends_well();
}

/// Starts a bridge that ends at once; returns what it says.
async fn refused(hark: &Hark, arguments: &[String], words: &str) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = hark.run(&arguments).await;
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    for secret in ["wrong-token", super::TOKEN] {
        assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_is_set_wrong_is_named_with_its_fix() {
    let between = Between::of(TestApp::start().await).await;
    let arguments = between.arguments();
    let with = |name: &str, value: &str| {
        let mut arguments = arguments.clone();
        let at = arguments.iter().position(|argument| argument == name).unwrap();
        arguments[at + 1] = value.to_owned();
        arguments
    };
    let hark = |token: &str, chatwoot: &str| {
        Hark::new().env("HARK_TOKEN", token).env("CHATWOOT_TOKEN", chatwoot)
    };
    let good = hark(&between.token, super::TOKEN);
    refused(&hark("", super::TOKEN), &arguments, "HARK_TOKEN is not set").await;
    refused(&hark("hark_wrong-token", super::TOKEN), &arguments, "set HARK_TOKEN").await;
    refused(&hark(&between.token, "wrong-token"), &arguments, "set CHATWOOT_TOKEN").await;
    refused(&good, &with("--account", "7"), "look at --account and --inbox").await;
    let page = format!("{}/elsewhere", between.desk.url());
    refused(&good, &with("--chatwoot", &page), "is --chatwoot the address").await;
    refused(&good, &with("--inbox", "99"), "look at --account and --inbox").await;
    let web = WEB_INBOX.to_string();
    refused(&good, &with("--inbox", &web), "must be one of the channel API").await;
    let elsewhere = between.desk.url();
    refused(&good, &with("--hark", &elsewhere), "is --hark the address").await;

    // A state file is of one inbox, and of one bridge.
    let bridge = between.bridge().await;
    refused(&between.hark, &arguments, "another bridge runs on it").await;
    drop(bridge);
    let other = FakeDesk::start().await.url();
    refused(&between.hark, &with("--chatwoot", &other), "give each inbox a file of its own").await;
    between.app.sent();
}

#[tokio::test]
async fn only_who_knows_the_path_and_signs_is_listened_to() {
    let between = Between::of(TestApp::start().await).await;
    let bridge = between.bridge().await;
    let url = bridge.said_one_of(&["webhook URL of the inbox: "]).await;
    let client = hark::remote::http_client();
    let call = async |url: &str| {
        let answer = client.post(url).body("{}").send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(call(&url).await, 401, "it is not signed");
    let (base, _key) = url.rsplit_once('/').unwrap();
    assert_eq!(call(&format!("{base}/guess")).await, 404);
    // The path is the same after a restart.
    assert_eq!(bridge.stop().await, 0);
    let bridge = between.bridge().await;
    let again = bridge.said_one_of(&["webhook URL of the inbox: "]).await;
    assert_eq!(again.rsplit_once('/').unwrap().1, url.rsplit_once('/').unwrap().1);
}
