//! What was measured: one row for each recording and each of those who heard it.

use std::sync::Arc;

use hark::turn::{LanguageCode, Transcript, Uncertainty};
use serde::Deserialize;

/// Describes a recording that was heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heading {
    pub(crate) name: String,
    pub(crate) language: Option<LanguageCode>,
    pub(crate) seconds: f64,
    /// What is said, as words are compared.
    pub(crate) said: Vec<String>,
}

/// Holds how one of the contestants heard one recording.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) clip: Arc<Heading>,
    /// The contestant.
    pub(crate) who: String,
    pub(crate) took: Took,
    /// The error is a sentence.
    pub(crate) heard: Result<Heard, String>,
}

/// Holds what it cost: CPU seconds of the process, user and system, and seconds by the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Took {
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
}

/// Holds what was heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// Words that are wrong, missing or too many.
    pub(crate) wrong: usize,
    /// The words, as words are compared.
    pub(crate) words: Vec<String>,
    /// What hark says of it; nothing of other programs.
    pub(crate) doubt: Option<Doubt>,
}

/// Holds what hark thinks of its own words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Doubt {
    pub(crate) language: LanguageCode,
    pub(crate) uncertain: Option<Uncertainty>,
    /// Mean log probability, where there are words.
    pub(crate) logprob: Option<f64>,
    pub(crate) no_speech: f64,
}

impl From<&Transcript> for Doubt {
    fn from(heard: &Transcript) -> Self {
        Self {
            language: heard.language.clone(),
            uncertain: heard.uncertain,
            logprob: heard.confidence.map(|confidence| f64::from(confidence).ln()),
            no_speech: heard.no_speech_prob.into(),
        }
    }
}

impl Row {
    /// Counts the wrong words; whoever failed has every word wrong.
    pub(crate) fn wrong(&self) -> usize {
        self.heard.as_ref().map_or(self.clip.said.len(), |heard| heard.wrong)
    }

    /// Returns the share of words that are wrong; may be above 1.
    pub(crate) fn rate(&self) -> f64 {
        ratio(self.wrong(), self.clip.said.len())
    }

    /// Counts the words that were heard.
    pub(crate) fn words(&self) -> usize {
        self.heard.as_ref().map_or(0, |heard| heard.words.len())
    }

    /// Returns what hark thinks of its words.
    pub(crate) fn doubt(&self) -> Option<&Doubt> {
        self.heard.as_ref().ok()?.doubt.as_ref()
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 words")]
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
