//! The responder that asks a language model: any server with `OpenAI`'s `/chat/completions`.
//!
//! Between what was heard and the sentences. Invariants: a question is asked again only as long as
//! no word of an answer was given; every wait and every size is bounded; neither the key nor what
//! a person said is in an error or a log line.

mod answering;
mod chunk;
mod context;
mod cost;
mod reading;
mod refusal;
mod replay;
mod request;
mod server_call;
mod settings;
mod sse;
mod text;
mod tool_calls;
mod tool_check;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reqwest::Client;
use reqwest::header::ACCEPT;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use url::Url;

use answering::{Answering, ToolTalk};
use reading::Reading;
use refusal::{Again, Failure};
#[doc(hidden)]
pub use replay::read_answer;
use request::{ChatRequest, Dialect, Streaming, to_json};
use server_call::ServerCall;
pub use settings::Settings;
use tool_calls::{CallsSoFar, REPLY};

use super::prompt::Persona;
use super::tools::{Toolbox, definition};
use super::{AgentError, Delta, Question, Responder, Retrieval};
use crate::engine::Wrong;
use crate::remote::endpoint_of;
use crate::remote::failure::ErrorResponse;
use crate::remote::greeting::with_key;
use crate::remote::waits::jittered;

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
    extra: Map<String, Value>,
    tools: Arc<Toolbox>,
    /// The tool whose arguments are the answer, in the chat API's words.
    reply: Option<Value>,
    habits: Mutex<ServerHabits>,
}

/// Holds what the server's answers have shown so far.
#[derive(Clone, Copy, Debug, Default)]
struct ServerHabits {
    /// What it understood last.
    dialect: Dialect,
    /// Whether answers begin within a thought that only its end shows.
    opens_thoughts: Option<bool>,
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
        let (name, extra) = (format!("openai/{model}"), to_json(&settings.extra));
        let (tools, reply, habits) = (Arc::default(), None, Mutex::default());
        let server =
            ChatServer { settings, persona, model, endpoint, client, extra, tools, reply, habits };
        Ok(Self { server: Arc::new(server), name })
    }

    /// Lets the model call these tools.
    #[must_use]
    pub fn with_tools(self, tools: Arc<Toolbox>) -> Self {
        self.changed(|server| ChatServer { tools, ..server })
    }

    /// Lets the model answer by a call of the tool `reply`, whose arguments fit this JSON schema: they
    /// are handed out as the text of the answer while they come, on a line of their own.
    #[must_use]
    pub fn with_reply(self, schema: &Value) -> Self {
        const ABOUT: &str =
            "Answers the person with more than words. Your whole answer goes in here.";
        let reply = Some(definition(REPLY, ABOUT, schema));
        self.changed(|server| ChatServer { reply, ..server })
    }

    fn changed(self, change: impl FnOnce(ChatServer) -> ChatServer) -> Self {
        let Self { server, name } = self;
        let server = Arc::into_inner(server).expect("nobody else has it before it is used");
        Self { server: Arc::new(change(server)), name }
    }

    /// Takes the server's first words for words of an answer, were they a thought's.
    fn trusting(self) -> Self {
        self.server.habits().opens_thoughts = Some(false);
        self
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

    fn sees(&self) -> bool {
        self.server.settings.images
    }

    fn history_tokens(&self) -> Option<u32> {
        Some(self.server.settings.history_tokens)
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let answering = Answering::new(Arc::clone(&self.server), question);
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
                    None => None,
                }
            }
        })
        .boxed()
    }
}

impl ChatServer {
    /// Asks until a first word comes or no try is left. A context that is too small gets a shorter
    /// conversation, as often as there is something to leave out.
    async fn ask(
        &self,
        question: &Question,
        talk: &mut ToolTalk,
        call: &mut ServerCall<'_>,
    ) -> Result<Reading, AgentError> {
        let mut question = Cow::Borrowed(question);
        let mut tries = 0;
        loop {
            let ask = ChatRequest {
                model: &self.model,
                messages: self.persona.messages(&question),
                calls: &talk.messages,
                tools: talk.offered(self.settings.max_rounds),
                temperature: self.settings.temperature,
                max_tokens: self.settings.max_tokens,
                extra: &self.extra,
            };
            let Failure { error, again, .. } = match self.try_once(&ask, call).await {
                Ok(reading) => return Ok(reading),
                Err(failure) => failure,
            };
            if matches!(error, AgentError::TooLong { .. })
                && (self.persona.shorten(question.to_mut()) || talk.shorten())
            {
                tracing::warn!(
                    error = %error,
                    "the language model's context is too small: it is asked with less of the past"
                );
                continue;
            }
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
            let Some(pause) = pause else { return Err(error) };
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
        let mut habits = *self.habits();
        loop {
            let first_token = if habits.dialect.streaming == Streaming::No {
                // The whole answer comes at once.
                self.settings.timeout_ms
            } else {
                self.settings.first_token_timeout_ms
            };
            call.patience.expect_within(Duration::from_millis(first_token));
            let failure = match self.begin(ask, habits, call).await {
                Ok(reading) => {
                    self.habits().dialect = habits.dialect;
                    return Ok(reading);
                }
                Err(failure) => failure,
            };
            // What is too long is not too long because of a key.
            let too_long = matches!(failure.error, AgentError::TooLong { .. });
            let refusal = failure.server.as_deref().filter(|_| !too_long);
            let status = failure.error.status().unwrap_or(400);
            let other = refusal.and_then(|refusal| habits.dialect.after(status, refusal));
            // What is said of tools where none were offered is about something else.
            let other = other.filter(|other| {
                other.tools == habits.dialect.tools
                    || !(ask.tools.is_empty() && ask.calls.is_empty())
            });
            match other {
                Some(other) => {
                    if habits.dialect.tools && !other.tools {
                        tracing::warn!(
                            error = %failure.error,
                            "the language model's server takes no tools, or not these: it is asked \
                             without them"
                        );
                    }
                    habits.dialect = other;
                }
                None => return Err(failure),
            }
        }
    }

    /// Sends one request and reads up to the first word of its answer.
    async fn begin(
        &self,
        ask: &ChatRequest<'_>,
        habits: ServerHabits,
        call: &mut ServerCall<'_>,
    ) -> Result<Reading, Failure> {
        let sent = call.patience.wait(self.request(&ask.body(habits.dialect)).send()).await;
        let response = sent.map_err(|late| call.too_slow(late))?.map_err(Failure::network)?;
        if response.status().is_success() {
            let calls = habits.dialect.tools && !ask.tools.is_empty();
            let calls = calls.then(|| CallsSoFar::new(self.reply.is_some()));
            let mut reading = Reading::new(response, habits.opens_thoughts, calls);
            reading.count.prompt_tokens = ask.estimate();
            let begun = reading.begin(call).await;
            self.learn(&reading);
            return match begun {
                Ok(()) => Ok(reading),
                Err(failure) => {
                    call.wasted.extend(reading.wasted());
                    Err(failure)
                }
            };
        }
        let refusal = call.patience.wait(ErrorResponse::read(response)).await;
        let refusal = refusal.map_err(|late| call.too_slow(late))?;
        Err(Failure::refused(&refusal, call.redactor))
    }

    /// Returns whether the model may call anything.
    fn offers_tools(&self) -> bool {
        !self.tools.is_empty() || self.reply.is_some()
    }

    fn habits(&self) -> MutexGuard<'_, ServerHabits> {
        self.habits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what an answer shows of the next ones.
    fn learn(&self, reading: &Reading) {
        if let Some(opens_thoughts) = reading.opens_thoughts() {
            self.habits().opens_thoughts = Some(opens_thoughts);
        }
    }

    fn request(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = self.client.post(self.endpoint.clone()).json(body);
        let request = request.header(ACCEPT, "text/event-stream, application/json");
        with_key(request, self.settings.key())
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
