//! The server as all sentences see it: how it is asked, and what is said about it once.
//!
//! Between the job of a sentence and HTTP.

use std::sync::Once;

use reqwest::{Response, Url};
use serde::Serialize;
use tracing::{error, warn};

use super::super::{Sentence, TtsError, Voice};
use super::refusal::keys;
use super::{Settings, SpeechFormat};
use crate::audio::NotPassable;
use crate::engine::Wrong;
use crate::remote::endpoint_of;
use crate::remote::failure::{Asks, ErrorResponse, body};
use crate::remote::greeting::{Greeted, greet, with_key};
use crate::remote::words::Redactor;
use crate::threads::Threads;

/// What people speak in a second, in letters, roughly.
const LETTERS_PER_SECOND: f64 = 15.0;

/// The first sign of scripts whose signs are syllables: each counts as three letters.
const SYLLABLES: char = '\u{2e80}';

/// A shorter text says little about how fast it was spoken.
const TELLING_LETTERS: usize = 40;

/// Holds what all sentences share.
#[derive(Debug)]
pub(super) struct SpeechServer {
    pub(super) settings: Settings,
    /// Decode sentences that come as files.
    pub(super) threads: Threads,
    client: reqwest::Client,
    address: Url,
    key_refused: Once,
    odd_pace: Once,
    encoded_again: Once,
}

/// Describes what is to be said, as the server reads it.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: SpeechFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
}

impl SpeechServer {
    pub(super) fn new(
        settings: Settings,
        client: reqwest::Client,
        threads: Threads,
    ) -> Result<Self, Wrong> {
        let url = settings.url.as_ref().ok_or_else(|| Wrong::new("url", "is missing"))?;
        let address = speech_address(url);
        let (key_refused, odd_pace, encoded_again) = (Once::new(), Once::new(), Once::new());
        Ok(Self { settings, threads, client, address, key_refused, odd_pace, encoded_again })
    }

    /// Opens a connection, and says in the log what is wrong with the server or the key.
    pub(super) async fn greet(&self) {
        match greet(&self.client, &self.address, self.settings.key()).await {
            Greeted::Here => {}
            Greeted::KeyRefused(status) => self.note_refused_key(status),
            Greeted::Away(error) => warn!(error, "the speech server is not there yet"),
        }
    }

    /// Asks for a sentence; comes back when the server has begun to answer.
    pub(super) async fn ask(&self, sentence: &Sentence) -> Result<Response, TtsError> {
        let settings = &self.settings;
        let asked = Request {
            model: &settings.model,
            input: &sentence.text,
            voice: sentence.voice.as_ref().map_or(&settings.voice, Voice::name),
            response_format: settings.format,
            speed: Some(settings.speed).filter(|speed| (speed - 1.0).abs() > f64::EPSILON),
        };
        let request = self.client.post(self.address.clone()).json(&asked);
        let answer = with_key(request, settings.key()).send().await.map_err(TtsError::network)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = body(answer).await;
        let refusal = ErrorResponse::new(status, &headers, &body);
        let said = self.redactor(&sentence.text).clean(&refusal.error.message);
        let error = refused(&refusal, said, &body);
        if let TtsError::Key { status, .. } = error {
            self.note_refused_key(status);
        }
        Err(error)
    }

    /// Removes from the server's own words what must not be repeated of a call that spoke `text`.
    pub(super) fn redactor<'a>(&'a self, text: &'a str) -> Redactor<'a> {
        let key = self.settings.key();
        Redactor { key, text }
    }

    /// Says once that Opus came which cannot be passed through.
    pub(super) fn note_encoded_again(&self, why: NotPassable) {
        self.encoded_again.call_once(|| {
            warn!(
                tts.reason = %why,
                "the speech server's Opus is not a voice note and is encoded again"
            );
        });
    }

    fn note_refused_key(&self, status: u16) {
        self.key_refused.call_once(|| {
            error!(
                http.status = status,
                "the speech server refuses the key or its account: see tts.api_key"
            );
        });
    }

    /// Says once when PCM is far too short or long for its text: then its rate is another.
    pub(super) fn doubt_rate(&self, text: &str, seconds: f64) {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        let letters: usize = letters.map(|letter| if letter < SYLLABLES { 1 } else { 3 }).sum();
        #[expect(clippy::cast_precision_loss, reason = "a sentence")]
        let expected = letters as f64 / LETTERS_PER_SECOND / self.settings.speed;
        let usual = expected / 3.0..expected * 3.0;
        if letters > TELLING_LETTERS && !usual.contains(&seconds) {
            self.odd_pace.call_once(|| {
                warn!(
                    audio.seconds = seconds,
                    audio.expected_seconds = expected,
                    "the speech server's sound is far too short or too long for its text: is \
                     tts.sample_rate the server's rate?"
                );
            });
        }
    }
}

/// Makes the error of an answer that is not a success; `said` are its words, redacted, `body` is all
/// of it.
fn refused(refusal: &ErrorResponse, said: String, body: &[u8]) -> TtsError {
    let status = refusal.status;
    match refusal.asks() {
        Asks::Key => TtsError::Key { status, said },
        Asks::Time => TtsError::Busy { status, said, after: refusal.retry_after },
        Asks::Request => {
            TtsError::Refused { status, said, keys: keys(body, &refusal.error.message) }
        }
    }
}

/// Returns where sentences go.
fn speech_address(base: &Url) -> Url {
    endpoint_of(base, "/audio/speech")
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    #[test]
    fn a_base_and_a_whole_address_lead_to_the_same_place() {
        for (base, address) in [
            ("http://a/v1", "http://a/v1/audio/speech"),
            ("http://a/v1/", "http://a/v1/audio/speech"),
            ("http://a", "http://a/audio/speech"),
            ("http://a/v1/audio/speech", "http://a/v1/audio/speech"),
            ("http://a/v1/audio/speech/", "http://a/v1/audio/speech"),
            ("http://a/x?version=2", "http://a/x/audio/speech?version=2"),
        ] {
            assert_eq!(speech_address(&base.parse().unwrap()).as_str(), address);
        }
    }

    #[test]
    fn a_status_says_what_to_do() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().unwrap());
        let refused =
            |status| refused(&ErrorResponse::new(status, &headers, b""), String::new(), b"");
        for status in [408, 429, 500, 503] {
            let busy = refused(status);
            assert!(
                matches!(busy, TtsError::Busy { after: Some(after), .. } if after.as_secs() == 2)
            );
            assert_eq!(busy.status(), Some(status));
        }
        assert!(matches!(refused(401), TtsError::Key { .. }));
        assert!(matches!(refused(402), TtsError::Key { .. }));
        assert!(matches!(refused(404), TtsError::Refused { .. }));
    }
}
