//! Turns bytes into samples and samples into bytes.
//!
//! Pure: no tokio, no file or socket, no clock. Hostile bytes never panic, and every size has a
//! limit in [`limits`]. The way in is [`SpeechDecoder`] then [`Segmenter`]; the way out is
//! [`NoteEncoder`], or [`NoteStitcher`], which encodes [`SpanEncoder`]s side by side for one
//! [`NoteMuxer`].

pub mod coded;
pub mod decode;
mod downmix;
mod excerpt;
pub mod inspect;
pub mod limits;
mod mpeg_frame;
pub mod mux;
pub mod note;
mod opus_head;
mod pages;
pub mod pcm;
pub mod resample;
pub mod span;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod vad;
pub mod wav;

pub use coded::{CodedSpeech, NotPassable};
pub use decode::{DecodeError, DecodeStep, SpeechDecoder, decode};
pub use excerpt::Excerpt;
pub use inspect::{NoteHead, inspect_note};
pub use limits::AudioLimits;
pub use mpeg_frame::frame_length;
pub use mux::NoteMuxer;
pub use note::{EncodedSpan, NoteEncoder, NoteStitcher, SpanTask, opus_rate, quiet_cut};
pub use pcm::{OggOpus, Pcm, SampleRate, Speech};
pub use resample::Resampler;
pub use span::{EncodeError, FRAME_MS, PRIME_MS, Packet, SpanEncoder, lookahead};
pub use vad::{Segmenter, SpeechSpan};
pub use wav::{RawKind, RawPcm, WavStream, wav_of};
