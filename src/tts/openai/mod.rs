//! Speaks through a server: `/v1/audio/speech`, as OpenAI and those compatible with it have it.
//!
//! One request a sentence, several sentences side by side. Invariants: the sound is told by its
//! first bytes, never by what was asked for or by its header; a request is made again only while
//! nothing of the sentence was heard; every wait is bounded, and time in which nobody takes the
//! sound does not count; no text and no key is in an error or a log line.

mod intake;
mod job;
mod raw;
mod refusal;
mod server;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::outlet::Outlet;
use super::{Sentence, Sound, Synthesizer, TtsError};
use crate::engine::Wrong;
use crate::threads::Threads;
use job::SentenceJob;
use server::SpeechServer;
pub use settings::Settings;

/// Names what the server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeechFormat {
    /// 16-bit mono samples without a header.
    Pcm,
    /// A WAV file.
    Wav,
    /// Ogg/Opus, which goes into the note as it is if it can.
    Opus,
}

/// Speaks through a server.
#[derive(Debug)]
pub struct OpenAiSynthesizer {
    server: Arc<SpeechServer>,
}

impl OpenAiSynthesizer {
    /// Makes a synthesizer that has asked nothing yet. `client` has its own time limit for
    /// connecting; `threads` decode the sentences that come as files.
    ///
    /// # Errors
    /// Settings without a URL.
    pub fn new(
        settings: Settings,
        client: reqwest::Client,
        threads: Threads,
    ) -> Result<Self, Wrong> {
        Ok(Self { server: Arc::new(SpeechServer::new(settings, client, threads)?) })
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
        self.server.greet().await;
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
        let (outlet, sound) = Outlet::open();
        let job = SentenceJob { server: Arc::clone(&self.server), sentence, outlet };
        tokio::spawn(job.run(cancel.clone()));
        sound
    }
}
