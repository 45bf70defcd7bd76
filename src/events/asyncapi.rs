//! The AsyncAPI document, made of the catalogue.

use serde_json::{Map, Value, json};

use super::catalogue::{CATALOGUE, CONTACT, EventEntry, EventField, FieldKind};

/// Returns the AsyncAPI 3.0 document of all events.
pub fn asyncapi() -> Value {
    let messages: Map<String, Value> = CATALOGUE.iter().map(message).collect();
    let refer = |name: &String| json!({ "$ref": format!("#/components/messages/{name}") });
    let of_channel: Map<String, Value> =
        messages.keys().map(|name| (name.clone(), refer(name))).collect();
    let sent: Vec<Value> = messages
        .keys()
        .map(|name| json!({ "$ref": format!("#/channels/events/messages/{name}") }))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "hark's events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every step of every conversation, as CloudEvents 1.0 in structured mode: by \
                server-sent events (GET /api/v1/events) and by signed webhooks \
                (/api/v1/event-webhooks). Those of one contact are in order; each comes at least once."
        },
        "defaultContentType": super::CLOUD_EVENT,
        "channels": { "events": { "address": "/api/v1/events", "messages": of_channel } },
        "operations": {
            "tell": {
                "action": "send",
                "channel": { "$ref": "#/channels/events" },
                "messages": sent
            }
        },
        "components": { "messages": messages }
    })
}

fn message(entry: &EventEntry) -> (String, Value) {
    let name = entry.kind.name();
    let fields: Vec<EventField> = entry.data.iter().copied().chain([CONTACT]).collect();
    let text = json!({ "type": "string" });
    let payload = json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text,
            "source": { "type": "string", "description": "/numbers/{id}/contacts/{id}" },
            "type": { "const": name },
            "subject": { "type": "string", "description": "the conversation's id" },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "data": object(&fields)
        }
    });
    (name.to_owned(), json!({ "name": name, "summary": entry.about, "payload": payload }))
}

fn object(fields: &[EventField]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = match field.kind {
                FieldKind::Text => json!({ "type": "string" }),
                FieldKind::Number => json!({ "type": "integer" }),
                FieldKind::Milliseconds => json!({ "type": "number" }),
                FieldKind::Flag => json!({ "type": "boolean" }),
                FieldKind::Texts => {
                    json!({ "type": "object", "additionalProperties": { "type": "string" } })
                }
                FieldKind::Object(fields) => object(fields),
                FieldKind::List(fields) => json!({ "type": "array", "items": object(fields) }),
            };
            schema["description"] = json!(field.about);
            (field.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.always).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}
