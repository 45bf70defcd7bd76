//! Puts calls of tools together from the pieces that servers send.
//!
//! OpenAI numbers the calls and sends their arguments in pieces; others send whole calls, leave the
//! number, the id or both out, number all of them 0, or repeat the name in each piece. Invariant: how
//! many calls there may be and how long they may be is bounded.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::agent::tools::ToolCall;
use crate::turn::Personal;

/// The tool whose arguments are the answer itself, where it is offered.
pub(super) const REPLY: &str = "reply";

/// Most calls of one step; what is beyond is left out.
const MOST_CALLS: usize = 8;
/// Most bytes of names and arguments together.
const MOST_BYTES: usize = 64 << 10;

/// Holds what a chunk says of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CallPiece {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// Whether it came in a whole message, which repeats what was streamed.
    whole: bool,
}

impl CallPiece {
    /// Returns how many bytes the model wrote of it.
    pub(super) fn written(&self) -> usize {
        self.name.len() + self.arguments.len()
    }
}

/// Reads `tool_calls`, or the older `function_call`, of a delta or of a `whole` message.
pub(super) fn pieces(field: Option<&RawValue>, whole: bool) -> Vec<CallPiece> {
    let value = field.and_then(|field| serde_json::from_str(field.get()).ok());
    match value {
        Some(Value::Array(calls)) => calls.iter().filter_map(|call| piece(call, whole)).collect(),
        Some(call) => piece(&call, whole).into_iter().collect(),
        None => Vec::new(),
    }
}

fn piece(call: &Value, whole: bool) -> Option<CallPiece> {
    let call = call.as_object()?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let function = call.get("function").and_then(Value::as_object).unwrap_or(call);
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        // Ollama's own way, which its OpenAI API has let through.
        Some(object @ Value::Object(_)) => object.to_string(),
        _ => String::new(),
    };
    let piece = CallPiece {
        index: call.get("index").and_then(Value::as_u64),
        id: text(call.get("id")),
        name: text(function.get("name")),
        arguments,
        whole,
    };
    let says = !piece.id.is_empty() || !piece.name.is_empty() || !piece.arguments.is_empty();
    says.then_some(piece)
}

/// Holds the calls of one answer as far as they have come.
#[derive(Debug, Default)]
pub(super) struct CallsSoFar {
    calls: Vec<CallPiece>,
    bytes: usize,
    /// Whether a streamed piece has come.
    streamed: bool,
    /// Whether [`REPLY`] is offered.
    reply: bool,
}

/// Says that the calls of an answer are longer than is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallsTooLong;

impl CallsSoFar {
    /// Begins an answer; `reply` if [`REPLY`] may be called.
    pub(super) fn new(reply: bool) -> Self {
        Self { reply, ..Self::default() }
    }

    /// Adds the pieces of a chunk; returns what they have of the answer itself: a line of its own.
    pub(super) fn add(&mut self, pieces: Vec<CallPiece>) -> Result<String, CallsTooLong> {
        let mut answer = String::new();
        for piece in pieces {
            if piece.whole && self.streamed {
                continue;
            }
            self.streamed |= !piece.whole;
            self.bytes += piece.name.len() + piece.arguments.len();
            if self.bytes > MOST_BYTES {
                return Err(CallsTooLong);
            }
            let (open, arguments) = (self.open(&piece), piece.arguments.clone());
            let place = open.unwrap_or(self.calls.len());
            match open {
                Some(place) => self.calls[place].join(piece),
                None => self.calls.push(piece),
            }
            if self.reply && self.calls[place].name == REPLY {
                let begins = self.calls[place].arguments.len() == arguments.len();
                answer.push_str(if begins && !arguments.is_empty() { "\n" } else { "" });
                answer.push_str(&arguments);
            }
        }
        Ok(answer)
    }

    /// Returns whether no call was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.iter().all(|call| call.name.is_empty())
    }

    /// Returns the calls, each with an id of its own.
    pub(super) fn finish(self) -> Vec<ToolCall> {
        let named = self.calls.into_iter().filter(|call| !call.name.is_empty()).take(MOST_CALLS);
        let mut calls: Vec<ToolCall> = Vec::new();
        for CallPiece { id, name, arguments, .. } in named {
            let taken = id.is_empty() || calls.iter().any(|call| call.id == id);
            let id = if taken { format!("call_{}", calls.len() + 1) } else { id };
            calls.push(ToolCall { id, name, arguments: Personal(arguments) });
        }
        calls
    }

    /// Returns the place of the call that a piece belongs to; `None` if it begins one.
    fn open(&self, piece: &CallPiece) -> Option<usize> {
        let numbered = |call: &CallPiece| piece.index.is_none() || call.index == piece.index;
        let place = self.calls.iter().rposition(numbered)?;
        let call = &self.calls[place];
        let other_id = !piece.id.is_empty() && !call.id.is_empty() && piece.id != call.id;
        let done = || serde_json::from_str::<Value>(&call.arguments).is_ok();
        // The name of a call stands in its first piece, and with some servers in all of them.
        let other_name = !piece.name.is_empty() && !call.name.is_empty() && done();
        (!other_id && !other_name).then_some(place)
    }
}

impl CallPiece {
    fn join(&mut self, more: Self) {
        if self.id.is_empty() {
            self.id = more.id;
        }
        if self.name.is_empty() {
            self.name = more.name;
        }
        self.arguments.push_str(&more.arguments);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    fn read(chunks: &[Value]) -> Vec<(String, String, String)> {
        let mut calls = CallsSoFar::default();
        for chunk in chunks {
            calls.add(pieces(Some(&to_raw_value(chunk).unwrap()), false)).unwrap();
        }
        let calls = calls.finish().into_iter();
        calls.map(|call| (call.id, call.name, call.arguments.0)).collect()
    }

    #[track_caller]
    fn check(chunks: &[Value], expected: &[(&str, &str, &str)]) {
        let calls = read(chunks);
        let calls: Vec<_> = calls.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
        assert_eq!(calls, expected);
    }

    fn function(name: &str, arguments: &str) -> Value {
        json!({ "name": name, "arguments": arguments })
    }

    #[test]
    fn pieces_are_joined_by_their_number() {
        let first =
            json!([{ "index": 0, "id": "a", "type": "function", "function": function("x", "") }]);
        let second = json!([{ "index": 1, "id": "b", "function": function("y", "{}") }]);
        let more = |text: &str| json!([{ "index": 0, "function": { "arguments": text } }]);
        check(
            &[first, more("{\"q\":"), second, more("1}")],
            &[("a", "x", "{\"q\":1}"), ("b", "y", "{}")],
        );
    }

    #[test]
    fn calls_without_number_or_id_are_told_apart() {
        // Whole calls, all of them number 0, as Gemini sends them.
        let zero = |id: &str| json!([{ "index": 0, "id": id, "function": function("x", "{}") }]);
        check(&[zero("a"), zero("b")], &[("a", "x", "{}"), ("b", "x", "{}")]);
        // No number and no id.
        let bare = |text: &str| json!([{ "function": function("x", text) }]);
        check(
            &[bare("{\"q\":1}"), bare("{\"q\":2}")],
            &[("call_1", "x", "{\"q\":1}"), ("call_2", "x", "{\"q\":2}")],
        );
        // Two in one chunk.
        let both =
            json!([{ "function": function("x", "{}") }, { "function": function("y", "{}") }]);
        check(&[both], &[("call_1", "x", "{}"), ("call_2", "y", "{}")]);
        // The id and the name in each piece.
        let each = |text: &str| json!([{ "index": 0, "id": "a", "function": function("x", text) }]);
        check(&[each("{\"q\""), each(":1}")], &[("a", "x", "{\"q\":1}")]);
        // No number, an id in the first piece.
        let rest = json!([{ "id": "", "function": { "name": null, "arguments": ":1}" } }]);
        check(
            &[json!([{ "id": "a", "function": function("x", "{\"q\"") }]), rest],
            &[("a", "x", "{\"q\":1}")],
        );
        // Two calls with the same id are answered each.
        check(
            &[
                json!([{ "index": 0, "id": "a", "function": function("x", "{}") }, { "index": 1, "id": "a", "function": function("y", "{}") }]),
            ],
            &[("a", "x", "{}"), ("call_2", "y", "{}")],
        );
        // Arguments as an object, and a function_call.
        check(&[json!({ "name": "x", "arguments": { "q": 1 } })], &[("call_1", "x", "{\"q\":1}")]);
        check(&[json!(null), json!([null, 7, {}])], &[]);
    }

    #[test]
    fn a_whole_message_after_its_pieces_adds_nothing() {
        let call = json!([{ "index": 0, "id": "a", "function": function("x", "{}") }]);
        let raw = to_raw_value(&call).unwrap();
        let mut calls = CallsSoFar::default();
        calls.add(pieces(Some(&raw), false)).unwrap();
        calls.add(pieces(Some(&raw), true)).unwrap();
        assert_eq!(calls.finish().len(), 1);
        let mut calls = CallsSoFar::default();
        calls.add(pieces(Some(&raw), true)).unwrap();
        assert_eq!(calls.finish().len(), 1);
    }

    #[test]
    fn the_arguments_of_a_reply_are_the_answer() {
        let first = json!([{ "index": 0, "id": "a", "function": function(REPLY, "") }]);
        let more = |text: &str| json!([{ "index": 0, "function": { "arguments": text } }]);
        for (reply, expected) in [(true, ["", "\n{\"say\":", "\"Hi\"}"]), (false, [""; 3])] {
            let mut calls = CallsSoFar::new(reply);
            let chunks = [first.clone(), more("{\"say\":"), more("\"Hi\"}")];
            let said = chunks.map(|chunk| {
                calls.add(pieces(Some(&to_raw_value(&chunk).unwrap()), false)).unwrap()
            });
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn calls_are_bounded() {
        let many: Vec<_> =
            (0..50).map(|n| json!({ "index": n, "function": function("x", "{}") })).collect();
        assert_eq!(read(&[json!(many)]).len(), MOST_CALLS);
        let long = json!([{ "index": 0, "function": function("x", &"a".repeat(40_000)) }]);
        let long = pieces(Some(&to_raw_value(&long).unwrap()), false);
        let mut calls = CallsSoFar::default();
        assert_eq!(calls.add(long.clone()), Ok(String::new()));
        assert_eq!(calls.add(long), Err(CallsTooLong));
    }

    proptest! {
        #[test]
        fn no_piece_is_too_odd(json in "\\{(\"(index|id|function|name|arguments)\":(null|0|\"a\"|\\{\\}),?){0,4}\\}") {
            if let Ok(value) = serde_json::from_str::<Value>(&json) {
                read(&[value.clone(), json!([value])]);
            }
        }
    }
}
