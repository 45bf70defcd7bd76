//! Encodes one span of a voice note to Opus packets; each span has its own libopus encoder.
//!
//! Sits between the synthesiser and the muxer. A note that is made as fast as we can encode is cut
//! into spans that are encoded side by side; their packets, in order, sound like those of one
//! encoder, since each span warms its encoder up with the sound before the cut.
//!
//! Settings: VOIP, mono, voice, constrained VBR, 20 ms, no DTX and no FEC (a file loses nothing).
//! Complexity 6: see [`COMPLEXITY`]. The bitrate falls with the position in the note, see
//! `BITRATES`.

use crate::audio::{SampleRate, pcm::sane};

/// Length of a frame and so of a packet, in ms.
pub const FRAME_MS: u32 = 20;

/// Least sound to prime a span with, in ms. After that the filters and the spectral state of the
/// encoder match those of one that heard everything.
pub const PRIME_MS: u32 = 80;

/// libopus complexity, 0 to 10.
///
/// Measured with libopus 1.6.1 for AVX2 at 24 kHz and 24 kbit/s, one thread of a shared EPYC core, best
/// of 24: ten seconds of note take 18 ms at 0, 35 at 3, 43 at 5, 45 at 6, 57 at 8 and at 10. On 34
/// recordings of people PESQ (wideband) gives 3.50 at 0, 3.69 at 3, 3.87 at 5, 3.98 at 6, 4.02 at 8 and
/// at 10: 6 is the first step whose quantiser libopus has for AVX2. It is also the last below 7, where
/// libopus's music detector begins, which is of no use for speech and would judge each span afresh.
pub const COMPLEXITY: i32 = 6;

/// Bitrate in bit/s from a position in the note on, in ms.
///
/// `WhatsApp` plays a note in place up to 512 KiB. With these steps and the pages' 80 bytes a
/// second a note reaches that after about 5 minutes; a longer one cannot stay below it, since 6
/// kbit/s is the least at which libopus still codes speech.
const BITRATES: [(f64, i32); 5] = [
    (0.0, 24_000),
    (60_000.0, 16_000),
    (120_000.0, 12_000),
    (180_000.0, 8_000),
    (240_000.0, 6_000),
];

/// Largest packet: at 24 kbit/s a VBR packet has 60 bytes, and rarely three times that.
const MAX_PACKET_BYTES: usize = 1275;

/// Says why nothing was encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Opus does not take this rate: resample first, see [`crate::audio::opus_rate`].
    #[error("opus does not take {hz} Hz")]
    Rate {
        /// The requested rate.
        hz: u32,
    },
    /// The sound changed its rate within a note: start a new note or resample.
    #[error("the note is at {expected_hz} Hz, the sound at {hz} Hz")]
    RateChanged {
        /// Rate of the note.
        expected_hz: u32,
        /// Rate of the sound.
        hz: u32,
    },
    /// libopus refused, which no input should make it do: report it.
    #[error("libopus failed")]
    Opus(#[from] opus::Error),
}

/// Holds one Opus packet: [`FRAME_MS`] of sound if we made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet(pub(in crate::audio) Vec<u8>);

impl Packet {
    /// Returns the encoded bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the length in samples at 48 kHz; 0 if the bytes are invalid.
    #[must_use]
    pub fn granules(&self) -> u64 {
        opus::packet::get_nb_samples(&self.0, 48_000).unwrap_or(0) as u64
    }
}

/// Encodes one span of a note. `Send`: a span may be encoded on any thread.
#[derive(Debug)]
pub struct SpanEncoder {
    encoder: opus::Encoder,
    rate: SampleRate,
    at_ms: f64,
    bitrate: i32,
    pending: Vec<f32>,
    /// The next packet follows one of another encoder.
    joins: bool,
}

impl SpanEncoder {
    /// Makes an encoder for the span that begins at `at_ms` of the note. `rate` is one of Opus's:
    /// 8, 12, 16, 24 or 48 kHz.
    ///
    /// # Errors
    /// `Rate` for any other rate.
    pub fn new(rate: SampleRate, at_ms: f64) -> Result<Self, EncodeError> {
        if !OPUS_RATES.contains(&rate.0) {
            return Err(EncodeError::Rate { hz: rate.0 });
        }
        let mut encoder =
            opus::Encoder::new(rate.0, opus::Channels::Mono, opus::Application::Voip)?;
        let bitrate = bitrate_at(at_ms);
        encoder.set_signal(opus::Signal::Voice)?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_vbr(true)?;
        encoder.set_vbr_constraint(true)?;
        encoder.set_bitrate(opus::Bitrate::Bits(bitrate))?;
        Ok(Self { encoder, rate, at_ms, bitrate, pending: Vec::new(), joins: false })
    }

    /// Feeds the sound right before the span, so that it begins like a continuation. Only complete
    /// frames up to the beginning of the span count; give at least [`PRIME_MS`].
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn prime(&mut self, preroll: &[f32]) -> Result<(), EncodeError> {
        let frame = frame_samples(self.rate);
        let (frames, mut scratch) = (preroll.rchunks_exact(frame).rev(), Vec::new());
        for samples in frames {
            scratch.clear();
            scratch.extend(samples.iter().copied().map(sane));
            self.encoder.encode_vec_float(&scratch, MAX_PACKET_BYTES)?;
            self.joins = true;
        }
        Ok(())
    }

    /// Takes samples in any portions and returns a packet for each complete frame.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Packet>, EncodeError> {
        let frame = frame_samples(self.rate);
        self.pending.extend(samples.iter().copied().map(sane));
        let pending = std::mem::take(&mut self.pending);
        let frames = pending.chunks_exact(frame);
        self.pending = frames.remainder().to_vec();
        frames.map(|samples| self.frame(samples)).collect()
    }

    /// Ends the note: fills up the last frame and flushes the lookahead with silence. Only for the
    /// last span; any other ends at a frame and is simply dropped.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn finish(mut self) -> Result<Vec<Packet>, EncodeError> {
        let wanted =
            (self.pending.len() + lookahead(self.rate)).next_multiple_of(frame_samples(self.rate));
        let silence = vec![0.0; wanted - self.pending.len()];
        self.push(&silence)
    }

    fn frame(&mut self, samples: &[f32]) -> Result<Packet, EncodeError> {
        let bitrate = bitrate_at(self.at_ms);
        if bitrate != self.bitrate {
            self.encoder.set_bitrate(opus::Bitrate::Bits(bitrate))?;
            self.bitrate = bitrate;
        }
        // The first packet after a cut must not depend on a guess of the other encoder's decoder
        // state; that costs a few bytes.
        let joins = std::mem::take(&mut self.joins);
        if joins {
            self.encoder.set_prediction_disabled(true)?;
        }
        // A packet keeps the bytes that it has, not those that it might have had.
        let mut room = [0; MAX_PACKET_BYTES];
        let length = self.encoder.encode_float(samples, &mut room)?;
        if joins {
            self.encoder.set_prediction_disabled(false)?;
        }
        self.at_ms += f64::from(FRAME_MS);
        Ok(Packet(room[..length].to_vec()))
    }
}

/// Rates that libopus takes, in Hz.
pub(in crate::audio) const OPUS_RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// Returns the samples in a frame at `rate`.
pub(in crate::audio) fn frame_samples(rate: SampleRate) -> usize {
    (rate.0 / 1000 * FRAME_MS) as usize
}

/// Returns libopus's delay in samples at `rate`, by which packets lag behind the sound: the decoder
/// drops them at the beginning (pre-skip). 6.5 ms at every rate: 2.5 ms of overlap, 4 ms of
/// compensation.
#[must_use]
pub fn lookahead(rate: SampleRate) -> usize {
    (rate.0 * 13 / 2000) as usize
}

fn bitrate_at(at_ms: f64) -> i32 {
    let (_, bitrate) =
        BITRATES.iter().rev().find(|(from, _)| at_ms >= *from).unwrap_or(&BITRATES[0]);
    *bitrate
}
