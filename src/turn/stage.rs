//! The stages of a turn, and when each worked.

use serde::{Deserialize, Serialize};

use super::words::words;

words! {
    /// Names the stages of a turn, in the order of the path.
    #[derive(PartialOrd, Ord)]
    #[expect(missing_docs, reason = "each is the name of a stage")]
    pub enum Stage {
        Download = "download",
        Decode = "decode",
        Vad = "vad",
        Stt = "stt",
        Knowledge = "knowledge",
        Llm = "llm",
        Tools = "tools",
        Tts = "tts",
        Encode = "encode",
        Upload = "upload",
        Send = "send",
        /// Never timed: where errors of the record belong.
        Store = "store",
    }
}

impl Stage {
    /// Returns whether the time is an engine's or the provider's rather than our own overhead.
    pub fn is_external(self) -> bool {
        matches!(
            self,
            Self::Download
                | Self::Stt
                | Self::Llm
                | Self::Tools
                | Self::Tts
                | Self::Upload
                | Self::Send
        )
    }
}

/// Holds one interval in which a stage worked; times are milliseconds from the turn's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which stage.
    pub name: Stage,
    /// Start of the interval.
    pub start_ms: f64,
    /// End of the interval.
    pub end_ms: f64,
}

/// Says when an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail the same way.
    Never,
    /// May work after this long.
    After(std::time::Duration),
}
