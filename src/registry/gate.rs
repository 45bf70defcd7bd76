//! The rules for words that may have been misheard.

use serde::{Deserialize, Serialize};

use crate::turn::Uncertainty;

/// Says what is done with uncertain words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAction {
    /// They are answered all the same; the record says that they were uncertain.
    #[default]
    Answer,
    /// "Did you say ...?"
    Confirm,
    /// "Could you say it again?"
    Repeat,
}

/// Holds the rules by what makes words uncertain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the rule for the uncertainty of that name")]
pub struct Gate {
    pub no_speech: GateAction,
    pub low_probability: GateAction,
    pub repetition: GateAction,
    pub beyond_model: GateAction,
    pub other_language: GateAction,
}

/// Holds an agent's own rules: one for every doubt, or some of the gate's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum GateOverride {
    All(GateAction),
    Keys {
        no_speech: Option<GateAction>,
        low_probability: Option<GateAction>,
        repetition: Option<GateAction>,
        beyond_model: Option<GateAction>,
        other_language: Option<GateAction>,
    },
}

impl Gate {
    /// Returns the rule for words that are uncertain for this reason.
    #[must_use]
    pub fn action(self, why: Uncertainty) -> GateAction {
        match why {
            Uncertainty::NoSpeech => self.no_speech,
            Uncertainty::LowProbability => self.low_probability,
            Uncertainty::Repetition => self.repetition,
            Uncertainty::BeyondModel => self.beyond_model,
            Uncertainty::OtherLanguage => self.other_language,
        }
    }

    /// Returns these rules with an agent's own in place of some.
    #[must_use]
    pub fn overridden(self, own: Option<&GateOverride>) -> Self {
        match own {
            None => self,
            Some(GateOverride::All(action)) => Self {
                no_speech: *action,
                low_probability: *action,
                repetition: *action,
                beyond_model: *action,
                other_language: *action,
            },
            Some(GateOverride::Keys {
                no_speech,
                low_probability,
                repetition,
                beyond_model,
                other_language,
            }) => Self {
                no_speech: no_speech.unwrap_or(self.no_speech),
                low_probability: low_probability.unwrap_or(self.low_probability),
                repetition: repetition.unwrap_or(self.repetition),
                beyond_model: beyond_model.unwrap_or(self.beyond_model),
                other_language: other_language.unwrap_or(self.other_language),
            },
        }
    }
}
