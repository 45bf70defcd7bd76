//! Encodes a reply while it is spoken: samples in as they come, one finished voice note out.
//!
//! A synthesiser slower than the encoder gets one encoder from the first sample to the last, and
//! the note is complete a frame after the last sample. One that is faster leaves a backlog: the
//! backlog is cut at a quiet frame and the rest goes to another encoder on another thread, warmed
//! up with the samples before the cut, so that there is no seam to hear.

use std::collections::VecDeque;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;

use super::error::{Cause, TurnError};
use super::stage::Trace;
use super::workers::Workers;
use crate::audio::{
    EncodeError, NoteMuxer, OggOpus, PRIME_MS, Packet, Pcm, Resampler, SampleRate, SpanEncoder,
    opus_rate, quiet_cut,
};
use crate::turn::{NoteInfo, Stage};

/// A backlog of this length is cut: about 4 ms of encoding, a few times the cost of warming the
/// next encoder up.
const CUT_MS: f64 = 1_000.0;

/// Encodes what comes from `pcm` until it closes; `None` if not one sample came.
pub(super) async fn encode(
    workers: &Workers,
    trace: &Trace,
    mut pcm: mpsc::Receiver<Pcm>,
) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
    let failed = |cause: Cause| TurnError { stage: Stage::Encode, cause };
    let Some(first) = pcm.recv().await else { return Ok(None) };
    let mut note = Note::new(first.rate).map_err(|error| failed(error.into()))?;
    note.push(first).map_err(|error| failed(error.into()))?;
    let mut working = FuturesUnordered::new();
    loop {
        while let Some((index, task)) = note.next_task() {
            let trace = trace.clone();
            let encoded = workers.run(move || trace.measure(Stage::Encode, || task.run()));
            working.push(async move { (index, encoded.await) });
        }
        tokio::select! {
            next = pcm.recv(), if !note.ended => match next {
                Some(next) => note.push(next).map_err(|error| failed(error.into()))?,
                None => note.end().map_err(|error| failed(error.into()))?,
            },
            Some((index, encoded)) = working.next() => {
                let (encoder, packets) =
                    encoded.map_err(failed)?.map_err(|error| failed(error.into()))?;
                note.take(index, encoder, packets);
            }
            else => break,
        }
    }
    Ok(Some(note.finish()))
}

/// One encoder's stretch of the note.
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
    done: bool,
}

struct Note {
    rate: SampleRate,
    resampler: Option<Resampler>,
    input: SampleRate,
    spans: VecDeque<Span>,
    /// Spans that were written to the muxer already.
    written: usize,
    muxer: NoteMuxer,
    samples: u64,
    ended: bool,
}

/// What one worker does: encodes whole frames, and at the end of the note the rest of it.
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
    fn new(input: SampleRate) -> Result<Self, EncodeError> {
        let rate = opus_rate(input);
        let mut note = Self {
            rate,
            resampler: (rate != input).then(|| Resampler::new(input, rate)),
            input,
            spans: VecDeque::new(),
            written: 0,
            muxer: NoteMuxer::new(rate),
            samples: 0,
            ended: false,
        };
        note.open(Vec::new(), Vec::new())?;
        Ok(note)
    }

    /// Starts a span that begins `backlog` samples before the end of what came.
    fn open(&mut self, prime: Vec<f32>, backlog: Vec<f32>) -> Result<(), EncodeError> {
        let begins = self.samples - backlog.len() as u64;
        let at_ms = self.rate.ms(usize::try_from(begins).unwrap_or(usize::MAX));
        let encoder = Some(SpanEncoder::new(self.rate, at_ms)?);
        let packets = Vec::new();
        self.spans.push_back(Span { encoder, prime, backlog, packets, closed: false, done: false });
        Ok(())
    }

    fn last(&mut self) -> &mut Span {
        self.spans.back_mut().expect("a note has a span until it is finished")
    }

    fn push(&mut self, pcm: Pcm) -> Result<(), EncodeError> {
        if pcm.rate != self.input {
            let (expected_hz, hz) = (self.input.0, pcm.rate.0);
            return Err(EncodeError::RateChanged { expected_hz, hz });
        }
        let samples = match &mut self.resampler {
            Some(resampler) => resampler.push(&pcm.samples),
            None => pcm.samples,
        };
        self.append(&samples)
    }

    fn append(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        self.samples += samples.len() as u64;
        let rate = self.rate;
        let span = self.last();
        span.backlog.extend_from_slice(samples);
        // While its encoder is at hand the backlog is about to be taken whole.
        if span.encoder.is_some() || rate.ms(span.backlog.len()) < CUT_MS {
            return Ok(());
        }
        let cut = quiet_cut(&span.backlog, rate);
        let rest = span.backlog.split_off(cut);
        let prime_samples = (rate.0 / 1000 * PRIME_MS) as usize;
        let prime = span.backlog[cut.saturating_sub(prime_samples)..].to_vec();
        span.closed = true;
        self.open(prime, rest)
    }

    fn end(&mut self) -> Result<(), EncodeError> {
        if let Some(resampler) = self.resampler.take() {
            let rest = resampler.finish();
            self.append(&rest)?;
        }
        self.ended = true;
        self.last().closed = true;
        Ok(())
    }

    /// The next stretch whose encoder is at hand and has something to do.
    fn next_task(&mut self) -> Option<(usize, Task)> {
        let frame = (self.rate.0 / 50) as usize;
        let spans = self.spans.len();
        for (index, span) in self.spans.iter_mut().enumerate() {
            let finish = self.ended && index + 1 == spans;
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
        let last = index - self.written + 1 == self.spans.len();
        let span = &mut self.spans[index - self.written];
        span.packets.extend(packets);
        // The last stretch is done when its end was flushed, any other when it is used up.
        span.done = encoder.is_none() || (!last && span.closed && span.backlog.is_empty());
        span.encoder = encoder;
        while let Some(first) = self.spans.front_mut() {
            self.muxer.push(std::mem::take(&mut first.packets));
            if !first.done || self.spans.len() == 1 {
                break;
            }
            self.spans.pop_front();
            self.written += 1;
        }
    }

    fn finish(self) -> (OggOpus, NoteInfo) {
        let duration_ms = self.rate.ms(usize::try_from(self.samples).unwrap_or(usize::MAX));
        let file = self.muxer.finish(self.samples);
        let bytes = file.0.len() as u64;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a note is far below 2^52 bits"
        )]
        let bitrate = (bytes as f64 * 8000.0 / duration_ms.max(1.0)) as u64;
        (file, NoteInfo { path: None, bytes, duration_ms, bitrate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Limits, decode, inspect_note};

    /// Speech-like: a gliding tone with a pause every second.
    fn sound(seconds: u32, rate: SampleRate) -> Vec<f32> {
        let mut phase = 0.0_f64;
        (0..seconds * rate.0)
            .map(|index| {
                let at = f64::from(index) / f64::from(rate.0);
                phase +=
                    (180.0 + 60.0 * (at * 3.0).sin()) * std::f64::consts::TAU / f64::from(rate.0);
                let loudness = (at.fract() * std::f64::consts::PI).sin().powi(2);
                #[expect(clippy::cast_possible_truncation, reason = "a sample is below 1")]
                let sample = (0.4 * loudness * phase.sin()) as f32;
                sample
            })
            .collect()
    }

    async fn encoded(samples: &[f32], rate: SampleRate) -> (OggOpus, NoteInfo) {
        let workers = Workers::start(2).unwrap();
        let (pcm, to_encode) = mpsc::channel(4);
        let pieces: Vec<Pcm> =
            samples.chunks(2_205).map(|samples| Pcm { samples: samples.to_vec(), rate }).collect();
        let feed = async move {
            for piece in pieces {
                pcm.send(piece).await.unwrap();
            }
        };
        let trace = Trace::start();
        let ((), note) = tokio::join!(feed, encode(&workers, &trace, to_encode));
        note.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_note_made_at_once_is_whole_and_has_its_exact_length() {
        for rate in [SampleRate(22_050), SampleRate(24_000)] {
            let samples = sound(12, rate);
            let (file, info) = encoded(&samples, rate).await;
            let head = inspect_note(&file.0).unwrap();
            assert!((head.duration_ms - 12_000.0).abs() < 1.0, "{}", head.duration_ms);
            assert!((info.duration_ms - head.duration_ms).abs() < 1.0);
            let heard = decode(&file.0, Limits::default()).unwrap();
            // The loudness rises and falls once a second: a lost or doubled stretch would shift it.
            for second in 0..12 {
                let middle = &heard.samples()[second * 16_000 + 7_000..second * 16_000 + 9_000];
                let edge = &heard.samples()[second * 16_000..second * 16_000 + 300];
                let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
                assert!(peak(middle) > 0.3, "second {second}: {}", peak(middle));
                assert!(peak(edge) < 0.1, "second {second}: {}", peak(edge));
            }
        }
    }

    #[tokio::test]
    async fn no_sound_is_no_note() {
        let workers = Workers::start(1).unwrap();
        let (pcm, to_encode) = mpsc::channel::<Pcm>(1);
        drop(pcm);
        assert!(encode(&workers, &Trace::start(), to_encode).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_change_of_rate_is_an_error() {
        let workers = Workers::start(1).unwrap();
        let (pcm, to_encode) = mpsc::channel(2);
        for rate in [24_000, 16_000] {
            let piece = Pcm { samples: vec![0.0; 480], rate: SampleRate(rate) };
            pcm.send(piece).await.unwrap();
        }
        drop(pcm);
        let error = encode(&workers, &Trace::start(), to_encode).await.unwrap_err();
        assert_eq!(error.stage, Stage::Encode);
    }
}
