//! What a speech server's refusals mean, and which of its words are safe to repeat.
//!
//! Invariant: nothing of the text to be spoken, no key, no address and no long number leaves.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::super::TtsError;

/// Longest message kept, in characters.
const WORDS_LIMIT: usize = 200;

/// So many words in a row of the text make a message one that repeats it.
const ECHO_WORDS: usize = 3;

/// The error of a status that is no success.
pub(super) fn refusal(status: u16, headers: &HeaderMap, said: &str) -> TtsError {
    let said = said.to_owned();
    match status {
        401 | 403 => TtsError::Key { status, said },
        408 | 409 | 425 | 429 | 500.. => TtsError::Busy { status, said, after: after(headers) },
        _ => TtsError::Refused { status, said },
    }
}

/// How long the server asks to be left alone. A date is not read: our own wait will do.
fn after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let ms = number("retry-after-ms").map(|ms| ms / 1000.0);
    Duration::try_from_secs_f64(ms.or_else(|| number("retry-after"))?).ok()
}

/// A failure below HTTP, without the address it was meant for.
pub(super) fn network(error: &reqwest::Error) -> TtsError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "timed out"
    } else {
        "broke off"
    };
    TtsError::Network(format!("{what}: {}", shortened(&safe(&cause.to_string()))))
}

/// The words of an error's body, as the usual servers write them, less what is nobody's business.
pub(super) fn words(body: &[u8], text: &str, key: &str) -> String {
    let found = match serde_json::from_slice::<Value>(body) {
        Ok(json) => message(&json).unwrap_or("JSON without a message").to_owned(),
        Err(_) if body.is_empty() => "without words".to_owned(),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => "an HTML page".to_owned(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    if repeats(&found, text) {
        return "words that repeat the text".to_owned();
    }
    let found = if key.is_empty() { found } else { found.replace(key, "[key]") };
    shortened(&safe(&found))
}

/// Where `OpenAI`, `FastAPI` and others put what they have to say.
fn message(json: &Value) -> Option<&str> {
    let places = [
        &json["error"]["message"],
        &json["error"],
        &json["detail"]["message"],
        &json["detail"],
        &json["detail"][0]["msg"],
        &json["message"],
    ];
    places.into_iter().find_map(Value::as_str)
}

/// Whether `words` hold a few words in a row of `text`, or all of a shorter one.
fn repeats(words: &str, text: &str) -> bool {
    let split = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (words, text) = (split(words), split(text));
    let row = ECHO_WORDS.min(text.len()).max(1);
    text.windows(row).any(|few| words.windows(row).any(|some| some == few))
}

/// Takes keys, addresses and long numbers out.
fn safe(words: &str) -> String {
    let words = words.split_whitespace().map(|word| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let secret =
            digits >= 8 || word.len() >= 40 || word.contains("://") || word.contains("sk-");
        if secret { "[removed]" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn shortened(words: &str) -> String {
    words.chars().take(WORDS_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_servers_put_them() {
        for (body, expected) in [
            (r#"{"error":{"message":"No such model","code":404}}"#, "No such model"),
            (r#"{"error":"overloaded"}"#, "overloaded"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"detail":[{"loc":["body"],"msg":"Field required","input":{"a":1}}]}"#,
                "Field required",
            ),
            (r#"{"detail":{"error":"x","message":"Bad voice"}}"#, "Bad voice"),
            (r#"{"message":"slow down"}"#, "slow down"),
            ("{}", "JSON without a message"),
            ("", "without words"),
            (" <!doctype html><title>Bad gateway</title>", "an HTML page"),
            ("upstream  failed\n", "upstream failed"),
        ] {
            assert_eq!(words(body.as_bytes(), "Good morning, Anna.", "key"), expected);
        }
    }

    #[test]
    fn nothing_personal_is_repeated() {
        let words =
            |said: &str| words(said.as_bytes(), "Your parcel comes on Monday, Anna.", "k3y");
        for said in ["cannot speak: your parcel comes on", "input was: PARCEL COMES ON!"] {
            assert_eq!(words(said), "words that repeat the text");
        }
        assert_eq!(
            words("key k3y or sk-abc of +15550001111 at http://10.0.0.1/x"),
            "key [key] or [removed] of [removed] at [removed]"
        );
        assert_eq!(words(&"long ".repeat(100)).len(), WORDS_LIMIT);
        assert_eq!(
            super::words(b"I cannot say: Hello!", "Hello.", ""),
            "words that repeat the text"
        );
    }

    #[test]
    fn a_status_says_what_to_do() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().unwrap());
        for status in [408, 429, 500, 503] {
            let refused = refusal(status, &headers, "");
            assert!(
                matches!(refused, TtsError::Busy { after: Some(after), .. } if after.as_secs() == 2)
            );
        }
        headers.insert("retry-after-ms", "50".parse().unwrap());
        assert_eq!(after(&headers), Some(Duration::from_millis(50)));
        headers.remove("retry-after-ms");
        for odd in ["Fri, 31 Dec 1999 23:59:59 GMT", "-1", "inf", "1e99"] {
            headers.insert("retry-after", odd.parse().unwrap());
            assert_eq!(after(&headers), None, "{odd}");
        }
        assert!(matches!(refusal(401, &headers, ""), TtsError::Key { .. }));
        assert!(matches!(refusal(404, &headers, ""), TtsError::Refused { .. }));
    }
}
