//! `[[agents]]` and `[gate]`: who answers, and what becomes of doubtful words.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::turn::LanguageCode;

/// When a reply is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "default.toml documents every value")]
pub enum Reply {
    #[default]
    Voice,
    Reciprocal,
    Text,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Agent {
    pub name: String,
    pub prompt: Option<String>,
    pub language: Option<LanguageCode>,
    pub languages: Option<Vec<LanguageCode>>,
    pub timezone: Option<String>,
    #[serde(default)]
    pub reply: Reply,
    pub gate: Option<GateOverride>,
    pub stt: Option<Override>,
    pub llm: Option<Override>,
    pub tts: Option<Override>,
    pub voice: Option<Voice>,
    pub knowledge: Option<Vec<PathBuf>>,
}

/// The voice of an agent: one for all languages, or one each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum Voice {
    One(String),
    ByLanguage(BTreeMap<LanguageCode, String>),
}

/// What is done with words that may have been misheard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "default.toml documents every value")]
pub enum GateAction {
    Answer,
    Confirm,
    Repeat,
}

/// What is done with uncertain words, by what makes them uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Gate {
    pub no_speech: GateAction,
    pub low_probability: GateAction,
    pub repetition: GateAction,
}

/// An agent's own gate: one rule for every doubt, or some of the section's keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum GateOverride {
    All(GateAction),
    Keys {
        no_speech: Option<GateAction>,
        low_probability: Option<GateAction>,
        repetition: Option<GateAction>,
    },
}

impl Gate {
    /// The section with an agent's own rules over it.
    #[must_use]
    pub fn laid_under(self, own: Option<&GateOverride>) -> Self {
        match own {
            None => self,
            Some(GateOverride::All(action)) => {
                Self { no_speech: *action, low_probability: *action, repetition: *action }
            }
            Some(GateOverride::Keys { no_speech, low_probability, repetition }) => Self {
                no_speech: no_speech.unwrap_or(self.no_speech),
                low_probability: low_probability.unwrap_or(self.low_probability),
                repetition: repetition.unwrap_or(self.repetition),
            },
        }
    }
}

/// An agent's own engine: its name, or a table over the section's keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum Override {
    Engine(String),
    Keys(toml::Table),
}
