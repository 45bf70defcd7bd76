//! Decodes AMR, the speech codec of telephones: `#!AMR` files while they arrive, and AMR tracks of
//! 3gp.
//!
//! Narrow band is 8 kHz, wide band 16 kHz; a frame has 20 ms, and its first byte says how long it
//! is. Frames that were lost or damaged, and the pauses that were not sent, become sound of their
//! length. Source: RFC 4867 section 5.

use codec_core::{
    codecs::amr::{AmrCodec, AmrFrameType, AmrVariant},
    types::{CodecConfig, CodedFrame, FrameKind, VariableRateCodec as _},
};

use super::{DecodeError, mix::Mix};
use crate::audio::{AudioLimits, SampleRate, limits::MAX_LINKS};

/// Names one of the two codecs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Band {
    Narrow,
    Wide,
}

impl Band {
    /// Returns the start of a file.
    pub(super) fn magic(self) -> &'static [u8] {
        match self {
            Self::Narrow => b"#!AMR\n",
            Self::Wide => b"#!AMR-WB\n",
        }
    }

    pub(super) fn rate(self) -> SampleRate {
        SampleRate(if self == Self::Narrow { 8_000 } else { 16_000 })
    }
}

/// Starts every file; no frame starts with it, since its lowest bits are padding of zeros.
const MAGIC: &[u8] = b"#!AMR";

/// Frames that are decoded at a time: half a second.
const FRAMES: usize = 25;

/// Decodes frames to samples, from whatever container they come.
pub(super) struct AmrSound {
    band: Band,
    codec: AmrCodec,
    /// The mode of the last speech frame, which a lost frame is assumed to have.
    mode: u8,
    samples: Vec<f32>,
}

impl AmrSound {
    pub(super) fn new(band: Band) -> Result<Self, DecodeError> {
        let config = match band {
            Band::Narrow => CodecConfig::amr_nb(),
            Band::Wide => CodecConfig::amr_wb(),
        };
        let codec =
            AmrCodec::new(&config).map_err(|error| DecodeError::corrupt(error.to_string()))?;
        Ok(Self { band, codec, mode: 0, samples: Vec::new() })
    }

    /// Decodes complete frames at the start of `bytes` into `mix`, at most [`FRAMES`] of them and up
    /// to the beginning of another file; returns how many bytes they take.
    ///
    /// # Errors
    /// `Corrupt` if they begin with an invalid frame: where the next one begins is unknown.
    pub(super) fn decode(&mut self, bytes: &[u8], mix: &mut Mix) -> Result<usize, DecodeError> {
        let mut rest = bytes;
        for _ in 0..FRAMES {
            let Some((&header, after)) = rest.split_first() else { break };
            if rest.starts_with(MAGIC) {
                break;
            }
            let variant = match self.band {
                Band::Narrow => AmrVariant::NarrowBand,
                Band::Wide => AmrVariant::WideBand,
            };
            let number = header >> 3 & 0xf;
            let Ok(kind) = AmrFrameType::from_index(variant, number) else {
                if rest.len() < bytes.len() {
                    break;
                }
                let what = format!("an AMR frame of type {number}, which is reserved");
                return Err(DecodeError::corrupt(what));
            };
            let Some((data, after)) = after.split_at_checked(kind.octet_aligned_bytes()) else {
                break;
            };
            rest = after;
            self.frame(kind, header & 4 != 0, data)?;
            mix.push(&self.samples, 1, self.band.rate())?;
        }
        Ok(bytes.len() - rest.len())
    }

    /// Decodes one frame into `samples`.
    fn frame(&mut self, kind: AmrFrameType, whole: bool, data: &[u8]) -> Result<(), DecodeError> {
        let kind = match kind {
            AmrFrameType::Speech(mode) => {
                self.mode = mode.index();
                FrameKind::Speech
            }
            AmrFrameType::Sid(_) => FrameKind::ComfortNoise,
            AmrFrameType::NoData => FrameKind::NoData,
            AmrFrameType::SpeechLost => FrameKind::Lost,
        };
        let frame = CodedFrame { kind, mode: self.mode, quality_ok: whole, data: data.to_vec() };
        let lost = CodedFrame { mode: self.mode, ..CodedFrame::lost() };
        let decoded = self.codec.decode_frame(&frame).or_else(|_| self.codec.decode_frame(&lost));
        let decoded = decoded.map_err(|error| DecodeError::corrupt(error.to_string()))?;
        self.samples.clear();
        self.samples.extend(decoded.into_iter().map(|sample| f32::from(sample) / 32_768.0));
        Ok(())
    }
}

/// Decodes a `#!AMR` file while it arrives, and those appended to it.
pub(super) struct AmrDecoder {
    sound: AmrSound,
    mix: Mix,
    /// Bytes that came.
    pending: Vec<u8>,
    /// How many of them are done with.
    at: usize,
    /// An invalid frame came: where the next one begins is unknown.
    lost: bool,
    broken: Option<DecodeError>,
    unheard: u64,
    /// Files that were appended.
    links: usize,
}

impl AmrDecoder {
    pub(super) fn new(band: Band, limits: AudioLimits) -> Result<Self, DecodeError> {
        let (sound, mix) = (AmrSound::new(band)?, Mix::new(limits));
        let (pending, at) = (Vec::new(), 0);
        Ok(Self { sound, mix, pending, at, lost: false, broken: None, unheard: 0, links: 0 })
    }

    /// Takes the bytes after the magic number.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.at);
        self.at = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// Decodes some frames; returns whether there was something to do.
    pub(super) fn step(&mut self) -> Result<bool, DecodeError> {
        let pending = std::mem::take(&mut self.pending);
        let used = self.go_on(&pending[self.at..]);
        self.pending = pending;
        let used = used?;
        self.at += used;
        Ok(used > 0)
    }

    /// Returns the samples that became ready.
    pub(super) fn take(&mut self) -> Vec<f32> {
        self.mix.take()
    }

    /// Takes the beginning of a file, or frames, or passes over what cannot be heard to the next
    /// beginning; returns how many bytes that are, none if it waits for more.
    fn go_on(&mut self, rest: &[u8]) -> Result<usize, DecodeError> {
        let bands = [Band::Narrow, Band::Wide];
        let begins = bands.into_iter().find(|band| rest.starts_with(band.magic()));
        if let Some(band) = begins.filter(|_| self.links < MAX_LINKS) {
            // Another recording was appended.
            self.links += 1;
            (self.sound, self.lost) = (AmrSound::new(band)?, false);
            return Ok(band.magic().len());
        }
        if rest.starts_with(MAGIC) {
            if begins.is_none() && rest.len() < Band::Wide.magic().len() {
                return Ok(0);
            }
            self.lost = true;
        }
        if !self.lost {
            match self.sound.decode(rest, &mut self.mix) {
                Ok(used) => return Ok(used),
                Err(error) if error.is_a_limit() => return Err(error),
                Err(error) => drop(self.broken.get_or_insert(error)),
            }
            self.lost = true;
        }
        let next = rest.windows(MAGIC.len()).skip(1).position(|bytes| bytes == MAGIC);
        let passed = next.map_or(rest.len().saturating_sub(MAGIC.len() - 1), |at| at + 1);
        self.unheard += passed as u64;
        Ok(passed)
    }

    /// Returns the rest, and how many bytes were not heard; what was decoded before a broken frame
    /// counts.
    pub(super) fn finish(&mut self) -> Result<(Vec<f32>, u64), DecodeError> {
        let left = &self.pending[self.at..];
        let rest = if self.lost || left.starts_with(MAGIC) { left.len() } else { 0 };
        match self.broken.take() {
            _ if !self.mix.is_empty() => Ok((self.mix.finish(), self.unheard + rest as u64)),
            Some(error) => Err(error),
            None => Err(DecodeError::Empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes in portions; returns samples and bytes that were not heard.
    fn heard(bytes: &[u8], portion: usize) -> (usize, u64) {
        let mut decoder = AmrDecoder::new(Band::Narrow, AudioLimits::default()).unwrap();
        let mut pushed = 0;
        for bytes in bytes.chunks(portion) {
            decoder.push(bytes);
            while decoder.step().unwrap() {}
            pushed += decoder.take().len();
        }
        let (rest, unheard) = decoder.finish().unwrap();
        (pushed + rest.len(), unheard)
    }

    #[test]
    fn files_appended_behind_anything_are_heard_however_the_bytes_arrive() {
        // A pause of 20 ms is one byte.
        let narrow = b"#!AMR\n\x7c\x7c";
        let wide = b"#!AMR-WB\n\x7c";
        let all = [
            b"\x7c\x48broken",
            &narrow[..],
            b"#!AMR\n",
            narrow,
            b"#!AMR_MC1.0\n....",
            wide,
            b"\x50broken",
            narrow,
        ];
        let bytes = all.concat();
        for portion in 1..=bytes.len() {
            assert_eq!(heard(&bytes, portion), (8 * 320, 7 + 16 + 7), "portions of {portion}");
        }
    }

    #[test]
    fn hostile_beginnings_cost_no_decoder_each() {
        let bytes = [b"\x7c", &b"#!AMR\n\x48".repeat(1 << 20)[..]].concat();
        let (samples, unheard) = heard(&bytes, bytes.len());
        assert_eq!(samples, 320);
        assert!(unheard > 7 * ((1 << 20) - MAX_LINKS as u64), "{unheard}");
    }
}
