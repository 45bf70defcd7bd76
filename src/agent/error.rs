//! Why there is no answer, or only a part of one.

use std::time::Duration;

use crate::turn::Retry;

/// Limits how long a person is kept waiting rather than told that there is no answer now; what
/// they say meanwhile waits too.
const LONGEST_SILENCE: Duration = Duration::from_mins(2);

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
    /// The prompt is longer than the model's context, though nothing more can be left out of it: the
    /// operator has to give more. Answer with the fallback.
    #[error(
        "language model's context is too small (HTTP {status}): {message}; {}",
        larger_context("llm")
    )]
    TooLong { status: u16, message: String },
    /// A web page came: the operator has to correct the address. Answer with the fallback.
    #[error("language model answered {title} (HTTP {status}); is llm.url right?")]
    WebPage { status: u16, title: String },
    /// What came is not an answer of a chat API: answer with the fallback.
    #[error("language model answered {0}")]
    Unexpected(String),
    /// The server declined to answer this: answer with the fallback, or with what came before.
    #[error("language model's content filter stepped in: {0}")]
    Filtered(String),
    /// Thoughts took all the room or time that an answer has: the operator has to give more, or
    /// switch them off. Answer with the fallback.
    #[error(
        "language model used up {limit} before its first word, as models do that think; raise it, \
         or switch thinking off with llm.extra"
    )]
    OnlyThoughts { limit: &'static str },
    /// The model wrote nothing that can be said: answer with the fallback.
    #[error("language model gave no answer, but {0}")]
    NoWords(&'static str),
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
            | Self::TooLong { status, .. }
            | Self::WebPage { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns whether nobody gets an answer until the operator has mended something.
    #[must_use]
    pub fn is_the_operators(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::TooLong { .. }
                | Self::WebPage { .. }
                | Self::Unexpected(_)
                | Self::OnlyThoughts { .. }
        )
    }

    /// Returns which key of `section` mends it and how, where its status alone does not say.
    pub(crate) fn remedy(&self, section: &str) -> Option<(&'static str, String)> {
        match self {
            Self::OnlyThoughts { limit } => {
                let key = limit.strip_prefix("llm.").unwrap_or(limit);
                let fix = format!(
                    "raise {section}.{key}, or switch thinking off: {section}.extra = \
                     {{ reasoning_effort = \"low\" }}, or {{ chat_template_kwargs = \
                     {{ enable_thinking = false }} }}"
                );
                Some((key, fix))
            }
            Self::NoWords(_) => {
                let fix = "look at the server's templates and parsers for thoughts and tools, or \
                           take a model that answers in text";
                Some(("model", fix.to_owned()))
            }
            Self::Filtered(_) => {
                Some(("url", "loosen the content filter in the server's own settings".to_owned()))
            }
            Self::TooLong { .. } => Some(("history_tokens", larger_context(section))),
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
            | Self::TooLong { .. }
            | Self::WebPage { .. }
            | Self::Unexpected(_)
            | Self::Filtered(_)
            | Self::OnlyThoughts { .. }
            | Self::NoWords(_)
            | Self::BrokeOff(_)
            | Self::CutShort(_) => Retry::Never,
        }
    }
}

/// Says how a model gets a context that is large enough.
pub(super) fn larger_context(section: &str) -> String {
    format!(
        "start the server with a larger context (llama.cpp -c, Ollama OLLAMA_CONTEXT_LENGTH, vLLM \
         --max-model-len), or lower {section}.history_tokens, {section}.max_tokens or the agent's \
         prompt"
    )
}
