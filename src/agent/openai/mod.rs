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
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;

use reading::{Limits, Reading};
use refusal::{Again, Failure};
use request::{Ask, Dialect};
pub use settings::Settings;

use super::prompt::Persona;
use super::{AgentError, Delta, Question, Responder, Wanted};
use crate::remote::failure::Refusal;
use crate::remote::patience::Patience;
use crate::remote::waits::jittered;
use crate::remote::words::Redactor;

/// A server that asks for a longer pause gets it between two tries of the whole turn.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The first pause between two tries, on average; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(300);

/// How a model is asked.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// `https://api.openai.com/v1`, or the whole address that ends in `/chat/completions`.
    pub url: Url,
    /// The model, by the server's name.
    pub model: String,
    /// Sent as a bearer token, if there is one.
    pub api_key: Option<SecretString>,
    /// 0 to 2; the server's own if unset.
    pub temperature: Option<f64>,
    /// The longest answer.
    pub max_tokens: u32,
    /// From the question to the first word.
    pub first_token_timeout: Duration,
    /// Between two words.
    pub stall_timeout: Duration,
    /// For everything, pauses and tries included; time in which nobody reads does not count.
    pub timeout: Duration,
    /// How often a question is asked again while no word has come.
    pub retries: u32,
    /// Who the model is to be.
    pub persona: Persona,
}

/// Asks a language model.
pub struct OpenAiResponder {
    server: Arc<Server>,
    name: String,
}

struct Server {
    settings: OpenAiSettings,
    endpoint: Url,
    client: Client,
    /// What the server understood last.
    dialect: Mutex<Dialect>,
}

impl OpenAiResponder {
    /// Makes one. `client` sets the time to connect and no time to read: the waits are kept here.
    #[must_use]
    pub fn new(settings: OpenAiSettings, client: Client) -> Self {
        let name = format!("openai/{}", settings.model);
        let endpoint = endpoint(&settings.url);
        let dialect = Mutex::default();
        Self { server: Arc::new(Server { settings, endpoint, client, dialect }), name }
    }
}

/// Where questions go.
fn endpoint(url: &Url) -> Url {
    let mut endpoint = url.clone();
    let path = url.path().trim_end_matches('/');
    if path.ends_with("/chat/completions") {
        endpoint.set_path(path);
    } else {
        endpoint.set_path(&format!("{path}/chat/completions"));
    }
    endpoint
}

#[async_trait]
impl Responder for OpenAiResponder {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self) -> Wanted {
        Wanted::Background
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let server = Arc::clone(&self.server);
        let answering = Answering {
            patience: Patience::new(server.settings.timeout),
            server,
            question: Arc::new(question),
            reading: None,
        };
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

/// One question on its way to its answer.
struct Answering {
    server: Arc<Server>,
    question: Arc<Question>,
    patience: Patience,
    /// Once the first word is there.
    reading: Option<Reading>,
}

impl Answering {
    async fn next(&mut self) -> Option<Result<Delta, AgentError>> {
        let (server, question) = (Arc::clone(&self.server), Arc::clone(&self.question));
        let limits = server.limits(&question);
        if self.reading.is_none() {
            match self.ask(&limits).await {
                Ok(reading) => self.reading = Some(reading),
                Err(error) => return Some(Err(error)),
            }
        }
        self.reading.as_mut()?.next(&limits, &mut self.patience).await
    }

    /// Asks until a first word comes or no try is left.
    async fn ask(&mut self, limits: &Limits<'_>) -> Result<Reading, AgentError> {
        let server = Arc::clone(&self.server);
        let settings = &server.settings;
        let ask = Ask {
            model: settings.model.clone(),
            messages: settings.persona.messages(&self.question),
            temperature: settings.temperature,
            max_tokens: settings.max_tokens,
        };
        let mut tries = 0;
        loop {
            self.patience.expect_within(limits.first_token);
            let Failure { error, again } =
                match server.try_once(&ask, limits, &mut self.patience).await {
                    Ok(reading) => return Ok(reading),
                    Err(failure) => failure,
                };
            let pause = match again {
                Again::Never => None,
                Again::Soon => Some(jittered(PAUSE * 2_u32.pow(tries.min(5)))),
                Again::After(pause) => Some(pause),
            };
            let pause = pause.filter(|pause| {
                tries < settings.retries
                    && *pause <= LONGEST_PAUSE
                    && self.patience.outlasts(*pause)
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
            self.patience.pause(pause).await;
        }
    }
}

impl Server {
    fn limits<'a>(&'a self, question: &'a Question) -> Limits<'a> {
        let settings = &self.settings;
        Limits {
            first_token: settings.first_token_timeout,
            stall: settings.stall_timeout,
            total: settings.timeout,
            redactor: Redactor {
                key: settings.api_key.as_ref().map_or("", |key| key.expose_secret()),
                text: question.heard.reveal(),
            },
        }
    }

    /// Asks once, in the dialect the server wants, and reads up to the first word.
    async fn try_once(
        &self,
        ask: &Ask,
        limits: &Limits<'_>,
        patience: &mut Patience,
    ) -> Result<Reading, Failure> {
        let mut dialect = *self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let sent = patience.wait(self.request(ask.body(dialect)).send()).await;
            let response = sent.map_err(|late| limits.too_slow(late))?.map_err(Failure::network)?;
            if response.status().is_success() {
                *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                let mut reading = Reading::new(response);
                reading.begin(limits, patience).await?;
                return Ok(reading);
            }
            let refusal = patience.wait(Refusal::read(response)).await;
            let refusal = refusal.map_err(|late| limits.too_slow(late))?;
            match dialect.after(&refusal.error.message) {
                Some(other) if matches!(refusal.status, 400 | 422) => dialect = other,
                _ => return Err(Failure::refused(&refusal, limits.redactor)),
            }
        }
    }

    fn request(&self, body: Vec<u8>) -> reqwest::RequestBuilder {
        let request = self.client.post(self.endpoint.clone());
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.header(ACCEPT, "text/event-stream, application/json").body(body);
        match &self.settings.api_key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
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
