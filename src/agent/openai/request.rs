//! The body of a request, in the dialect that the server understands.
//!
//! Servers differ in five keys. Invariant: each is changed at most once in a request, and only when
//! the server's refusal names it.

use serde_json::{Map, Value, json};

use crate::agent::prompt::{Message, tokens};
use crate::remote::failure::ServerError;

/// Keys of a request that `llm.extra` may not set, since hark does.
pub(super) const OWN_KEYS: [&str; 6] =
    ["messages", "model", "stream", "stream_options", "tool_choice", "tools"];
/// A key of a request that servers refuse where there are no tools.
const OF_TOOLS: &str = "parallel_tool_calls";

/// Names how an answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streaming {
    /// Piece by piece, and what it cost.
    WithUsage,
    /// Piece by piece.
    Plain,
    /// As a whole.
    No,
}

/// Describes how one server wants its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) streaming: Streaming,
    temperature: bool,
    /// `max_completion_tokens`, which `OpenAI`'s later models ask for, instead of `max_tokens`.
    completion_tokens: bool,
    /// Whether tools may be offered.
    pub(super) tools: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        let streaming = Streaming::WithUsage;
        Self { streaming, temperature: true, completion_tokens: false, tools: true }
    }
}

impl Dialect {
    /// Returns the dialect to try after a refusal; `None` if its words name no key of the dialect.
    pub(super) fn after(self, status: u16, refusal: &ServerError) -> Option<Self> {
        let names = |key: &str| refusal.param == key || refusal.message.contains(key);
        let of_keys = matches!(status, 400 | 422);
        let next = if of_keys && names("stream_options") {
            let with_usage = self.streaming == Streaming::WithUsage;
            Self { streaming: if with_usage { Streaming::Plain } else { self.streaming }, ..self }
        } else if refuses_stream(status, refusal) && self.streaming != Streaming::No {
            Self { streaming: Streaming::No, ..self }
        } else if refuses_tools(status, refusal) {
            Self { tools: false, ..self }
        } else if of_keys && (names("max_tokens") || names("max_completion_tokens")) {
            Self { completion_tokens: true, ..self }
        } else if of_keys && names("temperature") {
            Self { temperature: false, ..self }
        } else {
            self
        };
        (next != self).then_some(next)
    }
}

/// Returns whether a server says that it does not stream.
fn refuses_stream(status: u16, refusal: &ServerError) -> bool {
    // Failures of any kind say "contact support" and "not available".
    const REFUSED: [&str; 6] = [
        "not support",
        "not yet support",
        "not currently support",
        "n't support",
        "unsupported",
        "not implemented",
    ];
    const WRONG: [&str; 9] = [
        "support",
        "not available",
        "not allowed",
        "disabled",
        "verified",
        "false",
        "unknown",
        "unrecognized",
        "invalid",
    ];
    let said = refusal.message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // "upstream" is another word.
    let mut words = said.split(|c: char| !c.is_alphanumeric());
    let named = refusal.param == "stream"
        || words.any(|word| matches!(word, "stream" | "streaming" | "streamed"));
    match status {
        401 | 402 | 429 => false,
        400..500 => named && (refusal.param == "stream" || has(&REFUSED) || has(&WRONG)),
        _ => named && has(&REFUSED),
    }
}

/// Returns whether a server says that it, or the model, takes no tools, or none such as these.
fn refuses_tools(status: u16, refusal: &ServerError) -> bool {
    const NAMED: [&str; 6] =
        ["tool", "tools", "tool_choice", "function", "functions", "function_declarations"];
    let said = refusal.message.to_lowercase();
    let mut words = said.split(|c: char| !c.is_alphanumeric() && c != '_');
    let named = refusal.param.starts_with("tool") || words.any(|word| NAMED.contains(&word));
    // Ollama says it with 400, OpenRouter with 404, llama.cpp with 500.
    named && matches!(status, 400 | 404 | 422 | 500 | 501)
}

/// Holds what is asked, without the dialect.
#[derive(Clone)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message>,
    /// Calls of tools and their results, which follow the messages.
    pub(super) calls: &'a [Value],
    /// What may be called.
    pub(super) tools: &'a [Value],
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: u32,
    /// What the operator adds.
    pub(super) extra: &'a Map<String, Value>,
}

impl ChatRequest<'_> {
    /// Estimates the tokens that the model reads, on the high side and without pictures.
    pub(super) fn estimate(&self) -> u64 {
        let said = self.messages.iter().map(|message| tokens(message.content.reveal()));
        let beside = self.calls.iter().chain(self.tools).map(|json| tokens(&json.to_string()));
        said.chain(beside).sum()
    }

    /// Writes the JSON.
    pub(super) fn body(&self, dialect: Dialect) -> Value {
        let Dialect { streaming, temperature, completion_tokens, tools } = dialect;
        let stream = streaming != Streaming::No;
        let limit = if completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        let mut body = json!({ "model": self.model, "messages": self.messages, "stream": stream });
        body[limit] = self.max_tokens.into();
        if let Value::Array(messages) = &mut body["messages"]
            && tools
        {
            messages.extend(self.calls.iter().cloned());
        }
        let offers = tools && !self.tools.is_empty();
        if offers {
            body["tools"] = self.tools.into();
        }
        if streaming == Streaming::WithUsage {
            body["stream_options"] = json!({ "include_usage": true });
        }
        if let Some(degree) = self.temperature.filter(|_| temperature) {
            body["temperature"] = degree.into();
        }
        for (key, value) in self.extra.iter().filter(|(key, _)| offers || *key != OF_TOOLS) {
            body[key] = value.clone();
        }
        body
    }
}

/// Writes a TOML table as JSON.
pub(super) fn to_json(table: &toml::Table) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.clone(), json_value(value))).collect()
}

fn json_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(yes) => (*yes).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.iter().map(json_value).collect(),
        toml::Value::Table(table) => to_json(table).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(dialect: Dialect, status: u16, message: &str) -> Option<Dialect> {
        let refusal = ServerError { message: message.to_owned(), ..ServerError::default() };
        dialect.after(status, &refusal)
    }

    #[test]
    fn each_refused_key_is_changed_once() {
        let first = Dialect::default();
        let second = after(first, 400, "Unknown parameter: 'stream_options'").unwrap();
        let words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens'.";
        let third = after(second, 400, words).unwrap();
        let words_too = "Unsupported value: 'temperature' does not support 0.3";
        let fourth = after(third, 422, words_too).unwrap();
        for words in ["stream_options", words, "temperature", "context is too long", ""] {
            assert_eq!(after(fourth, 400, words), None);
        }
        let extra = toml::toml! {
            reasoning_effort = "low"
            chat_template_kwargs = { enable_thinking = false }
            stop = ["a", 1, 2.5]
        };
        let extra = to_json(&extra);
        let mut ask = ChatRequest {
            model: "m",
            messages: Vec::new(),
            calls: &[],
            tools: &[],
            temperature: Some(0.5),
            max_tokens: 40,
            extra: &Map::new(),
        };
        let expected = json!({
            "model": "m", "messages": [], "stream": true, "max_tokens": 40, "temperature": 0.5,
            "stream_options": { "include_usage": true },
        });
        assert_eq!(ask.body(first), expected);
        ask.extra = &extra;
        let expected = json!({
            "model": "m", "messages": [], "stream": true, "max_completion_tokens": 40,
            "reasoning_effort": "low", "chat_template_kwargs": { "enable_thinking": false },
            "stop": ["a", 1, 2.5],
        });
        assert_eq!(ask.body(fourth), expected);
    }

    #[test]
    fn a_server_without_tools_is_asked_without_them_and_their_results() {
        for (status, words) in [
            (400, "registry.ollama.ai/library/gemma3:4b does not support tools"),
            (404, "No endpoints found that support tool use."),
            (400, "\"auto\" tool choice requires --enable-auto-tool-choice to be set"),
            (500, "tools param requires --jinja flag"),
            (400, "Invalid schema for function 'orders': None is not of type 'array'."),
        ] {
            let dialect = after(Dialect::default(), status, words).unwrap();
            assert!(!dialect.tools, "{words}");
            assert_eq!(after(dialect, status, words), None, "{words}");
        }
        let both = "This model doesn't support tool use in streaming mode.";
        let whole = after(Dialect::default(), 400, both).unwrap();
        assert_eq!((whole.streaming, whole.tools), (Streaming::No, true));
        assert!(!after(whole, 400, both).unwrap().tools);
        for (status, words) in [(503, "tools"), (400, "the toolbox is closed"), (429, "tools")] {
            assert_eq!(after(Dialect::default(), status, words), None, "{words}");
        }
        let extra = to_json(&toml::toml! { parallel_tool_calls = false });
        let tools = [json!({ "type": "function" })];
        let calls = [json!({ "role": "tool" })];
        let ask = ChatRequest {
            model: "m",
            messages: Vec::new(),
            calls: &calls,
            tools: &tools,
            temperature: None,
            max_tokens: 40,
            extra: &extra,
        };
        let body = ask.body(Dialect::default());
        assert_eq!((&body["tools"], &body["messages"]), (&json!(tools), &json!(calls)));
        assert_eq!(body["parallel_tool_calls"], false);
        let body = ask.body(Dialect { tools: false, ..Dialect::default() });
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["max_tokens", "messages", "model", "stream", "stream_options"]);
        assert_eq!(body["messages"], json!([]));
    }

    #[test]
    fn a_server_that_does_not_stream_is_asked_for_the_whole() {
        let refusal = ServerError { param: "stream".to_owned(), ..ServerError::default() };
        let whole = Dialect::default().after(400, &refusal).unwrap();
        assert_eq!(whole.streaming, Streaming::No);
        assert_eq!(whole.after(400, &refusal), None);
        for (status, words) in [
            (400, "This deployment does not support stream=true."),
            (400, "Your organization must be verified to stream this model."),
            (422, "stream must be false"),
            (404, "Streaming is not supported for this model"),
            (400, "Streaming is not available here"),
            (501, "streaming not implemented"),
            (500, "Streamed answers are not supported"),
        ] {
            assert_eq!(after(Dialect::default(), status, words), Some(whole), "{words}");
        }
        for (status, words) in [
            (500, "the stream broke off: invalid data"),
            (500, "Error while streaming. If it persists, contact support."),
            (503, "The stream is not available, try again later"),
            (502, "upstream does not support this"),
            (429, "streaming is not supported"),
            (400, "the prompt is too long"),
        ] {
            assert_eq!(after(Dialect::default(), status, words), None, "{words}");
        }
    }
}
