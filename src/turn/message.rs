//! What comes in: messages and delivery statuses, parsed.

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{About, MediaId, MessageId, Personal, PhoneNumberId};

/// Names one person as the provider does. At least one of the two ids is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRef {
    /// Business-scoped user id (`US.1349...`), the key when present.
    pub user_id: Option<Personal>,
    /// Phone number in digits: the key of contacts without a user id, an alias of the others.
    pub phone: Option<Personal>,
    /// Name shown in the profile.
    pub profile_name: Option<Personal>,
}

/// Says where a media file is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    /// The provider's id, valid for 7 days from the webhook.
    pub id: MediaId,
    /// Direct address, valid for about 5 minutes; absent on older webhooks.
    pub url: Option<String>,
    /// What the provider says the type is; never trusted for decoding.
    pub mime_type: Option<String>,
    /// SHA-256 of the file, hex or Base64.
    pub sha256: Option<String>,
}

/// Holds what an inbound message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Written words: a text, the title of what was tapped, the answers of a form, the words under
    /// a picture, a place or a card that was shared.
    Text {
        /// The words.
        text: Personal,
    },
    /// Spoken words: a voice note or a sound file, however it was sent.
    Audio {
        /// Where the file is.
        media: MediaRef,
    },
    /// Spoken words that the provider could not get from the person.
    Lost,
    /// A type that is answered by a short text: a picture without
    /// words, sticker, order, ...
    Unsupported,
    /// A type that is kept and starts no turn: reaction, system, edit, group message, ...
    Silent,
    /// What an operator says to the person; the store has the note, if it is spoken.
    Reply {
        /// Who says it.
        operator: String,
        /// Words to be written.
        text: Option<Personal>,
    },
    /// The words of a note that the person has not played.
    FollowUp {
        /// The words.
        text: Personal,
    },
}

/// Holds one message of a webhook, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// The business number it was sent to.
    pub number: PhoneNumberId,
    /// The provider's message id, the key of deduplication.
    pub id: MessageId,
    /// Who sent it; `None` for system messages that name nobody.
    pub from: Option<ContactRef>,
    /// The provider's own type word, e.g. `audio`.
    pub raw_type: String,
    /// What it carries.
    pub body: Body,
    /// What it refers to.
    pub about: About,
    /// When the person sent it, Unix milliseconds.
    pub sent_at_ms: i64,
}

/// Holds what somebody of the business wrote to a person on the phone, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The business number it was sent from.
    pub number: PhoneNumberId,
    /// The message.
    pub id: MessageId,
    /// Who got it: phone number in digits, or a user id.
    pub to: Personal,
    /// The words, if it is a text.
    pub text: Option<Personal>,
}

/// Says whether an accepted message was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Stored by this call.
    New,
    /// Its id was known already; nothing was stored.
    Duplicate,
}

words! {
    /// Says what happened to a message we sent.
    #[expect(missing_docs, reason = "the provider's own words")]
    pub enum DeliveryStatus {
        Sent = "sent",
        Delivered = "delivered",
        Read = "read",
        Played = "played",
        Failed = "failed",
        Deleted = "deleted",
        Warning = "warning",
    }
}

/// Holds one delivery status of a webhook, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The business number the message was sent from.
    pub number: PhoneNumberId,
    /// The message it is about.
    pub message: MessageId,
    /// The new status.
    pub status: DeliveryStatus,
    /// When it happened, Unix milliseconds.
    pub at_ms: i64,
    /// The provider's error code, for `failed`.
    pub error_code: Option<i64>,
    /// The provider's own words for it: title and details, safe to log.
    pub error_title: Option<String>,
    /// The `biz_opaque_callback_data` we sent, which names turn and part.
    pub callback_data: Option<String>,
}

words! {
    /// Says how a person asked to be answered.
    pub enum ReplyMode {
        /// In text, until they ask for the voice again.
        Text = "text",
        /// By voice again, as far as the agent speaks.
        Voice = "voice",
    }
}

/// Holds one turn of earlier conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the person said.
    pub heard: Personal,
    /// What we answered.
    pub answered: Personal,
}
