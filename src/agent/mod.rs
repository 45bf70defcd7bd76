//! The agent: what is heard goes in, the words of the answer stream out.

mod examine;
pub mod faq;
pub mod openai;
pub mod prompt;
pub mod scripted;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong, engines};
use crate::knowledge::{Hit, Knowledge};
use crate::registry::Phrase;
use crate::turn::{About, Exchange, LanguageCode, Personal, Retry, Uncertainty};

/// Describes what a responder is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the person said or wrote.
    pub heard: Personal,
    /// How it was heard; `None` if it was written.
    pub spoken: Option<Spoken>,
    /// What the messages refer to, one each.
    pub about: Vec<About>,
    /// What the answer should be in.
    pub language: LanguageCode,
    /// Earlier exchanges, oldest first.
    pub history: Vec<Exchange>,
    /// The person's name, as their profile has it.
    pub contact_name: Option<Personal>,
    /// When it was asked, Unix milliseconds.
    pub asked_ms: i64,
    /// Whether the answer will be heard rather than read.
    pub aloud: bool,
    /// What the agent's knowledge has on it, the best first.
    pub passages: Vec<Hit>,
}

/// Says which passages of the agent's knowledge a responder wants with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retrieval {
    /// None.
    Nothing,
    /// The one that answers it.
    Answer,
    /// The few that may help; if none does, those for this question and the one before together.
    Background,
}

impl Question {
    /// Makes a question of written words of somebody unknown, at the beginning of a conversation.
    pub fn written(heard: &str, language: impl Into<LanguageCode>) -> Self {
        Self {
            heard: heard.into(),
            spoken: None,
            about: Vec::new(),
            language: language.into(),
            history: Vec::new(),
            contact_name: None,
            asked_ms: 0,
            aloud: true,
            passages: Vec::new(),
        }
    }
}

/// Limits how long a person is kept waiting rather than told that there is no answer now; what
/// they say meanwhile waits too.
const LONGEST_SILENCE: Duration = Duration::from_mins(2);

/// Says how well spoken words were heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// What was spoken.
    pub language: LanguageCode,
    /// Mean probability of the words, 0 to 1, where the transcriber tells it.
    pub confidence: Option<f32>,
    /// Why the words may be wrong; `None` if no check failed, or the person confirmed them.
    pub uncertain: Option<Uncertainty>,
}

/// Holds what a responder gives, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// A piece of the answer; pieces join without a separator.
    Text(String),
    /// What the answer cost, once it is known.
    Usage(Usage),
}

/// Counts the tokens of one answer, as the model's server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Instructions, history and question.
    pub prompt_tokens: u64,
    /// The answer.
    pub completion_tokens: u64,
}

/// Answers in text, streamed.
#[async_trait]
pub trait Responder: Send + Sync {
    /// Names it in spans and metrics, e.g. `faq`.
    fn name(&self) -> &str;

    /// Returns which passages it wants.
    fn wants(&self) -> Retrieval {
        Retrieval::Nothing
    }

    /// Starts an answer. The stream ends after the last piece or after its first error.
    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>>;
}

/// Says why an answer could not be made, or broke off. Never holds a key or what a person said: a
/// server's own words are shortened and cleaned before they come in here.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages show what each field is")]
pub enum AgentError {
    /// The turn was cancelled: nobody waits for the answer.
    #[error("answer was cancelled")]
    Cancelled,
    /// The server is down, or broke off before the first word: ask again when it may be back.
    #[error("language model could not be reached: {0}")]
    Unreachable(String),
    /// The server has trouble of its own: ask again when it may be over.
    #[error("language model could not be reached: HTTP {status}: {message}")]
    Failing { status: u16, message: String },
    /// The server has too much to do: ask again after the time it names, unless nobody should be
    /// left without a word for so long.
    #[error("language model is busy (HTTP {status}): {message}")]
    Busy { status: u16, message: String, after: Duration },
    /// No word came in time: the person has waited long enough, answer with the fallback.
    #[error("language model gave no word within {waited_ms} ms")]
    TooSlow { waited_ms: u64 },
    /// The operator has to mend key, credit, address or model name: answer with the fallback.
    #[error("language model refused (HTTP {status}): {message}; {fix}")]
    Refused { status: u16, message: String, fix: &'static str },
    /// A web page came: the operator has to correct the address. Answer with the fallback.
    #[error("language model answered a web page (HTTP {status}): is llm.url right?")]
    WebPage { status: u16 },
    /// What came is not an answer of a chat API: answer with the fallback.
    #[error("language model answered {0}")]
    Unexpected(String),
    /// The server declined to answer this: answer with the fallback, or with what came before.
    #[error("language model's content filter ended the answer")]
    Filtered,
    /// The answer broke off: say its complete sentences.
    #[error("answer broke off: {0}")]
    BrokeOff(String),
    /// The answer grew longer than allowed: say its complete sentences.
    #[error("answer was cut: {0}")]
    CutShort(&'static str),
}

impl AgentError {
    /// Returns the HTTP status that the server answered with, if the error is about one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Failing { status, .. }
            | Self::Busy { status, .. }
            | Self::Refused { status, .. }
            | Self::WebPage { status } => Some(*status),
            _ => None,
        }
    }

    /// Returns when the same question may be asked again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            // It was asked more than once already; a restart of the server takes longer.
            Self::Unreachable(_) | Self::Failing { .. } => Retry::After(Duration::from_secs(5)),
            Self::Busy { after, .. } if *after <= LONGEST_SILENCE => Retry::After(*after),
            Self::Busy { .. }
            | Self::Cancelled
            | Self::TooSlow { .. }
            | Self::Refused { .. }
            | Self::WebPage { .. }
            | Self::Unexpected(_)
            | Self::Filtered
            | Self::BrokeOff(_)
            | Self::CutShort(_) => Retry::Never,
        }
    }
}

engines! {
    /// Lists the engines that answer.
    pub LlmEngine: "llm", dyn LlmSettings {
        /// What is on file, and no model.
        "faq" => Faq(faq::Settings),
        /// A server with `OpenAI`'s chat API.
        "openai" => OpenAi(openai::Settings),
        /// A given text.
        "scripted" => Scripted(scripted::Settings),
    }
}

/// Holds what an agent gives to its responder.
#[derive(Clone, Debug)]
pub struct LlmDeps {
    /// The agent's instructions.
    pub prompt: Option<String>,
    /// What "now" means to it.
    pub timezone: TimeZone,
    /// What is said when nothing on file answers.
    pub dont_know: Phrase,
}

/// Makes a responder of an engine's settings, and looks at what it needs.
#[async_trait]
pub trait LlmSettings: EngineSettings + Send + Sync {
    /// Builds the responder; asks nothing yet.
    ///
    /// # Errors
    /// A key that cannot be used.
    fn build(&self, deps: LlmDeps, connect: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong>;

    /// Returns what an agent knows that names no files.
    fn own_knowledge(&self) -> Option<Knowledge> {
        None
    }

    /// Adds to `check` what the doctor should say of the engine.
    async fn examine(
        &self,
        user: &EngineUser,
        deps: LlmDeps,
        connect: Connect<'_>,
        check: &mut Check,
    );
}
