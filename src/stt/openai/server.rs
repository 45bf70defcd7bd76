//! The server as all utterances see it: how it is asked, and asked again where that may help.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, Url};

use super::super::{SttError, Utterance};
use super::Settings;
use super::answer::ServerTranscript;
use crate::audio::wav_of;
use crate::engine::Wrong;
use crate::remote::endpoint_of;
use crate::remote::failure::{Asks, ErrorResponse, body};
use crate::remote::fields::{self, RequestField};
use crate::remote::greeting::{Greeted, greet, with_key};
use crate::remote::patience::Patience;
use crate::remote::waits::jittered;
use crate::remote::words::Redactor;

/// Samples that a server gets at least, a second: shorter sound is refused by some, and hardly heard
/// by the others.
const SHORTEST: usize = 16_000;

/// Most bytes of an answer. With every token and number half a minute of speech has 100 kB.
const MAX_ANSWER: usize = 1 << 20;

/// Sets the first pause between two tries, on average; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest pause. A server that asks for more is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where the operator looks if the server gives no hint.
const KEYS: &str = "stt.url, stt.model";

const FIELDS: [RequestField; 3] = [
    RequestField { key: "stt.model", name: "model", words: &["model", "models"] },
    RequestField { key: "stt.language", name: "language", words: &["language", "languages"] },
    RequestField { key: "vocabulary", name: "prompt", words: &["prompt"] },
];

/// Fields that not every server takes, each with the words of a refusal that mean it. Without the
/// first it tells words alone.
const OPTIONAL: [(&str, &[&str]); 3] = [
    ("response_format", &["response_format", "verbose_json"]),
    ("temperature", &["temperature"]),
    ("prompt", &["prompt"]),
];

/// Holds what all utterances share.
pub(super) struct HearingServer {
    pub(super) settings: Settings,
    client: Client,
    address: Url,
    /// Which of [`OPTIONAL`] it has refused.
    refused: [AtomicBool; OPTIONAL.len()],
    key_refused: Once,
}

impl HearingServer {
    pub(super) fn new(settings: Settings, client: Client) -> Result<Self, Wrong> {
        let url = settings.url.as_ref().ok_or_else(|| Wrong::new("url", "is missing"))?;
        let address = endpoint_of(url, "/audio/transcriptions");
        let (refused, key_refused) = (<_>::default(), Once::new());
        Ok(Self { settings, client, address, refused, key_refused })
    }

    /// Opens a connection, and says in the log what is wrong with the server or the key.
    pub(super) async fn greet(&self) {
        match greet(&self.client, &self.address, self.settings.key()).await {
            Greeted::Here => {}
            Greeted::KeyRefused(status) => self.note_refused_key(status),
            Greeted::Away(error) => {
                tracing::warn!(error, "the transcription server is not there yet");
            }
        }
    }

    /// Asks what was said until the server tells it or another try would not help.
    pub(super) async fn ask(
        &self,
        utterance: &Utterance,
        prompt: &str,
        patience: &mut Patience,
    ) -> Result<ServerTranscript, SttError> {
        let Settings { retries, timeout_ms: limit_ms, .. } = self.settings;
        let mut asked = 0;
        loop {
            let told = patience.wait(self.try_once(utterance, prompt)).await;
            let error = match told.map_err(|_late| SttError::TooSlow { limit_ms })? {
                Ok(told) => return Ok(told),
                Err(error) => error,
            };
            let pause = match &error {
                SttError::Failing { after: Some(after), .. } => *after,
                SttError::Network(_) | SttError::Failing { after: None, .. } => {
                    jittered(PAUSE * 2_u32.pow(asked.min(4)))
                }
                _ => return Err(error),
            };
            if asked >= retries || pause > LONGEST_PAUSE || !patience.outlasts(pause) {
                return Err(error);
            }
            asked += 1;
            tracing::warn!(error = %error, stt.asked = asked, "the transcription server is asked again");
            patience.pause(pause).await;
        }
    }

    /// Asks once; again at once without a field that the server does not take, which is remembered.
    async fn try_once(
        &self,
        utterance: &Utterance,
        prompt: &str,
    ) -> Result<ServerTranscript, SttError> {
        loop {
            let request = self.client.post(self.address.clone());
            let request = request.multipart(self.form(utterance, prompt));
            let sent = with_key(request, self.settings.key()).send().await;
            let answer = sent.map_err(SttError::network)?;
            if answer.status().is_success() {
                return self.read(answer, prompt).await;
            }
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = body(answer).await;
            if matches!(status, 400 | 422) && self.learns_from(&body) {
                continue;
            }
            let refusal = ErrorResponse::new(status, &headers, &body);
            let said = self.redactor(prompt).clean(&refusal.error.message);
            let error = refused(&refusal, said, &body);
            if let SttError::Key { status, .. } = error {
                self.note_refused_key(status);
            }
            return Err(error);
        }
    }

    /// Remembers a field that a refusal is about; returns whether there is one that was sent.
    fn learns_from(&self, body: &[u8]) -> bool {
        let words = String::from_utf8_lossy(body);
        let mut fields = OPTIONAL.iter().zip(&self.refused);
        let about = |names: &[&str]| names.iter().any(|name| words.contains(name));
        fields.any(|((_, names), refused)| about(names) && !refused.swap(true, Ordering::Relaxed))
    }

    /// Returns whether the server takes this one of [`OPTIONAL`].
    fn takes(&self, field: &str) -> bool {
        let mut fields = OPTIONAL.iter().zip(&self.refused);
        fields.all(|((name, _), refused)| *name != field || !refused.load(Ordering::Relaxed))
    }

    fn form(&self, utterance: &Utterance, prompt: &str) -> Form {
        let file = wav_of(&utterance.speech, SHORTEST);
        let file = Part::bytes(file).file_name("utterance.wav").mime_str("audio/wav");
        let told = if self.takes("response_format") { "verbose_json" } else { "json" };
        let mut form = Form::new()
            .part("file", file.expect("it is the name of a type"))
            .text("model", self.settings.model.clone())
            .text("response_format", told);
        if self.takes("temperature") {
            form = form.text("temperature", "0");
        }
        if let Some(language) = utterance.language.sure() {
            form = form.text("language", language.primary().to_ascii_lowercase());
        }
        if !prompt.is_empty() && self.takes("prompt") {
            form = form.text("prompt", prompt.to_owned());
        }
        form
    }

    /// Reads the answer, up to its largest size.
    async fn read(&self, mut answer: Response, prompt: &str) -> Result<ServerTranscript, SttError> {
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(SttError::network)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_ANSWER {
                let what = format!("more than {MAX_ANSWER} bytes");
                return Err(SttError::NoTranscript { what });
            }
        }
        ServerTranscript::read(&bytes, self.redactor(prompt))
    }

    /// Removes from the server's own words what must not be repeated.
    fn redactor<'a>(&'a self, prompt: &'a str) -> Redactor<'a> {
        Redactor { key: self.settings.key(), text: prompt }
    }

    fn note_refused_key(&self, status: u16) {
        self.key_refused.call_once(|| {
            tracing::error!(
                http.status = status,
                "the transcription server refuses the key or its account: see stt.api_key"
            );
        });
    }
}

/// Makes the error of an answer that is not a success; `said` are its words, redacted, `body` is all
/// of it.
fn refused(refusal: &ErrorResponse, said: String, body: &[u8]) -> SttError {
    let status = refusal.status;
    match refusal.asks() {
        Asks::Key => SttError::Key { status, said },
        Asks::Time => SttError::Failing { status, said, after: refusal.retry_after },
        Asks::Request => {
            let keys = fields::keys(&FIELDS, KEYS, body, &refusal.error.message);
            SttError::Refused { status, said, keys }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_to_do() {
        let refused = |status: u16, body: &str| {
            let refusal = ErrorResponse::new(status, &<_>::default(), body.as_bytes());
            refused(&refusal, "no".to_owned(), body.as_bytes()).to_string()
        };
        for (status, body, words) in [
            (401, "", "refuses the key or its account (HTTP 401): no (see stt.api_key)"),
            (402, "", "(see stt.api_key)"),
            (429, r#"{"error":{"code":"insufficient_quota"}}"#, "(see stt.api_key)"),
            (429, "", "is busy or failing (HTTP 429): no"),
            (503, "", "is busy or failing (HTTP 503): no"),
            (404, r#"{"error":"The model `x` does not exist"}"#, "(see stt.model)"),
            (400, r#"{"error":{"message":"bad","param":"language"}}"#, "(see stt.language)"),
            (404, r#"{"detail":"Not Found"}"#, "(see stt.url, stt.model)"),
        ] {
            assert!(
                refused(status, body).contains(words),
                "{status} {body}: {}",
                refused(status, body)
            );
        }
    }
}
