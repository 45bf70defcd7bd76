//! Asks a model server for one word, for the doctor.

use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{AgentError, Delta, Question, Responder};
use crate::engine::{Check, EngineUser, TRIAL_LIMIT, TrialError};
use crate::turn::LanguageCode;

/// Says why no word came.
#[derive(Debug)]
pub(super) enum NoWord {
    /// The answer failed.
    Failed(AgentError),
    /// It had none, or not in time.
    None(String),
}

/// Reads an answer up to its first word, and no further.
pub(super) async fn first_word(
    responder: &dyn Responder,
    language: &LanguageCode,
) -> Result<(), NoWord> {
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let word = async {
        let mut answer =
            responder.respond(Question::written("ok", language.clone()), &cancel).await;
        while let Some(delta) = answer.next().await {
            match delta {
                Ok(Delta::Text(_) | Delta::Extra(_)) => return Ok(()),
                Ok(Delta::Usage(_) | Delta::Retract | Delta::Ticket(_) | Delta::Tool(_)) => {}
                Err(error) => return Err(NoWord::Failed(error)),
            }
        }
        Err(NoWord::None("the answer was empty".to_owned()))
    };
    let late = || NoWord::None(format!("no word within {} s", TRIAL_LIMIT.as_secs()));
    timeout(TRIAL_LIMIT, word).await.unwrap_or_else(|_| Err(late()))
}

impl NoWord {
    /// Adds a finding with the key that mends it.
    pub(super) fn tell(&self, check: &mut Check, user: &EngineUser, what: &str) {
        let section = &user.section;
        let (error, status) = match self {
            Self::Failed(error) => (error.to_string(), error.status()),
            Self::None(why) => (why.clone(), None),
        };
        let remedy = match self {
            Self::Failed(error) => error.remedy(section),
            Self::None(_) => None,
        };
        match remedy {
            Some((key, fix)) => {
                check.error(format!("{section}.{key}"), format!("{what}: {error}"), fix);
            }
            None => check.refused(section, what, &TrialError { status, why: error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, BoxStream};

    use super::*;
    use crate::agent::{AgentError, Usage};

    /// Says what it is given, and then nothing for ever.
    struct Says(Vec<&'static str>);

    #[async_trait::async_trait]
    impl Responder for Says {
        fn name(&self) -> &'static str {
            "says"
        }

        async fn respond(
            &self,
            question: Question,
            cancel: &CancellationToken,
        ) -> BoxStream<'static, Result<Delta, AgentError>> {
            assert!(!cancel.is_cancelled() && question.heard.reveal() == "ok");
            let said = self.0.clone().into_iter().map(|word| match word {
                "" => Ok(Delta::Usage(Usage::default())),
                "broken" => Err(AgentError::BrokeOff("it broke".to_owned())),
                word => Ok(Delta::Text(word.to_owned())),
            });
            stream::iter(said).boxed()
        }
    }

    #[tokio::test]
    async fn one_word_is_enough_and_none_is_not() {
        let said =
            async |words: &[&'static str]| first_word(&Says(words.to_vec()), &"en".into()).await;
        assert!(said(&["", "hello", "broken"]).await.is_ok());
        assert!(matches!(said(&[""]).await, Err(NoWord::None(why)) if why.contains("empty")));
        let broken = said(&["", "broken"]).await;
        assert!(matches!(broken, Err(NoWord::Failed(AgentError::BrokeOff(_)))), "{broken:?}");
    }
}
