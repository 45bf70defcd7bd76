//! Speaks through a server: `/v1/audio/speech`, as OpenAI and those compatible with it have it.
//!
//! One request a sentence, several sentences side by side. Invariants: the sound is told by its
//! first bytes, never by what was asked for or by its header; a request is made again only while
//! nothing of the sentence was heard; every wait is bounded, and time in which nobody takes the
//! sound is none of the server's; no text and no key is in an error or a log line.

mod answer;
mod intake;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::outlet::{CHUNKS_AHEAD, Outlet};
use super::{Sentence, Sound, Synthesizer, TtsError};
use crate::audio::SampleRate;
use crate::turn::Retry;
use intake::{Intake, Spoken};

/// The longest wait before a request is made again. A server that asks for more is not waited for:
/// the person gets the text now.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Time for the error that a refused request comes with.
const COMPLAINT_TIME: Duration = Duration::from_secs(2);

/// Bytes of such an error that are read.
const COMPLAINT_BYTES: usize = 8 * 1024;

/// What people speak in a second, in letters, roughly and in any script that has letters.
const LETTERS_PER_SECOND: f64 = 15.0;

/// A shorter text says little about how fast it was spoken.
const TELLING_LETTERS: usize = 40;

/// What to ask the server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechFormat {
    /// 16-bit mono samples without a header.
    Pcm,
    /// A WAV file.
    Wav,
    /// Ogg/Opus, which goes into the note as it is if it can.
    Opus,
}

impl SpeechFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Pcm => "pcm",
            Self::Wav => "wav",
            Self::Opus => "opus",
        }
    }
}

/// How a speech server is used.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// Its base, e.g. `https://api.openai.com/v1`, or the whole address up to `/audio/speech`.
    pub url: Url,
    /// Its model.
    pub model: String,
    /// What it is shown as a bearer token.
    pub api_key: Option<SecretString>,
    /// The voice of sentences that name none.
    pub voice: String,
    /// Pace, 1 as the voice speaks by itself.
    pub speed: f64,
    /// What it is asked for.
    pub format: SpeechFormat,
    /// The rate of its PCM, which does not say it.
    pub sample_rate: SampleRate,
    /// Sentences of a reply asked for side by side.
    pub parallel: usize,
    /// Longest silence, before the first sound and within a sentence.
    pub silence: Duration,
    /// Longest time for a whole sentence.
    pub whole: Duration,
    /// Requests made again for one sentence.
    pub retries: u32,
}

/// Speaks through a server.
#[derive(Debug)]
pub struct OpenAiSynthesizer {
    server: Arc<Server>,
}

impl OpenAiSynthesizer {
    /// Asks nothing yet. `client` has its own time limits for connecting.
    #[must_use]
    pub fn new(settings: OpenAiSettings, client: reqwest::Client) -> Self {
        let address = speech_address(&settings.url);
        let (key_refused, odd_pace, encoded_anew) = (Once::new(), Once::new(), Once::new());
        let server = Server { settings, client, address, key_refused, odd_pace, encoded_anew };
        Self { server: Arc::new(server) }
    }
}

#[async_trait]
impl Synthesizer for OpenAiSynthesizer {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn parallel(&self) -> usize {
        self.server.settings.parallel
    }

    /// Opens a connection. A server that cannot be reached now may be later: it is only warned of.
    async fn warm_up(&self) -> Result<(), TtsError> {
        let server = &self.server;
        let mut address = server.address.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop().pop().push("models");
        }
        let mut request = server.client.get(address);
        if let Some(key) = &server.settings.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        match timeout(server.settings.silence, request.send()).await {
            // Not every server lists its models; whether this one has a key for us it does say.
            Ok(Ok(answer)) if matches!(answer.status().as_u16(), 401 | 403) => {
                server.note_refused_key(answer.status().as_u16());
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                warn!(error = %answer::network(&error), "the speech server is not there yet");
            }
            Err(_) => warn!("the speech server does not answer yet"),
        }
        Ok(())
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        if !sentence.text.chars().any(char::is_alphanumeric) {
            return stream::empty().boxed();
        }
        let (chunks, reader) = mpsc::channel(CHUNKS_AHEAD);
        let job = Job { server: Arc::clone(&self.server), sentence, outlet: Outlet::new(chunks) };
        tokio::spawn(job.run(cancel.clone()));
        stream::unfold(reader, |mut reader| async { Some((reader.recv().await?, reader)) }).boxed()
    }
}

/// The address of a server's speech, which its operator may have written out already.
fn speech_address(base: &Url) -> Url {
    let mut address = base.clone();
    let whole = base.path().trim_end_matches('/').ends_with("/audio/speech");
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty();
        if !whole {
            path.extend(["audio", "speech"]);
        }
    }
    address
}

/// What all sentences share.
#[derive(Debug)]
struct Server {
    settings: OpenAiSettings,
    client: reqwest::Client,
    address: Url,
    key_refused: Once,
    odd_pace: Once,
    encoded_anew: Once,
}

/// The body of a request.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
}

impl Server {
    /// Asks for a sentence; comes back when the server has begun to answer.
    async fn ask(&self, sentence: &Sentence) -> Result<Response, TtsError> {
        let settings = &self.settings;
        let body = Request {
            model: &settings.model,
            input: &sentence.text,
            voice: sentence.voice.as_ref().map_or(settings.voice.as_str(), |voice| voice.name()),
            response_format: settings.format.name(),
            speed: Some(settings.speed).filter(|speed| (speed - 1.0).abs() > f64::EPSILON),
        };
        let mut request = self.client.post(self.address.clone()).json(&body);
        if let Some(key) = &settings.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        let answer = request.send().await.map_err(|error| answer::network(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let refusal = self.refusal(answer, &sentence.text).await;
        if let TtsError::Key { status, .. } = refusal {
            self.note_refused_key(status);
        }
        Err(refusal)
    }

    /// The error of an answer that is no success, with as much of its words as is safe.
    async fn refusal(&self, mut answer: Response, text: &str) -> TtsError {
        let mut body = Vec::new();
        let read = async {
            while body.len() < COMPLAINT_BYTES
                && let Ok(Some(bytes)) = answer.chunk().await
            {
                body.extend_from_slice(&bytes);
            }
        };
        // Without it the status has to do.
        let _late = timeout(COMPLAINT_TIME, read).await;
        body.truncate(COMPLAINT_BYTES);
        answer::refusal(answer.status().as_u16(), answer.headers(), &self.words(&body, text))
    }

    /// The server's own words in `body`, without the key and the text.
    fn words(&self, body: &[u8], text: &str) -> String {
        let key = self.settings.api_key.as_ref().map_or("", ExposeSecret::expose_secret);
        answer::words(body, text, key)
    }

    fn note_refused_key(&self, status: u16) {
        self.key_refused.call_once(|| {
            error!(http.status = status, "the speech server refuses the key: set tts.api_key");
        });
    }

    /// Says once when PCM is far too short or long for its text: then its rate is another.
    fn doubt_rate(&self, text: &str, seconds: f64) {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric()).count();
        #[expect(clippy::cast_precision_loss, reason = "a sentence")]
        let expected = letters as f64 / LETTERS_PER_SECOND / self.settings.speed;
        let usual = expected / 3.0..expected * 3.0;
        if letters > TELLING_LETTERS && !usual.contains(&seconds) {
            self.odd_pace.call_once(|| {
                warn!(
                    audio.seconds = seconds,
                    audio.expected_seconds = expected,
                    "the speech server's sound is far too short or too long for its text: is \
                     tts.sample_rate the server's rate?"
                );
            });
        }
    }
}

/// One sentence on its way through the server.
struct Job {
    server: Arc<Server>,
    sentence: Sentence,
    outlet: Outlet,
}

impl Job {
    /// Speaks until the end, the last error, or nobody listens any more.
    async fn run(mut self, cancel: CancellationToken) {
        let closed = self.outlet.when_closed();
        let spoken = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(TtsError::Cancelled),
            () = closed => Err(TtsError::Cancelled),
            spoken = self.speak() => spoken,
        };
        if let Err(error) = spoken {
            self.outlet.fail(error).await;
        }
    }

    /// Asks, and asks again where that may help.
    async fn speak(&mut self) -> Result<(), TtsError> {
        let mut asked = 0;
        loop {
            let error = match self.try_once().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            asked += 1;
            // Sound without a sample is a fault of the text or the voice more often than not.
            let retries = match error {
                TtsError::Empty => self.server.settings.retries.min(1),
                _ => self.server.settings.retries,
            };
            let Retry::After(base) = error.retry() else { return Err(error) };
            let wait = base.saturating_mul(1 << (asked - 1).min(4));
            if self.outlet.has_sent() || asked > retries || base > LONGEST_WAIT {
                return Err(error);
            }
            warn!(error = %error, tts.asked = asked, "the speech server is asked again");
            self.outlet.clear();
            // A wait that was asked for is kept; our own differ, so that sentences do not meet.
            let asked_for = matches!(error, TtsError::Busy { after: Some(_), .. });
            let wait = if asked_for { base } else { wait.min(LONGEST_WAIT).mul_f64(jitter()) };
            tokio::time::sleep(wait).await;
        }
    }

    /// One request, from asking to the last sample.
    async fn try_once(&mut self) -> Result<(), TtsError> {
        let server = Arc::clone(&self.server);
        let settings = &server.settings;
        let mut clock = Clock { settings, left: settings.whole };
        // Until the first sound the silence is one, whatever comes meanwhile.
        let mut first = settings.silence;
        let mut answer = clock.wait(&mut first, server.ask(&self.sentence)).await??;
        let mut intake = Intake::new(settings.format, settings.sample_rate);
        loop {
            let mut silence = settings.silence;
            let silence = if intake.begun() { &mut silence } else { &mut first };
            let bytes = clock.wait(silence, answer.chunk()).await?;
            let Some(bytes) = bytes.map_err(|error| answer::network(&error))? else { break };
            intake.push(&bytes, self.outlet.ready())?;
            if let Some(rate) = intake.rate() {
                self.outlet.send(rate, false).await?;
            }
        }
        self.end(intake).await
    }

    /// Hands on what is left when the body has ended.
    async fn end(&mut self, intake: Intake) -> Result<(), TtsError> {
        let (server, text) = (&self.server, &self.sentence.text);
        match intake.finish(self.outlet.ready(), |body| server.words(body, text)).await? {
            Spoken::Streamed { rate, samples, raw } => {
                self.outlet.send(rate, true).await?;
                if raw {
                    self.server.doubt_rate(&self.sentence.text, rate.ms(samples) / 1000.0);
                }
                Ok(())
            }
            Spoken::Note(speech) => self.outlet.send_whole(Sound::Opus(speech)).await,
            Spoken::Decoded { pcm, why } => {
                if let Some(why) = why {
                    self.server.encoded_anew.call_once(|| {
                        warn!(
                            tts.reason = %why,
                            "the speech server's Opus is no voice note and is encoded anew"
                        );
                    });
                }
                self.outlet.ready().extend_from_slice(&pcm.samples);
                self.outlet.send(pcm.rate, true).await
            }
        }
    }
}

/// The time that a request may still take.
struct Clock<'a> {
    settings: &'a OpenAiSettings,
    /// Of the whole sentence.
    left: Duration,
}

impl Clock<'_> {
    /// Waits for the server, at most for what is left of `silence` and of the whole.
    async fn wait<T>(
        &mut self,
        silence: &mut Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, TtsError> {
        let started = Instant::now();
        let done = timeout(self.left.min(*silence), work).await;
        *silence = silence.saturating_sub(started.elapsed());
        self.left = self.left.saturating_sub(started.elapsed());
        done.map_err(|_| match self.left {
            Duration::ZERO => {
                let whole_ms = self.settings.whole.as_millis();
                TtsError::Engine(format!("one sentence took the server more than {whole_ms} ms"))
            }
            _ => TtsError::Silent { silent_ms: self.settings.silence.as_millis() },
        })
    }
}

/// A factor from 0.5 to 1.
fn jitter() -> f64 {
    // Every hasher of its own seed: the randomness that std has.
    let random = RandomState::new().hash_one(()) >> 12;
    #[expect(clippy::cast_precision_loss, reason = "52 bits")]
    let share = random as f64 / (1_u64 << 52) as f64;
    0.5 + share / 2.0
}
