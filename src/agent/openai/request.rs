//! The body of a request, in the dialect that the server understands.
//!
//! Servers differ in three keys. Invariant: each is changed at most once in a request, and only
//! when the server's refusal names it.

use serde_json::{Value, json};

use crate::agent::prompt::Message;

/// Describes how one server wants its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    stream_options: bool,
    temperature: bool,
    /// `max_completion_tokens`, which `OpenAI`'s later models ask for, instead of `max_tokens`.
    completion_tokens: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { stream_options: true, temperature: true, completion_tokens: false }
    }
}

impl Dialect {
    /// Returns the dialect to try after a refusal; `None` if its words name no key of the dialect.
    pub(super) fn after(self, refusal: &str) -> Option<Self> {
        let next = if refusal.contains("stream_options") {
            Self { stream_options: false, ..self }
        } else if refusal.contains("max_tokens") || refusal.contains("max_completion_tokens") {
            Self { completion_tokens: true, ..self }
        } else if refusal.contains("temperature") {
            Self { temperature: false, ..self }
        } else {
            self
        };
        (next != self).then_some(next)
    }
}

/// Holds what is asked, without the dialect.
#[derive(Clone, Debug)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: u32,
}

impl ChatRequest<'_> {
    /// Writes the JSON.
    pub(super) fn body(&self, dialect: Dialect) -> Value {
        let Dialect { stream_options, temperature, completion_tokens } = dialect;
        let limit = if completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        let mut body = json!({ "model": self.model, "messages": self.messages, "stream": true });
        body[limit] = self.max_tokens.into();
        if stream_options {
            body["stream_options"] = json!({ "include_usage": true });
        }
        if let Some(degree) = self.temperature.filter(|_| temperature) {
            body["temperature"] = degree.into();
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refused_key_is_changed_once() {
        let first = Dialect::default();
        let second = first.after("Unknown parameter: 'stream_options'").unwrap();
        let words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens'.";
        let third = second.after(words).unwrap();
        let fourth = third.after("Unsupported value: 'temperature' does not support 0.3").unwrap();
        for words in ["stream_options", words, "temperature", "context is too long", ""] {
            assert_eq!(fourth.after(words), None);
        }
        let ask = ChatRequest {
            model: "m",
            messages: Vec::new(),
            temperature: Some(0.5),
            max_tokens: 40,
        };
        let expected = json!({
            "model": "m", "messages": [], "stream": true, "max_tokens": 40, "temperature": 0.5,
            "stream_options": { "include_usage": true },
        });
        assert_eq!(ask.body(first), expected);
        let expected =
            json!({ "model": "m", "messages": [], "stream": true, "max_completion_tokens": 40 });
        assert_eq!(ask.body(fourth), expected);
    }
}
