//! hark answers WhatsApp messages by voice.

pub mod audio;
pub mod clock;
pub mod provider;
pub mod turn;
