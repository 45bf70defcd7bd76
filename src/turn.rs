//! The words every part shares: ids, inbound messages, turns, parts and stage records.
//!
//! Bottom of the dependency order: nothing here knows a provider's JSON, a database or a codec.
//! Personal data is wrapped so that neither `Display` nor `Debug` can print it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// A business number's id at the provider (`metadata.phone_number_id`).
    PhoneNumberId
);
id!(
    /// A provider's message id, `wamid...` at Meta.
    MessageId
);
id!(
    /// A provider's media id.
    MediaId
);
id!(
    /// One turn; derived from the message that started it, so that a retry has the same id.
    TurnId
);

impl TurnId {
    /// Derives the id of the turn that answers `message` on `number`: 16 hex digits.
    pub fn of(number: &PhoneNumberId, message: &MessageId) -> Self {
        let digest = Sha256::new()
            .chain_update(number.0.as_bytes())
            .chain_update([0])
            .chain_update(message.0.as_bytes())
            .finalize();
        Self(hex::encode(&digest[..8]))
    }

    /// What is sent as `biz_opaque_callback_data` with part `index`: `hark:<turn>:<index>`.
    pub fn callback_data(&self, index: u32) -> String {
        format!("hark:{}:{index}", self.0)
    }

    /// Reads back what [`TurnId::callback_data`] wrote; `None` if it is not ours.
    pub fn parse_callback_data(data: &str) -> Option<(Self, u32)> {
        let (turn, index) = data.strip_prefix("hark:")?.rsplit_once(':')?;
        Some((Self(turn.to_owned()), index.parse().ok()?))
    }
}

/// A person's identifier or words: kept out of every log line.
///
/// `Debug` shows a short hash, so that two log lines about one person can be matched.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(pub String);

impl Personal {
    /// The value itself, for the provider, the store and the person's own agent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256::digest(self.0.as_bytes());
        write!(f, "user:{}", hex::encode(&digest[..3]))
    }
}

impl From<&str> for Personal {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

/// How the provider names one person. At least one of the two ids is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRef {
    /// Business-scoped user id (`US.1349...`), the key when present.
    pub user_id: Option<Personal>,
    /// Phone number in digits: the key of contacts without a user id, an alias of the others.
    pub phone: Option<Personal>,
    /// Name shown in the profile.
    pub profile_name: Option<Personal>,
}

/// Where a media file is found.
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

/// What an inbound message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Written words: a text, or the title of the button or list row that was tapped.
    Text {
        /// The words.
        text: Personal,
    },
    /// Spoken words: a voice note or an audio file.
    Audio {
        /// Where the file is.
        media: MediaRef,
    },
    /// A type that is answered by a short text: image, video, document, sticker, location, ...
    Unsupported,
    /// A type that is kept and starts no turn: reaction, system, edit, group message, ...
    Silent,
}

/// One message of a webhook, parsed.
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
    /// When the person sent it, Unix milliseconds.
    pub sent_at_ms: i64,
}

/// Whether an accepted message was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Stored by this call.
    New,
    /// Its id was known already; nothing was stored.
    Duplicate,
}

/// What happened to a message we sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the provider's own words")]
pub enum DeliveryStatus {
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Deleted,
    Warning,
}

/// One delivery status of a webhook, parsed.
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
    /// The provider's error title, for `failed`.
    pub error_title: Option<String>,
    /// The `biz_opaque_callback_data` we sent, which names turn and part.
    pub callback_data: Option<String>,
}

/// The stages of a turn, in the order of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the name of a stage")]
pub enum Stage {
    Download,
    Decode,
    Vad,
    Stt,
    Knowledge,
    Llm,
    Tts,
    Encode,
    Upload,
    Send,
}

impl Stage {
    /// The name used in JSON, spans and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Decode => "decode",
            Self::Vad => "vad",
            Self::Stt => "stt",
            Self::Knowledge => "knowledge",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Encode => "encode",
            Self::Upload => "upload",
            Self::Send => "send",
        }
    }

    /// Whether the time is an engine's or the provider's rather than our own overhead.
    pub fn is_external(self) -> bool {
        matches!(
            self,
            Self::Download | Self::Stt | Self::Llm | Self::Tts | Self::Upload | Self::Send
        )
    }
}

/// One interval in which a stage worked; times are milliseconds from the turn's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which stage.
    pub name: Stage,
    /// Start of the interval.
    pub start_ms: f64,
    /// End of the interval.
    pub end_ms: f64,
}

/// A span of a transcript with its place in the audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Start in the audio.
    pub start_ms: f64,
    /// End in the audio.
    pub end_ms: f64,
    /// The words.
    pub text: String,
}

/// What was heard in one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The words, trimmed.
    pub text: String,
    /// ISO 639-1 code, e.g. `en`.
    pub language: String,
    /// Probability that there was no speech, 0 to 1.
    pub no_speech_prob: f32,
    /// The transcript in pieces.
    pub segments: Vec<Segment>,
    /// Why the words may be wrong, if a check failed. Not part of the JSON; the report's reason
    /// says it.
    #[serde(skip)]
    pub uncertain: Option<Uncertainty>,
    /// Mean probability of the words, 0 to 1, where the engine tells it. Not part of the JSON.
    #[serde(skip)]
    pub confidence: Option<f32>,
}

/// Which check marked a transcript as uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// The model thinks there may have been no speech.
    NoSpeech,
    /// The mean log-probability of the tokens is low.
    LowProbability,
    /// The text repeats itself.
    Repetition,
}

impl Uncertainty {
    /// The name used in a report's reason.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSpeech => "no_speech",
            Self::LowProbability => "low_probability",
            Self::Repetition => "repetition",
        }
    }

    /// The reason of a turn that answered such words all the same.
    pub fn as_reason(self) -> String {
        format!("uncertain: {}", self.name())
    }
}

/// A language code without its region: `pt` of `pt-BR`.
pub fn primary_language(code: &str) -> &str {
    code.split(['-', '_']).next().unwrap_or(code)
}

/// How a person asked to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyMode {
    /// In text, until they ask for the voice again.
    Text,
    /// By voice again, as far as the agent speaks.
    Voice,
}

impl ReplyMode {
    /// The word in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Voice => "voice",
        }
    }
}

/// Indexes of the texts with links beside a note: beyond the parts of any answer.
pub const LINKS_PARTS: std::ops::RangeInclusive<u32> = 900..=999;

/// What the reason of a turn begins with that asked whether its words were heard right.
pub const TO_CONFIRM: &str = "confirm: ";

/// How a turn ended for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A voice note was sent.
    VoiceNote,
    /// The reply, or a sentence naming a problem, was sent as text.
    Text,
    /// A question back was sent: nothing was heard, or not surely.
    Question,
    /// The fallback sentence was sent.
    Fallback,
    /// Nothing could be delivered; `reason` says why.
    Failed,
}

impl Outcome {
    /// The name used in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::VoiceNote => "voice_note",
            Self::Text => "text",
            Self::Question => "question",
            Self::Fallback => "fallback",
            Self::Failed => "failed",
        }
    }
}

/// The voice note of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteInfo {
    /// Where the file was written; `None` when it only went to the provider.
    pub path: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// Length without pre-skip.
    pub duration_ms: f64,
    /// Mean bit rate of the file, bit/s.
    pub bitrate: u64,
}

/// When an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail the same way.
    Never,
    /// May work after this long.
    After(std::time::Duration),
}

/// The words of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyText {
    /// The whole reply, as written.
    pub text: String,
}

/// What one turn did: the object that `ask`, `demo`, `bench` and `turns` print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnReport {
    /// What was heard; `None` for written messages and for audio that could not be heard.
    pub transcript: Option<Transcript>,
    /// What was answered.
    pub reply: ReplyText,
    /// The voice note; `None` when the reply went as text.
    pub audio: Option<NoteInfo>,
    /// When each stage worked.
    pub stages: Vec<StageRecord>,
    /// From lease or input read to send answered or file closed.
    pub total_ms: f64,
    /// `total_ms` minus the union of the external stages.
    pub overhead_ms: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended other than with the reply that was wanted.
    pub reason: Option<String>,
}

impl TurnReport {
    /// Computes the overhead: `total_ms` minus the union of all external intervals.
    pub fn overhead(total_ms: f64, stages: &[StageRecord]) -> f64 {
        let mut external: Vec<(f64, f64)> = stages
            .iter()
            .filter(|record| record.name.is_external())
            .map(|record| (record.start_ms, record.end_ms))
            .collect();
        external.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut covered, mut until) = (0.0, f64::NEG_INFINITY);
        for (start, end) in external {
            if end > until {
                covered += end - start.max(until);
                until = end;
            }
        }
        (total_ms - covered).max(0.0)
    }
}

/// One turn of earlier conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the person said.
    pub heard: Personal,
    /// What we answered.
    pub answered: Personal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_data_names_turn_and_part() {
        let turn = TurnId::of(&"106".into(), &"wamid.A".into());
        assert_eq!(turn, TurnId::of(&"106".into(), &"wamid.A".into()));
        assert_ne!(turn, TurnId::of(&"107".into(), &"wamid.A".into()));
        assert_eq!(TurnId::parse_callback_data(&turn.callback_data(3)), Some((turn, 3)));
        assert_eq!(TurnId::parse_callback_data("someone else's"), None);
    }

    #[test]
    fn overhead_leaves_out_overlapping_engine_time_once() {
        let record = |name, start_ms, end_ms| StageRecord { name, start_ms, end_ms };
        let stages = [
            record(Stage::Llm, 10.0, 60.0),
            record(Stage::Tts, 40.0, 80.0),
            record(Stage::Encode, 50.0, 95.0),
            record(Stage::Llm, 45.0, 50.0),
            record(Stage::Send, 97.0, 100.0),
        ];
        assert!((TurnReport::overhead(100.0, &stages) - 27.0).abs() < 1e-9);
    }

    #[test]
    fn personal_data_does_not_print() {
        let printed = format!("{:?}", Personal::from("15551234567"));
        assert!(printed.starts_with("user:") && !printed.contains("555"), "{printed}");
    }
}
