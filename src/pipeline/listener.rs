//! Decodes one note and finds its speech, a slice at a time: both are handed to workers and come back,
//! so that one slice is looked at while the next is decoded.

use std::time::{Duration, Instant};

use super::stage::Trace;
use crate::audio::{
    AudioLimits, DecodeError, DecodeStep, Segmenter, Speech, SpeechDecoder, SpeechSpan,
};
use crate::turn::Stage;

/// Time that a note is worked on before others get their turn. One step of decoding may take longer
/// where a file is cut into its parts or has packets of any length: a tenth of a second at most.
const SLICE: Duration = Duration::from_millis(8);

/// Sound after which a slice ends before that, in ms: what is decoded while the speech in it is looked
/// for is hidden behind that.
const SLICE_MS: f64 = 2_000.0;

/// Bytes that are decoded at a time: an ordinary voice note whole.
pub(super) const PIECE: usize = 32 << 10;

/// Bytes that a slice adds to what it works on, give or take: [`SLICE_MS`] of samples.
const SLICE_BYTES: usize = 128 << 10;

/// Decodes one note.
pub(super) struct NoteDecoder {
    decoder: SpeechDecoder,
    audio_ms: f64,
    hungry: bool,
    trace: Trace,
}

/// Holds what a slice of decoding gave.
#[derive(Default)]
pub(super) struct DecodedSlice {
    pub(super) speech: Vec<Speech>,
    /// What there is to say of the note, once all of it is decoded.
    pub(super) end: Option<NoteEnd>,
}

/// Holds what is known of a note once all of it is there.
pub(super) struct NoteEnd {
    pub(super) audio_ms: f64,
    pub(super) unheard_bytes: u64,
}

impl NoteDecoder {
    pub(super) fn new(limits: AudioLimits, trace: &Trace) -> Self {
        let (decoder, trace) = (SpeechDecoder::new(limits), trace.clone());
        Self { decoder, audio_ms: 0.0, hungry: true, trace }
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
    pub(super) fn work(
        mut self,
        bytes: &[u8],
        last: bool,
    ) -> Result<(Self, DecodedSlice), DecodeError> {
        let started = Instant::now();
        self.decoder.push(bytes)?;
        if last {
            self.decoder.end();
        }
        self.hungry = false;
        let (mut slice, mut decoded_ms) = (DecodedSlice::default(), 0.0);
        while decoded_ms < SLICE_MS && started.elapsed() < SLICE {
            match self.decoder.advance()? {
                DecodeStep::Speech(speech) => {
                    decoded_ms += speech.duration_ms();
                    slice.speech.push(speech);
                }
                DecodeStep::Waits => {
                    self.hungry = true;
                    break;
                }
                DecodeStep::Over { unheard_bytes } => {
                    let audio_ms = self.audio_ms + decoded_ms;
                    slice.end = Some(NoteEnd { audio_ms, unheard_bytes });
                    break;
                }
            }
        }
        self.audio_ms += decoded_ms;
        self.trace.noted(Stage::Decode, started, Instant::now());
        Ok((self, slice))
    }
}

/// Finds the speech in what is decoded.
pub(super) struct SpeechFinder {
    segmenter: Segmenter,
    trace: Trace,
}

impl SpeechFinder {
    pub(super) fn new(trace: &Trace) -> Self {
        Self { segmenter: Segmenter::new(), trace: trace.clone() }
    }

    /// Returns how many bytes it holds.
    pub(super) fn held_bytes(&self) -> usize {
        self.segmenter.held_bytes()
    }

    /// Looks at what comes next; returns the speech that is complete, which the last of it is when the
    /// note is over.
    pub(super) fn work(mut self, slice: &[Speech], over: bool) -> (Self, Vec<SpeechSpan>) {
        let started = Instant::now();
        let pieces = slice.iter().flat_map(|speech| self.segmenter.push(speech));
        let mut spans: Vec<SpeechSpan> = pieces.collect();
        if over {
            spans.extend(std::mem::take(&mut self.segmenter).finish());
        }
        self.trace.noted(Stage::Vad, started, Instant::now());
        (self, spans)
    }
}
