//! Asks a model server for one word, for the doctor.

use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Delta, Question, Responder};
use crate::engine::{Refusal, TRIAL_LIMIT};
use crate::turn::LanguageCode;

/// Reads an answer up to its first word, and no further.
pub(super) async fn first_word(
    responder: &dyn Responder,
    language: &LanguageCode,
) -> Result<(), Refusal> {
    let refusal = |why: String| Refusal { status: None, why };
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let word = async {
        let mut answer =
            responder.respond(Question::written("ok", language.clone()), &cancel).await;
        while let Some(delta) = answer.next().await {
            match delta {
                Ok(Delta::Text(_)) => return Ok(()),
                Ok(Delta::Usage(_)) => {}
                Err(error) => {
                    return Err(Refusal { status: error.status(), why: error.to_string() });
                }
            }
        }
        Err(refusal("the answer was empty".to_owned()))
    };
    let late = || refusal(format!("no word within {} s", TRIAL_LIMIT.as_secs()));
    timeout(TRIAL_LIMIT, word).await.unwrap_or_else(|_| Err(late()))
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
        assert_eq!(said(&["", "hello", "broken"]).await, Ok(()));
        assert!(said(&[""]).await.is_err_and(|refusal| refusal.why == "the answer was empty"));
        assert!(said(&["", "broken"]).await.is_err_and(|refusal| refusal.why.contains("it broke")));
    }
}
