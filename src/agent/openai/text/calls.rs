//! Finds calls of tools that a model writes as bare JSON, as it was taught to.
//!
//! Invariant: JSON that a person asked for stays. A call is told by its keys, a name and arguments;
//! what does not begin like one is let go at once.

use serde_json::Value;

use super::marks::FoundMark;

/// Most bytes of a call that are kept back until it is whole.
const CALL_LIMIT: usize = 8 << 10;

/// Keys that a call may begin with.
const FIRST_KEYS: &[&str] = &[
    "action",
    "action_input",
    "arguments",
    "function",
    "function_call",
    "id",
    "name",
    "parameters",
    "recipient_name",
    "tool",
    "tool_calls",
    "tool_input",
    "tool_name",
    "tool_uses",
    "type",
];
const NAMES: &[&str] =
    &["action", "function", "name", "recipient_name", "tool", "tool_name", "type"];
const ARGUMENTS: &[&str] =
    &["action_input", "arguments", "function", "input", "parameters", "tool_input"];
const WHOLES: &[&str] = &["function_call", "tool_calls", "tool_uses"];
/// Languages of a block of code that holds calls and nothing else.
const BLOCKS: &[&str] =
    &["function_call", "tool", "tool_call", "tool_calls", "tool_code", "tool_use"];

/// Says how a call that was found goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallForm {
    /// Not at all.
    Json,
    /// To the end of its block of code.
    Block,
    /// To the end of the answer.
    Open,
}

/// Looks for a call at the beginning of `text`, which may be fenced as code.
pub(super) fn call(text: &str) -> FoundMark<CallForm> {
    let Some(after) = text.strip_prefix("```") else {
        return if "```".starts_with(text) { FoundMark::Perhaps } else { value(text) };
    };
    let name = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    let (language, inside) = after.split_at(name);
    if inside.is_empty() {
        let longest = BLOCKS.iter().map(|block| block.len()).max().unwrap_or_default();
        return if language.len() > longest { FoundMark::No } else { FoundMark::Perhaps };
    }
    if BLOCKS.contains(&language) {
        return FoundMark::Whole(CallForm::Block, text.len() - inside.len());
    }
    if !matches!(language, "" | "json") {
        return FoundMark::No;
    }
    let json = inside.trim_start();
    if json.is_empty() {
        return if inside.len() < 8 { FoundMark::Perhaps } else { FoundMark::No };
    }
    match value(json) {
        FoundMark::Whole(_, length) => {
            let close = json[length..].trim_start();
            match close.strip_prefix("```") {
                Some(rest) => FoundMark::Whole(CallForm::Json, text.len() - rest.len()),
                None if "```".starts_with(close) => FoundMark::Perhaps,
                None => FoundMark::Whole(CallForm::Json, text.len() - close.len()),
            }
        }
        found => found,
    }
}

/// Returns whether text that ended before its JSON did is a call: a name and arguments are there.
pub(super) fn is_cut_call(text: &str) -> bool {
    let has = |keys: &[&str]| keys.iter().any(|key| text.contains(&format!("\"{key}\"")));
    text.contains('{') && (has(NAMES) && has(ARGUMENTS) || has(WHOLES))
}

/// Looks for a call written as `functools[...]`, or as `[get_hours(day="Saturday")]`, which counts
/// only as the `beginning` of an answer.
pub(super) fn bare_call(text: &str, beginning: bool) -> FoundMark<CallForm> {
    const PHI: &str = "functools[";
    if text.starts_with(PHI) {
        return FoundMark::Whole(CallForm::Open, PHI.len());
    }
    if PHI.starts_with(text) {
        return FoundMark::Perhaps;
    }
    let Some(inner) = text.strip_prefix('[').filter(|_| beginning) else { return FoundMark::No };
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let name = inner.trim_start_matches(of_name);
    match name.chars().next() {
        None => FoundMark::Perhaps,
        Some('(') if name.len() < inner.len() => FoundMark::Whole(CallForm::Open, 1),
        Some(_) => FoundMark::No,
    }
}

/// Looks for a call that is JSON: an object, or a list of some.
fn value(text: &str) -> FoundMark<CallForm> {
    let object = match text.strip_prefix('[') {
        Some(inner) => inner.trim_start(),
        None => text,
    };
    let Some(first) = object.strip_prefix('{') else {
        return if object.is_empty() { FoundMark::Perhaps } else { FoundMark::No };
    };
    let Some(key) = first.trim_start().strip_prefix('"') else {
        return if first.trim_start().is_empty() { FoundMark::Perhaps } else { FoundMark::No };
    };
    match key.split_once('"') {
        None if FIRST_KEYS.iter().any(|known| known.starts_with(key)) => return FoundMark::Perhaps,
        Some((key, _)) if FIRST_KEYS.contains(&key) => {}
        _ => return FoundMark::No,
    }
    let Some(length) = json_length(text) else {
        return if text.len() < CALL_LIMIT { FoundMark::Perhaps } else { FoundMark::No };
    };
    match serde_json::from_str::<Value>(&text[..length]) {
        Ok(Value::Array(calls)) if calls.iter().all(is_call) => {
            FoundMark::Whole(CallForm::Json, length)
        }
        Ok(value) if is_call(&value) => FoundMark::Whole(CallForm::Json, length),
        _ => FoundMark::No,
    }
}

fn is_call(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    let is_text = |key: &&str| object.get(*key).is_some_and(Value::is_string);
    let arguments = |key: &str| object.get(key).is_some_and(|v| v.is_object() || v.is_string());
    WHOLES.iter().any(|key| object.contains_key(*key))
        || NAMES.iter().find(|key| is_text(key)).is_some_and(|name| {
            ARGUMENTS.iter().filter(|key| *key != name).any(|key| arguments(key))
        })
}

/// Returns where the JSON value ends that `text` begins with; `None` if it does not.
fn json_length(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(byte, b'}' | b']') && !quoted {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_whole_and_cut() {
        for text in [
            r#"{"name": "get_hours", "arguments": {"day": "Saturday"}}"#,
            r#"{"name": "get_hours", "parameters": {}}"#,
            r#"[{"name":"get_hours","arguments":{}}]"#,
            r#"{"type": "function", "function": {"name": "a", "arguments": "{\"b\": 1}"}}"#,
            r#"{"tool_calls": [{"id": 1}]}"#,
            r#"{"action": "get_hours", "action_input": "Saturday"}"#,
            "```json\n{\"name\": \"a\", \"arguments\": {}}\n```",
            "```\n[ {\"name\": \"a\", \"arguments\": {}} ]```",
        ] {
            assert_eq!(
                call(&format!("{text} more")),
                FoundMark::Whole(CallForm::Json, text.len()),
                "{text}"
            );
            for end in 1..text.len() - if text.ends_with('`') { 3 } else { 0 } {
                assert_eq!(call(&text[..end]), FoundMark::Perhaps, "{}", &text[..end]);
            }
            assert!(is_cut_call(&text[..text.len() - 2]), "{text}");
        }
        assert_eq!(call("```tool_code\nprint(get())\n```"), FoundMark::Whole(CallForm::Block, 12));
    }

    #[test]
    fn json_that_was_asked_for_and_code_stay() {
        for text in [
            r#"{"name": "Ana", "age": 3}"#,
            r#"{"bread": 2.5}"#,
            r#"{"name": "Ana"}"#,
            r#"[{"name": "Ana", "age": 3}]"#,
            r#"{"type": "bread", "price": {"small": 2}}"#,
            "[1, 2]",
            "{name} is open",
            "```python\nprint(1)\n```",
            "```json\n{\"bread\": 2}\n```",
            "{ }",
        ] {
            assert_eq!(call(text), FoundMark::No, "{text}");
        }
    }
}
