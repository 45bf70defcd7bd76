//! Each fault as hark meets it, over HTTP, and what may be asked for.

use reqwest::Response;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::remote::http_client;
use crate::simulator::testing::{PHONE, TOKEN, World, first, test_note};
use crate::simulator::{ConversationMessage, PersonMessage, PersonSays};

const EXAMPLE: &str = include_str!("../../../docs/faults.toml");
const PAGE: &str = include_str!("../../../docs/FAULTS.md");

fn only(kind: FaultKind) -> FaultPlan {
    FaultPlan::default().with(kind, 1.0)
}

/// A plan in the words of a file.
fn plan(text: &str) -> FaultPlan {
    FaultPlan::read(text).unwrap()
}

#[test]
fn the_example_has_every_kind_and_the_page_describes_it() {
    let read = plan(EXAMPLE);
    for (kind, section, key) in KINDS {
        assert!(read.rate(kind) > 0.0, "{section}.{key}");
        assert_eq!(KINDS[kind as usize].0, kind);
        assert!(PAGE.contains(&format!("`{key}`")), "docs/FAULTS.md lacks {section}.{key}");
    }
    for (section, key, ..) in AMOUNTS {
        assert!(EXAMPLE.contains(&format!("\n{key} = ")), "{section}.{key}");
        assert!(PAGE.contains(&format!("`{key}`")), "docs/FAULTS.md lacks {section}.{key}");
    }
}

#[test]
fn a_wrong_key_is_named_with_what_would_be_right() {
    #[track_caller]
    fn check(text: &str, key: &str, says: &str) {
        let wrong = FaultPlan::read(text).unwrap_err();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!(wrong[0].0, key);
        assert!(wrong[0].1.contains(says), "{}", wrong[0].1);
    }
    check("[sends]\nhang_up = 0.1", "sends.hang_up", "is no key: [sends] has slow, error_before");
    check(
        "[sends]\nrate_limit = 1.5",
        "sends.rate_limit",
        "is 1.5: a rate is a number from 0 to 1",
    );
    check("[sends]\nrate_limit = -0.1", "sends.rate_limit", "from 0 to 1");
    check("[sends]\nrate_limit = nan", "sends.rate_limit", "from 0 to 1");
    check("[sends]\nrate_limit = \"often\"", "sends.rate_limit", "is \"often\"");
    check("[webhooks]\nbatch_size = 1001", "webhooks.batch_size", "from 1 to 1000");
    check("[media]\nslow_ms = 0.5", "media.slow_ms", "whole number");
    check(
        "[sendings]\nslow = 1",
        "sendings",
        "there are webhooks, media, calls, sends and statuses",
    );
    check("slow = 1", "slow", "is in no section");
    check("[media]\nslow = ", "line 2", "is not TOML");
    assert_eq!(FaultPlan::read("[a]\n[b]\n").unwrap_err().len(), 2);
}

#[test]
fn the_same_seed_decides_the_same_in_any_order() {
    let requests: Vec<String> = (0..400).map(|n| format!("{}/{}", n % 40, n / 40)).collect();
    let decided = |seed, order: &mut dyn Iterator<Item = &String>| {
        let dice = FaultDice::new(FaultPlan::default().with(Kind::HangUpAfter, 0.3), seed);
        let mut hits = Vec::new();
        for about in order {
            // Asked twice: as often as each came.
            for nth in 0..2 {
                if dice.hits(Kind::HangUpAfter, about) {
                    hits.push((about.clone(), nth));
                }
            }
        }
        hits.sort();
        assert_eq!(dice.report()["faults"]["sends.hang_up_after"]["done"], hits.len());
        hits
    };
    let forward = decided(7, &mut requests.iter());
    assert_eq!(forward, decided(7, &mut requests.iter().rev()));
    assert_ne!(forward, decided(8, &mut requests.iter()));
    assert!((180..300).contains(&forward.len()), "{}: about 240", forward.len());
}

#[test]
fn names_of_messages_are_the_same_whatever_their_ids() {
    let names = |ids: [&str; 3]| {
        let dice = FaultDice::new(FaultPlan::default(), 1);
        ids.map(|id| dice.name(PHONE, id))
    };
    let expected = [1, 2, 1].map(|n| format!("{PHONE}/{n}"));
    assert_eq!(names(["a", "b", "a"]), expected);
    assert_eq!(names(["x", "y", "x"]), expected);
}

/// The messages that hark's webhook got, request by request.
async fn webhooks(world: &World, count: usize) -> Vec<Vec<Value>> {
    while world.webhooks.requests().len() < count {
        tokio::task::yield_now().await;
    }
    world.simulator.settled().await;
    let bodies = world.webhooks.requests().into_iter().map(|(_, body)| body);
    let bodies = bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    let of = |body: Value| body["entry"][0]["changes"][0]["value"]["messages"].clone();
    bodies.map(|body| serde_json::from_value(of(body)).unwrap()).collect()
}

#[tokio::test]
async fn a_message_comes_twice_and_once_more_days_later() {
    let both = only(Kind::Duplicate).with(Kind::LateDuplicate, 1.0);
    let world = World::start_faulty(both).await;
    world.simulator.send_text(PHONE, "hello").await;
    let all = webhooks(&world, 3).await;
    assert_eq!(all.len(), 3);
    let time = |place: usize| all[place][0]["timestamp"].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(all[0], all[1]);
    assert_eq!((&all[0][0]["id"], &all[0][0]["text"]), (&all[2][0]["id"], &all[2][0]["text"]));
    let days = (time(0) - time(2)) / (24 * 60 * 60);
    assert!((1..=7).contains(&days), "{days}");
}

#[tokio::test]
async fn a_message_is_overtaken_by_the_next() {
    let text = "[webhooks]\nreorder = 0.5\nhold_ms = 100";
    let first_only = |seed: &u64| {
        let dice = FaultDice::new(plan(text), *seed);
        let hits = [1, 2].map(|n| dice.hits(Kind::Reorder, &format!("{PHONE}/{n}")));
        hits == [true, false]
    };
    let seed = (0..1_000).find(first_only).unwrap();
    let webhooks_of = |world: &World| world.webhooks.url.join("/webhook").unwrap();
    let world = World::start().await;
    let settings = crate::simulator::SimulatorSettings {
        webhook: webhooks_of(&world),
        app_secret: "s".into(),
        door: crate::simulator::Door::Meta,
        phone_number_id: "900".into(),
        access_token: None,
        public_url: None,
        clock: Clock::System,
        id_seed: "r".to_owned(),
    };
    let simulator =
        crate::simulator::Simulator::with_faults(settings, http_client(), plan(text), seed);
    simulator.send_text(PHONE, "one").await;
    simulator.send_text(PHONE, "two").await;
    simulator.settled().await;
    let all = webhooks(&world, 2).await;
    let words: Vec<_> = all.iter().map(|messages| &messages[0]["text"]["body"]).collect();
    assert_eq!(words, ["two", "one"]);
}

#[tokio::test]
async fn messages_gather_in_one_webhook_that_is_filled_up() {
    let world =
        World::start_faulty(plan("[webhooks]\nbatch = 1\nhold_ms = 50\nbatch_size = 1000")).await;
    let said = |text: &str| PersonMessage::new(PHONE, PersonSays::Text(text.to_owned()));
    let (one, two) =
        tokio::join!(world.simulator.deliver(said("one")), world.simulator.deliver(said("two")));
    assert!(one.1.is_ok() && two.1.is_ok());
    let all = webhooks(&world, 1).await;
    assert_eq!((all.len(), all[0].len()), (1, 1_000));
    let texts = all[0].iter().filter(|message| message["type"] == "text").count();
    assert_eq!(texts, 2);
    assert!(world.webhooks.requests()[0].1.len() < 3 << 20, "hark takes no more");
}

async fn send(world: &World, body: &Value) -> Result<Response, reqwest::Error> {
    let url = world.api_url.join("/v25.0/900/messages").unwrap();
    http_client().post(url).bearer_auth(TOKEN).json(body).send().await
}

fn text_to_person() -> Value {
    json!({ "messaging_product": "whatsapp", "to": PHONE, "text": { "body": "hi" },
        "biz_opaque_callback_data": "hark:turn:0" })
}

fn sent(world: &World) -> Vec<ConversationMessage> {
    world.simulator.sent()
}

#[tokio::test]
async fn a_send_is_refused_before_it_is_taken() {
    for (kind, status, code) in [
        (Kind::ErrorBefore, 503, 131_016),
        (Kind::RateLimit, 429, 130_429),
        (Kind::PairLimit, 400, 131_056),
        (Kind::TokenRefused, 401, 190),
    ] {
        let world = World::start_faulty(only(kind)).await;
        let answer = send(&world, &text_to_person()).await.unwrap();
        assert_eq!(answer.status(), status, "{kind:?}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], code);
        assert_eq!(sent(&world), [], "{kind:?}");
        assert_eq!(world.simulator.faults()["faults"][kind.key()]["done"], 1);
    }
}

#[tokio::test]
async fn a_send_is_not_answered_before_and_after_it_is_taken() {
    for (kind, taken) in [(Kind::HangUpBefore, false), (Kind::HangUpAfter, true)] {
        let world = World::start_faulty(only(kind)).await;
        let error = send(&world, &text_to_person()).await.unwrap_err();
        assert!(error.is_request() && !error.is_connect(), "{error:?}");
        assert_eq!(sent(&world).len(), usize::from(taken), "{kind:?}");
        assert!(sent(&world).iter().all(|message| message.unanswered));
        world.simulator.settled().await;
        assert_eq!(world.webhooks.requests().is_empty(), !taken, "its statuses come");
    }
    let world = World::start_faulty(only(Kind::ErrorAfter)).await;
    let answer = send(&world, &text_to_person()).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().starts_with("<html>"), "it has no code");
    assert_eq!(sent(&world).len(), 1);
}

#[tokio::test]
async fn other_calls_fail_too() {
    let mark =
        |id: &str| json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id });
    let world = World::start_faulty(only(Kind::CallError)).await;
    let id = world.simulator.send_text(PHONE, "hello").await;
    assert_eq!(send(&world, &mark(&id.0)).await.unwrap().status(), 503);
    let world = World::start_faulty(only(Kind::CallHangUp)).await;
    let id = world.simulator.send_text(PHONE, "hello").await;
    assert!(send(&world, &mark(&id.0)).await.unwrap_err().is_request());
}

/// The statuses that hark's webhook got of one message.
async fn statuses_of(text: &str) -> (World, Vec<String>) {
    let world = World::start_faulty(plan(text)).await;
    assert_eq!(send(&world, &text_to_person()).await.unwrap().status(), 200);
    world.simulator.settled().await;
    let bodies = world.webhooks.requests().into_iter().map(|(_, body)| body);
    let bodies = bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    let word = |body: Value| first(&body, "statuses")["status"].as_str().unwrap().to_owned();
    let words = bodies.map(word).collect();
    (world, words)
}

#[tokio::test]
async fn statuses_are_lost_late_reversed_and_doubled() {
    let steps = ["sent", "delivered", "read"];
    let (world, words) = statuses_of("[statuses]\nlost = 1").await;
    assert!(words.is_empty(), "{words:?}");
    assert_eq!(sent(&world)[0].statuses.len(), 3, "the person has it all the same");
    assert!(sent(&world)[0].statuses.iter().all(|status| status.told_at_ms.is_none()));
    let (world, words) = statuses_of("[statuses]\nreversed = 1").await;
    assert_eq!(words, ["read", "delivered", "sent"]);
    // The task that notes it comes right after the answer.
    while sent(&world)[0].statuses.iter().any(|status| status.told_at_ms.is_none()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        statuses_of("[statuses]\nduplicate = 1").await.1,
        steps.map(|step| [step; 2]).concat()
    );
    assert_eq!(statuses_of("[statuses]\nlate = 1\nlate_ms = 50").await.1, steps);
}

#[tokio::test]
async fn a_voice_note_fails_afterwards_and_a_text_does_not() {
    let world = World::start_faulty(only(Kind::MediaRefused)).await;
    send(&world, &text_to_person()).await.unwrap();
    let part = reqwest::multipart::Part::bytes(test_note(1, 1_000)).file_name("note.ogg");
    let form = reqwest::multipart::Form::new().text("messaging_product", "whatsapp");
    let form = form.part("file", part.mime_str("audio/ogg; codecs=opus").unwrap());
    let url = world.api_url.join("/v25.0/900/media").unwrap();
    let upload = http_client().post(url).bearer_auth(TOKEN).multipart(form).send().await.unwrap();
    let id = upload.json::<Value>().await.unwrap()["id"].clone();
    let note = json!({ "messaging_product": "whatsapp", "to": PHONE, "type": "audio",
        "audio": { "id": id, "voice": true } });
    send(&world, &note).await.unwrap();
    let codes = sent(&world).into_iter().map(|message| message.statuses[1].error_code);
    assert_eq!(codes.collect::<Vec<_>>(), [None, Some(131_053)]);
}

/// Sends a voice note as a person; returns the world, the file and its address.
async fn recorded(text: &str) -> (World, Vec<u8>, String) {
    let world = World::start_faulty(plan(text)).await;
    let note = test_note(1, 1_000);
    world.simulator.send_audio(PHONE, note.clone().into(), "audio/ogg; codecs=opus").await;
    let all = webhooks(&world, 1).await;
    let url = all[0][0]["audio"]["url"].as_str().unwrap().to_owned();
    (world, note, url)
}

async fn fetch(url: &str) -> Result<Response, reqwest::Error> {
    http_client().get(url).bearer_auth(TOKEN).send().await
}

#[tokio::test]
async fn files_are_slow_cut_damaged_or_gone() {
    let (_world, note, url) = recorded("[media]\nslow = 1\nslow_ms = 50").await;
    let answer = fetch(&url).await.unwrap();
    assert_eq!(answer.content_length(), Some(note.len() as u64));
    assert_eq!(answer.bytes().await.unwrap(), note);
    let (_world, _, url) = recorded("[media]\ncut = 1").await;
    assert!(fetch(&url).await.unwrap().bytes().await.is_err());
    let (_world, note, url) = recorded("[media]\nbroken = 1").await;
    let [one, two] = [fetch(&url).await.unwrap(), fetch(&url).await.unwrap()];
    let [one, two] = [one.bytes().await.unwrap(), two.bytes().await.unwrap()];
    assert_eq!((one.len(), &one), (note.len(), &two));
    assert_ne!(one, note);
    let (_world, _, url) = recorded("[media]\nexpired = 1").await;
    assert_eq!(fetch(&url).await.unwrap().status(), 404);
}

/// Lets many people write and be answered side by side; returns what each met.
async fn crowd(order: impl Iterator<Item = usize>) -> Vec<(String, u16)> {
    let often = FaultPlan::default()
        .with(Kind::RateLimit, 0.3)
        .with(Kind::ErrorAfter, 0.3)
        .with(Kind::Duplicate, 0.3);
    let world = &World::start_faulty(often).await;
    let one = async |person: usize| {
        let from = format!("49155500{person:02}");
        let mut met = Vec::new();
        for nth in 0..3 {
            let id = world.simulator.send_text(&from, "hello").await;
            let answer = json!({ "messaging_product": "whatsapp", "to": from,
                "context": { "message_id": id }, "text": { "body": "hi" } });
            let status = send(world, &answer).await.unwrap().status().as_u16();
            met.push((format!("{from}/{nth}"), status));
        }
        met
    };
    let all = futures_util::future::join_all(order.map(one)).await;
    world.simulator.settled().await;
    let mut met = all.concat();
    met.sort();
    let doubled = world.simulator.faults()["faults"]["webhooks.duplicate"]["done"].as_u64();
    met.push(("duplicates".to_owned(), u16::try_from(doubled.unwrap()).unwrap()));
    met
}

#[tokio::test]
async fn the_same_seed_gives_the_same_run_whoever_comes_first() {
    let forward = crowd(0..30).await;
    let met = |status| forward.iter().filter(|(_, met)| *met == status).count();
    assert!(met(429) > 10 && met(502) > 10 && met(200) > 10, "{forward:?}");
    assert_eq!(forward, crowd((0..30).rev()).await);
}
