//! What one turn cost, in the units that engines are paid by.
//!
//! Counted over all attempts of a turn. Invariant: what is not known is said (`tokens`), never taken
//! for nothing.

use serde::{Deserialize, Serialize};

use super::EnginesUsed;
use super::words::words;

words! {
    /// Says how surely the tokens of a turn are counted.
    pub enum TokenCount {
        /// The model's server told all of them, or there are none.
        Told = "told",
        /// Some are an estimate of ours: the server told none.
        Estimated = "estimated",
        /// Some are missing: an answer was cut off before anybody counted.
        Lost = "lost",
    }
}

/// Counts what a turn spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// Seconds of speech that were transcribed.
    pub heard_s: f64,
    /// Tokens that the language model read, as its server counts them.
    pub prompt_tokens: u64,
    /// Those of them that the server had kept from before, which cost less.
    pub cached_tokens: u64,
    /// Tokens that it wrote, thoughts included.
    pub completion_tokens: u64,
    /// How surely tokens are counted.
    pub tokens: TokenCount,
    /// Characters that were given to the voice.
    pub spoken_chars: u64,
    /// Seconds of sound in the note.
    pub spoken_s: f64,
    /// Calls of tools that may have reached their server.
    pub tool_calls: u64,
    /// Answers that the agent gave; a sentence of ours is none.
    pub answers: u64,
    /// Which engines it was spent on.
    pub by: EnginesUsed,
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            heard_s: 0.0,
            prompt_tokens: 0,
            cached_tokens: 0,
            completion_tokens: 0,
            tokens: TokenCount::Told,
            spoken_chars: 0,
            spoken_s: 0.0,
            tool_calls: 0,
            answers: 0,
            by: EnginesUsed::default(),
        }
    }
}

impl Spent {
    /// Adds what an earlier attempt spent.
    pub fn add(&mut self, other: &Self) {
        self.heard_s += other.heard_s;
        self.prompt_tokens += other.prompt_tokens;
        self.cached_tokens += other.cached_tokens;
        self.completion_tokens += other.completion_tokens;
        self.count_as(other.tokens);
        self.spoken_chars += other.spoken_chars;
        self.spoken_s += other.spoken_s;
        self.tool_calls += other.tool_calls;
        self.answers += other.answers;
        self.by.add(&other.by);
    }

    /// Notes how surely some of the tokens are counted: the least sure count is the whole's.
    pub fn count_as(&mut self, tokens: TokenCount) {
        self.tokens = match (self.tokens, tokens) {
            (TokenCount::Lost, _) | (_, TokenCount::Lost) => TokenCount::Lost,
            (TokenCount::Estimated, _) | (_, TokenCount::Estimated) => TokenCount::Estimated,
            _ => TokenCount::Told,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_kept_is_read() {
        let kept = r#"{"heard_s":1.5,"prompt_tokens":7,"completion_tokens":3,"spoken_chars":9,"spoken_s":2.0}"#;
        let spent: Spent = serde_json::from_str(kept).unwrap();
        assert_eq!((spent.prompt_tokens, spent.cached_tokens, spent.tool_calls), (7, 0, 0));
        assert_eq!(spent.tokens, TokenCount::Told);
    }

    #[test]
    fn attempts_add_up_and_the_least_sure_count_stays() {
        let mut by = EnginesUsed::default();
        by.answered_by("openai/m");
        let first = Spent { prompt_tokens: 5, tokens: TokenCount::Lost, by, ..Spent::default() };
        let mut all = Spent { prompt_tokens: 2, tokens: TokenCount::Estimated, ..Spent::default() };
        all.add(&first);
        all.add(&first);
        assert_eq!((all.prompt_tokens, all.tokens), (12, TokenCount::Lost));
        assert_eq!(all.by.llm, ["openai/m"]);
    }
}
