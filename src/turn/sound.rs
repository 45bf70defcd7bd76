//! The sound of a turn: what came in, what went out.

use super::words::words;

words! {
    /// Says which sound of a turn is meant.
    pub enum SoundSide {
        /// The file that the person sent, as it came.
        In = "in",
        /// The voice note that was sent back.
        Out = "out",
    }
}

impl SoundSide {
    /// Reads what [`SoundSide::name`] wrote.
    pub fn named(name: &str) -> Option<Self> {
        [Self::In, Self::Out].into_iter().find(|side| side.name() == name)
    }
}
