//! Hears with the first of several engines that works.
//!
//! Between the pipeline and the engines of a list. What an engine fails at, the next one hears; what
//! is wrong with the turn ends it.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{SttError, Transcriber, Utterance};
use crate::engine::Lineup;
use crate::turn::{LanguageCode, Transcript};

/// Hears with engines in their order.
pub struct FallbackTranscriber(Lineup<dyn Transcriber>);

impl FallbackTranscriber {
    /// Makes one of engines that are warm, as far as they can be.
    pub fn new(lineup: Lineup<dyn Transcriber>) -> Self {
        Self(lineup)
    }
}

#[async_trait]
impl Transcriber for FallbackTranscriber {
    /// Returns the names of all, in order.
    fn name(&self) -> &str {
        &self.0.name
    }

    fn members(&self) -> Vec<&dyn Transcriber> {
        self.0.members().iter().map(|member| &*member.engine).collect()
    }

    /// Returns whether all of them do: none should stand in that does not.
    fn knows(&self, language: &LanguageCode) -> bool {
        self.members().iter().all(|engine| engine.knows(language))
    }

    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let (mut first, mut busy) = (None, false);
        for (member, call) in self.0.calls() {
            let error = match member.engine.transcribe(utterance.clone(), cancel).await {
                Ok(heard) => {
                    call.succeeded();
                    return Ok(Transcript { by: Some(member.circuit.name.clone()), ..heard });
                }
                Err(error) => error,
            };
            match error.fault() {
                Some(fault) => call.failed(fault, &error),
                None if matches!(error, SttError::Busy) => busy = true,
                None => return Err(error),
            }
            first.get_or_insert(error);
        }
        // What is only busy hears in a while.
        Err(first.filter(|_| !busy).unwrap_or(SttError::Busy))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::audio::Speech;
    use crate::clock::Clock;
    use crate::engine::{Circuit, Member, Notice};
    use crate::stt::LanguageHint;

    type Said = fn() -> Result<Transcript, SttError>;

    /// Hears what it is given, and counts how often it is asked.
    struct Ear(Said, Mutex<usize>);

    #[async_trait]
    impl Transcriber for Ear {
        fn name(&self) -> &'static str {
            "ear"
        }

        async fn transcribe(
            &self,
            _: Utterance,
            _: &CancellationToken,
        ) -> Result<Transcript, SttError> {
            *self.1.lock().unwrap() += 1;
            (self.0)()
        }
    }

    fn ears(said: &[Said]) -> (FallbackTranscriber, Vec<Arc<Ear>>) {
        let ears: Vec<Arc<Ear>> =
            said.iter().map(|said| Arc::new(Ear(*said, Mutex::default()))).collect();
        let notice: Notice = Arc::new(|_, _, _| {});
        let members = ears.iter().enumerate().map(|(at, ear)| Member {
            engine: Arc::clone(ear) as Arc<dyn Transcriber>,
            circuit: Circuit::new("stt", at.to_string(), Clock::manual(0), Arc::clone(&notice)),
        });
        (FallbackTranscriber::new(Lineup::new(members.collect())), ears)
    }

    async fn hear(ears: &FallbackTranscriber) -> Result<Transcript, SttError> {
        let utterance = Utterance::alone(Speech::silence(1_600), LanguageHint::ANY);
        ears.transcribe(utterance, &CancellationToken::new()).await
    }

    fn asked(ears: &[Arc<Ear>]) -> Vec<usize> {
        ears.iter().map(|ear| *ear.1.lock().unwrap()).collect()
    }

    const HEARS: Said = || Ok(Transcript { text: "hello".into(), ..Transcript::default() });
    const REFUSES: Said = || Err(SttError::Key { status: 401, said: "no".into() });
    const FAILS: Said = || Err(SttError::Network("gone".into()));
    const BUSY: Said = || Err(SttError::Busy);
    const CANCELLED: Said = || Err(SttError::Cancelled);

    #[tokio::test]
    async fn the_next_engine_hears_what_the_first_cannot_and_is_named() {
        let (both, counts) = ears(&[REFUSES, HEARS]);
        for _ in 0..3 {
            assert_eq!(hear(&both).await.unwrap().by.as_deref(), Some("1"));
        }
        assert_eq!(asked(&counts), [1, 3], "a refused key is not asked again");
    }

    #[tokio::test]
    async fn all_are_asked_before_a_turn_fails_and_the_first_says_why() {
        let (both, counts) = ears(&[REFUSES, FAILS]);
        assert!(matches!(hear(&both).await, Err(SttError::Key { .. })));
        // Now the first is left alone, and asked when the other has failed.
        assert!(matches!(hear(&both).await, Err(SttError::Network(_))));
        assert_eq!(asked(&counts), [2, 2]);
    }

    #[tokio::test]
    async fn a_busy_engine_is_not_a_broken_one() {
        let (both, counts) = ears(&[BUSY, HEARS]);
        for _ in 0..5 {
            assert!(hear(&both).await.is_ok());
        }
        assert_eq!(asked(&counts), [5, 5]);
        let (both, _) = ears(&[FAILS, BUSY]);
        assert!(matches!(hear(&both).await, Err(SttError::Busy)), "it hears in a while");
    }

    #[tokio::test]
    async fn a_cancelled_turn_asks_nobody_else() {
        let (both, counts) = ears(&[CANCELLED, HEARS]);
        assert!(matches!(hear(&both).await, Err(SttError::Cancelled)));
        assert_eq!(asked(&counts), [1, 0]);
    }
}
