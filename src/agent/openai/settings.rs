//! What `[llm]` says of a server with `OpenAI`'s chat API, and the responder made from it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::OpenAiResponder;
use super::request::OWN_KEYS;
use crate::agent::error::larger_context;
use crate::agent::examine::first_word;
use crate::agent::prompt::Persona;
use crate::agent::{LlmDeps, LlmSettings, Responder, reply};
use crate::engine::{self, Check, Connect, EngineSettings, EngineUser, Wrong, check_server};

/// Limits how long a turn waits for an answer.
const LONGEST_MS: u64 = 120_000;

/// Most rounds of calls of tools.
const MOST_ROUNDS: u32 = 20;

/// Describes which server is asked for which model, and how.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub url: Option<Url>,
    pub model: Option<String>,
    #[serde(default, deserialize_with = "engine::secret")]
    pub api_key: Option<SecretString>,
    pub temperature: Option<f64>,
    pub max_tokens: u32,
    #[serde(default)]
    pub extra: toml::Table,
    pub history_tokens: u32,
    pub images: bool,
    pub connect_timeout_ms: u64,
    pub first_token_timeout_ms: u64,
    pub stall_timeout_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
    pub max_rounds: u32,
}

impl Settings {
    /// Returns the key that is sent as a bearer token; empty if there is none.
    pub(super) fn key(&self) -> &str {
        self.api_key.as_ref().map_or("", ExposeSecret::expose_secret)
    }
}

impl Settings {
    fn responder(&self, deps: LlmDeps, connect: Connect<'_>) -> Result<OpenAiResponder, Wrong> {
        let persona = Persona {
            prompt: deps.prompt,
            timezone: deps.timezone,
            history_tokens: self.history_tokens,
            rich: deps.rich,
        };
        let (rich, client) =
            (persona.rich.is_some(), connect(Duration::from_millis(self.connect_timeout_ms)));
        let responder = OpenAiResponder::new(self.clone(), persona, client)?.with_tools(deps.tools);
        // Models that call tools well write JSON less well.
        Ok(if rich { responder.with_reply(&reply::schema()) } else { responder })
    }
}

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        let mut all = check_server(self.url.as_ref(), self.api_key.as_ref());
        let mut wrong = |key: &str, problem: &str| all.push(Wrong::new(key, problem));
        if self.model.as_ref().is_none_or(|model| model.trim().is_empty()) {
            wrong("model", "is missing; engine \"openai\" needs llm.model");
        }
        if let Some(key) = OWN_KEYS.iter().find(|key| self.extra.contains_key(**key)) {
            wrong("extra", &format!("may not set {key}, which hark sets itself"));
        }
        // The range of OpenAI's API; NaN is in none.
        if !self.temperature.is_none_or(|temperature| (0.0..=2.0).contains(&temperature)) {
            wrong("temperature", "must be 0 to 2");
        }
        for (name, value) in [
            ("max_tokens", u64::from(self.max_tokens)),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("first_token_timeout_ms", self.first_token_timeout_ms),
            ("stall_timeout_ms", self.stall_timeout_ms),
            ("timeout_ms", self.timeout_ms),
        ] {
            if value == 0 {
                wrong(name, "must be at least 1");
            } else if name.ends_with("_ms") && value > LONGEST_MS {
                wrong(name, "must be at most 120000, the longest that a turn waits");
            }
        }
        if self.max_rounds > MOST_ROUNDS {
            let most = format!("must be at most {MOST_ROUNDS}: the person waits for each");
            all.push(Wrong::new("max_rounds", most));
        }
        all
    }

    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&["url", "model", "api_key", "max_tokens", "history_tokens", "extra"])
    }
}

#[async_trait]
impl LlmSettings for Settings {
    fn calls_tools(&self) -> bool {
        true
    }

    fn build(&self, deps: LlmDeps, connect: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        Ok(Arc::new(self.responder(deps, connect)?))
    }

    async fn examine(
        &self,
        user: &EngineUser,
        mut deps: LlmDeps,
        connect: Connect<'_>,
        check: &mut Check,
    ) {
        // A look calls no tool.
        let tools = std::mem::take(&mut deps.tools);
        let responder = match self.responder(deps, connect) {
            Ok(responder) => responder.trusting(),
            Err(wrong) => return check.wrong(&user.section, wrong),
        };
        let what = format!("agent {}: {}", user.agent, responder.name());
        if let Err(no_word) = first_word(&responder, &user.languages[0]).await {
            return no_word.tell(check, user, &what);
        }
        let server = responder.server;
        let most = server.persona.most_tokens() + u64::from(self.max_tokens);
        match server.context_tokens().await {
            Some(tokens) if tokens < most => check.warning(
                format!("{}.history_tokens", user.section),
                format!(
                    "{what} answers, but has a context of {tokens} tokens; prompt, conversation and \
                     answer may take {most}"
                ),
                larger_context(&user.section),
            ),
            Some(tokens) => check.well(format!("{what} answers; context: {tokens} tokens")),
            None => check.well(format!("{what} answers")),
        }
        if !tools.is_empty()
            && self.max_rounds > 0
            && let Some(why) = server.refuses(&tools.definitions()).await
        {
            check.warning(
                format!("{}.model", user.section),
                format!("{what} takes no tools, or not these: {why}"),
                "take a model that calls tools, and let its server (vLLM: --enable-auto-tool-choice \
                 and --tool-call-parser, llama.cpp: --jinja); or take the agent's tools out",
            );
        }
    }
}
