//! Answers that are more than text: the reply format, read while the answer is written.
//!
//! Between a responder and the turn. What the format has is in [`schema`]; plain text always works.

mod reader;
mod scan;
mod value;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::reader::ReplyReader;
use super::{AgentError, Delta, Question, Responder, Retrieval};

/// Returns the JSON schema of the reply format, without what hark mends by itself.
#[must_use]
pub fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let list =
        |items: Value, most: u32| json!({ "type": "array", "maxItems": most, "items": items });
    let choice = |title: u32| {
        let title = json!({ "type": "string", "maxLength": title });
        object(&["id", "title"], json!({ "id": { "type": "string" }, "title": title }))
    };
    let mut row = choice(24);
    row["properties"]["description"] = json!({ "type": "string", "maxLength": 72 });
    let kinds = json!({ "enum": ["image", "video", "audio", "document"] });
    let degrees = json!({ "type": "number" });
    let word = json!({ "type": "string" });
    let file = json!({ "kind": kinds, "url": word, "caption": word });
    let place = json!({ "latitude": degrees, "longitude": degrees, "name": word, "address": word });
    let phones = json!({ "type": "array", "items": word });
    object(
        &["say"],
        json!({
            "say": text("your words; first"),
            "buttons": list(choice(20), 3),
            "list": object(&["button", "rows"], json!({ "button": word, "rows": list(row, 10) })),
            "media": list(object(&["kind", "url"], file), 5),
            "location": object(&["latitude", "longitude"], place),
            "contact": object(&["name", "phones"], json!({ "name": word, "phones": phones })),
            "reaction": text("one emoji"),
            "link": object(&["url", "title"], json!({ "url": word, "title": word })),
            "open_ticket": object(&["reason"], json!({ "reason": word })),
        }),
    )
}

/// Reads the answers of a responder in the reply format.
pub struct RichResponder {
    inner: Arc<dyn Responder>,
    /// Names of the files that the agent may send.
    files: Arc<[String]>,
}

impl RichResponder {
    /// Wraps `inner`, which may name `files` in its answers.
    pub fn new(inner: Arc<dyn Responder>, files: Vec<String>) -> Self {
        Self { inner, files: files.into() }
    }
}

#[async_trait]
impl Responder for RichResponder {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn wants(&self) -> Retrieval {
        self.inner.wants()
    }

    fn sees(&self) -> bool {
        self.inner.sees()
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let files = Arc::clone(&self.files);
        let answer = self.inner.respond(question, cancel).await;
        let mut reader = Some(ReplyReader::default());
        let deltas = answer.map(Some).chain(stream::iter([None]));
        let read = move |delta| {
            let told = match (delta, &mut reader) {
                (Some(Ok(Delta::Text(piece))), Some(reader)) => reader.push(&piece, &files),
                (Some(Ok(Delta::Retract)), reader) => {
                    *reader = Some(ReplyReader::default());
                    vec![Delta::Retract]
                }
                // What was held back is not said after an error.
                (Some(Err(error)), reader) => {
                    *reader = None;
                    return stream::iter(vec![Err(error)]);
                }
                (Some(Ok(other)), _) => vec![other],
                (None, Some(reader)) => reader.finish(&files),
                (None, None) => Vec::new(),
            };
            stream::iter(told.into_iter().map(Ok).collect::<Vec<_>>())
        };
        deltas.flat_map(read).boxed()
    }
}

/// Returns the words that an answer in the reply format says.
#[must_use]
pub fn words(answer: &str) -> String {
    let mut reader = ReplyReader::default();
    let mut deltas = reader.push(answer, &[]);
    deltas.extend(reader.finish(&[]));
    let words = deltas.into_iter().filter_map(|delta| match delta {
        Delta::Text(words) => Some(words),
        _ => None,
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scripted;

    #[tokio::test]
    async fn an_answer_is_read_word_by_word() {
        let text = r#"{"say": "Tea or coffee?", "buttons": ["Tea", "Coffee"]}"#;
        let inner = scripted::Settings {
            text: Some(text.to_owned()),
            first_token_ms: 0,
            tokens_per_s: 0.0,
        };
        let responder = RichResponder::new(Arc::new(inner), Vec::new());
        let question = Question::written("hello", "en");
        let answer = responder.respond(question, &CancellationToken::new()).await;
        let deltas: Vec<Delta> = answer.map(Result::unwrap).collect().await;
        let words = |word: &str| Delta::Text(word.to_owned());
        assert_eq!(deltas[..3], [words("Tea "), words("or "), words("coffee?")]);
        assert!(matches!(deltas[3..], [Delta::Extra(_)]), "{deltas:?}");
    }

    #[test]
    fn what_is_said_of_an_answer_on_file_is_known_before() {
        assert_eq!(words(r#"{"say": "At nine.", "reaction": "👍"}"#), "At nine.");
        assert_eq!(words("At ten."), "At ten.");
    }

    #[test]
    fn the_schema_has_every_key_and_is_short() {
        let schema = schema();
        let keys = schema["properties"].as_object().unwrap();
        assert!(value::KEYS.iter().all(|key| keys.contains_key(*key)));
        assert!(schema.to_string().len() < 1_700, "{}", schema.to_string().len());
    }
}
