//! hark answers WhatsApp messages by voice.

pub mod agent;
pub mod audio;
pub mod clock;
pub mod speech_text;
pub mod tts;
pub mod turn;
