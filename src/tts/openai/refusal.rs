//! Finds the keys that a refused request asks the operator to change.
//!
//! A server names the field of the request, or only says in words what it dislikes.

use serde_json::Value;

/// Where the operator looks if the server gives no hint.
const ALL: &str = "tts.url, tts.model, tts.voice, tts.format";

/// A key, the field of the request that it sets, and words that mean it.
struct Field {
    key: &'static str,
    name: &'static str,
    words: &'static [&'static str],
}

const FIELDS: [Field; 4] = [
    Field {
        key: "tts.format, which may be \"pcm\", \"wav\" or \"opus\"",
        name: "response_format",
        words: &["format", "codec", "encoding", "wav", "mp3", "opus", "pcm", "container"],
    },
    Field { key: "tts.voice", name: "voice", words: &["voice", "voices", "speaker", "speakers"] },
    Field { key: "tts.model", name: "model", words: &["model", "models"] },
    Field { key: "tts.speed", name: "speed", words: &["speed", "pace"] },
];

/// Returns the keys, in words; `body` is the refusal, `message` what it says.
pub(super) fn keys(body: &[u8], message: &str) -> String {
    let mut places = Vec::new();
    if let Ok(json) = serde_json::from_slice(body) {
        named(&json, &mut places);
    }
    let message = message.to_lowercase();
    let words: Vec<&str> = message.split(|c: char| !c.is_alphanumeric()).collect();
    let found = |is: &dyn Fn(&Field) -> bool| {
        FIELDS.iter().filter(|field| is(field)).map(|field| field.key).collect::<Vec<_>>()
    };
    let by_name = found(&|field| places.iter().any(|place| place == field.name));
    let by_words = || found(&|field| field.words.iter().any(|word| words.contains(word)));
    match if by_name.is_empty() { by_words() } else { by_name } {
        none if none.is_empty() => ALL.to_owned(),
        some => some.join(", "),
    }
}

/// Collects the fields that an error names: `param` as `OpenAI` has it, `loc` as `FastAPI` has it.
fn named(json: &Value, places: &mut Vec<String>) {
    match json {
        Value::Array(several) => several.iter().for_each(|one| named(one, places)),
        Value::Object(error) => {
            for (key, value) in error {
                match (key.as_str(), value) {
                    ("param", Value::String(place)) => places.push(place.clone()),
                    ("loc", Value::Array(path)) => {
                        places.extend(path.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    // It repeats the request.
                    ("input", _) => {}
                    (_, value) => named(value, places),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::failure::ServerError;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let message = ServerError::from_body(body.as_bytes()).message;
        let keys = keys(body.as_bytes(), &message);
        let named: Vec<&str> = keys.split([',', ' ']).filter(|w| w.starts_with("tts.")).collect();
        assert_eq!(named.join(" "), expected, "{body}");
    }

    #[test]
    fn a_refusal_names_the_key_to_change() {
        for (body, expected) in [
            (r#"{"error":{"message":"response_format must be one of [wav]"}}"#, "tts.format"),
            (r#"{"error":{"message":"Unsupported format: pcm"}}"#, "tts.format"),
            (r#"{"error":"Only WAV is supported"}"#, "tts.format"),
            (r#"{"error":{"message":"not allowed","param":"response_format"}}"#, "tts.format"),
            (
                r#"{"detail":[{"loc":["body","response_format"],"msg":"Input should be 'mp3' or 'wav'",
                    "input":"pcm"}]}"#,
                "tts.format",
            ),
            (
                r#"{"detail":[{"loc":["body","voice"],"msg":"Field required",
                    "input":{"model":"m","response_format":"pcm"}}]}"#,
                "tts.voice",
            ),
            (r#"{"error":{"message":"Voice 'alloy' not found"}}"#, "tts.voice"),
            (r#"{"detail":"Speaker alloy does not exist"}"#, "tts.voice"),
            (r#"{"error":{"message":"The model `tts-9` does not exist"}}"#, "tts.model"),
            (r#"{"error":{"message":"voice x is unknown to model y"}}"#, "tts.voice tts.model"),
            (r#"{"error":{"message":"speed must be between 0.25 and 4"}}"#, "tts.speed"),
            (r#"{"detail":"Not Found"}"#, "tts.url tts.model tts.voice tts.format"),
            ("", "tts.url tts.model tts.voice tts.format"),
        ] {
            check(body, expected);
        }
    }
}
