//! What the provider says of an error, from every place where it says it, made safe to log.
//!
//! Answers to calls, statuses and messages describe errors alike. Invariant: all words pass the
//! [`Redactor`].

use serde_json::Value;

use crate::remote::words::Redactor;

/// Lists the places of the words; `error_data` is a string at times.
const PLACES: [&str; 6] = [
    "/message",
    "/title",
    "/error_data/details",
    "/error_data",
    "/error_user_title",
    "/error_user_msg",
];

/// Longest id of a call at the provider.
const TRACE_CHARS: usize = 64;

/// Joins what an error says, each thing once; `None` if it says nothing.
pub(super) fn told(error: &Value, redactor: Redactor<'_>) -> Option<String> {
    let mut told: Vec<&str> = Vec::new();
    for place in PLACES {
        let words = error.pointer(place).and_then(Value::as_str).unwrap_or_default().trim();
        if !told.iter().any(|before| before.contains(words)) && !words.is_empty() {
            told.push(words);
        }
    }
    if told.is_empty() {
        return None;
    }
    let told = told.iter().map(|words| redactor.clean(words)).collect::<Vec<_>>().join(": ");
    Some(trace(error).map_or(told.clone(), |trace| format!("{told} [trace {trace}]")))
}

/// Reads the id that the provider's support asks for.
fn trace(error: &Value) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let trace = error["fbtrace_id"].as_str()?;
    (!trace.is_empty() && trace.len() <= TRACE_CHARS && trace.chars().all(plain)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "json! reads better without borrows")]
    fn check(error: Value, expected: Option<&str>) {
        let redactor = Redactor { key: "EAAsecret", text: "" };
        assert_eq!(told(&error, redactor).as_deref(), expected, "{error}");
    }

    #[test]
    fn details_are_told_beside_the_message_and_nothing_twice() {
        check(
            json!({"message": "(#100) Invalid parameter", "type": "OAuthException", "code": 100,
                   "error_data": {"details": "Param audio['voice'] must be a boolean"}}),
            Some("(#100) Invalid parameter: Param audio['voice'] must be a boolean"),
        );
        check(
            json!({"message": "(#131053) Media upload error", "title": "Media upload error",
                   "error_data": {"details": "Media upload error"}}),
            Some("(#131053) Media upload error"),
        );
        check(
            json!({"title": "Gone", "error_data": "in words", "error_user_title": "Busy",
                   "error_user_msg": "Try later", "fbtrace_id": "AbC-1_2"}),
            Some("Gone: in words: Busy: Try later [trace AbC-1_2]"),
        );
    }

    #[test]
    fn odd_errors_say_nothing_and_secrets_stay_out() {
        for odd in [json!(null), json!("x"), json!([]), json!({"message": 7, "error_data": {}})] {
            check(odd, None);
        }
        check(
            json!({"message": "token EAAsecret of +4915550001", "fbtrace_id": "a b"}),
            Some("token [removed] of [removed]"),
        );
    }
}
