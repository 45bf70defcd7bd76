//! What one turn cost, in the units that engines are paid by.

use serde::{Deserialize, Serialize};

/// Counts what a turn spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Seconds of speech that were transcribed.
    pub heard_s: f64,
    /// Tokens that the language model read, as its server counts them.
    pub prompt_tokens: u64,
    /// Tokens that it wrote.
    pub completion_tokens: u64,
    /// Characters that were given to the voice.
    pub spoken_chars: u64,
    /// Seconds of sound in the note.
    pub spoken_s: f64,
}
