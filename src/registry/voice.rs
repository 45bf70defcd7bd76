//! The voices that agents name, as their engines know them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::turn::LanguageCode;

/// Names an agent's voices: one for all languages, or one each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum Voices {
    One(String),
    ByLanguage(BTreeMap<LanguageCode, String>),
}

impl Default for Voices {
    fn default() -> Self {
        Self::ByLanguage(BTreeMap::new())
    }
}

impl Voices {
    /// Returns the voice for `language`; `None` leaves the choice to the engine.
    pub fn for_language(&self, language: &LanguageCode) -> Option<Voice> {
        match self {
            Self::One(voice) => Some(Voice::Any(voice.clone())),
            Self::ByLanguage(voices) => {
                let own = voices.get(language).or_else(|| voices.get(language.primary()));
                own.cloned().map(Voice::Fixed)
            }
        }
    }

    /// Returns the languages that have a voice of their own.
    pub fn languages(&self) -> impl Iterator<Item = &LanguageCode> {
        let voices = match self {
            Self::One(_) => None,
            Self::ByLanguage(voices) => Some(voices.keys()),
        };
        voices.into_iter().flatten()
    }

    /// Returns the names of all voices.
    pub fn names(&self) -> Vec<&String> {
        match self {
            Self::One(voice) => vec![voice],
            Self::ByLanguage(voices) => voices.values().collect(),
        }
    }
}

/// Names the voice of one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// For whatever is said: an engine whose voices speak one language each takes it for that.
    Any(String),
    /// For the language of the sentence: taken as it is.
    Fixed(String),
}

impl Voice {
    /// Returns its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Any(name) | Self::Fixed(name) => name,
        }
    }
}
