//! Webhook bodies of every kind, all invented here.
#![expect(clippy::needless_pass_by_value, reason = "json! reads better without borrows")]

use serde_json::json;

use super::*;
use crate::turn::{
    About, Attachment, Body, ContactRef, DeliveryStatus, MediaId, MediaRef, Personal,
};

fn read(body: &Value) -> Updates {
    parse(body.to_string().as_bytes()).unwrap()
}

/// Writes a body with one change of field `messages`.
fn body(parts: Value) -> Value {
    let mut value = json!({ "metadata": { "phone_number_id": "900" } });
    value.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    json!({ "entry": [{ "changes": [{ "field": "messages", "value": value }] }] })
}

fn message(mut parts: Value) -> Value {
    parts["id"] = "wamid.1".into();
    parts["from"] = "4915550001".into();
    parts["timestamp"] = "1790000000".into();
    parts
}

fn text(words: &str) -> Body {
    Body::Text { text: words.into() }
}

#[track_caller]
fn check_body(parts: Value, raw_type: &str, expected: &Body) {
    let updates = read(&body(json!({ "messages": [message(parts)] })));
    assert_eq!((updates.messages.len(), updates.others), (1, 0));
    let message = &updates.messages[0];
    assert_eq!((message.raw_type.as_str(), &message.body), (raw_type, expected));
    assert_eq!((message.number.0.as_str(), message.id.0.as_str()), ("900", "wamid.1"));
    assert_eq!(message.sent_at_ms, 1_790_000_000_000);
}

#[test]
fn words_are_read_from_texts_buttons_and_forms() {
    check_body(json!({"type": "text", "text": {"body": " hi "}}), "text", &text("hi"));
    check_body(json!({"text": {"body": "no type"}}), "text", &text("no type"));
    check_body(json!({"type": "button", "button": {"text": "Yes"}}), "button", &text("Yes"));
    for (kind, reply) in [
        ("button_reply", json!({"id": "b1", "title": "Pick"})),
        ("list_reply", json!({"id": "r1", "title": "Pick", "description": "d"})),
        ("nfm_reply", json!({"name": "flow", "body": "Pick", "response_json": "{}"})),
        ("nfm_reply", json!({"body": "Pick", "response_json": "Sent"})),
        ("nfm_reply", json!({"name": "Pick"})),
    ] {
        let interactive = json!({"type": kind, kind: reply});
        let parts = json!({"type": "interactive", "interactive": interactive});
        check_body(parts, "interactive", &text("Pick"));
    }
}

#[test]
fn sound_is_read_from_audio_and_voice() {
    let file = json!({"id": 77, "url": "https://m/1", "mime_type": "audio/ogg", "sha256": "ab"});
    let media = MediaRef {
        id: MediaId("77".to_owned()),
        url: Some("https://m/1".to_owned()),
        mime_type: Some("audio/ogg".to_owned()),
        sha256: Some("ab".to_owned()),
    };
    let audio = Body::Audio { media };
    check_body(json!({"type": "audio", "audio": file}), "audio", &audio);
    check_body(json!({"type": "voice", "voice": file}), "voice", &audio);
    check_body(json!({"type": "audio", "audio": {"url": "u"}}), "audio", &Body::Lost);
}

#[test]
fn sound_that_is_sent_as_a_document_is_sound() {
    let sound = |mime_type: &str, filename: &str| {
        let document = json!({"id": "9", "mime_type": mime_type, "filename": filename});
        let (_, body, _) = content::read(&json!({"type": "document", "document": document}));
        matches!(body, Body::Audio { .. })
    };
    for (mime_type, name) in [
        ("audio/mpeg", "Recording 12.mp3"),
        ("AUDIO/MP4; codecs=x", "no ending"),
        ("application/ogg", "x"),
        ("application/octet-stream", "Voice 001.M4A"),
        ("video/mp4", "iPhone.m4a"),
        ("video/ogg", "note.oga"),
        ("", "PTT-20261126-WA0001.opus"),
    ] {
        assert!(sound(mime_type, name), "{mime_type} {name}");
    }
    for (mime_type, name) in [
        ("application/pdf", "song.mp3.pdf"),
        ("video/mp4", "film.mp4"),
        ("video/ogg", "film.ogv"),
        ("text/plain", "mp3"),
        ("image/png", "audio.png"),
        ("", ""),
    ] {
        assert!(!sound(mime_type, name), "{mime_type} {name}");
    }
}

#[test]
fn sound_that_whatsapp_lost_is_known_as_that() {
    let errors = |code: i64| json!([{"code": code, "title": "Media download error"}]);
    let lost = |parts: Value| content::read(&parts).1 == Body::Lost;
    for kind in ["audio", "voice"] {
        assert!(lost(json!({"type": kind, "errors": errors(131_052)})));
        assert!(lost(json!({"type": kind, "errors": errors(131_052), kind: {"mime_type": "x"}})));
        assert!(lost(json!({"type": kind, kind: {}})));
        // With an id it is worth a try.
        let parts = json!({"type": kind, "errors": errors(131_052), kind: {"id": "1"}});
        assert!(matches!(content::read(&parts).1, Body::Audio { .. }));
    }
    let document = json!({"mime_type": "audio/mpeg"});
    assert!(lost(json!({"type": "document", "document": document, "errors": errors(131_052)})));
    let text_code = json!([{"code": 1}, {"code": "131052"}]);
    assert!(lost(json!({"type": "unsupported", "errors": text_code})));
    // Another file would not be opened either way, and these are no files.
    assert!(!lost(json!({"type": "image", "errors": errors(131_052)})));
    assert!(!lost(json!({"type": "unsupported", "errors": errors(131_051)})));
    assert!(!lost(json!({"type": "unsupported"})));
}

#[track_caller]
fn check_about(parts: Value, words: &str, about: &About) {
    let (_, body, found) = content::read(&parts);
    assert_eq!((body, &found), (text(words), about), "{parts}");
}

#[test]
fn words_under_a_file_are_words() {
    for (kind, name) in [("image", None), ("video", None), ("document", Some("menu.pdf"))] {
        let file = json!({"id": "1", "mime_type": "x/y", "caption": " Open? ", "filename": name});
        let mime_type = Some("x/y".to_owned());
        let media = Some(MediaRef { id: "1".into(), url: None, mime_type, sha256: None });
        let name = name.map(Personal::from);
        let under = Attachment { kind: kind.to_owned(), name: name.clone(), media, seen: false };
        let about = About { under: Some(under), ..About::default() };
        check_about(json!({"type": kind, kind: file}), "Open?", &about);
        let silent = json!({"id": "1", "mime_type": "x/y", "caption": " ", "filename": name});
        let silent = json!({"type": kind, kind: silent});
        assert_eq!(content::read(&silent), (kind.to_owned(), Body::Unsupported, about));
    }
    let sound = json!({"id": "1", "mime_type": "audio/mpeg", "caption": "What is said?"});
    let (_, body, about) = content::read(&json!({"type": "document", "document": sound}));
    assert!(matches!(body, Body::Audio { .. }));
    assert_eq!(about, About { caption: Some("What is said?".into()), ..About::default() });
}

#[test]
fn what_a_message_refers_to_is_read() {
    let asks = |key: &str, value: Value| json!({"type": "text", "text": {"body": "?"}, key: value});
    let quoting = About { reply_to: Some("wamid.q".into()), ..About::default() };
    check_about(asks("context", json!({"id": "wamid.q", "from": "1"})), "?", &quoting);
    for key in ["forwarded", "frequently_forwarded"] {
        let about = About { forwarded: true, ..About::default() };
        check_about(asks("context", json!({key: true})), "?", &about);
        check_about(asks("context", json!({key: false})), "?", &About::default());
    }
    let product = json!({"catalog_id": 7, "product_retailer_id": "BOOT-38"});
    let about = About { product: Some("BOOT-38 of catalog 7".into()), ..quoting };
    check_about(
        asks("context", json!({"id": "wamid.q", "referred_product": product})),
        "?",
        &about,
    );
    let advert =
        json!({"source_url": "https://fb.me/x", "headline": "Sale", "media_type": "image"});
    let about = About { advert: Some("Sale | https://fb.me/x".into()), ..About::default() };
    check_about(asks("referral", advert), "?", &about);
    for odd in
        [json!(1), json!("x"), json!([]), json!({"id": {}, "referred_product": 3}), json!({})]
    {
        check_about(asks("context", odd.clone()), "?", &About::default());
        check_about(asks("referral", odd), "?", &About::default());
    }
}

#[test]
fn what_belongs_to_a_tap_and_to_a_form_is_read() {
    let tapped = |more: &str| About { tapped: Some(more.into()), ..About::default() };
    let reply = |kind: &str, reply: Value| json!({"type": "interactive", "interactive": {"type": kind, kind: reply}});
    let row = json!({"id": "r1", "title": "Ten", "description": "for two"});
    check_about(reply("list_reply", row), "Ten", &tapped("for two | r1"));
    check_about(reply("button_reply", json!({"id": "b1", "title": "Yes"})), "Yes", &tapped("b1"));
    let same = reply("button_reply", json!({"id": "Yes", "title": "Yes"}));
    check_about(same, "Yes", &About::default());
    let template = json!({"type": "button", "button": {"text": "Yes", "payload": "order 7"}});
    check_about(template, "Yes", &tapped("order 7"));
    let answers = r#"{"flow_token": "t", "day": "Saturday", "people": "4"}"#;
    let form = reply("nfm_reply", json!({"body": "Sent", "response_json": answers}));
    let about = About { form: true, ..About::default() };
    check_about(form, "day: Saturday\npeople: 4", &about);
}

#[test]
fn a_place_and_a_card_are_words() {
    let place = json!({"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}});
    check_body(place, "location", &Body::Text { text: "📍 1.5, 2.5".into() });
    let card = json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Ada"}}]});
    check_body(card, "contacts", &Body::Text { text: "👤 Ada".into() });
}

#[test]
fn what_cannot_be_understood_is_answered_and_events_are_not() {
    for kind in [
        "image",
        "video",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "unsupported",
        "unknown",
        "interactive",
        "poll_of_the_future",
    ] {
        check_body(json!({ "type": kind }), kind, &Body::Unsupported);
    }
    for kind in ["reaction", "system", "edit", "revoke", "request_welcome"] {
        check_body(json!({ "type": kind }), kind, &Body::Silent);
    }
    let permission = json!({"type": "call_permission_reply"});
    let parts = json!({"type": "interactive", "interactive": permission});
    check_body(parts, "interactive", &Body::Silent);
    let in_group = json!({"type": "text", "text": {"body": "hi all"}, "group_id": "g1"});
    check_body(in_group, "text", &Body::Silent);
}

#[track_caller]
fn check_sender(ids: Value, contacts: Value, expected: Option<[&str; 3]>) {
    let mut message = json!({"id": "m", "type": "text", "text": {"body": "x"}});
    message.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
    let updates = read(&body(json!({"messages": [message], "contacts": contacts})));
    let personal = |text: &str| Some(Personal::from(text)).filter(|p| !p.0.is_empty());
    let expected = expected.map(|[user_id, phone, name]| ContactRef {
        user_id: personal(user_id),
        phone: personal(phone),
        profile_name: personal(name),
    });
    assert_eq!(updates.messages[0].from, expected);
}

#[test]
fn sender_is_found_wherever_the_ids_stand() {
    let ann = json!({"profile": {"name": "Ann"}, "wa_id": "4915550001", "user_id": "DE.a1"});
    let bob = json!({"profile": {"username": "@bob"}, "user_id": "DE.b2"});
    let both = Some(["DE.a1", "4915550001", "Ann"]);
    check_sender(json!({"from": "+49 1555-0001"}), json!([bob, ann]), both);
    check_sender(json!({"from_user_id": "DE.a1"}), json!([bob, ann]), both);
    check_sender(json!({"from": 4_915_550_001_u64}), json!([ann]), both);
    check_sender(json!({"from_user_id": "DE.b2"}), json!([ann, bob]), Some(["DE.b2", "", "@bob"]));
    // A user id in the places of phone numbers.
    let odd = json!({"profile": {"name": "Cy"}, "wa_id": "US.c3"});
    check_sender(json!({"from": "US.c3"}), json!([odd]), Some(["US.c3", "", "Cy"]));
    // No id in the message: only a lone contact can be meant.
    check_sender(json!({}), json!([ann]), both);
    check_sender(json!({"from": ""}), json!([ann]), both);
    check_sender(json!({}), json!([ann, bob]), None);
    check_sender(json!({}), Value::Null, None);
}

#[test]
fn another_contact_is_never_mixed_in() {
    let ann = json!({"profile": {"name": "Ann"}, "wa_id": "4915550001", "user_id": "DE.a1"});
    check_sender(json!({"from": "4915550002"}), json!([ann]), Some(["", "4915550002", ""]));
    let moved = json!({"from": "4915550001", "from_user_id": "DE.new"});
    check_sender(moved, json!([ann]), Some(["DE.new", "4915550001", ""]));
}

#[track_caller]
fn check_time(time: Value, expected_ms: i64) {
    let message = json!({"id": "m", "type": "text", "timestamp": time});
    assert_eq!(read(&body(json!({"messages": [message]}))).messages[0].sent_at_ms, expected_ms);
}

#[test]
fn times_are_seconds_or_milliseconds_in_strings_or_numbers() {
    check_time(json!("1790000000"), 1_790_000_000_000);
    check_time(json!(1_790_000_000), 1_790_000_000_000);
    check_time(json!(1_790_000_000.5), 1_790_000_000_000);
    check_time(json!("1790000000123"), 1_790_000_000_123);
    for nonsense in [json!("soon"), json!(-5), json!(null), json!([]), json!("9".repeat(40))] {
        check_time(nonsense, 0);
    }
    let mut dated = body(json!({"messages": [{"id": "m"}]}));
    dated["entry"][0]["time"] = json!(1_790_000_000);
    assert_eq!(read(&dated).messages[0].sent_at_ms, 1_790_000_000_000);
}

#[test]
fn statuses_carry_error_and_callback_data() {
    let failed = json!({
        "id": "wamid.9", "status": "failed", "timestamp": "1790000000",
        "errors": [{"code": 131_053, "title": "Media upload error"}],
        "biz_opaque_callback_data": "hark:t:0",
    });
    let mut list = vec![failed];
    for word in ["sent", "delivered", "read", "played", "deleted", "warning"] {
        list.push(json!({"id": "wamid.9", "status": word}));
    }
    list.extend([json!({"id": "wamid.9", "status": "teleported"}), json!({"status": "sent"})]);
    let updates = read(&body(json!({ "statuses": list })));
    assert_eq!((updates.statuses.len(), updates.others), (7, 2));
    let first = &updates.statuses[0];
    assert_eq!((first.status, first.error_code), (DeliveryStatus::Failed, Some(131_053)));
    assert_eq!(first.error_title.as_deref(), Some("Media upload error"));
    assert_eq!(first.callback_data.as_deref(), Some("hark:t:0"));
    assert_eq!((first.number.0.as_str(), first.at_ms), ("900", 1_790_000_000_000));
    assert_eq!(updates.statuses[4].status, DeliveryStatus::Played);
}

#[test]
fn every_entry_change_and_message_of_a_batch_is_read_in_order() {
    let change = |ids: [&str; 2], number: &str| {
        let messages: Vec<Value> = ids.iter().map(|id| json!({"id": id, "type": "text"})).collect();
        json!({"field": "messages", "value": {
            "metadata": {"phone_number_id": number}, "messages": messages,
            "statuses": [{"id": "s", "status": "read"}],
        }})
    };
    let updates = read(&json!({"entry": [
        {"changes": [change(["a", "b"], "900"), change(["c", "d"], "901")]},
        {"changes": [{"field": "calls", "value": {}}, change(["e", "f"], "900")]},
    ]}));
    let ids: String = updates.messages.iter().map(|message| message.id.0.as_str()).collect();
    assert_eq!(ids, "abcdef");
    assert_eq!(updates.messages[2].number.0, "901");
    assert_eq!((updates.statuses.len(), updates.others), (3, 1));
}

#[track_caller]
fn check_others(body: &Value, others: usize) {
    assert_eq!(read(body), Updates { others, ..Updates::default() });
}

#[test]
fn everything_else_is_counted() {
    check_others(&json!({"object": "whatsapp_business_account", "entry": []}), 0);
    check_others(&body(json!({"errors": [{"code": 1}, {"code": 2}]})), 2);
    check_others(&body(json!({"user_actions": [{}]})), 1);
    check_others(&body(json!({})), 1);
    let echo = json!({"message_echoes": [{"id": "m", "type": "text"}], "messages": [{"id": "m"}]});
    check_others(
        &json!({"entry": [{"changes": [{"field": "smb_message_echoes", "value": echo}]}]}),
        1,
    );
    check_others(&json!({"entry": [{"id": "1"}]}), 1);
    // Without an id a message cannot be deduplicated, without a number nobody can answer.
    check_others(&body(json!({"messages": [{"type": "text"}, {"id": ""}, {"id": null}]})), 3);
    let lost = json!({"field": "messages", "value": {"messages": [{"id": "m", "type": "text"}]}});
    check_others(&json!({"entry": [{"changes": [lost]}]}), 1);
}

#[test]
fn broken_elements_do_not_harm_their_neighbours() {
    let good = json!({"id": "good", "type": "text", "text": {"body": "still here"}});
    let junk = [json!(null), json!(7), json!("x"), json!([]), json!({"id": {}, "type": 3})];
    let mut messages = junk.to_vec();
    messages.push(json!({"id": "odd", "type": {}, "text": [], "from": {}, "timestamp": {}}));
    messages.push(good);
    let updates = read(&body(json!({"messages": messages, "contacts": junk, "statuses": junk})));
    assert_eq!(updates.others, 2 * junk.len());
    assert_eq!(updates.messages[0].body, Body::Unsupported);
    assert_eq!(updates.messages[1].body, text("still here"));

    for shape in [json!(null), json!(1), json!("x"), json!([]), json!({}), json!([[]])] {
        read(&shape);
        read(&json!({ "entry": shape }));
        read(&json!({ "entry": [{ "changes": shape }] }));
        read(&json!({ "entry": [{ "changes": [{ "field": "messages", "value": shape }] }] }));
        let parts = json!({"metadata": shape, "messages": shape, "statuses": shape});
        read(&body(parts));
    }
}

#[test]
fn only_what_cannot_be_mended_is_an_error() {
    for broken in ["", "{", "{\"entry\": [}", "nope", "not json", "\u{feff}", "[NaN", "{\"a\" 1}"] {
        parse(broken.as_bytes()).unwrap_err();
    }
    parse("[".repeat(100_000).as_bytes()).unwrap_err();
}

#[test]
fn what_goes_into_a_log_is_short_and_plain() {
    let long = "9".repeat(100_000);
    let value = json!({"metadata": {"phone_number_id": long}, "messages": [{"id": "1"}]});
    let change = json!({"field": "messages", "value": value});
    assert_eq!(read(&json!({"entry": [{"changes": [change]}]})).others, 1);
    for odd in ["a\nERROR forged", "\u{1b}[31m", &"x".repeat(100_000)] {
        let updates = read(&body(json!({"messages": [{"id": "1", "type": odd}]})));
        assert_eq!(updates.messages[0].raw_type, "unknown");
    }
}
