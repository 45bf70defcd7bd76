//! Decides about words that a model of whisper's kind wrote, wherever it runs: which are sounds, which
//! nobody said, which are its own prompt.
//!
//! Pure: text and numbers in, text and verdicts out.

mod cues;
mod leak;
mod loops;
mod quality;
mod tags;

pub(super) use leak::{confirmed, leaked};
pub(super) use quality::{WordsHeard, judge};
#[cfg(feature = "stt-whisper")]
pub(super) use quality::{cannot_be, may_be_astray};
pub(super) use tags::{segments_without_sounds, without_sounds};
