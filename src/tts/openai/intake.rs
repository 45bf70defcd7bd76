//! Turns a speech server's body into sound, whatever it turns out to be.
//!
//! Samples and WAV become samples while they arrive; Opus and every other format are gathered.
//! Invariant: the first bytes decide. What was asked for decides only where they say nothing, as
//! samples without a header do.

use bytes::Bytes;

use super::super::TtsError;
use super::super::outlet::MAX_SECONDS;
use super::SpeechFormat;
use super::raw::RawSound;
use crate::audio::{
    AudioLimits, CodedSpeech, DecodeError, NotPassable, SampleRate, Speech, WavStream, decode,
    frame_length,
};
use crate::remote::failure::{ServerError, is_page};
use crate::remote::words::Redactor;
use crate::threads::{RunError, Threads};

/// Bytes that tell text from samples: no second of speech begins with so many letters.
const ENOUGH: usize = 64;

/// Bytes that tell the order of the bytes in a sample: 0.1 s.
const ORDER: usize = 4096;

/// Bytes that hold two frames of MP3 or AAC of the usual bitrates.
const TWO_FRAMES: usize = 2 * 1500;

/// Largest file that is gathered: two minutes of sound at 256 kbit/s.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Text that is kept for its message.
const MAX_TEXT: usize = 8 * 1024;

/// Turns one body into sound while it arrives.
pub(super) struct Intake {
    asked: SpeechFormat,
    /// What samples without a header are.
    raw: RawSound,
    body: BodyKind,
    samples: usize,
}

/// Names what a body turned out to be.
enum BodyKind {
    /// Too few bytes to tell.
    Start(Vec<u8>),
    /// Decoded while it arrives; whether its rate is only configured.
    Stream {
        wav: Box<WavStream>,
        guessed: bool,
    },
    /// Decoded when it is complete.
    Whole(Vec<u8>),
    Text(Vec<u8>),
}

/// Describes what a body was.
pub(super) enum Received {
    /// Its samples have been given already.
    Streamed { rate: SampleRate, samples: usize, guessed: bool },
    /// Opus that goes into a note as it is.
    Note(CodedSpeech),
    /// A complete file; why it is not a note, if it is Ogg.
    Decoded { speech: Speech, why: Option<NotPassable> },
}

impl Intake {
    pub(super) fn new(asked: SpeechFormat, raw: RawSound) -> Self {
        Self { asked, raw, body: BodyKind::Start(Vec::new()), samples: 0 }
    }

    /// Returns whether enough has come to tell what the body is.
    pub(super) fn begun(&self) -> bool {
        !matches!(self.body, BodyKind::Start(_))
    }

    /// Returns the rate of the samples that are given while they arrive.
    pub(super) fn rate(&self) -> Option<SampleRate> {
        match &self.body {
            BodyKind::Stream { wav, .. } => wav.rate(),
            _ => None,
        }
    }

    /// Takes the next bytes and appends the samples in them to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), TtsError> {
        match &mut self.body {
            BodyKind::Start(start) => {
                start.extend_from_slice(bytes);
                let Some(body) = detect(start, self.asked, self.raw, false)? else {
                    return Ok(());
                };
                let start = std::mem::take(start);
                self.body = body;
                self.push(&start, out)
            }
            BodyKind::Stream { wav, .. } => {
                let before = out.len();
                let pushed = wav.push(bytes, out);
                self.samples += out.len() - before;
                pushed.map_err(no_sound)
            }
            BodyKind::Whole(file) => {
                file.extend_from_slice(bytes);
                if file.len() > MAX_FILE {
                    return Err(TtsError::Engine(format!(
                        "one sentence has over {MAX_FILE} bytes"
                    )));
                }
                Ok(())
            }
            BodyKind::Text(text) => {
                let room = MAX_TEXT.saturating_sub(text.len());
                text.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Ok(())
            }
        }
    }

    /// Ends the body and appends the samples of one that was too short to tell before. `threads`
    /// decode one that is a file; `redactor` cleans the words of one that is text.
    pub(super) async fn finish(
        mut self,
        out: &mut Vec<f32>,
        redactor: Redactor<'_>,
        threads: &Threads,
    ) -> Result<Received, TtsError> {
        if let BodyKind::Start(start) = &mut self.body {
            let start = std::mem::take(start);
            let short = detect(&start, self.asked, self.raw, true)?;
            let Some(body) = short.filter(|_| !start.is_empty()) else {
                return Err(TtsError::Empty);
            };
            self.body = body;
            self.push(&start, out)?;
        }
        match self.body {
            BodyKind::Stream { mut wav, guessed } => {
                let before = out.len();
                wav.finish(out).map_err(no_sound)?;
                let samples = self.samples + out.len() - before;
                match wav.rate() {
                    Some(rate) if samples > 0 => Ok(Received::Streamed { rate, samples, guessed }),
                    _ => Err(TtsError::Empty),
                }
            }
            BodyKind::Text(text) => {
                let what = if is_page(&text) { "" } else { "text: " };
                let words = redactor.clean(&ServerError::from_body(&text).message);
                Err(TtsError::NoSound { what: format!("{what}{words}") })
            }
            BodyKind::Whole(file) => whole(file.into(), threads).await,
            BodyKind::Start(_) => Err(TtsError::Empty),
        }
    }
}

fn no_sound(error: DecodeError) -> TtsError {
    match error {
        DecodeError::TooLong { .. } => too_long(),
        error => TtsError::NoSound { what: error.to_string() },
    }
}

fn too_long() -> TtsError {
    TtsError::Engine(format!("one sentence is longer than {MAX_SECONDS} s of sound"))
}

/// Detects what begins with `start`; `None` while more bytes may tell more.
fn detect(
    start: &[u8],
    asked: SpeechFormat,
    raw: RawSound,
    end: bool,
) -> Result<Option<BodyKind>, TtsError> {
    if start.len() < ENOUGH && !end {
        return Ok(None);
    }
    let marked = |marks: &[&[u8]]| marks.iter().any(|mark| start.starts_with(mark));
    if marked(&[b"RIFF", b"RF64", b"RIFX", b"BW64"]) {
        return Ok(Some(BodyKind::Stream { wav: Box::default(), guessed: false }));
    }
    let mp4 = start.get(4..8).is_some_and(|kind| kind == b"ftyp");
    if mp4 || marked(&[b"OggS", b"ID3", b"fLaC", b"\x1a\x45\xdf\xa3", b"FORM"]) {
        return Ok(Some(BodyKind::Whole(Vec::new())));
    }
    if is_text(&start[..start.len().min(ENOUGH)]) {
        return Ok(Some(BodyKind::Text(Vec::new())));
    }
    if let Some(length) = frame_length(start) {
        if start.len() < TWO_FRAMES && !end {
            return Ok(None);
        }
        // One such header may occur in samples by chance, two at the right distance do not.
        if start.get(length..).and_then(frame_length).is_some() {
            return Ok(Some(BodyKind::Whole(Vec::new())));
        }
    }
    if !raw.said && asked != SpeechFormat::Pcm {
        return Ok(Some(BodyKind::Whole(Vec::new())));
    }
    if raw.either_end && start.len() < ORDER && !end {
        return Ok(None);
    }
    let wav = Box::new(WavStream::raw(raw.heard(start)).map_err(no_sound)?);
    Ok(Some(BodyKind::Stream { wav, guessed: !raw.rated }))
}

/// Returns whether all of `start` is text.
fn is_text(start: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
    // A character that is cut at the end does not count against it.
    let whole =
        std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    !start.is_empty() && start.iter().all(letter) && whole
}

/// Opens a complete file: a note as it is, or the samples of anything that can be decoded, at
/// 16 kHz.
async fn whole(file: Bytes, threads: &Threads) -> Result<Received, TtsError> {
    let opened = threads.run(move || {
        let why = match CodedSpeech::read(file.clone()) {
            Ok(speech) if speech.coded_granules() > MAX_SECONDS as u64 * 48_000 => {
                let limit_seconds = u32::try_from(MAX_SECONDS).unwrap_or(u32::MAX);
                return Err(DecodeError::TooLong { limit_seconds });
            }
            Ok(speech) => return Ok(Received::Note(speech)),
            Err(why) => file.starts_with(b"OggS").then_some(why),
        };
        let seconds = u32::try_from(MAX_SECONDS).unwrap_or(u32::MAX);
        let speech = decode(&file, AudioLimits { bytes: MAX_FILE as u64, seconds })?;
        Ok(Received::Decoded { speech, why })
    });
    match opened.await {
        Ok(Ok(spoken)) => Ok(spoken),
        Ok(Err(DecodeError::Empty)) => Err(TtsError::Empty),
        Ok(Err(error)) => Err(no_sound(error)),
        Err(RunError::Died) => Err(TtsError::NoSound { what: "what cannot be decoded".into() }),
        Err(RunError::Busy) => {
            Err(TtsError::Engine("too many sentences wait to be decoded".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a body in pieces; returns its samples, if they are given while they arrive.
    async fn taken(asked: SpeechFormat, body: &[u8], piece: usize) -> Result<Vec<f32>, TtsError> {
        let mut intake = Intake::new(asked, RawSound::configured(SampleRate(24_000)));
        let mut samples = Vec::new();
        for piece in body.chunks(piece) {
            intake.push(piece, &mut samples)?;
        }
        let threads = Threads::start("test", 1, 1).unwrap();
        match intake.finish(&mut samples, Redactor::default(), &threads).await? {
            Received::Streamed { samples: count, .. } => assert_eq!(count, samples.len()),
            Received::Note(_) | Received::Decoded { .. } => panic!("it streams"),
        }
        Ok(samples)
    }

    #[tokio::test]
    async fn samples_that_look_like_something_else_are_samples() {
        let frame = b"\xff\xfb\x90\x64".repeat(20);
        let once = [&frame[..4], &[3; 5_000]].concat();
        let letters = [b"<html>".as_slice(), &[0; 100]].concat();
        let short = [1, 2, 3, 4];
        for body in [&frame[..], &once, &letters, &short, &[0; 64], &[0x7f; 66]] {
            for piece in [1, 63, 10_000] {
                let samples = taken(SpeechFormat::Pcm, body, piece).await.unwrap();
                assert_eq!(samples.len(), body.len() / 2);
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_sound_is_named() {
        for asked in [SpeechFormat::Pcm, SpeechFormat::Wav, SpeechFormat::Opus] {
            for (body, named) in [
                (
                    "<html><body>Sign in to continue to the internet</body></html>".repeat(9),
                    "a web page",
                ),
                ("{\"error\": {\"message\": \"no\"}}".to_owned(), "text: no"),
                ("überlastet".to_owned(), "text: überlastet"),
            ] {
                match taken(asked, body.as_bytes(), 5).await {
                    Err(TtsError::NoSound { what }) => assert_eq!(what, named),
                    other => panic!("{other:?}"),
                }
            }
            assert!(matches!(taken(asked, b"", 1).await, Err(TtsError::Empty)));
        }
        let rubbish = [0xf0; 500];
        let error = taken(SpeechFormat::Opus, &rubbish, 500).await.unwrap_err();
        assert!(matches!(error, TtsError::NoSound { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_file_without_end_is_given_up() {
        let body = [b"OggS".as_slice(), &vec![0; MAX_FILE]].concat();
        let error = taken(SpeechFormat::Opus, &body, 1 << 16).await.unwrap_err();
        assert!(matches!(error, TtsError::Engine(_)), "{error}");
    }
}
