//! The agent: what is heard goes in, the words of the answer stream out.

pub mod faq;
pub mod knowledge;
pub mod scripted;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::turn::{Exchange, Personal, Retry};

/// What a responder is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the person said or wrote.
    pub heard: Personal,
    /// ISO 639-1 code the answer should be in.
    pub language: String,
    /// Earlier exchanges, oldest first.
    pub history: Vec<Exchange>,
}

/// A piece of the answer, in order. Pieces join without a separator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta(pub String);

/// Answers in text, streamed.
#[async_trait]
pub trait Responder: Send + Sync {
    /// Name used in spans and metrics, e.g. `faq`.
    fn name(&self) -> &str;

    /// Starts an answer. The stream ends after the last piece or after its first error.
    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>>;
}

/// Why an answer could not be made, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The knowledge could not be searched: answer with the fallback.
    #[error("knowledge search failed: {0}")]
    Knowledge(String),
    /// The turn is gone: nobody waits for the answer.
    #[error("answer was cancelled")]
    Cancelled,
}

impl AgentError {
    /// When the same question may be asked again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::Never
    }
}
