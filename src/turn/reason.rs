//! Why a turn ended other than with the reply that was wanted.
//!
//! The record and every JSON hold a reason as one line of text. This file is the only one that
//! writes or reads that line; text it does not know survives as [`Reason::Other`].

use std::fmt;

use serde::de::value::{Error as Unknown, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};

use super::{Stage, Uncertainty};

/// Names why a turn ended other than with the reply that was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Reason {
    /// The person was asked whether they said these uncertain words.
    Confirm(Uncertainty),
    /// The person said no to that question and was asked to say it again.
    NotConfirmed,
    /// The person was asked to say uncertain words again.
    Repeat(Uncertainty),
    /// Uncertain words were answered all the same.
    Uncertain(Uncertainty),
    /// Nobody speaks in the message.
    NoSpeech,
    /// The audio has no byte or no sample.
    EmptyAudio,
    /// The audio is longer or larger than the limits.
    TooLong,
    /// The message has this type, which agents do not understand.
    UnsupportedType(String),
    /// The audio has this format, which is not decoded.
    UnsupportedFormat(String),
    /// The audio is damaged.
    CorruptAudio,
    /// The provider no longer has the file.
    MediaGone,
    /// A stage failed and the reply went out without it; the error where it is known.
    Without {
        /// The stage.
        stage: Stage,
        /// What it said.
        error: Option<String>,
    },
    /// The reply counts as sent; no answer of the provider says so, and this is its last.
    Unclear(String),
    /// The provider refused the links beside a note.
    LinksFailed(String),
    /// The provider refused something that an agent gave beside its words.
    ExtrasFailed(String),
    /// A stage failed and there was no reply.
    Failed {
        /// The stage.
        stage: Stage,
        /// What it said.
        error: String,
    },
    /// This many attempts ended without a reply.
    GaveUp {
        /// The attempts.
        attempts: u32,
    },
    /// The credits of the number or the agent are spent: a sentence of ours says so.
    CreditsSpent,
    /// It is outside the agent's hours: a sentence of ours says so.
    OutsideHours,
    /// An earlier attempt had made the reply.
    Resumed,
    /// The provider took the reply and could not deliver it.
    Undelivered {
        /// The provider's error code.
        code: Option<i64>,
        /// The provider's own words.
        title: Option<String>,
    },
    /// A person has taken the conversation over.
    TakenOver,
    /// The person had not written for 24 hours: WhatsApp delivers nothing but templates.
    WindowShut,
    /// Somebody took the message out of the queue.
    Dropped,
    /// The person sent more: what was not sent yet was left out.
    Interrupted,
    /// A reason of another version.
    Other(String),
}

impl Reason {
    /// Returns whether a sentence of ours was said in the place of an answer.
    pub fn is_instead(&self) -> bool {
        matches!(self, Self::CreditsSpent | Self::OutsideHours)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirm(why) => write!(f, "confirm: {}", why.name()),
            Self::NotConfirmed => f.write_str("not_confirmed"),
            Self::Repeat(why) => write!(f, "repeat: {}", why.name()),
            Self::Uncertain(why) => write!(f, "uncertain: {}", why.name()),
            Self::NoSpeech => f.write_str("no_speech"),
            Self::EmptyAudio => f.write_str("empty_audio"),
            Self::TooLong => f.write_str("too_long"),
            Self::UnsupportedType(what) => write!(f, "unsupported_type: {what}"),
            Self::UnsupportedFormat(what) => write!(f, "unsupported_format: {what}"),
            Self::CorruptAudio => f.write_str("corrupt_audio"),
            Self::MediaGone => f.write_str("media_gone"),
            Self::Without { stage, error: None } => write!(f, "{}_failed", stage.name()),
            Self::Without { stage, error: Some(e) } => write!(f, "{}_failed: {e}", stage.name()),
            Self::Unclear(error) => write!(f, "unclear_send: {error}"),
            Self::LinksFailed(error) => write!(f, "links_failed: {error}"),
            Self::ExtrasFailed(error) => write!(f, "extras_failed: {error}"),
            Self::Failed { stage, error } => write!(f, "{} failed: {error}", stage.name()),
            Self::GaveUp { attempts } => write!(f, "gave up after {attempts} attempts"),
            Self::CreditsSpent => f.write_str("credits_spent"),
            Self::OutsideHours => f.write_str("outside_hours"),
            Self::Resumed => f.write_str("resumed after a restart or a failed send"),
            Self::Undelivered { code, title } => {
                let code = code.map_or("without a code".to_owned(), |code| code.to_string());
                write!(f, "provider status failed {code}")?;
                title.as_ref().map_or(Ok(()), |title| write!(f, ": {title}"))
            }
            Self::TakenOver => f.write_str("taken_over"),
            Self::WindowShut => f.write_str("window_shut"),
            Self::Dropped => f.write_str("dropped"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Reason {
    /// Returns its line without the words of an error, which are logged where it happened.
    pub fn without_error(&self) -> String {
        let line = self.to_string();
        match self {
            Self::Without { .. }
            | Self::Unclear(_)
            | Self::LinksFailed(_)
            | Self::ExtrasFailed(_)
            | Self::Failed { .. } => {
                line.split_once(": ").map_or(line.as_str(), |(kind, _)| kind).to_owned()
            }
            _ => line,
        }
    }
}

/// Reads what a reason may have been written as. What is written differently again was not one.
fn parse(text: &str) -> Option<Reason> {
    let (kind, rest) = text.split_once(": ").unwrap_or((text, ""));
    let owned = || rest.to_owned();
    let given = || text.contains(": ").then(owned);
    Some(match kind {
        "confirm" => Reason::Confirm(word(rest)?),
        "not_confirmed" => Reason::NotConfirmed,
        "repeat" => Reason::Repeat(word(rest)?),
        "uncertain" => Reason::Uncertain(word(rest)?),
        "no_speech" => Reason::NoSpeech,
        "empty_audio" => Reason::EmptyAudio,
        "too_long" => Reason::TooLong,
        "unsupported_type" => Reason::UnsupportedType(owned()),
        "unsupported_format" => Reason::UnsupportedFormat(owned()),
        "corrupt_audio" => Reason::CorruptAudio,
        "media_gone" => Reason::MediaGone,
        "unclear_send" => Reason::Unclear(owned()),
        "links_failed" => Reason::LinksFailed(owned()),
        "extras_failed" => Reason::ExtrasFailed(owned()),
        "credits_spent" => Reason::CreditsSpent,
        "outside_hours" => Reason::OutsideHours,
        "resumed after a restart or a failed send" => Reason::Resumed,
        "taken_over" => Reason::TakenOver,
        "window_shut" => Reason::WindowShut,
        "dropped" => Reason::Dropped,
        "interrupted" => Reason::Interrupted,
        _ => {
            if let Some(stage) = kind.strip_suffix("_failed") {
                Reason::Without { stage: word(stage)?, error: given() }
            } else if let Some(stage) = kind.strip_suffix(" failed") {
                Reason::Failed { stage: word(stage)?, error: owned() }
            } else if let Some(code) = kind.strip_prefix("provider status failed ") {
                Reason::Undelivered { code: code.parse().ok(), title: given() }
            } else {
                let attempts = kind.strip_prefix("gave up after ")?.strip_suffix(" attempts")?;
                Reason::GaveUp { attempts: attempts.parse().ok()? }
            }
        }
    })
}

/// Reads one word of an enum, as its JSON has it.
fn word<T: DeserializeOwned>(name: &str) -> Option<T> {
    let name: StrDeserializer<'_, Unknown> = name.into_deserializer();
    T::deserialize(name).ok()
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        let known = parse(&text).filter(|reason| reason.to_string() == text);
        known.unwrap_or(Self::Other(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(reason: &Reason, text: &str) {
        assert_eq!(reason.to_string(), text);
        assert_eq!(&Reason::from(text.to_owned()), reason);
        assert_eq!(serde_json::to_value(reason).unwrap(), text);
        assert_eq!(&serde_json::from_value::<Reason>(text.into()).unwrap(), reason);
    }

    #[test]
    fn reasons_are_written_as_the_record_has_them_and_read_back() {
        check(&Reason::Confirm(Uncertainty::LowProbability), "confirm: low_probability");
        check(&Reason::NotConfirmed, "not_confirmed");
        check(&Reason::Repeat(Uncertainty::NoSpeech), "repeat: no_speech");
        check(&Reason::Uncertain(Uncertainty::Repetition), "uncertain: repetition");
        check(&Reason::NoSpeech, "no_speech");
        check(&Reason::EmptyAudio, "empty_audio");
        check(&Reason::TooLong, "too_long");
        check(&Reason::UnsupportedType("image".into()), "unsupported_type: image");
        check(&Reason::UnsupportedFormat("an mp3".into()), "unsupported_format: an mp3");
        check(&Reason::CorruptAudio, "corrupt_audio");
        check(&Reason::MediaGone, "media_gone");
        check(&Reason::Without { stage: Stage::Tts, error: None }, "tts_failed");
        let error = Some("send failed: no".to_owned());
        check(&Reason::Without { stage: Stage::Send, error }, "send_failed: send failed: no");
        let cut = "send failed: provider broke off: x".to_owned();
        check(&Reason::Unclear(cut), "unclear_send: send failed: provider broke off: x");
        check(&Reason::LinksFailed("send failed: no".into()), "links_failed: send failed: no");
        check(&Reason::ExtrasFailed("send failed: no".into()), "extras_failed: send failed: no");
        let error = "the time allowed is over".to_owned();
        check(&Reason::Failed { stage: Stage::Llm, error }, "llm failed: the time allowed is over");
        check(&Reason::GaveUp { attempts: 3 }, "gave up after 3 attempts");
        check(&Reason::CreditsSpent, "credits_spent");
        check(&Reason::OutsideHours, "outside_hours");
        check(&Reason::Resumed, "resumed after a restart or a failed send");
        check(&Reason::TakenOver, "taken_over");
        let title = Some("Message: gone".to_owned());
        check(
            &Reason::Undelivered { code: Some(131_026), title },
            "provider status failed 131026: Message: gone",
        );
        check(
            &Reason::Undelivered { code: None, title: None },
            "provider status failed without a code",
        );
    }

    #[test]
    fn the_words_of_an_error_can_be_left_out() {
        let failed = Reason::Failed { stage: Stage::Llm, error: "it said: no".into() };
        assert_eq!(failed.without_error(), "llm failed");
        let confirm = Reason::Confirm(Uncertainty::NoSpeech);
        assert_eq!(confirm.without_error(), "confirm: no_speech");
    }

    #[test]
    fn text_of_another_version_stays_as_it_is() {
        for text in
            ["", "confirm: ", "confirm: a hunch", "gave up after 03 attempts", "soul failed: x"]
        {
            check(&Reason::Other(text.to_owned()), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "(confirm|links_failed|llm failed|tts_failed)?(: )?.{0,20}") {
            prop_assert_eq!(Reason::from(text.clone()).to_string(), text);
        }
    }
}
