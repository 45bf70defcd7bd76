//! Reads what Meta and 360dialog post: a body becomes messages, statuses and a count of the rest.
//!
//! Between the signature check and `Inbox::accept`. Invariant: only a body that is not JSON is an
//! error. Each element is read on its own, so that an unknown field, a missing piece, a wrong type
//! or a token that JSON does not have never costs more than that element, and no body becomes more
//! in memory than `outline` allows.

mod about;
mod content;
mod echo;
mod form;
mod identity;
mod mend;
mod outline;
mod shared;
mod status;

use serde_json::Value;
use serde_json::value::RawValue;

use self::outline::Leaves;
use crate::turn::{Echo, Inbound, MessageId, PhoneNumberId, StatusUpdate};

/// Holds what one webhook body carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// Every message of every entry and change, in the order of the body.
    pub messages: Vec<Inbound>,
    /// Every delivery status, in the order of the body.
    pub statuses: Vec<StatusUpdate>,
    /// What people of the business wrote on the phone; counted with the others, too.
    pub echoes: Vec<Echo>,
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

/// Messages and statuses that are read of one body. Meta sends 1,000 at most.
const MOST: usize = 10_000;
/// Bytes of a number's id. Meta's have some 16.
const NUMBER_BYTES: usize = 64;

/// Reads a webhook body. One that is not quite JSON is mended: what is odd becomes `null`.
///
/// # Errors
/// If `body` is not JSON then, either.
pub fn parse(body: &[u8]) -> Result<Updates, PayloadError> {
    let text = String::from_utf8_lossy(body);
    Updates::read(&text, Leaves::All).or_else(|error| {
        let wrong = PayloadError { line: error.line(), column: error.column() };
        // Brackets that fit are what is left of JSON then.
        let mended =
            Some(mend::mended(&text)).filter(|mended| mended.trim_start().starts_with('{'));
        let read = mended.map(|mended| Updates::read(&mended, Leaves::Readable));
        read.and_then(Result::ok).ok_or(wrong)
    })
}

impl Updates {
    fn read(body: &str, leaves: Leaves) -> serde_json::Result<Self> {
        let root: &RawValue = serde_json::from_str(body)?;
        let mut updates = Self::default();
        for entry in outline::array(outline::member(root, "entry")?)? {
            let entry_ms = leaves.read_member(entry, "time")?.as_ref().and_then(millis);
            let changes = outline::array(outline::member(entry, "changes")?)?;
            if changes.is_empty() {
                updates.others += 1;
            }
            for change in changes {
                let before = updates.count();
                let field = leaves.read_member(change, "field")?.unwrap_or_default();
                let value = outline::member(change, "value")?;
                match field.as_str() {
                    Some("messages") => updates.read_value(value, entry_ms, leaves)?,
                    Some("smb_message_echoes") => {
                        let room = MOST - updates.echoes.len();
                        updates.echoes.extend(echo::read(value, leaves)?.into_iter().take(room));
                    }
                    _ => {}
                }
                if updates.count() == before {
                    updates.others += 1;
                }
            }
        }
        Ok(updates)
    }

    fn count(&self) -> usize {
        self.messages.len() + self.statuses.len() + self.others
    }

    /// Reads the `value` of a change of field `messages`.
    fn read_value(
        &mut self,
        value: Option<&RawValue>,
        entry_ms: Option<i64>,
        leaves: Leaves,
    ) -> serde_json::Result<()> {
        let Some(value) = value else { return Ok(()) };
        let metadata = leaves.read_member(value, "metadata")?.unwrap_or_default();
        let number = word(&metadata["phone_number_id"]).filter(|id| id.len() <= NUMBER_BYTES);
        let number = number.map(PhoneNumberId);
        let contacts = leaves.read_member(value, "contacts")?.unwrap_or_default();
        let contacts = elements(&contacts);
        for (key, part) in outline::object(value)? {
            match key.as_str() {
                "messaging_product" | "metadata" | "contacts" => {}
                "messages" | "statuses" => {
                    for element in outline::array(Some(part))? {
                        let full = self.messages.len() + self.statuses.len() >= MOST;
                        let Some(element) = leaves.read(element)?.filter(|_| !full) else {
                            self.others += 1;
                            continue;
                        };
                        self.read_element(&key, &element, number.as_ref(), contacts, entry_ms);
                    }
                }
                _ => self.others += outline::array(Some(part))?.len().max(1),
            }
        }
        Ok(())
    }

    /// Reads a message or a status.
    fn read_element(
        &mut self,
        key: &str,
        element: &Value,
        number: Option<&PhoneNumberId>,
        contacts: &[Value],
        entry_ms: Option<i64>,
    ) {
        let before = self.count();
        if key == "messages" {
            self.messages.extend(read_message(element, number, contacts, entry_ms));
        } else {
            self.statuses.extend(status::read(element, number, entry_ms));
        }
        if self.count() == before {
            self.others += 1;
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
