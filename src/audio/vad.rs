//! Voice activity: which stretches of a note are worth transcribing.
//!
//! Between the decoder and the transcriber. An ordinary note becomes one span with its pauses; what
//! holds no voice becomes none, so that nothing is transcribed out of silence. Streams: a span is
//! given as soon as it cannot grow any more.

use earshot::Detector;

use crate::audio::{SampleRate, Speech};

/// earshot's frame: 16 ms.
const FRAME: usize = 256;

/// A frame with at least this score is voice. earshot's documentation suggests 0.5.
const VOICE: f32 = 0.5;

/// Voiced frames, less unvoiced ones between them, that make a voice believable: 80 ms. A click or
/// a knock is shorter, the shortest "sí" is longer.
const BELIEVED: usize = 5;

/// How long ago a voice may have begun when it is believed: 20 frames.
const ONSET: usize = 4 * BELIEVED * FRAME;

/// What is kept before the first and after the last voiced frame: 0.2 s, so that a soft onset or a
/// final s is not cut.
const PADDING: usize = 3200;

/// Frames of silence that end a span: 3 s. Shorter pauses belong to one note.
const LONGEST_PAUSE: usize = 188;

/// Longest span: the 30 s that whisper hears at once.
const LONGEST_SPAN: usize = 30 * 16_000;

/// Where a span that is too long may be cut: its last 10 s.
const CUT_WITHIN: usize = 10 * 16_000;

/// Frames that are quiet together where a span is cut: 80 ms.
const QUIET: usize = 5;

/// Frames of near silence that the detector hears first: 0.5 s. Its score means little during its
/// first 0.3 s, which would swallow a short "yes".
const LEAD_IN: usize = 31;

/// A stretch of a note with speech in it.
#[derive(Clone, Debug)]
pub struct SpeechSpan {
    /// Where it begins in the note.
    pub start_ms: f64,
    /// Its sound, at most 30 s.
    pub speech: Speech,
}

/// Cuts speech out of a note.
pub struct Segmenter {
    detector: Box<Detector>,
    /// Samples from `kept_from` on: those of the open span, or the last that padding may need.
    kept: Vec<f32>,
    kept_from: usize,
    /// Samples that the detector has heard.
    heard: usize,
    /// Voiced frames of late, see [`BELIEVED`], and where they began.
    run: usize,
    run_from: usize,
    open: Option<Open>,
}

/// A span that may still grow.
#[derive(Clone, Copy)]
struct Open {
    from: usize,
    /// End of the last voiced frame.
    voiced_to: usize,
}

impl Default for Segmenter {
    fn default() -> Self {
        Self::new()
    }
}

impl Segmenter {
    /// Makes a segmenter for one note.
    #[must_use]
    pub fn new() -> Self {
        let mut detector = Detector::default_boxed();
        for frame in lead_in().chunks_exact(FRAME) {
            detector.predict_f32(frame);
        }
        Self { detector, kept: Vec::new(), kept_from: 0, heard: 0, run: 0, run_from: 0, open: None }
    }

    /// Takes the next speech and returns the spans that it completes.
    pub fn push(&mut self, speech: &Speech) -> Vec<SpeechSpan> {
        let mut spans = Vec::new();
        self.kept.extend_from_slice(speech.samples());
        while self.heard + FRAME <= self.kept_from + self.kept.len() {
            let at = self.heard - self.kept_from;
            let score = self.detector.predict_f32(&self.kept[at..at + FRAME]);
            self.frame(score, &mut spans);
        }
        self.forget();
        spans
    }

    /// Ends the note and returns the last span, if there is one.
    #[must_use]
    pub fn finish(mut self) -> Vec<SpeechSpan> {
        let mut spans = Vec::new();
        let end = self.kept_from + self.kept.len();
        let tail = self.kept[self.heard - self.kept_from..].to_vec();
        if !tail.is_empty() {
            let mut frame = tail;
            frame.resize(FRAME, 0.0);
            let score = self.detector.predict_f32(&frame);
            self.frame(score, &mut spans);
        }
        if let Some(open) = self.open.take() {
            spans.extend(self.span(open.from, (open.voiced_to + PADDING).min(end)));
        }
        spans
    }

    /// Takes the detector's score for the next frame.
    fn frame(&mut self, score: f32, spans: &mut Vec<SpeechSpan>) {
        let at = self.heard;
        self.heard += FRAME;
        if score >= VOICE {
            if self.run == 0 {
                self.run_from = at;
            }
            self.run = (self.run + 1).min(2 * BELIEVED);
        } else {
            self.run = self.run.saturating_sub(1);
        }
        if score >= VOICE && self.run >= BELIEVED {
            let from = self.run_from.max(self.heard.saturating_sub(ONSET)).saturating_sub(PADDING);
            let from = from.max(self.kept_from);
            self.open.get_or_insert(Open { from, voiced_to: at }).voiced_to = self.heard;
        }
        let Some(open) = self.open else { return };
        if self.heard - open.voiced_to > LONGEST_PAUSE * FRAME {
            self.open = None;
            spans.extend(self.span(open.from, open.voiced_to + PADDING));
        } else if self.heard - open.from + FRAME > LONGEST_SPAN {
            let cut = self.quietest(open.from, self.heard);
            spans.extend(self.span(open.from, cut.min(open.voiced_to + PADDING)));
            // What was voiced behind the cut begins the next span.
            self.open = (open.voiced_to > cut).then_some(Open { from: cut, ..open });
        }
    }

    /// The samples from `from` to `to`, as a span.
    fn span(&self, from: usize, to: usize) -> Option<SpeechSpan> {
        let samples = self.kept.get(from - self.kept_from..to - self.kept_from)?;
        (!samples.is_empty()).then(|| SpeechSpan {
            start_ms: SampleRate::SPEECH.ms(from),
            speech: Speech::new(samples.to_vec()),
        })
    }

    /// The middle of the quietest 80 ms in the last part of `from..to`.
    fn quietest(&self, from: usize, to: usize) -> usize {
        let start = to.saturating_sub(CUT_WITHIN).max(from) - self.kept_from;
        let window = QUIET * FRAME;
        let energy = |at: &usize| {
            self.kept[*at..*at + window].iter().map(|sample| sample * sample).sum::<f32>()
        };
        let last = to - self.kept_from - window;
        let best = (start..last)
            .step_by(FRAME)
            .min_by(|a, b| energy(a).total_cmp(&energy(b)))
            .unwrap_or(start);
        self.kept_from + best + window / 2
    }

    /// Lets go of samples that no span can need any more.
    fn forget(&mut self) {
        let needed = match &self.open {
            Some(open) => open.from,
            None => self.heard.saturating_sub(ONSET + PADDING),
        };
        let drop = needed.saturating_sub(self.kept_from).min(self.kept.len());
        self.kept.drain(..drop);
        self.kept_from += drop;
    }
}

/// Noise at -80 dB for the detector to settle on; digital silence does not occur in its training.
fn lead_in() -> Vec<f32> {
    let mut state = 0x2545_f491u32;
    (0..LEAD_IN * FRAME)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            #[expect(clippy::cast_possible_truncation, reason = "the top bit only")]
            let sign = (state >> 31) as u8;
            f32::from(sign).mul_add(2e-4, -1e-4)
        })
        .collect()
}
