//! Decodes one note, a slice at a time, and hands what it has over to the search for speech
//! (`search.rs`), so that one piece is looked at while the next is decoded.

use std::time::{Duration, Instant};

use super::search::SpeechSearch;
use super::stage::Trace;
use crate::audio::{AudioLimits, DecodeError, DecodeStep, SpeechDecoder};
use crate::turn::Stage;

/// Time that a note is worked on before others get their turn. One step of decoding may take longer
/// where a file is cut into its parts or has packets of any length: a tenth of a second at most.
pub(super) const SLICE: Duration = Duration::from_millis(8);

/// Sound after which a slice ends before that, in ms: a note of some seconds has the memory for it
/// without waiting.
const SLICE_MS: f64 = 2_000.0;

/// Bytes that are decoded at a time: an ordinary voice note whole.
pub(super) const PIECE: usize = 32 << 10;

/// Bytes that a slice adds to what it works on, give or take: [`SLICE_MS`] of samples.
const SLICE_BYTES: usize = 128 << 10;

/// Decodes one note.
pub(super) struct NoteDecoder {
    decoder: SpeechDecoder,
    search: SpeechSearch,
    audio_ms: f64,
    hungry: bool,
    trace: Trace,
}

/// Holds what is known of a note once all of it is there.
pub(super) struct NoteEnd {
    pub(super) audio_ms: f64,
    pub(super) unheard_bytes: u64,
}

impl NoteDecoder {
    /// Begins a note whose sound goes to `search`.
    pub(super) fn new(limits: AudioLimits, search: SpeechSearch, trace: &Trace) -> Self {
        let (decoder, trace) = (SpeechDecoder::new(limits), trace.clone());
        Self { decoder, search, audio_ms: 0.0, hungry: true, trace }
    }

    /// Returns whether it has nothing to do until bytes come.
    pub(super) fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// Returns how many bytes it and its next slice take, at most.
    pub(super) fn held_bytes(&self) -> usize {
        self.decoder.held_bytes() + SLICE_BYTES
    }

    /// Takes `bytes`, which may be the `last`, and decodes for a while, or until it needs more of them.
    /// Returns what there is to say of the note once all of it is decoded.
    pub(super) fn work(
        mut self,
        bytes: &[u8],
        last: bool,
    ) -> Result<(Self, Option<NoteEnd>), DecodeError> {
        let started = Instant::now();
        self.decoder.push(bytes)?;
        if last {
            self.decoder.end();
        }
        self.hungry = false;
        let (mut end, mut decoded_ms) = (None, 0.0);
        while decoded_ms < SLICE_MS && started.elapsed() < SLICE {
            match self.decoder.advance()? {
                DecodeStep::Speech(speech) => {
                    decoded_ms += speech.duration_ms();
                    self.search.put(speech);
                }
                DecodeStep::Waits => {
                    self.hungry = true;
                    break;
                }
                DecodeStep::Over { unheard_bytes } => {
                    let audio_ms = self.audio_ms + decoded_ms;
                    self.search.end();
                    end = Some(NoteEnd { audio_ms, unheard_bytes });
                    break;
                }
            }
        }
        self.audio_ms += decoded_ms;
        self.trace.noted(Stage::Decode, started, Instant::now());
        Ok((self, end))
    }
}
