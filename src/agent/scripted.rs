//! A responder that says a given text: for tests, demos and measurements.
//!
//! Takes the place of a language model. Paced against the instant it was asked, so that a slow
//! reader does not make it slower and the pace does not drift.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{AgentError, Delta, LlmDeps, LlmSettings, Question, Responder};
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong};

/// Answers with a fixed text, or repeats what it heard, word by word; a word counts as a token.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub text: Option<String>,
    pub first_token_ms: u64,
    pub tokens_per_s: f64,
}

impl EngineSettings for Settings {}

#[async_trait]
impl LlmSettings for Settings {
    fn build(&self, _: LlmDeps, _: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        Ok(Arc::new(self.clone()))
    }

    async fn examine(&self, user: &EngineUser, _: LlmDeps, _: Connect<'_>, check: &mut Check) {
        check.skipped(format!("agent {}: scripted, for tests", user.agent));
    }
}

#[async_trait]
impl Responder for Settings {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let text = self.text.clone().unwrap_or_else(|| question.heard.reveal().to_owned());
        // Longer than any turn; keeps the sum of instant and pause from overflowing.
        let hour = Duration::from_hours(1);
        let first = Duration::from_millis(self.first_token_ms).min(hour);
        // What is not a rate, 0 above all, means at once.
        let between = Duration::try_from_secs_f64(1.0 / self.tokens_per_s).unwrap_or_default();
        let between = between.min(hour);
        let paced = first + between > Duration::ZERO;
        let first = Instant::now() + first;
        let cancel = cancel.clone();
        let words = words(&text).into_iter();
        stream::unfold(Some((words, first)), move |state| {
            let cancel = cancel.clone();
            async move {
                let (mut words, due) = state?;
                let word = words.next()?;
                let wait = async {
                    if paced {
                        sleep_until(due).await;
                    }
                };
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => Some((Err(AgentError::Cancelled), None)),
                    () = wait => Some((Ok(Delta::Text(word)), Some((words, due + between)))),
                }
            }
        })
        .boxed()
    }
}

/// Cuts `text` into words, each with the whitespace that follows it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        match words.last_mut() {
            Some(last) if piece.trim().is_empty() => last.push_str(piece),
            _ => words.push(piece.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripted(text: Option<&str>, first_token_ms: u64, tokens_per_s: f64) -> Settings {
        Settings { text: text.map(str::to_owned), first_token_ms, tokens_per_s }
    }

    fn question(heard: &str) -> Question {
        Question::written(heard, "en")
    }

    #[tokio::test]
    async fn it_repeats_what_it_heard_unless_it_has_a_text() {
        let cancel = CancellationToken::new();
        for (text, expected) in [(None, "one  two\nthree"), (Some("fixed text"), "fixed text")] {
            let responder = scripted(text, 0, 0.0);
            let answer = responder.respond(question("one  two\nthree"), &cancel).await;
            let said: Vec<_> = answer.map(Result::unwrap).collect().await;
            let text = said.iter().map(|delta| match delta {
                Delta::Text(text) => text.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!(text.collect::<String>(), expected);
            assert_eq!(said.len(), expected.split_whitespace().count());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn words_come_at_their_pace_whoever_is_slow() {
        let responder = scripted(None, 150, 50.0);
        let start = Instant::now();
        let mut answer = responder.respond(question("a b c d"), &CancellationToken::new()).await;
        let mut at = Vec::new();
        while let Some(delta) = answer.next().await {
            delta.unwrap();
            at.push(start.elapsed().as_millis());
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(at, [150, 170, 190, 210]);
    }

    #[tokio::test(start_paused = true)]
    async fn cancellation_ends_it() {
        let cancel = CancellationToken::new();
        let responder = scripted(None, 1000, 1.0);
        let mut answer = responder.respond(question("a b"), &cancel).await;
        assert!(answer.next().await.unwrap().is_ok());
        cancel.cancel();
        assert!(matches!(answer.next().await, Some(Err(AgentError::Cancelled))));
        assert!(answer.next().await.is_none());
    }
}
