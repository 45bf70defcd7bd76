//! Transcribes with whisper.cpp: loads a model and owns the threads that run it.
//!
//! The settings are part of every build, so that one without whisper.cpp can say what it lacks.

pub mod device;
#[cfg(feature = "stt-whisper")]
mod examine;
#[cfg(feature = "stt-whisper")]
mod first_step;
#[cfg(feature = "stt-whisper")]
mod heard;
#[cfg(feature = "stt-whisper")]
mod idle;
#[cfg(feature = "stt-whisper")]
mod language;
#[cfg(feature = "stt-whisper")]
#[cfg(feature = "stt-whisper")]
mod params;
#[cfg(feature = "stt-whisper")]
mod prompt;
#[cfg(feature = "stt-whisper")]
mod repeats;
#[cfg(feature = "stt-whisper")]
mod run;
mod settings;
#[cfg(feature = "stt-whisper")]
mod silero;
#[cfg(feature = "stt-whisper")]
mod tokens;
#[cfg(feature = "stt-whisper")]
mod transcriber;
#[cfg(feature = "stt-whisper")]
mod turnstile;
#[cfg(feature = "stt-whisper")]
mod voice;
#[cfg(feature = "stt-whisper")]
mod worker;

pub use settings::{Accuracy, CutAudioCtx, Settings, Vad};
#[cfg(feature = "stt-whisper")]
pub use transcriber::WhisperTranscriber;
