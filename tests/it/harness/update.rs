//! What the outside sends: people's messages, webhook bodies and their signatures.

use bytes::Bytes;
use hark::provider::door;
use hark::simulator::{PersonMessage, PersonSays};
use serde_json::{Value, json};

use super::PERSON;

/// A recording of `audio-fixtures`, as [`PERSON`] sends it.
pub(crate) fn voice_note(name: &str) -> PersonMessage {
    audio(fixture(name), "audio/ogg; codecs=opus")
}

/// The bytes of a recording.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/audio-fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Any bytes, sent as audio of this type.
pub(crate) fn audio(bytes: impl Into<Bytes>, mime_type: &str) -> PersonMessage {
    let mime_type = mime_type.to_owned();
    let says = PersonSays::Audio { bytes: bytes.into(), mime_type, with_url: true };
    PersonMessage::new(PERSON, says)
}

/// A text of a person who may show a phone number, a user id or both.
pub(crate) fn text_of(phone: &str, user_id: Option<&str>, text: &str) -> PersonMessage {
    let user_id = user_id.map(str::to_owned);
    PersonMessage { user_id, ..PersonMessage::new(phone, PersonSays::Text(text.to_owned())) }
}

/// The webhook body with these messages for a number.
pub(crate) fn messages(number: &str, messages: &[Value]) -> Value {
    change(number, &json!({ "messages": messages }))
}

/// The webhook body with these statuses for a number.
pub(crate) fn statuses(number: &str, statuses: &[Value]) -> Value {
    change(number, &json!({ "statuses": statuses }))
}

fn change(number: &str, parts: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550100000", "phone_number_id": number },
    });
    for (key, part) in parts.as_object().unwrap() {
        value[key] = part.clone();
    }
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] })
}

/// A text message of [`PERSON`], without a time: it counts as fresh.
pub(crate) fn text(id: &str, body: &str) -> Value {
    json!({ "id": id, "from": PERSON, "type": "text", "text": { "body": body } })
}

/// The signature header of a body.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    door::sign(&secret.into(), body)
}
