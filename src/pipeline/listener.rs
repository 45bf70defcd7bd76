//! Decodes one note and finds its speech, a slice at a time: it is handed to a worker and comes back.

use std::time::{Duration, Instant};

use super::stage::Trace;
use crate::audio::{AudioLimits, DecodeError, DecodeStep, Segmenter, SpeechDecoder, SpeechSpan};
use crate::turn::Stage;

/// Time that a note is worked on before others get their turn. One step of decoding may take longer
/// where a file is cut into its parts or has packets of any length: a tenth of a second at most.
const SLICE: Duration = Duration::from_millis(8);

/// Bytes that are decoded at a time: some seconds of a voice note.
pub(super) const PIECE: usize = 16 << 10;

/// Bytes that a slice adds to what it works on, give or take.
const SLICE_BYTES: usize = 64 << 10;

/// Decodes one note.
pub(super) struct Listener {
    decoder: SpeechDecoder,
    segmenter: Segmenter,
    audio_ms: f64,
    hungry: bool,
    trace: Trace,
}

/// Holds what a slice of work has found.
pub(super) struct Slice {
    /// Speech that is complete.
    pub(super) spans: Vec<SpeechSpan>,
    /// What there is to say of the note, once all of it is decoded.
    pub(super) end: Option<NoteEnd>,
}

/// Holds what is known of a note once all of it is there.
pub(super) struct NoteEnd {
    pub(super) audio_ms: f64,
    pub(super) unheard_bytes: u64,
}

impl Listener {
    pub(super) fn new(limits: AudioLimits, trace: &Trace) -> Self {
        Self {
            decoder: SpeechDecoder::new(limits),
            segmenter: Segmenter::new(),
            audio_ms: 0.0,
            hungry: true,
            trace: trace.clone(),
        }
    }

    /// Returns whether it has nothing to do until bytes come.
    pub(super) fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// Says that no more bytes come.
    pub(super) fn end(&mut self) {
        self.decoder.end();
    }

    /// Returns how many bytes it holds after its next slice, at most.
    pub(super) fn held_bytes(&self) -> usize {
        self.decoder.held_bytes() + self.segmenter.held_bytes() + SLICE_BYTES
    }

    /// Takes `bytes` and decodes for a while, until it needs more of them or an utterance is
    /// complete.
    pub(super) fn work(mut self, bytes: &[u8]) -> Result<(Self, Slice), DecodeError> {
        let (started, mut listening) = (Instant::now(), Duration::ZERO);
        self.decoder.push(bytes)?;
        self.hungry = false;
        let mut slice = Slice { spans: Vec::new(), end: None };
        while slice.spans.is_empty() && started.elapsed() < SLICE {
            match self.decoder.advance()? {
                DecodeStep::Speech(speech) => {
                    self.audio_ms += speech.duration_ms();
                    let decoded = Instant::now();
                    slice.spans = self.segmenter.push(&speech);
                    listening += decoded.elapsed();
                }
                DecodeStep::Waits => {
                    self.hungry = true;
                    break;
                }
                DecodeStep::Over { unheard_bytes } => {
                    slice.spans = std::mem::take(&mut self.segmenter).finish();
                    slice.end = Some(NoteEnd { audio_ms: self.audio_ms, unheard_bytes });
                    break;
                }
            }
        }
        let decoded = started + started.elapsed().saturating_sub(listening);
        self.trace.noted(Stage::Decode, started, decoded);
        self.trace.noted(Stage::Vad, decoded, decoded + listening);
        Ok((self, slice))
    }
}
