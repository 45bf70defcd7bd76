//! Detects voice activity: which parts of a note are worth transcribing.
//!
//! Sits between the decoder and the transcriber. An ordinary note becomes one span, pauses
//! included; sound without a voice becomes no span, so that nothing is transcribed out of silence.
//! Streams: a span is returned as soon as it cannot grow any more.

use earshot::Detector;

use crate::audio::{SampleRate, Speech};

/// earshot's frame: 16 ms.
const FRAME: usize = 256;

/// A frame with at least this score is voice. earshot's documentation suggests 0.5.
const VOICE: f32 = 0.5;

/// Voiced frames, less the unvoiced ones between them, from which on a voice is believed: 80 ms. A
/// click or a knock is shorter, the shortest "sí" is longer.
const BELIEVED: usize = 5;

/// Longest time between the beginning of a voice and the frame at which it is believed: 20 frames.
const ONSET: usize = 4 * BELIEVED * FRAME;

/// Sound that is kept before the first and after the last voiced frame: 0.2 s, so that a soft onset
/// or a final s is not cut.
const PADDING: usize = 3200;

/// Frames of silence that end a span: 3 s. Shorter pauses belong to one note.
const LONGEST_PAUSE: usize = 188;

/// Longest span: the 30 s that whisper hears at once.
const LONGEST_SPAN: usize = 30 * 16_000;

/// The last part of a span that is too long, in which it is cut: 10 s.
const CUT_WITHIN: usize = 10 * 16_000;

/// Window that is searched for where a span is cut, in frames: 80 ms.
const QUIET: usize = 5;

/// Frames of near silence that the detector hears first: 0.5 s. Its score means little during its
/// first 0.3 s, which would swallow a short "yes".
const LEAD_IN: usize = 31;

/// Quiet recordings are amplified to this loudness (RMS of the loudest recent frame, -30 dB) before
/// the detector hears them: speech at -65 dB occurs, and the detector misses most of it.
const LOUDNESS: f32 = 0.03;

/// Largest amplification: 20 dB. More turns the noise in pauses into voices.
const MOST_GAIN: f32 = 10.0;

/// Decay of past loudness per frame: 6 % a second.
const FORGET: f32 = 0.999;

/// A sound of this many frames (1 s) is not speech if four fifths of its frames have about the same
/// energy: within a factor of [`STEADY`], 2 dB. The fifth left out covers padding and onset.
const STEADY_FROM: usize = 62;
const STEADY: f32 = 1.6;

/// Samples that there is always room for, and how much more room than samples: a long utterance does
/// not leave its room behind.
const KEPT_ROOM: usize = 4 * 16_000;
const MOST_ROOM: usize = 8;

/// Holds a part of a note with speech in it.
#[derive(Clone, Debug)]
pub struct SpeechSpan {
    /// Start in the note.
    pub start_ms: f64,
    /// The sound, at most 30 s.
    pub speech: Speech,
}

/// Cuts speech out of a note.
pub struct Segmenter {
    /// Is made, and hears what comes before the note, by whoever looks at the first sound: half a
    /// millisecond that the note's turn does not wait for.
    detector: Option<Box<Detector>>,
    /// Samples from `kept_from` on: those of the open span, or the latest that padding may need.
    kept: Vec<f32>,
    kept_from: usize,
    /// Samples that the detector has heard.
    heard: usize,
    /// RMS of the loudest recent frame.
    loudness: f32,
    /// Recent voiced frames, see [`BELIEVED`], and where they began.
    run: usize,
    run_from: usize,
    open: Option<Open>,
}

/// Holds a span that may still grow.
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
        Self {
            detector: None,
            kept: Vec::new(),
            kept_from: 0,
            heard: 0,
            loudness: 0.0,
            run: 0,
            run_from: 0,
            open: None,
        }
    }

    /// Returns how many bytes of sound it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.kept.len() * size_of::<f32>()
    }

    /// Takes the next speech and returns the spans that it completes.
    pub fn push(&mut self, speech: &Speech) -> Vec<SpeechSpan> {
        let mut spans = Vec::new();
        self.kept.extend_from_slice(speech.samples());
        while self.heard + FRAME <= self.kept_from + self.kept.len() {
            let at = self.heard - self.kept_from;
            let mut frame = [0.0; FRAME];
            frame.copy_from_slice(&self.kept[at..at + FRAME]);
            let score = self.score(&frame);
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
        let tail = &self.kept[self.heard - self.kept_from..];
        if !tail.is_empty() {
            let mut frame = [0.0; FRAME];
            frame[..tail.len()].copy_from_slice(tail);
            let score = self.score(&frame);
            self.frame(score, &mut spans);
        }
        if let Some(open) = self.open.take() {
            // The last frame may have been padded.
            let open = Open { voiced_to: open.voiced_to.min(end), ..open };
            if !self.is_steady(open) {
                spans.extend(self.span(open.from, (open.voiced_to + PADDING).min(end)));
            }
        }
        spans
    }

    /// Asks the detector how much a frame sounds like a voice, from 0 to 1.
    fn score(&mut self, frame: &[f32; FRAME]) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "256")]
        let mean = frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32;
        self.loudness = mean.sqrt().max(self.loudness * FORGET);
        let gain = (LOUDNESS / self.loudness.max(f32::MIN_POSITIVE)).clamp(1.0, MOST_GAIN);
        let raised = frame.map(|sample| (sample * gain).clamp(-1.0, 1.0));
        self.detector.get_or_insert_with(settled).predict_f32(&raised)
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
            if !self.is_steady(open) {
                spans.extend(self.span(open.from, open.voiced_to + PADDING));
            }
        } else if self.heard - open.from + FRAME > LONGEST_SPAN {
            let cut = self.quietest(open.from, self.heard);
            if !self.is_steady(open) {
                spans.extend(self.span(open.from, cut.min(open.voiced_to + PADDING)));
            }
            // What was voiced after the cut begins the next span.
            self.open = (open.voiced_to > cut).then_some(Open { from: cut, ..open });
        }
    }

    /// Returns whether the open span has the even loudness of a tone or a machine, which the
    /// detector mistakes for a vowel. Speech varies by far more than this; short sounds get the
    /// benefit of the doubt.
    fn is_steady(&self, open: Open) -> bool {
        let voiced = &self.kept[open.from - self.kept_from..open.voiced_to - self.kept_from];
        let mut energies: Vec<f32> = voiced
            .chunks_exact(FRAME)
            .map(|frame| frame.iter().map(|sample| sample * sample).sum())
            .collect();
        energies.sort_unstable_by(f32::total_cmp);
        let share = energies.len() / 5;
        energies.len() >= STEADY_FROM
            && energies[energies.len() - 1 - share] < STEADY * energies[share]
    }

    /// Returns the samples from `from` to `to` as a span.
    fn span(&self, from: usize, to: usize) -> Option<SpeechSpan> {
        let samples = self.kept.get(from - self.kept_from..to - self.kept_from)?;
        (!samples.is_empty()).then(|| SpeechSpan {
            start_ms: SampleRate::SPEECH.ms(from),
            speech: Speech::new(samples.to_vec()),
        })
    }

    /// Returns the middle of the quietest 80 ms in the last part of `from..to`.
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

    /// Drops samples that no span can need any more.
    fn forget(&mut self) {
        let needed = match &self.open {
            Some(open) => open.from,
            None => self.heard.saturating_sub(ONSET + PADDING),
        };
        let drop = needed.saturating_sub(self.kept_from).min(self.kept.len());
        self.kept.drain(..drop);
        self.kept_from += drop;
        if self.kept.capacity() > MOST_ROOM * self.kept.len() {
            self.kept.shrink_to(KEPT_ROOM);
        }
    }
}

/// Makes a detector and lets it settle on noise at -80 dB, amplified as a note's; digital silence does
/// not occur in its training.
fn settled() -> Box<Detector> {
    let mut detector = Detector::default_boxed();
    let mut state = 0x2545_f491u32;
    for _ in 0..LEAD_IN {
        let frame: [f32; FRAME] = std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { 1e-3 } else { -1e-3 }
        });
        detector.predict_f32(&frame);
    }
    detector
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a test's few seconds"
    )]

    use super::*;
    use crate::audio::testing::{noise, speechlike, tone};

    fn spans(samples: &[f32], portion: usize) -> Vec<(f64, f64)> {
        let mut segmenter = Segmenter::new();
        let mut spans = Vec::new();
        for samples in samples.chunks(portion) {
            spans.extend(segmenter.push(&Speech::new(samples.to_vec())));
        }
        spans.extend(segmenter.finish());
        spans
            .iter()
            .map(|span| (span.start_ms / 1e3, (span.start_ms + span.speech.duration_ms()) / 1e3))
            .collect()
    }

    fn voice(seconds: f64) -> Vec<f32> {
        speechlike(16_000, seconds, 0.05)
    }

    fn silence(seconds: f64) -> Vec<f32> {
        vec![0.0; (seconds * 16_000.0) as usize]
    }

    fn hiss(seconds: f64, loud: f32) -> Vec<f32> {
        let mut random = noise(3);
        (0..(seconds * 16_000.0) as usize).map(|_| random() * loud).collect()
    }

    #[test]
    fn silence_hiss_and_hum_are_no_speech() {
        assert_eq!(spans(&silence(5.0), 4096), []);
        for db in [-70.0f32, -50.0, -40.0, -20.0, -10.0] {
            assert_eq!(spans(&hiss(8.0, 10f32.powf(db / 20.0)), 4096), [], "hiss at {db} dB");
        }
        for (hz, loud) in [(50.0, 0.1), (200.0, 0.01), (200.0, 0.5), (440.0, 0.1), (3_000.0, 0.5)] {
            assert_eq!(spans(&tone(16_000, hz, 8.0, loud), 4096), [], "a tone of {hz} Hz");
        }
    }

    #[test]
    fn a_short_word_is_kept_wherever_it_stands() {
        for before in [0.0, 0.1, 0.5, 4.0] {
            for loud in [1.0, 0.1, 0.01] {
                let word = voice(0.4).into_iter().map(|sample| sample * loud);
                let note = [silence(before), word.collect(), silence(0.5)].concat();
                let found = spans(&note, 4096);
                assert_eq!(found.len(), 1, "at {before} s, loudness {loud}: {found:?}");
                assert!(found[0].0 <= before + 0.08 && found[0].1 >= before + 0.35, "{found:?}");
            }
        }
    }

    #[test]
    fn an_ordinary_note_is_one_span_without_the_silence_around_it() {
        let note = [silence(2.0), voice(6.0), silence(2.0), voice(9.0), silence(4.0)].concat();
        let found = spans(&note, 4096);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].0 - 1.8).abs() < 0.15 && (found[0].1 - 19.2).abs() < 0.3, "{found:?}");
    }

    #[test]
    fn a_long_silence_parts_two_spans() {
        let note = [voice(3.0), silence(6.0), voice(3.0)].concat();
        assert_eq!(spans(&note, 4096).len(), 2);
    }

    #[test]
    fn long_speech_is_cut_in_its_pauses_and_nothing_is_lost() {
        let found = spans(&[voice(23.0), silence(0.3), voice(60.0)].concat(), 4096);
        assert!(found.len() >= 3, "{found:?}");
        assert!(found.iter().all(|(from, to)| to - from <= 30.0), "{found:?}");
        assert!((23.0..23.3).contains(&found[0].1), "not cut in the pause: {found:?}");
        assert!(found.windows(2).all(|pair| (pair[0].1 - pair[1].0).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn portions_do_not_change_the_spans() {
        let note = [silence(1.0), voice(4.0), silence(5.0), voice(2.0)].concat();
        let whole = spans(&note, note.len());
        for portion in [1, 255, 256, 1_000, 16_000] {
            assert_eq!(spans(&note, portion), whole, "portions of {portion}");
        }
    }
}
