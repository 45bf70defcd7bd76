//! Stitches a note from sound as it comes: spans that are encoded side by side, in order, without a
//! seam.
//!
//! A synthesiser slower than the encoder gets one encoder from the first sample to the last, and
//! the note is complete a frame after the last sample. A faster one leaves a backlog: the backlog is
//! cut at a quiet frame and the rest goes to another encoder, warmed up with the samples before the
//! cut, so that no seam is heard.
//!
//! Sentences that come in Opus are written packet by packet as they are, also between encoded ones.
//! A single one that is the complete reply goes the same way, into pages of our own: a second path
//! for the server's file would save only its pages. Sound of any rate may follow sound of any other:
//! the note is complete in any case.

use std::collections::VecDeque;

use super::{opus_rate, quiet_cut};
use crate::audio::{
    CodedSpeech, EncodeError, NoteMuxer, OggOpus, PRIME_MS, Packet, Pcm, Resampler, SampleRate,
    SpanEncoder, limits::MAX_NOTE_BYTES, lookahead, span::frame_samples,
};

/// A backlog of this length is cut: about 4 ms of encoding, a few times the cost of warming the
/// next encoder up.
const CUT_MS: f64 = 1_000.0;

/// The rate at which PCM is encoded after a sentence that came in Opus.
pub(super) const RATE_AFTER_OPUS: SampleRate = SampleRate(24_000);

/// Bytes of Opus that are taken as they come: half of what `WhatsApp` plays in place, which is half
/// a minute at 64 kbit/s. What follows is encoded again at our bitrates, for which the other half
/// holds two minutes and more.
const PASS_BYTES: usize = MAX_NOTE_BYTES / 2;

/// Holds one encoder's stretch of the note, or packets that came as such.
#[derive(Default)]
struct Span {
    /// `None` while a task has it, and when the stretch is done.
    encoder: Option<SpanEncoder>,
    /// Sound before the stretch that the encoder has not heard yet.
    prime: Vec<f32>,
    /// Samples that no task has taken yet.
    backlog: Vec<f32>,
    packets: Vec<Packet>,
    /// No more samples come.
    closed: bool,
    /// No other encoder continues from here: the last frame is filled up and all is flushed.
    flush: bool,
    done: bool,
}

/// Stitches one note from PCM and Opus.
///
/// Give it sound, run every [`SpanTask`] it hands out, on any thread and in any order, give back
/// every result, and finish the note when nothing is left to run.
pub struct NoteStitcher {
    /// The rate at which PCM is encoded.
    rate: SampleRate,
    /// Converts incoming sound to that rate; `None` if it has it already.
    resampler: Option<Resampler>,
    /// The rate of the incoming sound; `None` before the first samples of a run.
    input: Option<SampleRate>,
    spans: VecDeque<Span>,
    /// Spans that were written to the muxer already.
    written: usize,
    muxer: NoteMuxer,
    pre_skip: u64,
    /// Granules of all packets before the current run of samples.
    before: u64,
    /// Granules of them after the end of the sound, if the last packets came as such.
    padding: u64,
    /// Samples of the current run, at `rate`.
    samples: u64,
    /// Bytes of the packets that were passed.
    passed: usize,
    ended: bool,
}

/// Encodes complete frames of one span, and at the end of a run the rest of it.
pub struct SpanTask {
    index: usize,
    encoder: SpanEncoder,
    prime: Vec<f32>,
    samples: Vec<f32>,
    finish: bool,
}

/// Holds the packets that a task made, and the encoder unless its run has ended.
pub struct EncodedSpan {
    index: usize,
    encoder: Option<SpanEncoder>,
    packets: Vec<Packet>,
}

impl SpanTask {
    /// Encodes its samples: CPU work of some milliseconds.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn run(mut self) -> Result<EncodedSpan, EncodeError> {
        self.encoder.prime(&self.prime)?;
        let mut packets = self.encoder.push(&self.samples)?;
        let encoder = if self.finish {
            packets.extend(self.encoder.finish()?);
            None
        } else {
            Some(self.encoder)
        };
        Ok(EncodedSpan { index: self.index, encoder, packets })
    }
}

impl NoteStitcher {
    /// Begins a note whose first sound is PCM of `rate`.
    #[must_use]
    pub fn for_pcm(rate: SampleRate) -> Self {
        let rate = opus_rate(rate);
        let pre_skip = rate.granules(lookahead(rate) as u64);
        Self::new(rate, pre_skip, NoteMuxer::new(rate))
    }

    /// Begins a note whose first sound is `speech`, which gives it its pre-skip.
    #[must_use]
    pub fn for_opus(speech: &CodedSpeech) -> Self {
        let (rate, pre_skip) = (RATE_AFTER_OPUS, speech.pre_skip());
        Self::new(rate, pre_skip.into(), NoteMuxer::with_pre_skip(pre_skip, rate))
    }

    fn new(rate: SampleRate, pre_skip: u64, muxer: NoteMuxer) -> Self {
        Self {
            rate,
            resampler: None,
            input: None,
            spans: VecDeque::new(),
            written: 0,
            muxer,
            pre_skip,
            before: 0,
            padding: 0,
            samples: 0,
            passed: 0,
            ended: false,
        }
    }

    /// Starts a span that begins `backlog` samples before the end of the sound so far.
    fn open(&mut self, prime: Vec<f32>, backlog: Vec<f32>) -> Result<(), EncodeError> {
        let run = self.rate.granules(self.samples - backlog.len() as u64);
        #[expect(clippy::cast_precision_loss, reason = "a note is far below 2^52 granules")]
        let at_ms = (self.before + run) as f64 / 48.0;
        let encoder = Some(SpanEncoder::new(self.rate, at_ms)?);
        self.spans.push_back(Span { encoder, prime, backlog, ..Span::default() });
        Ok(())
    }

    /// Returns the span that samples go to, if a run is open.
    fn last(&mut self) -> Option<&mut Span> {
        self.spans.back_mut().filter(|span| !span.closed)
    }

    /// Takes the next PCM, of any rate.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn push(&mut self, pcm: &Pcm) -> Result<(), EncodeError> {
        if pcm.samples.is_empty() {
            return Ok(());
        }
        if self.input != Some(pcm.rate) {
            self.flush_resampler()?;
            self.input = Some(pcm.rate);
            self.resampler = (pcm.rate != self.rate).then(|| Resampler::new(pcm.rate, self.rate));
        }
        match &mut self.resampler {
            Some(resampler) => {
                let samples = resampler.push(&pcm.samples);
                self.append(&samples)
            }
            None => self.append(&pcm.samples),
        }
    }

    fn append(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        if samples.is_empty() {
            return Ok(());
        }
        let rate = self.rate;
        let prime_samples = (rate.0 / 1000 * PRIME_MS) as usize;
        if self.last().is_none() {
            // After packets of another encoder the first packet must not depend on its own past.
            let prime = if self.before > 0 { vec![0.0; prime_samples] } else { Vec::new() };
            self.open(prime, Vec::new())?;
        }
        self.samples += samples.len() as u64;
        let span = self.last().expect("one was opened");
        span.backlog.extend_from_slice(samples);
        // While its encoder is here, the complete backlog is about to be taken, or is short.
        if span.encoder.is_some() || rate.ms(span.backlog.len()) < CUT_MS {
            return Ok(());
        }
        let cut = quiet_cut(&span.backlog, rate);
        let rest = span.backlog.split_off(cut);
        let prime = span.backlog[cut.saturating_sub(prime_samples)..].to_vec();
        span.closed = true;
        self.open(prime, rest)
    }

    fn flush_resampler(&mut self) -> Result<(), EncodeError> {
        let rest = self.resampler.take().map(Resampler::finish).unwrap_or_default();
        self.append(&rest)
    }

    /// Ends the current run of samples, if there is one.
    fn end_run(&mut self) -> Result<(), EncodeError> {
        self.flush_resampler()?;
        self.input = None;
        let Some(last) = self.last() else { return Ok(()) };
        (last.closed, last.flush) = (true, true);
        let frame = self.rate.granules(frame_samples(self.rate) as u64);
        let sound = self.rate.granules(lookahead(self.rate) as u64 + self.samples);
        let coded = sound.next_multiple_of(frame);
        self.before += coded;
        self.padding = coded - sound;
        self.samples = 0;
        Ok(())
    }

    /// Returns whether the note stays small enough if `speech` is taken as it is.
    #[must_use]
    pub fn may_pass(&self, speech: &CodedSpeech) -> bool {
        self.passed + speech.bytes() <= PASS_BYTES
    }

    /// Takes Opus packets as they are, after everything that came before.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn pass(&mut self, speech: &CodedSpeech) -> Result<(), EncodeError> {
        self.end_run()?;
        self.before += speech.coded_granules();
        self.padding = speech.padding_granules();
        self.passed += speech.bytes();
        let packets = speech.packets().to_vec();
        self.spans.push_back(Span { packets, closed: true, done: true, ..Span::default() });
        self.write();
        Ok(())
    }

    /// Ends the sound.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn end(&mut self) -> Result<(), EncodeError> {
        self.end_run()?;
        self.ended = true;
        Ok(())
    }

    /// Returns the length of the sound so far, in seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        (self.before + self.rate.granules(self.samples)) / 48_000
    }

    /// Returns whether [`Self::end`] was called.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Returns the next task: a span whose encoder is here and has something to do.
    pub fn next_task(&mut self) -> Option<SpanTask> {
        self.next_task_of(0.0)
    }

    /// Does the same, but leaves a span alone that still grows and has less than `least_ms` of sound.
    pub fn next_task_of(&mut self, least_ms: f64) -> Option<SpanTask> {
        let rate = self.rate;
        let frame = frame_samples(rate);
        let waits = |span: &Span| !span.closed && rate.ms(span.backlog.len()) < least_ms;
        for (index, span) in self.spans.iter_mut().enumerate() {
            if waits(span) {
                continue;
            }
            let finish = span.flush;
            let whole = span.backlog.len() - span.backlog.len() % frame;
            let take = if finish { span.backlog.len() } else { whole };
            if take == 0 && !finish {
                continue;
            }
            if let Some(encoder) = span.encoder.take() {
                let rest = span.backlog.split_off(take);
                let samples = std::mem::replace(&mut span.backlog, rest);
                let prime = std::mem::take(&mut span.prime);
                let index = self.written + index;
                return Some(SpanTask { index, encoder, prime, samples, finish });
            }
        }
        None
    }

    /// Takes back a task's result and writes every span whose turn has come.
    pub fn take(&mut self, encoded: EncodedSpan) {
        let EncodedSpan { index, encoder, packets } = encoded;
        let span = &mut self.spans[index - self.written];
        span.packets.extend(packets);
        // The last span of a run is done when its end was flushed, any other when its samples are
        // used up.
        span.done = encoder.is_none() || (span.closed && !span.flush && span.backlog.is_empty());
        span.encoder = encoder;
        self.write();
    }

    /// Writes every span whose turn has come.
    fn write(&mut self) {
        while let Some(first) = self.spans.front_mut() {
            self.muxer.push(std::mem::take(&mut first.packets));
            if !first.done {
                break;
            }
            self.spans.pop_front();
            self.written += 1;
        }
    }

    /// Closes the file and returns it with its duration in ms; `None` if it holds no sound.
    #[must_use]
    pub fn finish(self) -> Option<(OggOpus, f64)> {
        let heard = self.before.checked_sub(self.padding + self.pre_skip)?;
        #[expect(clippy::cast_precision_loss, reason = "a note is far below 2^52 granules")]
        let duration_ms = heard as f64 / 48.0;
        Some((self.muxer.finish(heard), duration_ms))
    }
}
