//! Ids: string newtypes that are safe to log.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Defines a string newtype with `Display`, for ids that are safe to log.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }
    };
}

id!(
    /// Identifies a business number at the provider (`metadata.phone_number_id`).
    PhoneNumberId
);
id!(
    /// Identifies a message at the provider: `wamid...` at Meta.
    MessageId
);
id!(
    /// Identifies a media file at the provider.
    MediaId
);
id!(
    /// Names one serving process of those that share a queue.
    NodeId
);
id!(
    /// Identifies one turn; derived from the message that started it, so that a retry has the same id.
    TurnId
);

impl MessageId {
    /// Returns what logs show of it. Meta's ids hold the person's phone number in Base64, so of a
    /// long one only the end is shown, which is random; the record has all of it.
    pub fn for_logs(&self) -> String {
        let length = self.0.chars().count();
        if length <= LONGEST_OPEN {
            return self.0.clone();
        }
        let end: String = self.0.chars().skip(length - SHOWN_END).collect();
        format!("…{end}")
    }
}

/// Characters of the longest id that is shown whole. `wamid.` and Base64 of the header and of the
/// 7 digits of the shortest phone number, with what follows them, have more.
const LONGEST_OPEN: usize = 32;

/// Characters that are shown of a longer id. In Meta's the last 24 hold the random part.
const SHOWN_END: usize = 16;

impl TurnId {
    /// Derives the id of the turn that answers `message` on `number`: 16 hex digits.
    pub fn from_message(number: &PhoneNumberId, message: &MessageId) -> Self {
        let digest = Sha256::new()
            .chain_update(number.0.as_bytes())
            .chain_update([0])
            .chain_update(message.0.as_bytes())
            .finalize();
        Self(hex::encode(&digest[..8]))
    }

    /// Derives the id of the turn that answers anew, at `now_ms`, what this one did not.
    #[must_use]
    pub fn replayed(&self, now_ms: i64) -> Self {
        let digest =
            Sha256::new().chain_update(&self.0).chain_update(now_ms.to_be_bytes()).finalize();
        Self(hex::encode(&digest[..8]))
    }

    /// Returns what is sent as `biz_opaque_callback_data` with part `index`: `hark:<turn>:<index>`.
    pub fn callback_data(&self, index: u32) -> String {
        format!("hark:{}:{index}", self.0)
    }

    /// Reads back what [`TurnId::callback_data`] wrote; `None` if it is not ours.
    pub fn parse_callback_data(data: &str) -> Option<(Self, u32)> {
        let (turn, index) = data.strip_prefix("hark:")?.rsplit_once(':')?;
        Some((Self(turn.to_owned()), index.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_in_a_log_has_no_phone_number() {
        // Meta's form: a header, the phone number 15550001111, and 18 random hex digits.
        let id = "wamid.HBgLMTU1NTAwMDExMTEVAgARGBJDQjZCMzlEQUE4OTJBQzA0RDMA";
        let shown = MessageId::from(id).for_logs();
        assert_eq!(shown, "…QUE4OTJBQzA0RDMA");
        assert_eq!(MessageId::from("wamid.sim.test.1").for_logs(), "wamid.sim.test.1");
    }

    #[test]
    fn callback_data_names_turn_and_part() {
        let turn = TurnId::from_message(&"106".into(), &"wamid.A".into());
        assert_eq!(turn, TurnId::from_message(&"106".into(), &"wamid.A".into()));
        assert_ne!(turn, TurnId::from_message(&"107".into(), &"wamid.A".into()));
        assert_eq!(TurnId::parse_callback_data(&turn.callback_data(3)), Some((turn, 3)));
        assert_eq!(TurnId::parse_callback_data("someone else's"), None);
    }
}
