//! Limits of the audio layer, all in one place; every decoder and encoder takes its bounds here.
//!
//! Hostile bytes cost at most what these numbers allow: input size bounds the parsing, duration
//! bounds the samples, the rest bounds what one header can claim.

use super::DecodeError;

/// Limits what a sender can make us decode. The configuration sets it (`limits.audio_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLimits {
    /// Largest input, in bytes.
    pub bytes: u64,
    /// Longest sound, in seconds; more is refused while decoding, not after.
    pub seconds: u32,
}

impl Default for AudioLimits {
    /// Takes `WhatsApp`'s own limit for audio, 16 MiB (Cloud API, "Supported Media Types"), and ten
    /// minutes, which is a very long voice note.
    fn default() -> Self {
        Self { bytes: 16 * 1024 * 1024, seconds: 600 }
    }
}

impl AudioLimits {
    /// Returns the longest sound in samples at 16 kHz.
    pub(in crate::audio) fn speech_samples(&self) -> u64 {
        u64::from(self.seconds) * u64::from(crate::audio::SampleRate::SPEECH.0)
    }

    /// Returns the most samples of a file, over all its channels and at its own rate.
    pub(in crate::audio) fn samples(&self) -> u64 {
        u64::from(self.seconds) * SAMPLES_PER_SECOND
    }
}

/// Samples of a file, over all its channels, for each second of the longest sound: what 96 kHz in
/// stereo has. Phones record 48 kHz in stereo, half of it; 384 kHz in eight channels has 16 times as
/// much, and may last 37 s of ten minutes.
const SAMPLES_PER_SECOND: u64 = 2 * 96_000;

/// Most channels that are mixed down: 7.1, and the most FLAC knows.
pub const MAX_CHANNELS: usize = 8;

/// Lowest input rate in Hz; telephone sound has 8000.
pub const MIN_RATE: u32 = 4_000;

/// Highest input rate in Hz; the resampler's block grows with the rate.
pub const MAX_RATE: u32 = 384_000;

/// Largest Opus packet we assemble: 48 frames of 1275 bytes (RFC 6716 section 3.2.5 and 3.4).
pub const MAX_OPUS_PACKET: usize = 48 * 1275;

/// Most packets of a file for each second of its longest duration: Opus has up to 400 of 2.5 ms.
pub const MAX_PACKETS_PER_SECOND: usize = 400;

/// Most files that are read of those appended to each other in one; each costs a decoder's start.
pub const MAX_LINKS: usize = 256;

/// Most Ogg pages with a wrong checksum before the rest is ignored: each costs a checksum over up
/// to 64 KiB, and overlapping false pages would make that quadratic.
pub const MAX_BAD_PAGES: usize = 1024;

/// Longest gap that is filled by loss concealment, in ms; libopus fades to silence long before.
pub const MAX_CONCEALED_MS: u32 = 5_000;

/// Most bytes of garbage before the first MP3 or AAC frame.
pub const MAX_PROBE_BYTES: u32 = 256 * 1024;

/// Longest pre-skip that may stay in the middle of a note, in samples at 48 kHz: 80 ms, the most
/// that RFC 7845 section 4.2 recommends. A longer one would be heard as a gap.
pub const MAX_PRE_SKIP: u16 = 3_840;

/// Largest voice note that `WhatsApp` plays in place; a larger one shows a download arrow.
pub const MAX_NOTE_BYTES: usize = 512 * 1024;

/// Refuses what a header claims beyond the limits.
pub(in crate::audio) fn check_sound(
    rate: Option<u32>,
    channels: Option<usize>,
) -> Result<(), DecodeError> {
    if let Some(rate) = rate.filter(|rate| !(MIN_RATE..=MAX_RATE).contains(rate)) {
        return Err(DecodeError::unsupported(format!("a sample rate of {rate} Hz")));
    }
    match channels {
        Some(count) if count > MAX_CHANNELS => {
            Err(DecodeError::unsupported(format!("{count} channels")))
        }
        _ => Ok(()),
    }
}
