//! Events as CloudEvents 1.0, as everybody gets them.
//!
//! The store has them in order; this writes one out. `source` names number and contact,
//! `subject` the conversation. Source: CloudEvents 1.0.2, JSON format.

pub mod asyncapi;
pub mod catalogue;
pub mod hooks;
pub mod post;
pub mod streams;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::store::EventRow;

/// The media type of one event.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Writes an event as a CloudEvent in structured mode. Its `id` is what a stream is resumed with.
pub fn cloud_event(row: &EventRow) -> Value {
    let time = Timestamp::from_millisecond(row.at_ms).unwrap_or_default();
    let data: Value = serde_json::from_str(row.data.reveal()).unwrap_or_default();
    let mut event = json!({
        "specversion": "1.0",
        "id": row.id.to_string(),
        "source": format!("/numbers/{}/contacts/{}", row.number, row.contact),
        "type": row.name,
        "time": time.to_string(),
        "datacontenttype": "application/json",
        "data": data,
    });
    if let Some(conversation) = row.conversation {
        event["subject"] = json!(conversation.to_string());
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Personal;

    #[test]
    fn an_event_says_where_and_what() {
        let row = EventRow {
            id: 7,
            name: "open-ticket".into(),
            number: "106".into(),
            contact: "3-a".into(),
            conversation: Some(5),
            at_ms: 1_767_225_600_000,
            data: Personal(r#"{"ticket":"t"}"#.into()),
        };
        let event = cloud_event(&row);
        let expected = json!({
            "specversion": "1.0", "id": "7", "source": "/numbers/106/contacts/3-a",
            "type": "open-ticket", "subject": "5", "time": "2026-01-01T00:00:00Z",
            "datacontenttype": "application/json", "data": { "ticket": "t" },
        });
        assert_eq!(event, expected);
        let outside = cloud_event(&EventRow { conversation: None, ..row });
        assert_eq!(outside.get("subject"), None);
    }
}
