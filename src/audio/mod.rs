//! Sound: bytes and samples in, samples and bytes out.
//!
//! Pure: no tokio, no file or socket, no clock. Hostile bytes never panic, and every size has a
//! limit that stands in [`limits`]. The way in is [`SpeechDecoder`] then [`Segmenter`]; the way
//! out is [`NoteEncoder`], or [`SpanEncoder`]s side by side with one [`NoteMuxer`].

pub mod pcm;

pub use pcm::{OggOpus, Pcm, SampleRate, Speech};
