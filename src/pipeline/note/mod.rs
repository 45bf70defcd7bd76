//! Makes a note while it is spoken: sound in as it comes, one finished voice note out.
//!
//! A synthesiser slower than the encoder gets one encoder from the first sample to the last, and
//! the note is complete a frame after the last sample. One that is faster leaves a backlog: the
//! backlog is cut at a quiet frame and the rest goes to another encoder on another thread, warmed
//! up with the samples before the cut, so that there is no seam to hear.
//!
//! Sentences that come in Opus are written packet by packet as they are, between encoded ones too.
//! One that is the whole reply goes the same way, into pages of our own: a second path for the
//! server's file would save nothing but its pages. Sound of any rate may follow sound of any other:
//! a person gets the whole note.

use std::collections::VecDeque;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;

use super::error::{Cause, TurnError};
use super::stage::Trace;
use crate::audio::limits::MAX_NOTE_BYTES;
use crate::audio::{
    CodedSpeech, DecodeError, EncodeError, Limits, NoteMuxer, OggOpus, PRIME_MS, Packet, Pcm,
    Resampler, SampleRate, SpanEncoder, decode, lookahead, opus_rate, quiet_cut,
};
use crate::threads::Threads;
use crate::tts::Sound;
use crate::turn::{NoteInfo, Stage};

/// A backlog of this length is cut: about 4 ms of encoding, a few times the cost of warming the
/// next encoder up.
const CUT_MS: f64 = 1_000.0;

/// The rate of what we encode behind a sentence that came in Opus.
const RATE: SampleRate = SampleRate(24_000);

/// Bytes of Opus that are taken as they come: half of what WhatsApp plays in place, which is half a
/// minute at 64 kbit/s. What follows is encoded anew at our bitrates, of which the other half
/// holds two minutes and more.
const PASS_BYTES: usize = MAX_NOTE_BYTES / 2;

/// Makes a note of what comes from `sound` until it closes; `None` if nothing is to be heard.
pub(super) async fn encode(
    workers: &Threads,
    trace: &Trace,
    mut sound: mpsc::Receiver<Sound>,
) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
    let failed = |cause: Cause| cause.at(Stage::Encode);
    let Some(first) = sound.recv().await else { return Ok(None) };
    let mut note = Note::new(&first);
    let mut next = Some(first);
    let mut working = FuturesUnordered::new();
    loop {
        if let Some(sound) = next.take() {
            match sound {
                Sound::Pcm(pcm) => note.push(&pcm).map_err(|error| failed(error.into()))?,
                Sound::Opus(speech) if note.may_pass(&speech) => {
                    note.pass(&speech).map_err(|error| failed(error.into()))?;
                }
                Sound::Opus(speech) => {
                    let trace = trace.clone();
                    let pcm = workers
                        .run(move || trace.measure(Stage::Encode, || decoded(&speech)))
                        .await
                        .map_err(|busy| failed(busy.into()))?
                        .map_err(|error| failed(error.into()))?;
                    note.push(&pcm).map_err(|error| failed(error.into()))?;
                }
            }
        }
        while let Some((index, task)) = note.next_task() {
            let trace = trace.clone();
            let encoded = workers.run(move || trace.measure(Stage::Encode, || task.run()));
            working.push(async move { (index, encoded.await) });
        }
        tokio::select! {
            came = sound.recv(), if !note.ended => match came {
                Some(sound) => next = Some(sound),
                None => note.end().map_err(|error| failed(error.into()))?,
            },
            Some((index, encoded)) = working.next() => {
                let (encoder, packets) =
                    encoded.map_err(|busy| failed(busy.into()))?.map_err(|error| failed(error.into()))?;
                note.take(index, encoder, packets);
            }
            else => break,
        }
    }
    Ok(note.finish())
}

/// The sound of a sentence that came in Opus and has to be encoded anew.
fn decoded(speech: &CodedSpeech) -> Result<Pcm, DecodeError> {
    let samples = decode(speech.file(), Limits::default())?.samples().to_vec();
    Ok(Pcm { samples, rate: SampleRate::SPEECH })
}

/// One encoder's stretch of the note, or packets that came as such.
struct Span {
    /// `None` while a worker has it, and when the stretch is done.
    encoder: Option<SpanEncoder>,
    /// Sound before the stretch that the encoder has not heard yet.
    prime: Vec<f32>,
    /// Samples that no worker has taken yet.
    backlog: Vec<f32>,
    packets: Vec<Packet>,
    /// No more samples come.
    closed: bool,
    /// Another encoder does not go on from here: the last frame is filled up and all is flushed.
    flush: bool,
    done: bool,
}

struct Note {
    /// What we encode at.
    rate: SampleRate,
    /// Turns the sound that comes into that rate; `None` while it has it.
    resampler: Option<Resampler>,
    /// The rate of the sound that comes; `None` before the first samples of a run.
    input: Option<SampleRate>,
    spans: VecDeque<Span>,
    /// Spans that were written to the muxer already.
    written: usize,
    muxer: NoteMuxer,
    pre_skip: u64,
    /// Granules of all packets before the run of samples that goes on now.
    before: u64,
    /// Those of them behind the end of the sound, if the last packets came as such.
    padding: u64,
    /// Samples of that run, at `rate`.
    samples: u64,
    /// Bytes of the packets that were passed.
    passed: usize,
    ended: bool,
}

/// What one worker does: encodes whole frames, and at the end of a run the rest of it.
struct Task {
    encoder: SpanEncoder,
    prime: Vec<f32>,
    samples: Vec<f32>,
    finish: bool,
}

impl Task {
    fn run(mut self) -> Result<(Option<SpanEncoder>, Vec<Packet>), EncodeError> {
        self.encoder.prime(&self.prime)?;
        let mut packets = self.encoder.push(&self.samples)?;
        if !self.finish {
            return Ok((Some(self.encoder), packets));
        }
        packets.extend(self.encoder.finish()?);
        Ok((None, packets))
    }
}

impl Note {
    /// Begins a note as its first sound asks.
    fn new(first: &Sound) -> Self {
        let (rate, pre_skip, muxer) = match first {
            Sound::Pcm(pcm) => {
                let rate = opus_rate(pcm.rate);
                (rate, rate.granules(lookahead(rate) as u64), NoteMuxer::new(rate))
            }
            Sound::Opus(speech) => {
                let pre_skip = speech.pre_skip();
                (RATE, pre_skip.into(), NoteMuxer::with_pre_skip(pre_skip, RATE))
            }
        };
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

    /// Starts a span that begins `backlog` samples before the end of what came.
    fn open(&mut self, prime: Vec<f32>, backlog: Vec<f32>) -> Result<(), EncodeError> {
        let run = self.rate.granules(self.samples - backlog.len() as u64);
        #[expect(clippy::cast_precision_loss, reason = "a note is far below 2^52 granules")]
        let at_ms = (self.before + run) as f64 / 48.0;
        let encoder = Some(SpanEncoder::new(self.rate, at_ms)?);
        let (packets, closed) = (Vec::new(), false);
        let span = Span { encoder, prime, backlog, packets, closed, flush: false, done: false };
        self.spans.push_back(span);
        Ok(())
    }

    /// The span that samples go to, if a run of them goes on.
    fn last(&mut self) -> Option<&mut Span> {
        self.spans.back_mut().filter(|span| !span.closed)
    }

    fn push(&mut self, pcm: &Pcm) -> Result<(), EncodeError> {
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
            // Behind packets of another encoder: the first packet must not lean on its own past.
            let prime = if self.before > 0 { vec![0.0; prime_samples] } else { Vec::new() };
            self.open(prime, Vec::new())?;
        }
        self.samples += samples.len() as u64;
        let span = self.last().expect("one was opened");
        span.backlog.extend_from_slice(samples);
        // While its encoder is at hand the backlog is about to be taken whole.
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

    /// Ends the run of samples that goes on.
    fn end_run(&mut self) -> Result<(), EncodeError> {
        self.flush_resampler()?;
        self.input = None;
        let Some(last) = self.last() else { return Ok(()) };
        (last.closed, last.flush) = (true, true);
        let frame = self.rate.granules(u64::from(self.rate.0 / 50));
        let sound = self.rate.granules(lookahead(self.rate) as u64 + self.samples);
        let coded = sound.next_multiple_of(frame);
        self.before += coded;
        self.padding = coded - sound;
        self.samples = 0;
        Ok(())
    }

    /// Whether the note stays small enough if `speech` is taken as it is.
    fn may_pass(&self, speech: &CodedSpeech) -> bool {
        self.passed + speech.bytes() <= PASS_BYTES
    }

    /// Takes packets as they are, behind all that came before.
    fn pass(&mut self, speech: &CodedSpeech) -> Result<(), EncodeError> {
        self.end_run()?;
        self.before += speech.coded_granules();
        self.padding = speech.padding_granules();
        self.passed += speech.bytes();
        self.spans.push_back(Span {
            encoder: None,
            prime: Vec::new(),
            backlog: Vec::new(),
            packets: speech.packets().to_vec(),
            closed: true,
            flush: false,
            done: true,
        });
        self.write();
        Ok(())
    }

    fn end(&mut self) -> Result<(), EncodeError> {
        self.end_run()?;
        self.ended = true;
        Ok(())
    }

    /// The next stretch whose encoder is at hand and has something to do.
    fn next_task(&mut self) -> Option<(usize, Task)> {
        let frame = (self.rate.0 / 50) as usize;
        for (index, span) in self.spans.iter_mut().enumerate() {
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
                return Some((self.written + index, Task { encoder, prime, samples, finish }));
            }
        }
        None
    }

    /// Takes back what a worker made, and writes every stretch whose turn has come.
    fn take(&mut self, index: usize, encoder: Option<SpanEncoder>, packets: Vec<Packet>) {
        let span = &mut self.spans[index - self.written];
        span.packets.extend(packets);
        // The last stretch of a run is done when its end was flushed, any other when it is used up.
        span.done = encoder.is_none() || (span.closed && !span.flush && span.backlog.is_empty());
        span.encoder = encoder;
        self.write();
    }

    /// Writes every stretch whose turn has come.
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

    /// Closes the file; `None` if there is nothing to hear in it.
    fn finish(self) -> Option<(OggOpus, NoteInfo)> {
        let heard = self.before.checked_sub(self.padding + self.pre_skip)?;
        #[expect(clippy::cast_precision_loss, reason = "a note is far below 2^52 granules")]
        let duration_ms = heard as f64 / 48.0;
        let file = self.muxer.finish(heard);
        let bytes = file.0.len() as u64;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a note is far below 2^52 bits"
        )]
        let bitrate = (bytes as f64 * 8000.0 / duration_ms.max(1.0)) as u64;
        Some((file, NoteInfo { path: None, bytes, duration_ms, bitrate }))
    }
}

#[cfg(test)]
mod tests;
