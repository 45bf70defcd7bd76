//! One sentence: asked for, asked for again where that may help, and handed on as it comes.
//!
//! Between the server and the stream that `speak` returned.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::super::outlet::Outlet;
use super::super::{Sentence, Sound, TtsError};
use super::intake::{Intake, Spoken};
use super::server::Server;
use super::{OpenAiSettings, answer};
use crate::turn::Retry;

/// The longest wait before a request is made again. A server that asks for more is not waited for:
/// the person gets the text now.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// One sentence on its way through the server.
pub(super) struct Job {
    server: Arc<Server>,
    sentence: Sentence,
    outlet: Outlet,
}

impl Job {
    pub(super) fn new(server: Arc<Server>, sentence: Sentence, outlet: Outlet) -> Self {
        Self { server, sentence, outlet }
    }

    /// Speaks until the end, the last error, or nobody listens any more.
    pub(super) async fn run(mut self, cancel: CancellationToken) {
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
                    self.server.note_encoded_anew(why);
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
