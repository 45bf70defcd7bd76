//! Reads one chunk of an answer, whichever server wrote it.
//!
//! Invariant: what is missing, null or unknown is not an error; only text of the answer itself comes
//! out, never what a model thought (`reasoning`, `reasoning_content`, parts of type `thinking`).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::cost::told;
use super::text::mend;
use super::tool_calls::{CallPiece, pieces};
use crate::agent::Usage;
use crate::remote::failure::ServerError;

/// Holds what a chunk says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    /// Text that follows what came before; may be empty.
    pub(super) text: String,
    /// Whether the text came as a whole message.
    pub(super) whole: bool,
    /// What it has beside the text.
    pub(super) aside: Option<Aside>,
    /// Pieces of calls of tools.
    pub(super) calls: Vec<CallPiece>,
    /// How the answer ended, if it did.
    pub(super) end: Option<FinishReason>,
    /// What it cost.
    pub(super) usage: Option<Usage>,
    /// What went wrong at the server.
    pub(super) error: Option<ServerError>,
    /// Whether the chunk has anything of an answer, were it only a role.
    pub(super) is_answer: bool,
}

/// Names what a model writes that is not for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aside {
    Thought,
    /// Of a tool.
    Call,
}

/// Names how an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinishReason {
    /// All was said.
    Whole,
    /// It came to `max_tokens`.
    Length,
    /// The server's filter stepped in.
    Filter,
    /// The server failed.
    Failure,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<ChunkChoice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    /// Groq's place for `usage`.
    #[serde(borrow, default)]
    x_groq: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Gemini's word that the question was filtered.
    #[serde(borrow, default, rename = "promptFeedback", alias = "prompt_feedback")]
    feedback: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChunkChoice<'a> {
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    delta: Option<Piece<'a>>,
    /// Instead of `delta` where a server does not stream, or beside it at the end.
    #[serde(borrow, default)]
    message: Option<Piece<'a>>,
    /// Where servers of plain completions put it.
    #[serde(borrow, default)]
    text: Option<ChunkContent<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<ChunkContent<'a>>,
    /// `OpenRouter`'s place for an error.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    content: Option<ChunkContent<'a>>,
    /// Why the model does not answer, in words for the person.
    #[serde(borrow, default)]
    refusal: Option<ChunkContent<'a>>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ChunkContent<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Parts(#[serde(borrow)] Vec<ContentPart<'a>>),
    One(#[serde(borrow)] ContentPart<'a>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
}

/// Reads a chunk, or an answer that was not streamed. A broken character costs only itself.
pub(super) fn read(json: &[u8]) -> Result<Chunk, serde_json::Error> {
    read_whole(json).or_else(|error| read_whole(&mend(json)).map_err(|_same| error))
}

fn read_whole(json: &[u8]) -> Result<Chunk, serde_json::Error> {
    if json.trim_ascii_start().starts_with(b"[") {
        return read_list(json);
    }
    let wire: Wire<'_> = serde_json::from_slice(json)?;
    let is_answer = wire.choices.is_some() || wire.usage.is_some();
    let mut chunk = Chunk { is_answer, ..Chunk::default() };
    chunk.error = wire.error.and_then(ServerError::named);
    if let Some(reason) = wire.feedback.map(parsed).filter(|said| said["blockReason"].is_string()) {
        chunk.error.get_or_insert_with(|| ServerError::filtered(&reason["blockReason"]));
    }
    if !is_answer && chunk.error.is_none() {
        // `{"detail": ...}` and `{"message": ...}`, which no answer has.
        let error = ServerError::from_body(json);
        chunk.error = Some(error).filter(|error| !error.message.is_empty());
    }
    // One answer was asked for.
    for choice in wire.choices.unwrap_or_default() {
        if choice.index.unwrap_or(0) == 0 {
            chunk.take(choice);
        }
    }
    let groq = wire.x_groq.and_then(|groq| told(&parsed(groq)["usage"]));
    chunk.usage = wire.usage.and_then(|spent| told(&parsed(spent))).or(groq);
    Ok(chunk)
}

/// Reads chunks in a list, as Gemini sends its errors.
fn read_list(json: &[u8]) -> Result<Chunk, serde_json::Error> {
    let several: Vec<&RawValue> = serde_json::from_slice(json)?;
    let mut whole = Chunk::default();
    for one in several {
        let Ok(chunk) = read_whole(one.get().as_bytes()) else { continue };
        whole.text.push_str(&chunk.text);
        whole.calls.extend(chunk.calls);
        whole.is_answer |= chunk.is_answer;
        whole.error = whole.error.or(chunk.error);
        (whole.end, whole.usage) = (chunk.end.or(whole.end), chunk.usage.or(whole.usage));
    }
    Ok(whole)
}

impl Chunk {
    fn take(&mut self, choice: ChunkChoice<'_>) {
        let delta = choice.delta.unwrap_or_default();
        let message = choice.message.unwrap_or_default();
        for piece in [&delta, &message] {
            let thinks = is_there(piece.reasoning) || is_there(piece.reasoning_content);
            let calls = is_there(piece.tool_calls) || is_there(piece.function_call);
            let aside = [(thinks, Aside::Thought), (calls, Aside::Call)];
            let there = aside.iter().filter(|(there, _)| *there).map(|(_, aside)| *aside).max();
            self.aside = self.aside.max(there);
        }
        for (piece, whole) in [(&delta, false), (&message, true)] {
            let calls = piece.tool_calls.filter(|calls| is_there(Some(calls)));
            self.calls.extend(pieces(calls.or(piece.function_call), whole));
        }
        let mut text = delta.text();
        if text.is_empty() {
            text = choice.text.map(ChunkContent::text).unwrap_or_default();
        }
        if text.is_empty() {
            text = message.text();
            self.whole = !text.is_empty();
        }
        self.text.push_str(&text);
        let end = choice.finish_reason.map(ChunkContent::text);
        self.end = self.end.or(end.as_deref().and_then(FinishReason::read));
        let error = choice.error.and_then(ServerError::named);
        self.error = self.error.take().or(error);
    }
}

/// Returns whether a field says anything.
fn is_there(field: Option<&RawValue>) -> bool {
    field.is_some_and(|field| !matches!(field.get(), "null" | "\"\"" | "[]" | "{}"))
}

impl Piece<'_> {
    fn text(self) -> String {
        let fields = [self.content, self.refusal].into_iter().flatten();
        fields.map(ChunkContent::text).collect()
    }
}

impl ChunkContent<'_> {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text.into_owned(),
            Self::Parts(parts) => parts.into_iter().map(ContentPart::text).collect(),
            Self::One(part) => part.text(),
            Self::Other(_) => String::new(),
        }
    }
}

impl ContentPart<'_> {
    fn text(self) -> String {
        let said = [None, Some("text"), Some("output_text"), Some("refusal")];
        let text = self.text.or(self.refusal).filter(|_| said.contains(&self.kind.as_deref()));
        text.unwrap_or_default().into_owned()
    }
}

/// Parses JSON that was checked when the chunk around it was read.
fn parsed(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

impl FinishReason {
    fn read(reason: &str) -> Option<Self> {
        match reason.to_ascii_lowercase().as_str() {
            "" => None,
            "length" | "max_tokens" => Some(Self::Length),
            "content_filter" | "safety" | "prohibited_content" | "recitation" | "blocklist"
            | "sensitive" => Some(Self::Filter),
            "error" => Some(Self::Failure),
            _ => Some(Self::Whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn says(json: &str, text: &str, end: Option<FinishReason>) {
        let said = read(json.as_bytes()).unwrap();
        assert_eq!((said.text.as_str(), said.end), (text, end), "{json}");
        assert!(said.is_answer && said.error.is_none(), "{json}");
    }

    #[test]
    fn only_the_text_of_the_answer_is_read() {
        says(r#"{"choices":[{"delta":{"content":"a\nü"}}]}"#, "a\nü", None);
        says(
            r#"{"id":1,"choices":[{"index":0,"delta":{"content":"a","x":[{}]},"logprobs":null,"finish_reason":null}]}"#,
            "a",
            None,
        );
        says(r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#, "", None);
        says(r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"}}]}"#, "", None);
        says(r#"{"choices":[{"delta":null},{"index":1,"delta":{"content":"b"}}]}"#, "", None);
        says(r#"{"choices":[]}"#, "", None);
        says(
            r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#,
            "a",
            Some(FinishReason::Whole),
        );
        says(
            r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"},{"text":"b"}]}}]}"#,
            "ab",
            None,
        );
        says(r#"{"choices":[{"delta":{"content":7}}]}"#, "", None);
    }

    #[test]
    fn ends_are_told_apart() {
        for (reason, end) in [
            ("stop", FinishReason::Whole),
            ("tool_calls", FinishReason::Whole),
            ("eos", FinishReason::Whole),
            ("length", FinishReason::Length),
            ("content_filter", FinishReason::Filter),
            ("error", FinishReason::Failure),
        ] {
            let json = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
            says(&json, "", Some(end));
        }
        says(r#"{"choices":[{"delta":{"content":"a"},"finish_reason":""}]}"#, "a", None);
    }

    #[test]
    fn usage_is_found_where_servers_put_it() {
        let used = |json: &str| read(json.as_bytes()).unwrap().usage;
        let expected = Some(Usage { prompt_tokens: 7, completion_tokens: 3, ..Usage::default() });
        let usage = r#"{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"x":null}"#;
        assert_eq!(used(&format!(r#"{{"choices":[],"usage":{usage}}}"#)), expected);
        assert_eq!(used(&format!(r#"{{"usage":null,"x_groq":{{"usage":{usage}}}}}"#)), expected);
        assert_eq!(used(r#"{"usage":null,"x_groq":{"id":"a"}}"#), None);
        assert_eq!(used(r#"{"usage":7,"x_groq":"a"}"#), None);
        assert_eq!(used(r#"{"usage":{"prompt_tokens":"many"}}"#), None);
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        let error = |json: &str| read(json.as_bytes()).unwrap().error.unwrap();
        let read = error(r#"{"error":{"message":"no","type":"server_error","code":502}}"#);
        assert_eq!((read.status, read.message.as_str()), (Some(502), "no"));
        let read = error(r#"{"error":{"message":"no","code":"insufficient_quota","type":null}}"#);
        assert_eq!((read.status, read.code.trim()), (None, "insufficient_quota"));
        assert_eq!(error(r#"{"error":"no"}"#).message, "no");
        assert_eq!(error(r#"{"error":[1]}"#), ServerError::default());
        assert!(super::read(b"<html>").is_err() && super::read(b"7").is_err());
    }

    proptest! {
        #[test]
        fn no_chunk_is_too_odd(
            keys in prop::collection::vec(
                ("choices|usage|x_groq|error|delta|content|index", "null|7|-1.5|\"a\"|\\[\\]|\\{\\}|\\[7,null\\]"),
                0..5,
            )
        ) {
            let fields: Vec<_> = keys.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            let fields = format!("{{{}}}", fields.join(","));
            for json in [fields.clone(), format!("{{\"choices\":[{fields}]}}"), format!("[{fields}")] {
                // An error is an answer too; a panic is none.
                if let Ok(said) = read(json.as_bytes()) {
                    prop_assert!(said.text.is_empty() || said.text == "a" || said.text == "aa");
                }
            }
        }
    }
}
