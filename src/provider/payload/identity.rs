//! Who sent a message: business-scoped user id, phone number, profile name.
//!
//! Since 2026 either id may be absent and a user id may take the place of a phone number.
//! Invariant: nothing of another contact of the same batch is ever mixed in.

use serde_json::Value;

use super::word;
use crate::turn::{ContactRef, Personal};

/// Reads the sender from a message and the `contacts` of its change.
pub(super) fn read(message: &Value, contacts: &[Value]) -> Option<ContactRef> {
    let mut who = Ids::read(&message["from_user_id"], &message["from"]);
    let named = contacts.iter().find(|contact| who.match_contact(contact));
    // A message that names nobody is from the only contact there is.
    let alone = || contacts.first().filter(|_| contacts.len() == 1 && who.is_empty());
    let contact = named.or_else(alone);
    if let Some(contact) = contact {
        let known = Ids::read(&contact["user_id"], &contact["wa_id"]);
        who.user_id = who.user_id.or(known.user_id);
        who.phone = who.phone.or(known.phone);
    }
    let profile_name = contact.and_then(|contact| {
        word(&contact["profile"]["name"]).or_else(|| word(&contact["profile"]["username"]))
    });
    (!who.is_empty()).then(|| ContactRef {
        user_id: who.user_id.map(Personal),
        phone: who.phone.map(Personal),
        profile_name: profile_name.map(Personal),
    })
}

struct Ids {
    user_id: Option<String>,
    phone: Option<String>,
}

impl Ids {
    /// Sorts the two fields, whatever they really hold.
    fn read(user_id: &Value, phone: &Value) -> Self {
        let user_id = word(user_id);
        match word(phone).map(|text| digits(&text).ok_or(text)) {
            Some(Ok(phone)) => Self { user_id, phone: Some(phone) },
            Some(Err(misplaced)) => Self { user_id: user_id.or(Some(misplaced)), phone: None },
            None => Self { user_id, phone: None },
        }
    }

    fn is_empty(&self) -> bool {
        self.user_id.is_none() && self.phone.is_none()
    }

    /// Returns whether `contact` is the same person: by user id where both have one, else by phone.
    fn match_contact(&self, contact: &Value) -> bool {
        let other = Self::read(&contact["user_id"], &contact["wa_id"]);
        match (&self.user_id, &other.user_id) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.phone.is_some() && self.phone == other.phone,
        }
    }
}

/// Returns the digits of a phone number; `None` if the text is something else, e.g. a user id.
fn digits(text: &str) -> Option<String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || "+ -()".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (plain && !digits.is_empty()).then_some(digits)
}
