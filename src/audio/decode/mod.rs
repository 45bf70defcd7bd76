//! Decoding: bytes of any format in, 16 kHz mono speech out.
//!
//! The first stop of a voice note after the download. The content alone decides the format.
//! Ogg/Opus and AMR are decoded while they arrive; every other format is gathered and decoded at
//! the end. Whatever the bytes are, time and memory stay within [`super::limits`] and nothing
//! panics.

mod aac;
mod amr;
mod container;
mod flac;
mod format;
mod frames;
mod mix;
mod mp3;
mod mp4;
mod ogg_links;
mod ogg_opus;
mod opus_sound;
mod pieces;
mod track;
mod vorbis;
mod wav;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::{
    amr::AmrDecoder,
    format::Format,
    mix::Mix,
    ogg_opus::{OggContent, OggOpusDecoder},
};
use crate::audio::{AudioLimits, Speech};

/// Says why nothing could be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There were no bytes, or no sample in them: answer as for a note without speech.
    #[error("the audio is empty")]
    Empty,
    /// More bytes than the limit: tell the sender that the file is too big, do not retry.
    #[error("the audio is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// More sound than the limit: ask the sender for a shorter note, do not retry.
    #[error("the audio is longer than {limit_seconds} s")]
    TooLong {
        /// The limit, in seconds.
        limit_seconds: u32,
    },
    /// A format that we do not decode: ask for a voice note or a text, do not retry.
    #[error("unsupported audio: {what}")]
    Unsupported {
        /// The format, in words for a log.
        what: String,
    },
    /// Broken before the first sample: ask the sender to record again; a fresh download may help.
    #[error("corrupt audio: {detail}")]
    Corrupt {
        /// What is wrong, in words for a log.
        detail: String,
    },
}

impl DecodeError {
    pub(in crate::audio) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    pub(in crate::audio) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }
}

/// Decodes bytes as they arrive.
///
/// Broken bytes after a decodable beginning are dropped and counted: what was decoded counts. After
/// an error the decoder must not be used again.
pub struct SpeechDecoder {
    limits: AudioLimits,
    bytes: u64,
    /// Samples that were returned.
    given: u64,
    /// Bytes that were not heard in what the state does not hold any more.
    unheard: u64,
    state: DecoderState,
}

/// Holds the last samples of a file, and what there is to say of it.
#[derive(Clone, Debug, Default)]
pub struct SpeechEnd {
    /// What [`SpeechDecoder::push`] had not returned.
    pub speech: Speech,
    /// Bytes in which there may be sound that was not heard.
    pub unheard_bytes: u64,
}

enum DecoderState {
    /// Too few bytes to detect the format.
    Start(Vec<u8>),
    /// Ogg; the bytes are kept until an Opus stream has been seen.
    Ogg {
        decoder: Box<OggOpusDecoder>,
        kept: Option<Vec<u8>>,
    },
    Amr(Box<AmrDecoder>),
    /// A format that is decoded when all bytes are there.
    Whole {
        format: Format,
        bytes: Vec<u8>,
    },
}

impl SpeechDecoder {
    /// Makes a decoder for one file.
    #[must_use]
    pub fn new(limits: AudioLimits) -> Self {
        Self { limits, bytes: 0, given: 0, unheard: 0, state: DecoderState::Start(Vec::new()) }
    }

    /// Takes bytes in any portions and returns the 16 kHz samples that became ready: for Ogg/Opus
    /// and AMR everything in the pages or frames so far, for other formats nothing.
    ///
    /// # Errors
    /// Every [`DecodeError`] but `Empty`, as soon as it is certain.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Speech, DecodeError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(DecodeError::TooLarge { limit: self.limits.bytes });
        }
        guarded(|| {
            let mut speech = Vec::new();
            match &mut self.state {
                DecoderState::Start(start) => {
                    start.extend_from_slice(bytes);
                    if start.len() >= format::ENOUGH {
                        let start = std::mem::take(start);
                        self.begin(start, &mut speech)?;
                    }
                }
                DecoderState::Ogg { .. } => self.push_ogg(bytes, &mut speech)?,
                DecoderState::Amr(decoder) => speech = decoder.push(bytes)?,
                DecoderState::Whole { bytes: whole, .. } => whole.extend_from_slice(bytes),
            }
            self.given += speech.len() as u64;
            Ok(Speech::new(speech))
        })
    }

    /// Ends the input and returns the samples that [`Self::push`] has not returned.
    ///
    /// # Errors
    /// Every [`DecodeError`].
    pub fn finish(mut self) -> Result<SpeechEnd, DecodeError> {
        guarded(|| {
            let mut speech = Vec::new();
            if let DecoderState::Start(start) = &mut self.state {
                let start = std::mem::take(start);
                self.begin(start, &mut speech)?;
            }
            let before = self.given + speech.len() as u64;
            let unheard = match self.state {
                DecoderState::Start(_) => unreachable!("begin has chosen a format"),
                DecoderState::Ogg { decoder, .. } => decoder.finish(&mut speech)?,
                DecoderState::Amr(decoder) => {
                    let (rest, unheard) = decoder.finish()?;
                    speech.extend(rest);
                    unheard
                }
                DecoderState::Whole { format, bytes } => {
                    let size = bytes.len() as u64;
                    match container::decode(bytes, format, Mix::after(self.limits, before)) {
                        Ok((rest, unheard)) => {
                            speech.extend(rest);
                            unheard
                        }
                        Err(DecodeError::Corrupt { .. } | DecodeError::Unsupported { .. })
                            if before > 0 =>
                        {
                            size
                        }
                        Err(DecodeError::Empty) if before > 0 => 0,
                        Err(error) => return Err(error),
                    }
                }
            };
            let unheard_bytes = self.unheard + unheard;
            Ok(SpeechEnd { speech: Speech::new(speech), unheard_bytes })
        })
    }

    /// Chooses the format by the first bytes.
    fn begin(&mut self, start: Vec<u8>, speech: &mut Vec<f32>) -> Result<(), DecodeError> {
        match Format::detect(&start)? {
            Format::Ogg => {
                let decoder = Box::new(OggOpusDecoder::new(self.limits));
                self.state = DecoderState::Ogg { decoder, kept: Some(Vec::new()) };
                self.push_ogg(&start, speech)?;
            }
            Format::Amr(band) => {
                let mut decoder = Box::new(AmrDecoder::new(band, self.limits)?);
                *speech = decoder.push(&start[band.magic().len()..])?;
                self.state = DecoderState::Amr(decoder);
            }
            format => self.state = DecoderState::Whole { format, bytes: start },
        }
        Ok(())
    }

    fn push_ogg(&mut self, bytes: &[u8], speech: &mut Vec<f32>) -> Result<(), DecodeError> {
        let DecoderState::Ogg { decoder, kept } = &mut self.state else { return Ok(()) };
        if let Some(kept) = kept {
            kept.extend_from_slice(bytes);
        }
        match decoder.push(bytes, speech)? {
            OggContent::Unknown => {}
            OggContent::Opus => *kept = None,
            OggContent::Other => {
                let bytes = kept.take().unwrap_or_default();
                self.state = DecoderState::Whole { format: Format::Ogg, bytes };
            }
            OggContent::OtherAfterOpus => {
                self.unheard += decoder.unheard();
                let bytes = decoder.take_rest();
                self.state = DecoderState::Whole { format: Format::Ogg, bytes };
            }
        }
        Ok(())
    }
}

/// Decodes a complete file.
///
/// # Errors
/// Every [`DecodeError`].
pub fn decode(bytes: &[u8], limits: AudioLimits) -> Result<Speech, DecodeError> {
    let mut decoder = SpeechDecoder::new(limits);
    let begun = decoder.push(bytes)?;
    let rest = decoder.finish()?.speech;
    if begun.samples().is_empty() {
        return Ok(rest);
    }
    Ok(Speech::new([begun.samples(), rest.samples()].concat()))
}

/// Limits the damage of a decoder bug to one note: a panic becomes an error, after which the
/// decoder must not be used again, so that nothing half-done is seen.
fn guarded<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DecodeError::corrupt("the decoder failed on it")))
}
