//! One suite for every access to WhatsApp: the client against the simulator that speaks its API.
//!
//! Each fact is held for Meta and for 360dialog, so that a third access is one more [`Door`] here.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hark::audio::OggOpus;
use hark::clock::Clock;
use hark::provider::cloud::{CloudClient, CloudSettings};
use hark::provider::{Messenger as _, Outgoing, ProviderError};
use hark::registry::Number;
use hark::remote::http_client;
use hark::simulator::{CallKind, Door, Simulator, SimulatorSettings};
use hark::turn::{Choice, ContactRef, Content, MediaRef, MediaSource, MessageId, Personal, Retry};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::update::fixture;
use crate::harness::{APP_SECRET, NUMBER, PERSON, TOKEN};

const DOORS: [Door; 2] = [Door::Meta, Door::D360];

/// A simulator and a client pointed at it.
struct Side {
    door: Door,
    simulator: Simulator,
    messenger: CloudClient,
}

impl Side {
    async fn start(door: Door) -> Self {
        Self::start_with(door, TOKEN).await
    }

    async fn start_with(door: Door, token: &str) -> Self {
        let settings = SimulatorSettings {
            // Nobody listens: what the simulator would tell does not matter here.
            webhook: "http://127.0.0.1:1/webhook".parse().unwrap(),
            app_secret: APP_SECRET.into(),
            door,
            phone_number_id: NUMBER.into(),
            access_token: Some(TOKEN.into()),
            public_url: None,
            clock: Clock::System,
            id_seed: "suite".to_owned(),
        };
        let simulator = Simulator::new(settings, http_client());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}", listener.local_addr().unwrap());
        let handle = simulator.clone();
        tokio::spawn(simulator.serve(listener, CancellationToken::new()));
        let provider = if door == Door::D360 { "360dialog" } else { "meta" };
        let number = json!({
            "phone_number_id": NUMBER, "provider": provider, "access_token": token,
            "api_url": api_url,
        });
        let number: Number = serde_json::from_value(number).unwrap();
        let settings = CloudSettings::from_number(&number, 1 << 20);
        Self { door, simulator: handle, messenger: CloudClient::new(settings, http_client()) }
    }

    async fn send(&self, content: Content) -> Result<MessageId, ProviderError> {
        let to = ContactRef { user_id: None, phone: Some(PERSON.into()), profile_name: None };
        let callback_data = "hark:t:0".to_owned();
        self.messenger.send(Outgoing { to, content, reply_to: None, callback_data }).await
    }

    /// The last body of a kind of call.
    fn body(&self, kind: CallKind) -> Value {
        let calls = self.simulator.calls();
        calls.into_iter().rfind(|call| call.kind == kind).unwrap().body
    }

    async fn refused(&self, http_status: u16, code: i64) -> ProviderError {
        self.simulator.fail_next(CallKind::Messages, http_status, code, 1);
        self.send(Content::Text("hello".into())).await.unwrap_err()
    }
}

#[tokio::test]
async fn a_text_and_a_voice_note_are_sent_and_have_ids() {
    for door in DOORS {
        let side = Side::start(door).await;
        let first = side.send(Content::Text("hello".into())).await.unwrap();
        let body = side.body(CallKind::Messages);
        assert_eq!((&body["type"], &body["text"]["body"]), (&json!("text"), &json!("hello")));
        assert_eq!(body["biz_opaque_callback_data"], "hark:t:0");
        let note = OggOpus(fixture("en_hours.ogg").into());
        let media = side.messenger.upload(note).await.unwrap();
        let second = side.send(Content::Voice(media.clone())).await.unwrap();
        let body = side.body(CallKind::Messages);
        assert_eq!(body["audio"], json!({ "id": media, "voice": true }), "{door:?}");
        let sent: Vec<_> = side.simulator.sent().into_iter().map(|sent| sent.id).collect();
        assert_eq!(sent, [first, second], "{door:?}");
        assert!(side.simulator.sent()[1].media.as_ref().unwrap().voice, "{door:?}");
    }
}

/// By the address of a webhook, and by the id alone, whose address is looked up.
#[tokio::test]
async fn a_file_comes_down_as_it_went_up() {
    for door in DOORS {
        let side = Side::start(door).await;
        let file = Bytes::from(fixture("en_hours.ogg"));
        let media = side.messenger.upload(OggOpus(file.clone())).await.unwrap();
        let by_id = MediaRef { id: media.clone(), url: None, mime_type: None, sha256: None };
        let fetch = async |media: &MediaRef| -> Result<Vec<u8>, ProviderError> {
            let chunks = side.messenger.download(media).await?;
            chunks.map_ok(|chunk| chunk.to_vec()).try_concat().await
        };
        assert!(fetch(&by_id).await.unwrap() == file, "{door:?}");
        let elsewhere = Some("https://evil.example/file".to_owned());
        let by_a_lie = MediaRef { url: elsewhere, ..by_id.clone() };
        assert!(fetch(&by_a_lie).await.unwrap() == file, "{door:?}: the id is looked up");
        side.simulator.drop_media(&media);
        assert!(fetch(&by_id).await.is_err(), "{door:?}");
        assert_eq!(side.body(CallKind::MediaUpload)["file_name"], "voice-note.ogg");
    }
}

#[tokio::test]
async fn a_message_is_marked_as_read_while_hark_types() {
    for door in DOORS {
        let side = Side::start(door).await;
        // Its webhook reaches nobody, which does not matter.
        let id = side.simulator.send_text(PERSON, "hello").await;
        side.messenger.read_and_typing(&id).await.unwrap();
        let statuses: Vec<_> =
            side.simulator.messages()[0].statuses.iter().map(|status| status.status).collect();
        assert_eq!(statuses, ["read", "typing"], "{door:?}");
        let error = side.messenger.read_and_typing(&"wamid.unknown".into()).await.unwrap_err();
        assert!(matches!(error, ProviderError::Refused { code: 100, .. }), "{door:?}: {error}");
    }
}

#[tokio::test]
async fn each_class_of_error_asks_for_the_same_of_every_access() {
    for door in DOORS {
        let side = Side::start(door).await;
        for (status, code, seconds) in [
            (429, 130_429, Some(1)),   // rate of the number
            (400, 131_056, Some(4)),   // rate of the pair
            (500, 131_000, Some(2)),   // trouble at the provider
            (400, 131_047, None),      // the day is over
            (401, 190, Some(300)),     // token
            (403, 131_031, Some(300)), // account
        ] {
            let error = side.refused(status, code).await;
            let wait = |s| Retry::After(std::time::Duration::from_secs(s));
            assert_eq!(error.retry(), seconds.map_or(Retry::Never, wait), "{door:?} {code}");
            assert_eq!(error.fix().is_some(), seconds == Some(300), "{door:?} {code}");
            assert!(!error.may_be_done(), "{door:?} {code}");
        }
        assert!(side.refused(500, 0).await.may_be_done(), "{door:?}: a bare 500 is in doubt");
        assert!(!side.refused(503, 0).await.may_be_done(), "{door:?}");
        assert!(side.simulator.sent().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_token_is_named_and_never_shown() {
    for door in DOORS {
        let side = Side::start_with(door, "wrong-token").await;
        let error = side.send(Content::Text("hello".into())).await.unwrap_err();
        assert!(error.fix().unwrap().contains("access token"), "{:?}: {error}", side.door);
        assert!(!error.to_string().contains("wrong-token"), "{error}");
    }
}

#[tokio::test]
async fn an_account_that_360dialog_refuses_is_for_the_operator_to_mend() {
    let side = Side::start(Door::D360).await;
    let error = side.refused(400, 0).await;
    assert!(error.fix().unwrap().contains("360dialog"), "{error}");
    assert!(error.to_string().contains("injected by the simulator"), "{error}");
}

/// The simulator refuses what Meta would, and every one of these is too much of something.
#[tokio::test]
async fn whatever_is_sent_fits_whatsapp() {
    let long = || Personal("word ".repeat(1000));
    let choice = |n: usize| Choice {
        id: format!("{n} {}", "x".repeat(300)),
        title: Personal(format!("{n} {}", "title ".repeat(10))),
        description: Some(long()),
    };
    let choices = |count: usize| (0..count).map(choice).collect::<Vec<_>>();
    let link = || MediaSource::Url("https://shop.example/file".into());
    let caption = || Some(long());
    for door in DOORS {
        let side = Side::start(door).await;
        let asked = side.simulator.send_text(PERSON, "hello").await;
        let all = [
            Content::Buttons { text: long(), buttons: choices(3) },
            Content::Buttons { text: long(), buttons: choices(5) },
            Content::Buttons { text: "".into(), buttons: choices(1) },
            Content::List { text: long(), button: long(), rows: choices(12) },
            Content::Link { text: long(), url: "https://shop.example".into(), title: long() },
            Content::Image { source: link(), caption: caption() },
            Content::Video { source: link(), caption: caption() },
            Content::Document { source: link(), caption: caption(), file_name: caption() },
            Content::Audio(link()),
            Content::Sticker(link()),
            Content::Location { latitude: 52.5, longitude: 13.4, name: caption(), address: None },
            Content::Location { latitude: 520.5, longitude: 0.0, name: caption(), address: None },
            Content::Contact { name: "Ada Lovelace".into(), phones: vec!["+4930123".into()] },
            Content::Reaction { message: asked, emoji: "👍".into() },
        ];
        for (count, content) in all.into_iter().enumerate() {
            let kind = content.kind();
            side.send(content).await.unwrap_or_else(|error| panic!("{door:?} {kind}: {error}"));
            assert_eq!(side.simulator.sent().len(), count + 1, "{door:?} {kind}");
        }
        let sent = side.simulator.sent();
        assert_eq!(sent[0].content.as_ref().unwrap()["type"], "button");
        assert_eq!(sent[1].content.as_ref().unwrap()["type"], "list");
    }
}
