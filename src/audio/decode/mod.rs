//! Decoding: bytes of any format in, 16 kHz mono speech out.
//!
//! The first stop of a voice note after the download. The content alone decides the format.
//! Ogg/Opus and AMR are decoded while they arrive; every other format is gathered and decoded at
//! the end. All are decoded in steps, between which the caller may do something else. Whatever the
//! bytes are, time and memory stay within [`super::limits`] and nothing panics.

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
    container::WholeFile,
    format::Format,
    mix::Mix,
    ogg_opus::{OggOpusDecoder, OggStep},
};
use crate::audio::{AudioLimits, Speech};

/// Bytes that a decoder works in beside the file: tables, a packet, and what it makes of it.
const STREAMING_BYTES: usize = 64 << 10;

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
    /// More samples than any usual file of that length: ask for a voice note, do not retry.
    #[error("the audio has {rate} Hz and {channels} channels, which is too much of it")]
    TooCostly {
        /// Its rate, in Hz.
        rate: u32,
        /// Its channels.
        channels: usize,
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

    /// Returns whether it ends a file whatever was decoded of it.
    pub(in crate::audio) fn is_a_limit(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::TooCostly { .. })
    }

    pub(in crate::audio) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }
}

/// Decodes bytes as they arrive, a little at a time: [`Self::push`] takes bytes, and each
/// [`Self::advance`] decodes some of them, which is about a millisecond of work.
///
/// Broken bytes after a decodable beginning are dropped and counted: what was decoded counts. After
/// an error the decoder must not be used again.
pub struct SpeechDecoder {
    limits: AudioLimits,
    bytes: u64,
    /// No more bytes come.
    ended: bool,
    /// Samples that were returned.
    given: u64,
    /// Bytes that were not heard in what the state does not hold any more.
    unheard: u64,
    state: DecoderState,
}

/// Says how far the decoding has come.
#[derive(Clone, Debug)]
pub enum DecodeStep {
    /// These samples became ready, perhaps none; there may be more at once.
    Speech(Speech),
    /// All bytes so far are decoded, or will be when the file has ended.
    Waits,
    /// The file is over.
    Over {
        /// Bytes in which there may be sound that was not heard.
        unheard_bytes: u64,
    },
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
    /// Such a format while it is decoded; `late` if there was sound before it.
    Reading {
        file: Box<WholeFile>,
        late: bool,
    },
    Over,
}

impl SpeechDecoder {
    /// Makes a decoder for one file.
    #[must_use]
    pub fn new(limits: AudioLimits) -> Self {
        let state = DecoderState::Start(Vec::new());
        Self { limits, bytes: 0, ended: false, given: 0, unheard: 0, state }
    }

    /// Takes bytes in any portions.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(DecodeError::TooLarge { limit: self.limits.bytes });
        }
        match &mut self.state {
            DecoderState::Start(held) | DecoderState::Whole { bytes: held, .. } => {
                append(held, bytes);
            }
            DecoderState::Ogg { decoder, kept } => {
                if let Some(kept) = kept {
                    append(kept, bytes);
                }
                decoder.push(bytes);
            }
            DecoderState::Amr(decoder) => decoder.push(bytes),
            DecoderState::Reading { .. } | DecoderState::Over => self.unheard += bytes.len() as u64,
        }
        Ok(())
    }

    /// Says that no more bytes come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Returns how many bytes it holds at most until the next byte is pushed.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match &self.state {
            DecoderState::Ogg { kept, .. } => STREAMING_BYTES + kept.as_ref().map_or(0, Vec::len),
            DecoderState::Amr(_) => STREAMING_BYTES,
            // Readers cut it into files of their own.
            DecoderState::Whole { bytes, .. } if self.ended => STREAMING_BYTES + 3 * bytes.len(),
            DecoderState::Start(bytes) | DecoderState::Whole { bytes, .. } => bytes.capacity(),
            DecoderState::Reading { .. } => {
                STREAMING_BYTES + 2 * usize::try_from(self.bytes).unwrap_or(usize::MAX / 4)
            }
            DecoderState::Over => 0,
        }
    }

    /// Decodes a little of what was pushed.
    ///
    /// # Errors
    /// Every [`DecodeError`], as soon as it is certain.
    pub fn advance(&mut self) -> Result<DecodeStep, DecodeError> {
        let step = guarded(|| self.step())?;
        if let DecodeStep::Speech(speech) = &step {
            self.given += speech.samples().len() as u64;
        }
        Ok(step)
    }

    fn step(&mut self) -> Result<DecodeStep, DecodeError> {
        match &mut self.state {
            DecoderState::Start(start) if self.ended || start.len() >= format::ENOUGH => {
                let start = std::mem::take(start);
                self.begin(start)?;
                Ok(DecodeStep::Speech(Speech::default()))
            }
            DecoderState::Ogg { .. } => self.step_ogg(),
            DecoderState::Amr(decoder) => {
                if decoder.step()? {
                    return Ok(DecodeStep::Speech(Speech::new(decoder.take())));
                }
                if !self.ended {
                    return Ok(DecodeStep::Waits);
                }
                let (rest, unheard) = decoder.finish()?;
                Ok(self.over(rest, unheard))
            }
            DecoderState::Whole { format, bytes } if self.ended => {
                let (format, bytes) = (*format, std::mem::take(bytes));
                let mix = Mix::after(self.limits, self.given);
                let file = Box::new(WholeFile::open(bytes, format, mix));
                self.state = DecoderState::Reading { file, late: self.given > 0 };
                Ok(DecodeStep::Speech(Speech::default()))
            }
            DecoderState::Start(_) | DecoderState::Whole { .. } => Ok(DecodeStep::Waits),
            DecoderState::Reading { file, late } => {
                let late = *late;
                match file.step() {
                    Ok(None) => Ok(DecodeStep::Speech(Speech::new(file.take()))),
                    Ok(Some((rest, unheard))) => Ok(self.over(rest, unheard)),
                    Err(DecodeError::Corrupt { .. } | DecodeError::Unsupported { .. }) if late => {
                        let size = file.size();
                        Ok(self.over(Vec::new(), size))
                    }
                    Err(DecodeError::Empty) if late => Ok(self.over(Vec::new(), 0)),
                    Err(error) => Err(error),
                }
            }
            DecoderState::Over => Ok(DecodeStep::Over { unheard_bytes: self.unheard }),
        }
    }

    /// Ends with these samples.
    fn over(&mut self, rest: Vec<f32>, unheard: u64) -> DecodeStep {
        self.unheard += unheard;
        self.state = DecoderState::Over;
        DecodeStep::Speech(Speech::new(rest))
    }

    /// Chooses the format by the first bytes.
    fn begin(&mut self, start: Vec<u8>) -> Result<(), DecodeError> {
        self.state = match Format::detect(&start)? {
            Format::Ogg => {
                let mut decoder = Box::new(OggOpusDecoder::new(self.limits));
                decoder.push(&start);
                DecoderState::Ogg { decoder, kept: Some(start) }
            }
            Format::Amr(band) => {
                let mut decoder = Box::new(AmrDecoder::new(band, self.limits)?);
                decoder.push(&start[band.magic().len()..]);
                DecoderState::Amr(decoder)
            }
            format => DecoderState::Whole { format, bytes: start },
        };
        Ok(())
    }

    fn step_ogg(&mut self) -> Result<DecodeStep, DecodeError> {
        let DecoderState::Ogg { decoder, kept } = &mut self.state else {
            unreachable!("called for Ogg")
        };
        let mut speech = Vec::new();
        let step = decoder.step(self.ended, &mut speech)?;
        match step {
            OggStep::Speech => {}
            OggStep::Waits => return Ok(DecodeStep::Waits),
            OggStep::Over(unheard) => return Ok(self.over(speech, unheard)),
            OggStep::Other => {
                let bytes = kept.take().unwrap_or_default();
                self.state = DecoderState::Whole { format: Format::Ogg, bytes };
                return Ok(DecodeStep::Speech(Speech::default()));
            }
            OggStep::OtherAfterOpus => {
                self.unheard += decoder.unheard();
                let bytes = decoder.take_rest();
                self.state = DecoderState::Whole { format: Format::Ogg, bytes };
            }
        }
        if let DecoderState::Ogg { decoder, kept } = &mut self.state
            && decoder.is_opus()
        {
            *kept = None;
        }
        Ok(DecodeStep::Speech(Speech::new(speech)))
    }
}

/// Appends to what may become large: with less room to spare than a `Vec` takes by itself.
fn append(held: &mut Vec<u8>, bytes: &[u8]) {
    if held.capacity() - held.len() < bytes.len() {
        held.reserve_exact(bytes.len().max(held.len() / 8));
    }
    held.extend_from_slice(bytes);
}

/// Decodes a complete file.
///
/// # Errors
/// Every [`DecodeError`].
pub fn decode(bytes: &[u8], limits: AudioLimits) -> Result<Speech, DecodeError> {
    let mut decoder = SpeechDecoder::new(limits);
    decoder.push(bytes)?;
    decoder.end();
    let mut samples = Vec::new();
    loop {
        match decoder.advance()? {
            DecodeStep::Speech(speech) => samples.extend_from_slice(speech.samples()),
            DecodeStep::Waits | DecodeStep::Over { .. } => return Ok(Speech::new(samples)),
        }
    }
}

/// Limits the damage of a decoder bug to one note: a panic becomes an error, after which the
/// decoder must not be used again, so that nothing half-done is seen.
fn guarded<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DecodeError::corrupt("the decoder failed on it")))
}
