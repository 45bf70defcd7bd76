//! The client against the simulator and against servers that misbehave, over HTTP.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use serde_json::{Value, json};
use url::Url;

use crate::audio::OggOpus;
use crate::clock::Clock;
use crate::provider::cloud::CloudClient;
use crate::provider::{Messenger as _, Outgoing, ProviderError};
use crate::simulator::CallKind;
use crate::simulator::testing::{
    Listener, PHONE, SECRET, TOKEN, World, media, messenger, meta, phone, serve, test_note,
};
use crate::turn::{Body as InboundBody, ContactRef, Content, MediaRef, Personal, Retry};

fn outgoing(content: Content) -> Outgoing {
    let callback_data = "hark:t:0".to_owned();
    Outgoing { to: phone(PHONE), content, reply_to: Some("wamid.in".into()), callback_data }
}

async fn fetch(messenger: &CloudClient, media: &MediaRef) -> Result<Vec<u8>, ProviderError> {
    messenger.download(media).await?.map_ok(|bytes| bytes.to_vec()).try_concat().await
}

fn kinds(world: &World) -> Vec<CallKind> {
    world.simulator.calls().iter().map(|call| call.kind).collect()
}

/// Returns what hark would know of a voice note that a person has just sent.
async fn sent_note(world: &World, note: Vec<u8>) -> MediaRef {
    world.simulator.send_audio(PHONE, note.into(), "audio/ogg; codecs=opus").await;
    let updates = world.received().await;
    match &updates.last().unwrap().messages[0].body {
        InboundBody::Audio { media } => media.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn voice_note_is_uploaded_and_sent_as_whatsapp_wants_it() {
    let world = World::start().await;
    let note = OggOpus(test_note(1, 1100).into());
    let id = world.messenger.upload(note.clone()).await.unwrap();
    assert_eq!(world.simulator.note(&id), Some(note.0));
    let sent = world.messenger.send(outgoing(Content::Voice(id.clone()))).await.unwrap();

    let calls = world.simulator.calls();
    assert_eq!(calls[0].body["file_name"], "voice-note.ogg");
    assert_eq!(calls[0].body["mime_type"], "audio/ogg; codecs=opus");
    assert_eq!(calls[0].body["fields"]["messaging_product"], "whatsapp");
    assert!(calls[0].content_length.is_some(), "upload must not be chunked");
    let expected = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "audio",
        "audio": { "id": id, "voice": true },
        "context": { "message_id": "wamid.in" },
        "biz_opaque_callback_data": "hark:t:0",
    });
    assert_eq!(calls[1].body, expected);
    let message = &world.simulator.sent()[0];
    assert_eq!((&message.id, message.contact.as_str()), (&sent, PHONE));
    assert!((message.media.as_ref().unwrap().duration_ms.unwrap() - 1100.0).abs() < 1.0);
}

#[tokio::test]
async fn contact_without_a_phone_is_addressed_as_recipient() {
    let world = World::start().await;
    let to = ContactRef { user_id: Some("US.a1".into()), phone: None, profile_name: None };
    let text = Outgoing { to, reply_to: None, ..outgoing(Content::Text("hi".into())) };
    world.messenger.send(text).await.unwrap();
    let body = world.simulator.calls()[0].body.clone();
    assert_eq!((&body["recipient"], &body["to"]), (&json!("US.a1"), &Value::Null));
    assert_eq!((&body["text"]["body"], &body["context"]), (&json!("hi"), &Value::Null));

    let to = ContactRef { user_id: None, phone: None, profile_name: None };
    let nobody = Outgoing { to, ..outgoing(Content::Text("hi".into())) };
    assert_eq!(world.messenger.send(nobody).await.unwrap_err().retry(), Retry::Never);
    assert_eq!(world.simulator.calls().len(), 1);
}

#[tokio::test]
async fn read_mark_and_typing_are_one_call() {
    let world = World::start().await;
    let id = world.simulator.send_text(PHONE, "hello").await;
    world.messenger.read_and_typing(&id).await.unwrap();
    assert_eq!(kinds(&world), [CallKind::Read]);
    let words: Vec<_> =
        world.simulator.messages()[0].statuses.iter().map(|status| status.status).collect();
    assert_eq!(words, ["read", "typing"]);
}

#[tokio::test]
async fn address_of_the_webhook_saves_the_look_up() {
    let world = World::start().await;
    let note = sent_note(&world, test_note(1, 900)).await;
    assert_eq!(fetch(&world.messenger, &note).await.unwrap(), test_note(1, 900));
    assert_eq!(kinds(&world), [CallKind::MediaDownload]);
}

#[tokio::test]
async fn expired_address_is_looked_up_once() {
    let world = World::start().await;
    let note = sent_note(&world, test_note(1, 900)).await;
    world.clock.advance(5 * 60 * 1000);
    assert_eq!(fetch(&world.messenger, &note).await.unwrap(), test_note(1, 900));
    let expected = [CallKind::MediaDownload, CallKind::MediaLookup, CallKind::MediaDownload];
    assert_eq!(kinds(&world), expected);

    world.simulator.fail_next(CallKind::MediaDownload, 404, 0, 2);
    assert!(matches!(fetch(&world.messenger, &note).await, Err(ProviderError::MediaGone)));
    for odd in ["", ".."] {
        let gone = fetch(&world.messenger, &media(odd, None)).await;
        assert!(matches!(gone, Err(ProviderError::MediaGone)), "{odd}");
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_seen_is_a_fault_of_the_set_up_and_not_waited_for() {
    let world = World::start().await;
    let note = sent_note(&world, test_note(1, 900)).await;
    world.simulator.drop_media(&note.id);
    for note in [note, media("no-such-id", None), media("../900/messages", None)] {
        let hidden = fetch(&world.messenger, &note).await.unwrap_err();
        assert!(hidden.fix().is_some() && hidden.retry() == Retry::Never, "{hidden}");
    }
}

#[tokio::test]
async fn too_large_media_ends_the_download() {
    let world = World::start().await;
    let note = sent_note(&world, vec![1; 10_001]).await;
    let refused = world.messenger.download(&note).await.err();
    assert!(matches!(refused, Some(ProviderError::TooLarge { limit: 10_000 })));

    // The same without a Content-Length that would reveal it earlier.
    let endless = || async {
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(vec![1_u8; 4096])))
    };
    let url = serve(Router::new().route("/endless", get(endless))).await;
    let note = media("1", Some(url.join("/endless").unwrap().as_str()));
    let mut bytes = messenger(&url, |_| {}).download(&note).await.unwrap();
    let mut sizes = Vec::new();
    let end = loop {
        match bytes.next().await.unwrap() {
            Ok(bytes) => sizes.push(bytes.len()),
            Err(error) => break error,
        }
    };
    assert!(matches!(end, ProviderError::TooLarge { .. }));
    assert!(sizes.iter().sum::<usize>() <= 10_000);
    assert!(bytes.next().await.is_none());
}

#[tokio::test]
async fn token_is_never_sent_to_another_host() {
    let other = Listener::start(StatusCode::OK).await;
    // The address of the webhook points elsewhere: the look-up is used instead.
    let world = World::start().await;
    let mut note = sent_note(&world, test_note(1, 900)).await;
    note.url = Some(other.url.to_string());
    assert_eq!(fetch(&world.messenger, &note).await.unwrap(), test_note(1, 900));
    assert_eq!(kinds(&world)[0], CallKind::MediaLookup);

    // The look-up points elsewhere too.
    let elsewhere = other.url.clone();
    let world = World::start_with(|settings| settings.public_url = Some(elsewhere)).await;
    let note = sent_note(&world, test_note(1, 900)).await;
    let refused = fetch(&world.messenger, &note).await;
    assert!(matches!(refused, Err(ProviderError::HostNotAllowed { .. })), "{refused:?}");

    // The API redirects elsewhere.
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, other.url.as_str().parse().unwrap());
    let api = Listener::start((StatusCode::TEMPORARY_REDIRECT, headers)).await;
    let messenger = messenger(&api.url, |_| {});
    let refused = messenger.read_and_typing(&"wamid.1".into()).await;
    assert!(matches!(refused, Err(ProviderError::Refused { http_status: 307, .. })));
    let address = api.url.join("/media").unwrap();
    assert!(fetch(&messenger, &media("1", Some(address.as_str()))).await.is_err());

    assert_eq!(api.requests().len(), 3);
    assert_eq!(api.requests()[0].0["authorization"], format!("Bearer {TOKEN}"));
    assert!(api.requests()[0].0["user-agent"].to_str().unwrap().starts_with("hark/"));
    assert!(other.requests().is_empty(), "another host was asked");
}

#[tokio::test]
async fn refusals_carry_code_retry_and_no_token() {
    let world = World::start().await;
    world.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    let text = outgoing(Content::Text("hi".into()));
    let error = world.messenger.send(text.clone()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(4)));
    assert!(error.to_string().contains("code 131056 (HTTP 400)"), "{error}");
    world.messenger.send(text.clone()).await.unwrap();

    let stranger = messenger(&world.api_url, |settings| settings.access_token = "wrong".into());
    let error = stranger.send(text.clone()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { code: 190, http_status: 401, .. }));
    let other = messenger(&world.api_url, |settings| settings.access = meta(&world.api_url, "901"));
    let error = other.send(text.clone()).await.unwrap_err();
    assert!(matches!(&error, ProviderError::Refused { code: 100, http_status: 400, .. }));

    let leaky = json!({"error": {"code": 190, "message": format!("Malformed token {TOKEN}")}});
    let api = Listener::start((StatusCode::UNAUTHORIZED, axum::Json(leaky))).await;
    let error = messenger(&api.url, |_| {}).send(text).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_refused_token_is_read_anew_from_its_file() {
    let world = World::start_with(|settings| settings.access_token = Some(TOKEN.into())).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "old").unwrap();
    let messenger = messenger(&world.api_url, |settings| {
        settings.access_token = "old".into();
        settings.access_token_file = Some(file.path().to_owned());
    });
    let text = outgoing(Content::Text("hi".into()));
    let retry = async || messenger.send(text.clone()).await.map_err(|error| error.retry());
    assert_eq!(retry().await, Err(Retry::After(Duration::from_mins(5))));
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    assert_eq!(retry().await, Err(Retry::After(Duration::from_secs(1))));
    retry().await.unwrap();
}

#[tokio::test]
async fn number_and_app_are_asked_about_without_a_trace_of_the_secret() {
    let world = World::start_with(|settings| settings.access_token = Some(TOKEN.into())).await;
    let about = world.messenger.number_info().await;
    let info = about.result.unwrap();
    assert_eq!(info.display_number.as_ref().map(Personal::reveal), Some("15550100000"));
    assert_eq!(info.quality.as_deref(), Some("GREEN"));
    assert!((about.server_ms.unwrap() - Clock::System.now_ms()).abs() < 60_000);
    world.messenger.app_info("77", &SECRET.into()).await.result.unwrap();
    assert_eq!(kinds(&world), [CallKind::NumberInfo, CallKind::AppInfo]);

    let wrong = world.messenger.app_info("77", &"leak-me".into()).await.result.unwrap_err();
    assert!(matches!(wrong, ProviderError::Refused { code: 190, http_status: 401, .. }));
    let leaky = json!({"error": {"code": 1, "message": "Bad signature: 77|leak-me"}});
    let api = Listener::start((StatusCode::BAD_REQUEST, axum::Json(leaky))).await;
    let about = messenger(&api.url, |_| {}).app_info("77", &"leak-me".into()).await;
    assert!(!format!("{:?}", about.result.unwrap_err()).contains("leak-me"));
    assert_eq!(api.requests()[0].0["authorization"], "Bearer 77|leak-me");
}

#[tokio::test]
async fn strange_answers_and_dead_hosts_may_be_tried_again() {
    let text = outgoing(Content::Text("hi".into()));
    for answer in ["{}", "not json", r#"{"messages":[]}"#] {
        let api = Listener::start(answer).await;
        let error = messenger(&api.url, |_| {}).send(text.clone()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unexpected(_)), "{error:?}");
    }
    let nobody = Url::parse("http://127.0.0.1:1/secret-path").unwrap();
    let error = messenger(&nobody, |_| {}).send(text).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)));
    assert!(!error.to_string().contains("secret-path"), "{error}");
}
