//! Speaks with neural voices on our own processor, and with espeak-ng in languages that none of them
//! speaks.
//!
//! The voice of English is part of the program; others are files. A build without the cargo feature
//! `tts-neural` has none, and espeak-ng speaks every language.

#[cfg(feature = "tts-neural")]
mod english;
#[cfg(feature = "tts-neural")]
mod graph;
#[cfg(feature = "tts-neural")]
mod hibari;
#[cfg(feature = "tts-neural")]
mod piper;
mod settings;
#[cfg(feature = "tts-neural")]
mod synthesizer;
#[cfg(feature = "tts-neural")]
mod voices;

pub use self::settings::Settings;

#[cfg(test)]
#[cfg(feature = "tts-neural")]
mod tests;
