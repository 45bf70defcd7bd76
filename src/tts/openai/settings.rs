//! What `[tts]` says of a server with `OpenAI`'s speech API, and the synthesizer made of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{OpenAiSynthesizer, SpeechFormat};
use crate::engine::{self, Check, EngineSettings, Wrong, check_server};
use crate::threads::Threads;
use crate::tts::examine::first_sound;
use crate::tts::{Speaker, Synthesizer, TtsDeps, TtsSettings, check_speed};

/// What a turn waits for a voice, whatever its server would.
const LONGEST_MS: u64 = 120_000;

/// Describes which server is asked for which voice, and how.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    #[serde(default = "usual_voice")]
    pub voice: String,
    pub speed: f64,
    pub url: Option<Url>,
    #[serde(default)]
    pub model: String,
    #[serde(default, deserialize_with = "engine::secret")]
    pub api_key: Option<SecretString>,
    pub format: SpeechFormat,
    pub sample_rate: u32,
    pub parallel: usize,
    pub connect_timeout_ms: u64,
    pub first_audio_timeout_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
}

impl Settings {
    /// Returns the key that is sent as a bearer token; empty if there is none.
    pub(super) fn key(&self) -> &str {
        self.api_key.as_ref().map_or("", ExposeSecret::expose_secret)
    }
}

fn usual_voice() -> String {
    "alloy".to_owned()
}

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        let mut all = check_server(self.url.as_ref(), self.api_key.as_ref());
        all.extend(check_speed(self.speed));
        let mut wrong = |key: &str, problem: &str| all.push(Wrong::new(key, problem));
        if self.model.is_empty() {
            wrong("model", "is missing; set a model of the server");
        }
        if !(8_000..=192_000).contains(&self.sample_rate) {
            wrong("sample_rate", "must be from 8000 to 192000");
        }
        if !(1..=16).contains(&self.parallel) {
            wrong("parallel", "must be from 1 to 16");
        }
        for (key, ms) in [
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("first_audio_timeout_ms", self.first_audio_timeout_ms),
            ("timeout_ms", self.timeout_ms),
        ] {
            if !(1..=LONGEST_MS).contains(&ms) {
                wrong(key, "must be from 1 to 120000");
            }
        }
        all
    }

    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&["url", "model", "api_key"])
    }
}

#[async_trait]
impl TtsSettings for Settings {
    fn build(&self, deps: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong> {
        let client = (deps.connect)(Duration::from_millis(self.connect_timeout_ms));
        // A file of two minutes of speech is decoded in 100 ms; more than 64 that wait are refused.
        let threads = Threads::start("speech", 2, 64).map_err(|error| {
            Wrong::new("engine", format!("no thread could be started: {error}"))
        })?;
        Ok(Arc::new(OpenAiSynthesizer::new(self.clone(), client, threads)?))
    }

    async fn examine(&self, speakers: &[Speaker], deps: &TtsDeps<'_>, check: &mut Check) {
        let Speaker { user, voice, .. } = &speakers[0];
        let synthesizer = match self.build(deps) {
            Ok(synthesizer) => synthesizer,
            Err(wrong) => return check.wrong(&user.section, wrong),
        };
        let what = format!("agent {}: {}", user.agent, synthesizer.name());
        let language = user.languages[0].clone();
        match first_sound(synthesizer.as_ref(), language, voice.clone()).await {
            Ok(()) => check.well(format!("{what} speaks")),
            Err(refusal) => check.refused(&user.section, &what, &refusal),
        }
    }
}
