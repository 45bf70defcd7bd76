//! The agent: what is heard goes in, the words of the answer stream out.

mod error;
mod examine;
pub mod faq;
pub mod openai;
pub mod prompt;
pub mod reply;
pub mod scripted;
pub mod tools;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

pub use error::AgentError;
use tools::{ToolDone, Toolbox};

use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong, engines};
use crate::knowledge::{Hit, Knowledge};
use crate::registry::Phrase;
use crate::turn::{
    About, Customer, Exchange, Extra, LanguageCode, Personal, Spent, TokenCount, Uncertainty,
};

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
    /// What the agent noted of those before.
    pub notes: Option<Personal>,
    /// The person's name: the business's, if it has one, else their profile's.
    pub contact_name: Option<Personal>,
    /// What the business knows of them, if they are a customer.
    pub customer: Option<Customer>,
    /// When it was asked, Unix milliseconds.
    pub asked_ms: i64,
    /// Whether the answer will be heard rather than read.
    pub aloud: bool,
    /// What the agent's knowledge has on it, the best first.
    pub passages: Vec<Hit>,
    /// The pictures that came with it, for who sees them.
    pub pictures: Vec<Picture>,
    /// Whether hark asks for itself: words alone are wanted, and no tool is called for them.
    pub internal: bool,
}

/// Holds a picture that a person sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the provider says it is, such as `image/jpeg`.
    pub mime_type: String,
    /// The file.
    pub bytes: Bytes,
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
            notes: None,
            contact_name: None,
            customer: None,
            asked_ms: 0,
            aloud: true,
            passages: Vec::new(),
            pictures: Vec::new(),
            internal: false,
        }
    }
}

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
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// A piece of the answer; pieces join without a separator.
    Text(String),
    /// Something beside the words, which follows them.
    Extra(Extra),
    /// The agent wants a person to take over, for this reason; it may have none.
    Ticket(Personal),
    /// All so far is taken back: it was a thought, and the answer begins now.
    Retract,
    /// What the answer cost, once it is known; of each round, where tools were called.
    Usage(Usage),
    /// A tool was called, for the turn's record.
    Tool(Box<ToolDone>),
}

/// Counts the tokens of one answer, as the model's server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Instructions, history and question.
    pub prompt_tokens: u64,
    /// Those of them that the server had kept from an earlier question.
    pub cached_tokens: u64,
    /// The answer, with what was thought before it.
    pub completion_tokens: u64,
    /// Whether it is an estimate of ours, since the server told nothing.
    pub estimated: bool,
}

impl Usage {
    /// Adds it to what a turn spent.
    pub fn add_to(self, spent: &mut Spent) {
        spent.prompt_tokens += self.prompt_tokens;
        spent.cached_tokens += self.cached_tokens;
        spent.completion_tokens += self.completion_tokens;
        spent.count_as(if self.estimated { TokenCount::Estimated } else { TokenCount::Told });
    }
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

    /// Returns whether it sees pictures.
    fn sees(&self) -> bool {
        false
    }

    /// Returns how many tokens of the conversation so far it reads, by an estimate of its own; `None` if
    /// it counts none.
    fn history_tokens(&self) -> Option<u32> {
        None
    }

    /// Starts an answer. The stream ends after the last piece or after its first error.
    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>>;
}

engines! {
    /// Lists the engines that answer.
    pub LlmEngine: 1 of "llm", dyn LlmSettings {
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
    /// Names of the files that it may send, if it may answer in the reply format.
    pub rich: Option<Vec<String>>,
    /// What its language model may call.
    pub tools: Arc<Toolbox>,
}

/// Makes a responder of an engine's settings, and looks at what it needs.
#[async_trait]
pub trait LlmSettings: EngineSettings + Send + Sync {
    /// Builds the responder; asks nothing yet.
    ///
    /// # Errors
    /// A key that cannot be used.
    fn build(&self, deps: LlmDeps, connect: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong>;

    /// Returns whether the engine calls tools.
    fn calls_tools(&self) -> bool {
        false
    }

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
