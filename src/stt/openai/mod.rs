//! Hears through a server: `/v1/audio/transcriptions`, as OpenAI and those compatible with it have
//! it, so that one machine with a graphics card hears for many.
//!
//! One request an utterance. Invariants: every wait and every size is bounded; neither the key nor a
//! word of anybody is in an error or a log line; what a server tells of its doubts is judged as
//! whisper's own words are.

mod answer;
mod server;
mod settings;

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::words::{confirmed, leaked};
use super::{SttError, Transcriber, Utterance, Vocabulary};
use crate::engine::Wrong;
use crate::remote::patience::Patience;
use crate::turn::Transcript;
use answer::ServerTranscript;
use server::HearingServer;
pub use settings::Settings;

/// Most characters of a prompt: a model of whisper's kind reads 224 tokens, and names take many.
const PROMPT: usize = 400;

/// Hears through a server.
pub struct OpenAiTranscriber {
    server: HearingServer,
    name: String,
}

impl OpenAiTranscriber {
    /// Makes a transcriber that has asked nothing yet. `client` has its own time limit for
    /// connecting; the other waits are kept here.
    ///
    /// # Errors
    /// Settings without a URL.
    pub fn new(settings: Settings, client: reqwest::Client) -> Result<Self, Wrong> {
        let name = format!("openai/{}", settings.model);
        Ok(Self { server: HearingServer::new(settings, client)?, name })
    }

    /// Hears an utterance, and once more without the words that may be said if they came back.
    async fn hear(&self, utterance: &Utterance) -> Result<ServerTranscript, SttError> {
        let limit = Duration::from_millis(self.server.settings.timeout_ms);
        let mut patience = Patience::new(limit);
        let words = prompt(&utterance.vocabulary).0;
        let first = self.server.ask(utterance, &words, &mut patience).await?;
        if words.is_empty() || !leaked(&first.text, &utterance.vocabulary) {
            return Ok(first);
        }
        let without = self.server.ask(utterance, "", &mut patience).await?;
        Ok(if confirmed(&first.text, &without.text) { first } else { without })
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    fn name(&self) -> &str {
        &self.name
    }

    fn cut<'a>(&self, vocabulary: &'a Vocabulary) -> Vec<&'a str> {
        let listed = vocabulary.listed();
        let cut = prompt(vocabulary).1.into_iter();
        cut.filter(|word| listed.iter().any(|listed| listed == word)).collect()
    }

    /// Opens a connection. A server that cannot be reached now may be later: it is only warned of.
    async fn warm_up(&self) -> Result<(), SttError> {
        self.server.greet().await;
        Ok(())
    }

    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let heard = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SttError::Cancelled),
            heard = self.hear(&utterance) => heard,
        };
        Ok(heard?.judged(&utterance))
    }
}

/// Writes words that may be said as the text before, the most important first; returns also those
/// that have no room.
fn prompt(vocabulary: &Vocabulary) -> (String, Vec<&str>) {
    let (mut prompt, mut cut) = (String::new(), Vec::new());
    let mut room = PROMPT;
    for word in vocabulary.words() {
        let letters = word.chars().count() + 2;
        if letters > room {
            cut.push(word);
            continue;
        }
        room -= letters;
        if !prompt.is_empty() {
            prompt.push_str(", ");
        }
        prompt.push_str(word);
    }
    if !prompt.is_empty() {
        prompt.push('.');
    }
    (prompt, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_bounded_and_whole_words_are_cut() {
        let long = "x".repeat(PROMPT - 4);
        let listed = ["Hark".to_owned(), long.clone(), "Özil".to_owned()];
        let vocabulary = Vocabulary::of_agent(&listed, &["Klarvo".to_owned()]);
        let (words, cut) = prompt(&vocabulary);
        assert_eq!(words, "Hark, Özil, Klarvo.");
        assert_eq!(cut, [long.as_str()]);
        assert_eq!(prompt(&Vocabulary::default()), (String::new(), Vec::new()));
    }
}
