//! Asks a server what texts mean: `/v1/embeddings`, as OpenAI and those compatible with it have it.
//!
//! For passages in the background, and for each question while a person waits. Invariants: every wait and
//! every size is bounded; a question whose meaning does not come in time is searched for by its words;
//! neither the key nor a word of anybody is in an error or a log line.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::{Meaning, Vector};
use crate::clock::Clock;
use crate::engine::{self, Circuit, EngineFault, Notice, Wrong, check_server};
use crate::remote::endpoint_of;
use crate::remote::failure::{Asks, ErrorResponse};
use crate::remote::greeting::with_key;
use crate::remote::words::{Redactor, error_chain};

/// Names this engine's section.
const SECTION: &str = "embeddings";
/// Most characters of a question: models read some hundred words, and what matters is said in them.
const QUESTION: usize = 2_000;
/// Most bytes of an answer: 64 vectors of 4,096 numbers, as JSON writes them.
const MAX_ANSWER: usize = 16 << 20;
/// Limits how long a batch of passages may take: nobody waits for it.
const BATCH_TIME: Duration = Duration::from_mins(1);
/// Longest time that a question may wait for its vector.
const LONGEST_MS: u64 = 10_000;

/// Describes which server is asked what texts mean, if any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct EmbeddingSettings {
    pub url: Option<Url>,
    pub model: Option<String>,
    #[serde(default, deserialize_with = "engine::secret")]
    pub api_key: Option<SecretString>,
    pub timeout_ms: u64,
    pub min_similarity: f32,
}

impl EmbeddingSettings {
    /// Checks what types cannot; returns those keys that cannot be used.
    #[must_use]
    pub fn check(&self) -> Vec<Wrong> {
        let mut all = Vec::new();
        let (url, model) = (self.url.as_ref(), self.model.as_deref().unwrap_or_default());
        if url.is_some() || self.model.is_some() {
            all = check_server(url, self.api_key.as_ref());
            if model.trim().is_empty() {
                all.push(Wrong::new("model", "is missing; set one of the server's, see its list"));
            }
        }
        if !(1..=LONGEST_MS).contains(&self.timeout_ms) {
            all.push(Wrong::new("timeout_ms", format!("must be from 1 to {LONGEST_MS}")));
        }
        if !(-1.0..=1.0).contains(&self.min_similarity) {
            all.push(Wrong::new("min_similarity", "must be from -1 to 1"));
        }
        all
    }

    /// Returns whether both say the same.
    #[must_use]
    pub fn are_as(&self, other: &Self) -> bool {
        let key = |settings: &Self| settings.key().to_owned();
        self.url == other.url
            && self.model == other.model
            && key(self) == key(other)
            && self.timeout_ms == other.timeout_ms
            && self.min_similarity.to_bits() == other.min_similarity.to_bits()
    }

    /// Returns the key that is sent as a bearer token; empty if there is none.
    fn key(&self) -> &str {
        self.api_key.as_ref().map_or("", |key| key.expose_secret())
    }
}

/// Says why a server did not tell what texts mean. Never holds the key or a text.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The server could not be reached or broke off.
    #[error("the embeddings server could not be reached: {0}")]
    Network(String),
    /// It did not answer in time.
    #[error("the embeddings server did not answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    /// It refuses the key, the account or the request, or has a problem of its own.
    #[error("the embeddings server refuses (HTTP {status}): {said} (see {keys})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words, redacted.
        said: String,
        /// Where the operator looks.
        keys: &'static str,
        /// What it tells of the next call.
        fault: EngineFault,
    },
    /// It sent something else.
    #[error("the embeddings server sent {0} (see embeddings.url, embeddings.model)")]
    NoVectors(String),
}

impl EmbedError {
    fn fault(&self) -> EngineFault {
        match self {
            Self::Network(_) | Self::NoVectors(_) => EngineFault::Passing,
            Self::TooSlow(_) => EngineFault::IN_VAIN,
            Self::Refused { fault, .. } => *fault,
        }
    }

    /// Returns whether it may be about one text of several, such as one that is too long: servers say
    /// 400, 413, 422 or 500 to that.
    #[must_use]
    pub fn may_be_of_one(&self) -> bool {
        matches!(self, Self::Refused { status: 400 | 413 | 422 | 500, .. })
    }

    /// Gives the HTTP status of a refusal, if it is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Tells what texts mean.
pub struct Embedder {
    settings: EmbeddingSettings,
    client: Client,
    address: Url,
    circuit: Arc<Circuit>,
}

impl Embedder {
    /// Passages that are asked about at once.
    pub const BATCH: usize = 64;

    /// Makes one that has asked nothing yet; `None` where no server is configured. `client` limits the
    /// time to connect.
    #[must_use]
    pub fn new(
        settings: &EmbeddingSettings,
        client: Client,
        clock: Clock,
        notice: Notice,
    ) -> Option<Self> {
        let (url, model) = (settings.url.as_ref()?, settings.model.as_deref()?);
        let circuit = Circuit::new(SECTION, format!("openai/{model}"), clock, notice);
        let address = endpoint_of(url, "/embeddings");
        Some(Self { settings: settings.clone(), client, address, circuit })
    }

    /// Names the model: vectors of one are comparable.
    #[must_use]
    pub fn model(&self) -> &str {
        self.settings.model.as_deref().unwrap_or_default()
    }

    /// Returns what a question means; `None` if that is not told in time, which is logged where it
    /// begins.
    pub async fn meaning(&self, question: &str) -> Option<Meaning> {
        let call = self.circuit.call()?;
        let question: String = question.chars().take(QUESTION).collect();
        let limit = Duration::from_millis(self.settings.timeout_ms);
        match self.ask(&[question], limit).await {
            Ok(mut vectors) => {
                call.succeeded();
                let vector = vectors.pop()?;
                Some(Meaning { vector, least: self.settings.min_similarity })
            }
            Err(error) => {
                call.failed(error.fault(), &error);
                None
            }
        }
    }

    /// Returns what passages mean, in order; at most [`Embedder::BATCH`] of them.
    ///
    /// # Errors
    /// Why they are not told; the same may be asked again later.
    pub async fn embed(&self, passages: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.ask(passages, BATCH_TIME).await
    }

    async fn ask(&self, texts: &[String], limit: Duration) -> Result<Vec<Vector>, EmbedError> {
        let asked = timeout(limit, self.send(texts)).await;
        let body = asked.map_err(|_late| EmbedError::TooSlow(limit))??;
        read(&body, texts.len())
    }

    /// Asks once, and reads the answer up to its largest size.
    async fn send(&self, texts: &[String]) -> Result<Vec<u8>, EmbedError> {
        let network = |error| EmbedError::Network(error_chain(error));
        let request = json!({ "model": self.model(), "input": texts, "encoding_format": "float" });
        let request = self.client.post(self.address.clone()).json(&request);
        let sent = with_key(request, self.settings.key()).send().await;
        let mut answer = sent.map_err(network)?;
        if !answer.status().is_success() {
            return Err(self.refused(&ErrorResponse::read(answer).await, texts));
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(network)? {
            body.extend_from_slice(&piece);
            if body.len() > MAX_ANSWER {
                return Err(EmbedError::NoVectors(format!("more than {MAX_ANSWER} bytes")));
            }
        }
        Ok(body)
    }

    fn refused(&self, refusal: &ErrorResponse, texts: &[String]) -> EmbedError {
        let redactor = Redactor { key: self.settings.key(), text: &texts.join("\n") };
        let (keys, fault) = match refusal.asks() {
            Asks::Key => ("embeddings.api_key", EngineFault::TO_MEND),
            Asks::Time => (
                "embeddings.url",
                refusal.retry_after.map_or(EngineFault::Passing, EngineFault::Lasting),
            ),
            Asks::Request => ("embeddings.url, embeddings.model", EngineFault::TO_MEND),
        };
        let said = redactor.clean(&refusal.error.message);
        EmbedError::Refused { status: refusal.status, said, keys, fault }
    }
}

/// The answer, as far as it matters.
#[derive(Deserialize)]
struct EmbeddingAnswer {
    data: Vec<EmbeddingEntry>,
}

#[derive(Deserialize)]
struct EmbeddingEntry {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Reads an answer to so many texts.
fn read(body: &[u8], texts: usize) -> Result<Vec<Vector>, EmbedError> {
    let odd = |what: &str| EmbedError::NoVectors(what.to_owned());
    let answer: EmbeddingAnswer =
        serde_json::from_slice(body).map_err(|_odd| odd("something else than vectors"))?;
    let mut vectors = vec![None; texts];
    for (place, entry) in answer.data.into_iter().enumerate() {
        let place = vectors.get_mut(entry.index.unwrap_or(place));
        let place = place.ok_or_else(|| odd("more vectors than texts"))?;
        *place = Some(Vector::of(&entry.embedding).ok_or_else(|| odd("a vector of nothing"))?);
    }
    let all = vectors.into_iter().collect::<Option<Vec<_>>>();
    all.ok_or_else(|| odd("fewer vectors than texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_put_in_the_order_of_their_texts() {
        let body = br#"{"object":"list","data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}"#;
        let right = [Vector::of(&[1.0, 0.0]).unwrap(), Vector::of(&[0.0, 1.0]).unwrap()];
        assert_eq!(read(body, 2).unwrap(), right);
        let without = br#"{"data":[{"embedding":[1,0]},{"embedding":[0,1]}]}"#;
        assert_eq!(read(without, 2).unwrap(), right);
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (body, texts, words) in [
            ("<html>", 1, "something else than vectors"),
            ("{}", 1, "something else than vectors"),
            (r#"{"data":[]}"#, 1, "fewer vectors than texts"),
            (r#"{"data":[{"embedding":[1]},{"embedding":[1]}]}"#, 1, "more vectors than texts"),
            (r#"{"data":[{"index":5,"embedding":[1]}]}"#, 1, "more vectors than texts"),
            (r#"{"data":[{"embedding":[0.0]}]}"#, 1, "a vector of nothing"),
            (r#"{"data":[{"embedding":[]}]}"#, 1, "a vector of nothing"),
        ] {
            let error = read(body.as_bytes(), texts).unwrap_err().to_string();
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let check = |toml: &str| {
            let settings: EmbeddingSettings = toml::from_str(toml).unwrap();
            settings.check().into_iter().map(|wrong| wrong.key).collect::<Vec<_>>()
        };
        let rest = "timeout_ms = 400\nmin_similarity = 0.5";
        assert_eq!(check(rest), [""; 0]);
        assert_eq!(check(&format!("url = \"http://a/v1\"\nmodel = \"m\"\n{rest}")), [""; 0]);
        assert_eq!(check(&format!("model = \"m\"\n{rest}")), ["url"]);
        assert_eq!(check(&format!("url = \"ftp://a\"\n{rest}")), ["url", "model"]);
        assert_eq!(check("timeout_ms = 0\nmin_similarity = 2.0"), ["timeout_ms", "min_similarity"]);
    }
}
