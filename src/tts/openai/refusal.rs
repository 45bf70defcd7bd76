//! Names the keys of `[tts]` that a refused request asks the operator to change.

use crate::remote::fields::{self, RequestField};

/// Where the operator looks if the server gives no hint.
const ALL: &str = "tts.url, tts.model, tts.voice, tts.format";

const FIELDS: [RequestField; 4] = [
    RequestField {
        key: "tts.format, which may be \"pcm\", \"wav\" or \"opus\"",
        name: "response_format",
        words: &["format", "codec", "encoding", "wav", "mp3", "opus", "pcm", "container"],
    },
    RequestField {
        key: "tts.voice",
        name: "voice",
        words: &["voice", "voices", "speaker", "speakers"],
    },
    RequestField { key: "tts.model", name: "model", words: &["model", "models"] },
    RequestField { key: "tts.speed", name: "speed", words: &["speed", "pace"] },
];

/// Returns the keys, in words; `body` is the refusal, `message` what it says.
pub(super) fn keys(body: &[u8], message: &str) -> String {
    fields::keys(&FIELDS, ALL, body, message)
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
