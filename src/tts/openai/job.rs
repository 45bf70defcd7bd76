//! One sentence: asked for, asked for again where that may help, and handed on as it comes.
//!
//! Between the server and the stream that `speak` returned.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::super::outlet::Outlet;
use super::super::{Sentence, Sound, TtsError};
use super::intake::{Intake, Received};
use super::raw::RawSound;
use super::server::SpeechServer;
use crate::audio::SampleRate;
use crate::remote::patience::{Late, Patience};
use crate::remote::waits::jittered;
use crate::turn::Retry;

/// The longest wait before a request is made again. A server that asks for more is not waited for:
/// the person gets the text now.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Speaks one sentence through the server.
pub(super) struct SentenceJob {
    pub(super) server: Arc<SpeechServer>,
    pub(super) sentence: Sentence,
    pub(super) outlet: Outlet,
}

impl SentenceJob {
    /// Speaks until the end, the last error, or nobody listens any more.
    pub(super) async fn run(mut self, cancel: CancellationToken) {
        let unwanted = self.outlet.unwanted(&cancel);
        let spoken = tokio::select! {
            biased;
            () = unwanted => Err(TtsError::Cancelled),
            spoken = self.speak() => spoken,
        };
        if let Err(error) = spoken {
            self.outlet.fail(error).await;
        }
    }

    /// Makes requests until one succeeds or another would not help.
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
            let wait = if asked_for { base } else { jittered(wait).min(LONGEST_WAIT) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes one request, from asking to the last sample.
    async fn try_once(&mut self) -> Result<(), TtsError> {
        let server = Arc::clone(&self.server);
        let settings = &server.settings;
        let silence = Duration::from_millis(settings.first_audio_timeout_ms);
        let late = |late| match late {
            Late::Quiet => TtsError::Silent { silent_ms: settings.first_audio_timeout_ms },
            Late::Total => {
                let limit_ms = settings.timeout_ms;
                TtsError::Engine(format!("one sentence took the server more than {limit_ms} ms"))
            }
        };
        let mut patience = Patience::new(Duration::from_millis(settings.timeout_ms));
        patience.expect_within(silence);
        let mut answer = patience.wait(server.ask(&self.sentence)).await.map_err(late)??;
        let raw = RawSound::of(answer.headers(), SampleRate(settings.sample_rate));
        let mut intake = Intake::new(settings.format, raw);
        loop {
            // Until the first sound the silence is one, whatever comes meanwhile.
            if intake.begun() {
                patience.expect_within(silence);
            }
            let bytes = patience.wait(answer.chunk()).await.map_err(late)?;
            let Some(bytes) = bytes.map_err(TtsError::network)? else { break };
            intake.push(&bytes, self.outlet.ready())?;
            if let Some(rate) = intake.rate() {
                self.outlet.send(rate, false).await?;
            }
        }
        self.end(intake).await
    }

    /// Hands on what is left when the body has ended.
    async fn end(&mut self, intake: Intake) -> Result<(), TtsError> {
        let redactor = self.server.redactor(&self.sentence.text);
        match intake.finish(self.outlet.ready(), redactor, &self.server.threads).await? {
            Received::Streamed { rate, samples, guessed } => {
                self.outlet.send(rate, true).await?;
                if guessed {
                    self.server.doubt_rate(&self.sentence.text, rate.ms(samples) / 1000.0);
                }
                Ok(())
            }
            Received::Note(speech) => self.outlet.send_whole(Sound::Opus(speech)).await,
            Received::Decoded { speech, why } => {
                if let Some(why) = why {
                    self.server.note_encoded_again(why);
                }
                self.outlet.ready().extend_from_slice(speech.samples());
                self.outlet.send(SampleRate::SPEECH, true).await
            }
        }
    }
}
