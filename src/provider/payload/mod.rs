//! Reads what Meta and 360dialog post: a body becomes messages, statuses and a count of the rest.
//!
//! Between the signature check and `Inbox::accept`. Invariant: only a body that is not JSON is an
//! error. Each element is read on its own, so that an unknown field, a missing piece or a wrong
//! type never costs more than that element.

mod about;
mod content;
mod form;
mod identity;
mod status;

use serde_json::Value;

use crate::turn::{Inbound, MessageId, PhoneNumberId, StatusUpdate};

/// Holds what one webhook body carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// Every message of every entry and change, in the order of the body.
    pub messages: Vec<Inbound>,
    /// Every delivery status, in the order of the body.
    pub statuses: Vec<StatusUpdate>,
    /// How many other updates there were: other fields, errors of the account, elements without
    /// an id, ...
    pub others: usize,
}

/// Says that the body is not JSON: answer 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("body is not JSON (line {line}, column {column})")]
pub struct PayloadError {
    /// Line of the first error.
    pub line: usize,
    /// Column of the first error.
    pub column: usize,
}

/// Reads a webhook body.
///
/// # Errors
/// If `body` is not JSON, or is nested deeper than 128 levels.
pub fn parse(body: &[u8]) -> Result<Updates, PayloadError> {
    let root: Value = serde_json::from_slice(body)
        .map_err(|error| PayloadError { line: error.line(), column: error.column() })?;
    let mut updates = Updates::default();
    for entry in elements(&root["entry"]) {
        let entry_ms = millis(&entry["time"]);
        let changes = elements(&entry["changes"]);
        if changes.is_empty() {
            updates.others += 1;
        }
        for change in changes {
            let before = updates.count();
            if change["field"] == "messages" {
                updates.read_value(&change["value"], entry_ms);
            }
            if updates.count() == before {
                updates.others += 1;
            }
        }
    }
    Ok(updates)
}

impl Updates {
    fn count(&self) -> usize {
        self.messages.len() + self.statuses.len() + self.others
    }

    /// Reads the `value` of a change of field `messages`.
    fn read_value(&mut self, value: &Value, entry_ms: Option<i64>) {
        let number = word(&value["metadata"]["phone_number_id"]).map(PhoneNumberId);
        let contacts = elements(&value["contacts"]);
        for (key, part) in value.as_object().into_iter().flatten() {
            match key.as_str() {
                "messaging_product" | "metadata" | "contacts" => {}
                "messages" => {
                    for message in elements(part) {
                        let read = read_message(message, number.as_ref(), contacts, entry_ms);
                        match read {
                            Some(message) => self.messages.push(message),
                            None => self.others += 1,
                        }
                    }
                }
                "statuses" => {
                    for element in elements(part) {
                        match status::read(element, number.as_ref(), entry_ms) {
                            Some(status) => self.statuses.push(status),
                            None => self.others += 1,
                        }
                    }
                }
                _ => self.others += elements(part).len().max(1),
            }
        }
    }
}

/// Reads one message; `None` without an id, which could not be deduplicated, or without a number,
/// which nobody could answer for.
fn read_message(
    message: &Value,
    number: Option<&PhoneNumberId>,
    contacts: &[Value],
    entry_ms: Option<i64>,
) -> Option<Inbound> {
    let id = word(&message["id"])?;
    let (raw_type, body, about) = content::read(message);
    Some(Inbound {
        number: number?.clone(),
        id: MessageId(id),
        from: identity::read(message, contacts),
        raw_type,
        body,
        about,
        sent_at_ms: millis(&message["timestamp"]).or(entry_ms).unwrap_or(0),
    })
}

/// Returns the elements of an array; none if it is something else.
fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Reads a string that is not blank, or a number where a string was meant.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads Unix milliseconds from a string or number of seconds. Milliseconds, seen in production,
/// show by their size: 10^11 s is the year 5138.
fn millis(value: &Value) -> Option<i64> {
    let time: i64 = word(value)?.split('.').next()?.parse().ok()?;
    match time {
        ..=0 => None,
        1..=100_000_000_000 => Some(time * 1000),
        _ => Some(time),
    }
}

#[cfg(test)]
mod tests;
