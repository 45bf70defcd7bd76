//! The stages of a turn, and when each worked.

use serde::{Deserialize, Serialize};

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
    /// Never timed: where errors of the record belong.
    Store,
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
            Self::Store => "store",
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

/// When an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call would fail the same way.
    Never,
    /// May work after this long.
    After(std::time::Duration),
}
