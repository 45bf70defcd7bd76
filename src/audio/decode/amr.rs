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
use crate::audio::{AudioLimits, SampleRate};

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

    /// Decodes the complete frames at the start of `bytes` into `mix`; returns how many bytes they
    /// take.
    ///
    /// # Errors
    /// `Corrupt` for an invalid frame: where the next one begins is unknown.
    pub(super) fn decode(&mut self, bytes: &[u8], mix: &mut Mix) -> Result<usize, DecodeError> {
        let mut rest = bytes;
        while let Some((&header, after)) = rest.split_first() {
            let variant = match self.band {
                Band::Narrow => AmrVariant::NarrowBand,
                Band::Wide => AmrVariant::WideBand,
            };
            let number = header >> 3 & 0xf;
            let kind = AmrFrameType::from_index(variant, number).map_err(|_| {
                DecodeError::corrupt(format!("an AMR frame of type {number}, which is reserved"))
            })?;
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

/// Decodes a `#!AMR` file while it arrives.
pub(super) struct AmrDecoder {
    sound: AmrSound,
    mix: Mix,
    /// An incomplete frame.
    pending: Vec<u8>,
    /// An invalid frame came: where the next one begins is unknown.
    broken: Option<DecodeError>,
}

impl AmrDecoder {
    pub(super) fn new(band: Band, limits: AudioLimits) -> Result<Self, DecodeError> {
        let (sound, mix) = (AmrSound::new(band)?, Mix::new(limits));
        Ok(Self { sound, mix, pending: Vec::new(), broken: None })
    }

    /// Takes the bytes after the magic number and returns the samples that became ready.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<f32>, DecodeError> {
        if self.broken.is_none() {
            self.pending.extend_from_slice(bytes);
            match self.sound.decode(&self.pending, &mut self.mix) {
                Ok(used) => drop(self.pending.drain(..used)),
                Err(error @ DecodeError::TooLong { .. }) => return Err(error),
                Err(error) => self.broken = Some(error),
            }
        }
        Ok(self.mix.take())
    }

    /// Returns the rest; what was decoded before a broken frame counts.
    pub(super) fn finish(self) -> Result<Vec<f32>, DecodeError> {
        match self.broken {
            _ if !self.mix.is_empty() => Ok(self.mix.finish()),
            Some(error) => Err(error),
            None => Err(DecodeError::Empty),
        }
    }
}
