//! What `[stt]` says of a server with `OpenAI`'s transcription API, and the transcriber made of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::OpenAiTranscriber;
use crate::audio::Speech;
use crate::engine::{
    self, Check, Connect, EngineSettings, EngineUser, TRIAL_LIMIT, TrialError, Wrong, check_server,
};
use crate::models::built_in;
use crate::stt::{
    LanguageHint, SttDeps, SttError, SttSettings, Transcriber, Utterance, Vocabulary,
};

/// What a turn waits for an utterance, whatever its server would: the stage ends after 90 s.
const LONGEST_MS: u64 = 80_000;

/// Samples of silence that the doctor has heard: one second.
const TRIAL: usize = 16_000;

/// Describes which server is asked, and how.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub url: Option<Url>,
    pub model: String,
    #[serde(default, deserialize_with = "engine::secret")]
    pub api_key: Option<SecretString>,
    pub connect_timeout_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
}

impl Settings {
    /// Returns the key that is sent as a bearer token; empty if there is none.
    pub(super) fn key(&self) -> &str {
        self.api_key.as_ref().map_or("", ExposeSecret::expose_secret)
    }

    fn transcriber(&self, connect: Connect<'_>) -> Result<OpenAiTranscriber, Wrong> {
        let client = connect(Duration::from_millis(self.connect_timeout_ms));
        OpenAiTranscriber::new(self.clone(), client)
    }
}

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        let mut all = check_server(self.url.as_ref(), self.api_key.as_ref());
        let mut wrong = |key: &str, problem: String| all.push(Wrong::new(key, problem));
        if self.model.trim().is_empty() || self.model == built_in::NAME {
            wrong(
                "model",
                "is missing; set a model of the server, such as \"whisper-1\". In a list each \
                 engine has its own: [{ engine = \"openai\", model = \"whisper-1\" }, \"whisper\"]"
                    .to_owned(),
            );
        }
        for (key, ms) in
            [("connect_timeout_ms", self.connect_timeout_ms), ("timeout_ms", self.timeout_ms)]
        {
            if !(1..=LONGEST_MS).contains(&ms) {
                wrong(key, format!("must be from 1 to {LONGEST_MS}"));
            }
        }
        all
    }

    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&["url", "model", "api_key"])
    }
}

#[async_trait]
impl SttSettings for Settings {
    fn build(&self, _: &SttDeps, connect: Connect<'_>) -> Result<Arc<dyn Transcriber>, Wrong> {
        Ok(Arc::new(self.transcriber(connect)?))
    }

    async fn examine(
        &self,
        users: &[EngineUser],
        _: &Arc<SttDeps>,
        connect: Connect<'_>,
        check: &mut Check,
    ) {
        let user = &users[0];
        let transcriber = match self.transcriber(connect) {
            Ok(transcriber) => transcriber,
            Err(wrong) => return check.wrong(&user.section, wrong),
        };
        for user in users {
            let vocabulary = Vocabulary::of_agent(&user.vocabulary, &[]);
            let cut = transcriber.cut(&vocabulary);
            if !cut.is_empty() {
                check.warning(
                    format!("{}.vocabulary", user.place),
                    format!("a request has no room for: {}", cut.join(", ")),
                    "put what is said most at the front of the list, and take off the rest",
                );
            }
        }
        let what = format!("agent {}: {}", user.agent, transcriber.name());
        match trial(&transcriber, user).await {
            Ok(()) => check.well(format!("{what} hears")),
            Err(refusal) => check.refused(&user.section, &what, &refusal),
        }
    }
}

/// Has a second of silence heard.
async fn trial(transcriber: &OpenAiTranscriber, user: &EngineUser) -> Result<(), TrialError> {
    let language = LanguageHint::Known(user.languages[0].clone());
    let silence = Utterance::alone(Speech::silence(TRIAL), language);
    let cancel = CancellationToken::new();
    match timeout(TRIAL_LIMIT, transcriber.transcribe(silence, &cancel)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_late) => {
            let limit_ms = TRIAL_LIMIT.as_millis().try_into().unwrap_or(u64::MAX);
            Err(failed(&SttError::TooSlow { limit_ms }))
        }
    }
}

fn failed(error: &SttError) -> TrialError {
    TrialError { status: error.status(), why: error.to_string() }
}
