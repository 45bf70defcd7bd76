//! WAV, from senders' files and from engines that write it while they speak.
//!
//! One reader for both: `WavChunks` finds the samples, `Encoding` reads them. The file decoder
//! brings them to speech, [`WavStream`] hands them on as they arrive. [`wav_of`] writes speech.

mod chunks;
mod samples;
mod stream;
#[cfg(test)]
mod tests;
mod write;

pub(in crate::audio) use self::chunks::{WavChunks, WavHeader, WavPart};
pub(in crate::audio) use self::samples::{Encoding, WavFormat};
pub use self::stream::{RawKind, RawPcm, WavStream};
pub use self::write::wav_of;

/// Reads an unsigned number of up to 8 bytes.
fn number(bytes: &[u8], at: usize, width: usize, big: bool) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
    Some(if big { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) })
}
