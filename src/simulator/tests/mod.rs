//! The fake API as a strict counterpart: what it refuses, and the webhooks it sends.

mod cloud;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::*;
use crate::remote::http_client;
use crate::simulator::testing::{PHONE, TOKEN, World, first, serve, test_note};
use crate::turn::{Body, DeliveryStatus};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn post_message(world: &World, body: Value) -> (u16, Value) {
    let url = world.api_url.join("/v23.0/900/messages").unwrap();
    answer(http_client().post(url).bearer_auth(TOKEN).json(&body)).await
}

async fn upload(world: &World, bytes: Vec<u8>, name: &str, mime_type: &str) -> (u16, Value) {
    let part = Part::bytes(bytes).file_name(name.to_owned()).mime_str(mime_type).unwrap();
    let form = Form::new().part("file", part).text("messaging_product", "whatsapp");
    let url = world.api_url.join("/v25.0/900/media").unwrap();
    answer(http_client().post(url).bearer_auth(TOKEN).multipart(form)).await
}

fn voice(media: &Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "to": PHONE,
        "type": "audio",
        "audio": { "id": media, "voice": true },
        "biz_opaque_callback_data": "hark:t:1",
    })
}

async fn statuses(world: &World) -> Vec<(DeliveryStatus, Option<i64>)> {
    let updates = world.received().await;
    let statuses = updates.iter().flat_map(|updates| &updates.statuses);
    statuses
        .inspect(|status| assert_eq!(status.callback_data.as_deref(), Some("hark:t:1")))
        .map(|status| (status.status, status.error_code))
        .collect()
}

#[tokio::test]
async fn good_voice_note_is_sent_delivered_read_and_played() {
    use DeliveryStatus::{Delivered, Played, Read, Sent};
    let world = World::start().await;
    let (status, media) = upload(&world, test_note(1, 800), "a.ogg", "audio/ogg").await;
    assert_eq!(status, 200, "{media}");
    let (status, sent) = post_message(&world, voice(&media["id"])).await;
    assert_eq!((status, &sent["contacts"][0]["wa_id"]), (200, &json!(PHONE)));
    let expected = [(Sent, None), (Delivered, None), (Read, None), (Played, None)];
    assert_eq!(statuses(&world).await, expected);
    let kept: Vec<_> = world.simulator.sent()[0].statuses.iter().map(|s| s.status).collect();
    assert_eq!(kept, ["sent", "delivered", "read", "played"]);
}

#[tokio::test]
async fn bad_voice_notes_are_taken_and_fail_later() {
    for (bytes, name, mime_type) in [
        (test_note(2, 800), "stereo.ogg", "audio/ogg"),
        (test_note(1, 800), "note.opus", "audio/ogg"),
        (test_note(1, 800), "note.ogg", "audio/opus"),
        (b"no sound at all".to_vec(), "note.ogg", "audio/ogg; codecs=opus"),
    ] {
        let world = World::start().await;
        let (status, media) = upload(&world, bytes, name, mime_type).await;
        assert_eq!(status, 200, "{media}");
        assert_eq!(post_message(&world, voice(&media["id"])).await.0, 200);
        let expected = [(DeliveryStatus::Sent, None), (DeliveryStatus::Failed, Some(131_053))];
        assert_eq!(statuses(&world).await, expected, "{name} {mime_type}");
        let requests = world.webhooks.requests();
        let body: Value = serde_json::from_slice(&requests[1].1).unwrap();
        assert_eq!(first(&body, "statuses")["errors"][0]["title"], "Media upload error");
    }
}

#[tokio::test]
async fn wrong_types_are_refused_at_upload() {
    let world = World::start().await;
    let (status, body) = upload(&world, test_note(1, 800), "a.webm", "audio/webm").await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(100)));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("(#100) Param file must be a file with one of the following"));
}

#[tokio::test]
async fn bad_messages_are_refused_like_graph_does() {
    let world = World::start().await;
    let text = |parts: Value| {
        let mut body = json!({ "messaging_product": "whatsapp", "to": PHONE, "type": "text" });
        body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        body
    };
    for bad in [
        text(json!({"to": null, "text": {"body": "x"}})),
        text(json!({"text": {"body": "x".repeat(4097)}})),
        text(json!({"text": {"body": ""}})),
        text(json!({"text": {"body": "x"}, "recipient_type": "group"})),
        text(json!({"text": {"body": "x"}, "biz_opaque_callback_data": "x".repeat(513)})),
        text(json!({"messaging_product": null, "text": {"body": "x"}})),
        text(json!({"type": "hologram"})),
        voice(&json!("no-such-media")),
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "unknown"}),
        Value::Null,
    ] {
        let (status, answer) = post_message(&world, bad.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{bad}");
        assert_eq!(answer["error"]["type"], "OAuthException");
    }
    assert_eq!(
        post_message(&world, text(json!({"text": {"body": "x".repeat(4096)}}))).await.0,
        200
    );
    assert_eq!(world.simulator.sent().len(), 1);
}

#[tokio::test]
async fn wrong_token_number_or_version_is_refused() {
    let world = World::start().await;
    let client = http_client();
    let get = |path: &str| client.get(world.api_url.join(path).unwrap());
    let missing = answer(get("/v25.0/1")).await;
    assert_eq!((missing.0, &missing.1["error"]["code"]), (401, &json!(190)));
    let wrong = answer(get("/v25.0/1").bearer_auth("wrong")).await;
    assert_eq!((wrong.0, &wrong.1["error"]["code"]), (401, &json!(190)));
    let unknown = answer(get("/v25.0/1").bearer_auth(TOKEN)).await;
    assert_eq!((unknown.0, &unknown.1["error"]["error_subcode"]), (400, &json!(33)));
    let unversioned = answer(get("/latest/1").bearer_auth(TOKEN)).await;
    assert_eq!((unversioned.0, &unversioned.1["error"]["code"]), (400, &json!(2500)));
    let other = world.api_url.join("/v25.0/901/messages").unwrap();
    let other = answer(client.post(other).bearer_auth(TOKEN).json(&json!({}))).await;
    assert_eq!((other.0, &other.1["error"]["error_subcode"]), (400, &json!(33)));

    let world = World::start_with(|settings| settings.access_token = None).await;
    let any = client.get(world.api_url.join("/v25.0/1").unwrap());
    assert_eq!(answer(any.bearer_auth("anything")).await.0, 400);
    let none = client.get(world.api_url.join("/v25.0/1").unwrap());
    assert_eq!(answer(none).await.0, 401);
}

#[tokio::test]
async fn media_can_be_looked_up_downloaded_and_deleted() {
    let world = World::start().await;
    let (_, media) = upload(&world, test_note(1, 800), "a.ogg", "audio/ogg").await;
    let id = media["id"].as_str().unwrap();
    let object = world.api_url.join(&format!("/v25.0/{id}")).unwrap();
    let client = http_client();
    let (_, found) = answer(client.get(object.clone()).bearer_auth(TOKEN)).await;
    assert_eq!((&found["id"], &found["mime_type"]), (&json!(id), &json!("audio/ogg")));
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    let address = found["url"].as_str().unwrap();
    assert_eq!(client.get(address).send().await.unwrap().status(), 401);
    let file = client.get(address).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap(), test_note(1, 800));

    let deleted = answer(client.delete(object.clone()).bearer_auth(TOKEN)).await;
    assert_eq!(deleted, (200, json!({ "success": true })));
    assert_eq!(client.get(address).bearer_auth(TOKEN).send().await.unwrap().status(), 404);
    assert_eq!(answer(client.get(object).bearer_auth(TOKEN)).await.0, 400);
}

#[tokio::test]
async fn people_speak_through_the_control_api() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hi.ogg");
    std::fs::write(&file, test_note(1, 700)).unwrap();
    let client = http_client();
    let say = |body: Value| client.post(world.api_url.join("/sim/messages").unwrap()).json(&body);
    let note = json!({ "from": "+49 1555 0001", "name": "Ann", "user_id": "DE.a1", "file": file });
    let (status, first) = answer(say(note)).await;
    assert_eq!(status, 200, "{first}");
    let text = json!({ "user_id": "DE.b2", "text": "hello", "id": "wamid.mine" });
    assert_eq!(answer(say(text)).await, (200, json!({ "id": "wamid.mine" })));
    for bad in [json!({"from": "1"}), json!({"text": "x"}), json!({"from": "1", "file": "/no"})] {
        assert_eq!(answer(say(bad)).await.0, 400);
    }

    let updates = world.received().await;
    let ann = &updates[0].messages[0];
    let from = ann.from.as_ref().unwrap();
    assert_eq!(from.phone.as_ref().unwrap().reveal(), PHONE);
    assert_eq!(from.user_id.as_ref().unwrap().reveal(), "DE.a1");
    assert_eq!(ann.sent_at_ms, 1_790_000_000_000);
    let Body::Audio { media } = &ann.body else { panic!("{:?}", ann.body) };
    assert_eq!(media.mime_type.as_deref(), Some("audio/ogg; codecs=opus"));
    assert!(media.url.as_ref().unwrap().starts_with(world.api_url.as_str()));
    assert_eq!(updates[1].messages[0].from.as_ref().unwrap().phone, None);

    let seen = answer(client.get(world.api_url.join("/sim/conversations").unwrap())).await.1;
    let ann = &seen["conversations"][0];
    assert_eq!((&ann["contact"], &ann["name"]), (&json!(PHONE), &json!("Ann")));
    assert_eq!(ann["messages"][0]["direction"], "in");
    assert_eq!(ann["messages"][0]["media"]["duration_ms"], 700.0);
    assert_eq!(seen["conversations"][1]["messages"][0]["text"], "hello");
}

#[tokio::test]
async fn people_quote_and_write_under_files_and_deliveries_fail_by_the_control_api() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let post = |path: &str, body: Value| {
        answer(http_client().post(world.api_url.join(path).unwrap()).json(&body))
    };
    for (name, kind) in [("a.jpg", "image"), ("a.pdf", "document"), ("notes", "document")] {
        let file = folder.path().join(name);
        std::fs::write(&file, "file").unwrap();
        let said = json!({ "from": PHONE, "file": file, "caption": "see?", "quote": "wamid.q" });
        assert_eq!(post("/sim/messages", said).await.0, 200);
        let update = world.received().await.pop().unwrap().messages.remove(0);
        assert_eq!(
            (update.raw_type.as_str(), update.body),
            (kind, Body::Text { text: "see?".into() })
        );
        assert_eq!(update.about.reply_to, Some("wamid.q".into()));
        let named = update.about.under.unwrap().name;
        assert_eq!(named, (kind == "document").then(|| name.into()));
    }
    let both = json!({ "from": PHONE, "text": "a", "caption": "b" });
    assert_eq!(post("/sim/messages", both).await.0, 400);
    assert_eq!(post("/sim/faults", json!({ "code": "x" })).await.0, 400);
    assert_eq!(post("/sim/faults", json!({ "code": 131_053 })).await.0, 200);
    let text = json!({
        "messaging_product": "whatsapp", "to": PHONE, "text": { "body": "hi" },
        "biz_opaque_callback_data": "hark:t:1",
    });
    for _ in 0..2 {
        assert_eq!(post_message(&world, text.clone()).await.0, 200);
    }
    let failed = (DeliveryStatus::Failed, Some(131_053));
    let all = statuses(&world).await;
    assert_eq!(all.iter().filter(|status| **status == failed).count(), 1, "{all:?}");
}

#[tokio::test]
async fn refused_webhooks_are_posted_again_in_order() {
    let seen = Arc::new(Mutex::new((0, Vec::new())));
    let kept = Arc::clone(&seen);
    let router = Router::new().route(
        "/webhook",
        post(move |body: String| {
            let mut seen = kept.lock().unwrap();
            seen.0 += 1;
            let refused = seen.0 % 3 != 0;
            if !refused {
                seen.1.push(serde_json::from_str::<Value>(&body).unwrap());
            }
            let status = if refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            std::future::ready(status)
        }),
    );
    let webhook = serve(router).await.join("/webhook").unwrap();
    let world = World::start_with(|settings| settings.webhook = webhook).await;
    for text in ["one", "two"] {
        world.simulator.send_text(PHONE, text).await;
    }
    world.simulator.settled().await;
    let (attempts, bodies) = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(attempts, 6);
    assert_eq!(first(&bodies[0], "messages")["text"]["body"], "one");
    assert_eq!(first(&bodies[1], "messages")["text"]["body"], "two");
}

#[tokio::test]
async fn reply_is_awaited_and_faults_are_used_up() {
    let world = World::start().await;
    let question = world.simulator.send_text(PHONE, "well?").await;
    let reply = json!({
        "messaging_product": "whatsapp", "to": PHONE, "text": { "body": "yes" },
        "context": { "message_id": question }, "biz_opaque_callback_data": "hark:t:1",
    });
    let soon = Duration::from_millis(20);
    assert_eq!(world.simulator.wait_for_reply(&question, soon).await, None);
    world.simulator.fail_next(CallKind::Messages, 500, 131_000, 2);
    world.simulator.fail_delivery(131_026, 1);
    let waiting = world.simulator.wait_for_reply(&question, Duration::from_secs(10));
    let sending = async {
        assert_eq!(post_message(&world, reply.clone()).await.0, 500);
        assert_eq!(post_message(&world, reply.clone()).await.1["error"]["code"], 131_000);
        post_message(&world, reply).await
    };
    let (reply, (status, _)) = tokio::join!(waiting, sending);
    assert_eq!((reply.unwrap().text.as_deref(), status), (Some("yes"), 200));
    assert_eq!(statuses(&world).await.last(), Some(&(DeliveryStatus::Failed, Some(131_026))));
}

#[tokio::test]
async fn ids_hold_the_seed_and_redeliveries_are_kept_once() {
    let world = World::start_with(|settings| settings.id_seed = "run7".to_owned()).await;
    let id = world.simulator.send_text(PHONE, "again").await;
    assert_eq!(id.0, "wamid.sim.run7.1");
    let again = PersonMessage {
        id: Some(id.clone()),
        ..PersonMessage::new(PHONE, PersonSays::Text("again".to_owned()))
    };
    assert_eq!(world.simulator.send(again).await, id);
    assert_eq!(world.received().await.len(), 2);
    assert_eq!(world.simulator.messages().len(), 1);
}
