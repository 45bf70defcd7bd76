//! The responder that asks a language model: any server with `OpenAI`'s `/chat/completions`.
//!
//! Between what was heard and the sentences. Invariants: a question is asked again only as long as
//! no word of an answer was given; every wait and every size is bounded; neither the key nor what
//! a person said is in an error or a log line.

mod chunk;
mod reading;
mod refusal;
mod request;
mod settings;
mod sse;
mod think;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reqwest::Client;
use reqwest::header::ACCEPT;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use reading::{Reading, ServerCall};
use refusal::{Again, Failure};
use request::{ChatRequest, Dialect};
pub use settings::Settings;

use super::prompt::Persona;
use super::{AgentError, Delta, Question, Responder, Retrieval};
use crate::engine::Wrong;
use crate::remote::endpoint_of;
use crate::remote::failure::ErrorResponse;
use crate::remote::patience::Patience;
use crate::remote::waits::jittered;
use crate::remote::words::Redactor;

/// Limits the pause between two tries; a longer one that a server asks for comes between two tries
/// of the turn.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// Sets the first pause between two tries, on average; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(300);

/// Asks a language model.
pub struct OpenAiResponder {
    server: Arc<ChatServer>,
    name: String,
}

struct ChatServer {
    settings: Settings,
    persona: Persona,
    model: String,
    endpoint: Url,
    client: Client,
    /// What the server understood last.
    dialect: Mutex<Dialect>,
}

impl OpenAiResponder {
    /// Makes one. `client` sets the time to connect and no time to read: the waits are kept here.
    ///
    /// # Errors
    /// An address or a model that is missing.
    pub fn new(settings: Settings, persona: Persona, client: Client) -> Result<Self, Wrong> {
        let missing = |key: &str| Wrong::new(key, "is missing");
        let endpoint = endpoint(settings.url.as_ref().ok_or_else(|| missing("url"))?);
        let model = settings.model.clone().ok_or_else(|| missing("model"))?;
        let (name, dialect) = (format!("openai/{model}"), Mutex::default());
        let server = ChatServer { settings, persona, model, endpoint, client, dialect };
        Ok(Self { server: Arc::new(server), name })
    }
}

/// Returns where questions go.
fn endpoint(url: &Url) -> Url {
    endpoint_of(url, "/chat/completions")
}

#[async_trait]
impl Responder for OpenAiResponder {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self) -> Retrieval {
        Retrieval::Background
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let server = Arc::clone(&self.server);
        let patience = Patience::new(Duration::from_millis(server.settings.timeout_ms));
        let answering = Answering { server, question, patience, reading: None };
        let cancel = cancel.clone();
        stream::unfold(Some(answering), move |answering| {
            let cancel = cancel.clone();
            async move {
                let mut answering = answering?;
                let next = tokio::select! {
                    biased;
                    () = cancel.cancelled() => Some(Err(AgentError::Cancelled)),
                    next = answering.next() => next,
                };
                match next {
                    Some(Ok(delta)) => Some((Ok(delta), Some(answering))),
                    Some(Err(error)) => Some((Err(error), None)),
                    None => {
                        if let Some(reading) = answering.reading {
                            reading.give_back();
                        }
                        None
                    }
                }
            }
        })
        .boxed()
    }
}

/// Follows one question on its way to its answer.
struct Answering {
    server: Arc<ChatServer>,
    question: Question,
    patience: Patience,
    /// Once the first word is there.
    reading: Option<Reading>,
}

impl Answering {
    async fn next(&mut self) -> Option<Result<Delta, AgentError>> {
        let Self { server, question, patience, reading } = self;
        let settings = &server.settings;
        let redactor = Redactor { key: settings.key(), text: question.heard.reveal() };
        let mut call = ServerCall { settings, redactor, patience };
        let reading = match reading {
            Some(reading) => reading,
            None => match server.ask(question, &mut call).await {
                Ok(begun) => reading.insert(begun),
                Err(error) => return Some(Err(error)),
            },
        };
        reading.next(&mut call).await
    }
}

impl ChatServer {
    /// Asks until a first word comes or no try is left.
    async fn ask(
        &self,
        question: &Question,
        call: &mut ServerCall<'_>,
    ) -> Result<Reading, AgentError> {
        let ask = ChatRequest {
            model: &self.model,
            messages: self.persona.messages(question),
            temperature: self.settings.temperature,
            max_tokens: self.settings.max_tokens,
        };
        let mut tries = 0;
        loop {
            let Failure { error, again } = match self.try_once(&ask, call).await {
                Ok(reading) => return Ok(reading),
                Err(failure) => failure,
            };
            let pause = match again {
                Again::Never => None,
                Again::Soon => Some(jittered(PAUSE * 2_u32.pow(tries.min(5)))),
                Again::After(pause) => Some(pause),
            };
            let pause = pause.filter(|pause| {
                tries < self.settings.retries
                    && *pause <= LONGEST_PAUSE
                    && call.patience.outlasts(*pause)
            });
            let Some(pause) = pause else {
                if matches!(
                    error,
                    AgentError::Refused { .. }
                        | AgentError::WebPage { .. }
                        | AgentError::Unexpected(_)
                ) {
                    tracing::error!(error = %error, "the language model cannot be used");
                }
                return Err(error);
            };
            tries += 1;
            tracing::warn!(
                error = %error, retry.number = tries, retry.after_ms = pause.as_millis(),
                "the language model is asked again"
            );
            call.patience.pause(pause).await;
        }
    }

    /// Asks once, in the dialect the server wants, and reads up to the first word.
    async fn try_once(
        &self,
        ask: &ChatRequest<'_>,
        call: &mut ServerCall<'_>,
    ) -> Result<Reading, Failure> {
        let first_token = Duration::from_millis(self.settings.first_token_timeout_ms);
        call.patience.expect_within(first_token);
        let mut dialect = *self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let sent = call.patience.wait(self.request(&ask.body(dialect)).send()).await;
            let response = sent.map_err(|late| call.too_slow(late))?.map_err(Failure::network)?;
            if response.status().is_success() {
                *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                let mut reading = Reading::new(response);
                reading.begin(call).await?;
                return Ok(reading);
            }
            let refusal = call.patience.wait(ErrorResponse::read(response)).await;
            let refusal = refusal.map_err(|late| call.too_slow(late))?;
            match dialect.after(&refusal.error.message) {
                Some(other) if matches!(refusal.status, 400 | 422) => dialect = other,
                _ => return Err(Failure::refused(&refusal, call.redactor)),
            }
        }
    }

    fn request(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = self.client.post(self.endpoint.clone()).json(body);
        let request = request.header(ACCEPT, "text/event-stream, application/json");
        match self.settings.key() {
            "" => request,
            key => request.bearer_auth(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_found_from_a_base_or_given_whole() {
        for (url, expected) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://[::1]:11434/v1/", "http://[::1]:11434/v1/chat/completions"),
            ("http://localhost:8000", "http://localhost:8000/chat/completions"),
            ("http://a/x/chat/completions/", "http://a/x/chat/completions"),
            ("http://a/chat/completions?v=1", "http://a/chat/completions?v=1"),
        ] {
            assert_eq!(endpoint(&url.parse().unwrap()).as_str(), expected);
        }
    }
}
