//! The responder without a model: the answer that is on file, or an honest "I don't know".
//!
//! Between what was heard and the sentences. It never invents: every word it says is from the
//! knowledge files or the configured sentence that it does not know.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{AgentError, Delta, LlmDeps, LlmSettings, Question, Responder, Retrieval};
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong};
use crate::knowledge::Knowledge;
use crate::registry::Phrase;

/// Holds the knowledge of the built-in agent, a made-up shop: file name and contents.
pub const DEMO_FAQ: (&str, &str) = ("faq.csv", include_str!("faq.csv"));

/// Has no keys: everything it says comes from the agent.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {}

impl EngineSettings for Settings {}

#[async_trait]
impl LlmSettings for Settings {
    fn build(&self, deps: LlmDeps, _: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        Ok(Arc::new(FaqResponder::new(deps.dont_know)))
    }

    fn own_knowledge(&self) -> Option<Knowledge> {
        let (name, contents) = DEMO_FAQ;
        let demo = Knowledge::load(&[(name.to_owned(), contents)]);
        Some(demo.expect("a test reads the demo's knowledge"))
    }

    /// Says nothing: the agent's files are looked at whatever answers from them.
    async fn examine(&self, _: &EngineUser, _: LlmDeps, _: Connect<'_>, _: &mut Check) {}
}

/// Answers from the agent's knowledge alone.
#[derive(Debug)]
pub struct FaqResponder {
    dont_know: Phrase,
}

impl FaqResponder {
    /// Makes one that says `dont_know` where nothing on file answers.
    #[must_use]
    pub fn new(dont_know: Phrase) -> Self {
        Self { dont_know }
    }
}

#[async_trait]
impl Responder for FaqResponder {
    fn name(&self) -> &'static str {
        "faq"
    }

    fn wants(&self) -> Retrieval {
        Retrieval::Answer
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let Question { language, passages, .. } = question;
        let answer = match passages.into_iter().next() {
            _ if cancel.is_cancelled() => Err(AgentError::Cancelled),
            Some(hit) => Ok(Delta::Text(hit.answer)),
            None => Ok(Delta::Text(self.dont_know.in_language(&language).to_owned())),
        };
        stream::iter([answer]).boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use include_dir::{Dir, include_dir};

    use super::*;

    static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/audio-fixtures");

    /// Holds a responder with what it knows.
    struct Faq(FaqResponder, Knowledge);

    fn demo() -> Faq {
        let dont_know = [("en", "No idea."), ("de", "Keine Ahnung.")];
        let dont_know = dont_know.map(|(code, text)| (code.into(), text.to_owned()));
        Faq(FaqResponder::new(Phrase(dont_know.into())), Settings {}.own_knowledge().unwrap())
    }

    async fn ask(Faq(responder, knowledge): &Faq, heard: &str, language: &str) -> String {
        let passages = knowledge.top(heard, &language.into(), None, 1).unwrap();
        let question = Question { passages, ..Question::written(heard, language) };
        let answer = responder.respond(question, &CancellationToken::new()).await;
        let text = answer.map_ok(|delta| match delta {
            Delta::Text(text) => text,
            other => panic!("{other:?}"),
        });
        text.try_collect().await.unwrap()
    }

    async fn check(heard: &str, part_of_answer: &str) {
        let answer = ask(&demo(), heard, "en").await;
        assert!(answer.contains(part_of_answer), "{heard:?} was answered {answer:?}");
    }

    #[tokio::test]
    async fn the_demo_shop_knows_its_business() {
        check("when do you open", "nine in the morning").await;
        check("Hello, what time do you close on Saturday?", "nine in the morning").await;
        check("how long does delivery take?", "two or three working days").await;
        check("I want my money back", "thirty days").await;
        check("Can I please speak to a human being?", "cannot pass you on").await;
        check("where's your shop", "Harbour Street").await;
        check("Can I pay with PayPal?", "card").await;
        check("How much is it?", "eight euros").await;
        check("where is my order", "tracking").await;
        check("thank you very much", "welcome").await;
        check(include_str!("../../audio-fixtures/en_long.txt"), "tracking link").await;
        check("Hello!", "How can I help").await;
        check("Who are you?", "assistant").await;
        check("Yes.", "What else").await;
        check("no", "anything else").await;
        check("My order number is four seven one nine two.", "cannot look orders up").await;
        check("Are you open on Tuesday at half past three?", "nine in the morning").await;
        check("Can I book a table for Friday?", "just come by").await;
        check("The parcel arrived broken and I am not happy.", "bring it to the shop").await;
        check("Can I change my order?", "left our shop").await;
    }

    #[test]
    fn nobody_is_promised_who_cannot_come() {
        let (_, csv) = DEMO_FAQ;
        for promise in ["colleague", "let you know", "write to you", "call you", "get back to you"]
        {
            assert!(!csv.contains(promise), "{promise}");
        }
    }

    #[tokio::test]
    async fn every_fixture_question_is_answered() {
        let faq = demo();
        let mut questions = 0;
        for file in FIXTURES.files().filter(|f| f.path().extension().is_some_and(|e| e == "txt")) {
            let heard = file.contents_utf8().unwrap();
            let answer = ask(&faq, heard, "en").await;
            assert_ne!(answer, "No idea.", "{}", file.path().display());
            questions += 1;
        }
        assert!(questions >= 11);
    }

    #[tokio::test]
    async fn what_is_not_on_file_is_not_invented() {
        let faq = demo();
        for heard in ["What is the capital of Mongolia?", "Who won the football?", "banana", "?"] {
            assert_eq!(ask(&faq, heard, "en").await, "No idea.", "{heard}");
        }
        for language in ["de", "de-AT"] {
            assert_eq!(ask(&faq, "xyz", language).await, "Keine Ahnung.");
        }
        assert_eq!(ask(&faq, "xyz", "sv").await, "No idea.");
        let empty = Faq(faq.0, Knowledge::load::<&str>(&[]).unwrap());
        assert_eq!(ask(&empty, "when do you open", "en").await, "No idea.");
    }

    #[tokio::test]
    async fn a_cancelled_question_is_not_answered() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let question = Question::written("hello", "en");
        let mut answer = demo().0.respond(question, &cancel).await;
        assert!(matches!(answer.next().await, Some(Err(AgentError::Cancelled))));
        assert!(answer.next().await.is_none());
    }
}
