//! The responder without a model: the answer that is on file, or an honest "I don't know".
//!
//! Between what was heard and the sentences. It never invents: every word it says is from the
//! knowledge files or from one fixed sentence per language.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{AgentError, Delta, LlmDeps, LlmSettings, Question, Responder};
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong};
use crate::knowledge::Knowledge;
use crate::turn::primary_language;

/// The knowledge of the built-in agent, a made-up shop: file name and contents.
pub const DEMO_FAQ: (&str, &str) = ("faq.csv", include_str!("faq.csv"));

/// What is said when nothing is known; the first one for every other language.
const DONT_KNOW: &[(&str, &str)] = &[
    ("en", "I don't know that, sorry. Could you ask in other words, or ask for a person?"),
    (
        "es",
        "Eso no lo sé, lo siento. ¿Puede preguntarlo de otra manera, o pedir hablar con una persona?",
    ),
    (
        "pt",
        "Isso eu não sei, desculpe. Pode perguntar de outra forma, ou pedir para falar com uma pessoa?",
    ),
    (
        "de",
        "Das weiß ich leider nicht. Fragen Sie bitte anders, oder verlangen Sie einen Menschen.",
    ),
    (
        "fr",
        "Je ne sais pas, désolé. Pouvez-vous le demander autrement, ou demander à parler à une personne ?",
    ),
];

/// Has no keys: everything it says comes from the agent.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {}

impl EngineSettings for Settings {}

#[async_trait]
impl LlmSettings for Settings {
    fn build(&self, deps: LlmDeps, _: Connect<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        let knowledge = match deps.knowledge {
            Some(knowledge) => knowledge,
            None => Arc::new(
                Knowledge::load(&[(DEMO_FAQ.0.to_owned(), DEMO_FAQ.1.to_owned())])
                    .expect("a test reads the demo's knowledge"),
            ),
        };
        Ok(Arc::new(FaqResponder::new(knowledge, deps.dont_know)))
    }

    /// Says nothing: the agent's files are looked at whatever answers from them.
    async fn examine(&self, _: &EngineUser, _: LlmDeps, _: Connect<'_>, _: &mut Check) {}
}

/// Answers from [`Knowledge`] alone.
#[derive(Debug)]
pub struct FaqResponder {
    knowledge: Arc<Knowledge>,
    dont_know: HashMap<String, String>,
}

impl FaqResponder {
    /// Answers from `knowledge`; `dont_know` replaces the built-in sentences, by language code.
    #[must_use]
    pub fn new(knowledge: Arc<Knowledge>, dont_know: HashMap<String, String>) -> Self {
        Self { knowledge, dont_know }
    }

    /// The sentence for a question that nothing on file answers.
    fn dont_know(&self, language: &str) -> String {
        let primary = primary_language(language);
        let own = self.dont_know.get(language).or_else(|| self.dont_know.get(primary));
        if let Some(own) = own {
            return own.clone();
        }
        let built_in = DONT_KNOW.iter().find(|(code, _)| *code == primary);
        built_in.unwrap_or(&DONT_KNOW[0]).1.to_owned()
    }

    /// Searches on a blocking thread: a large knowledge takes milliseconds.
    async fn answer(&self, question: Question) -> Result<String, AgentError> {
        let knowledge = Arc::clone(&self.knowledge);
        let language = question.language.clone();
        let search = tokio::task::spawn_blocking(move || {
            knowledge.find(question.heard.reveal(), &question.language)
        });
        let hit = search
            .await
            .map_err(|error| AgentError::Knowledge(error.to_string()))?
            .map_err(|error| AgentError::Knowledge(error.to_string()))?;
        Ok(hit.map_or_else(|| self.dont_know(&language), |hit| hit.answer))
    }
}

#[async_trait]
impl Responder for FaqResponder {
    fn name(&self) -> &'static str {
        "faq"
    }

    async fn respond(
        &self,
        question: Question,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Delta, AgentError>> {
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(AgentError::Cancelled),
            answer = self.answer(question) => answer.map(Delta::Text),
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

    fn demo() -> FaqResponder {
        let (name, contents) = DEMO_FAQ;
        let files = [(name.to_owned(), contents.to_owned())];
        FaqResponder::new(Arc::new(Knowledge::load(&files).unwrap()), HashMap::new())
    }

    async fn ask(responder: &FaqResponder, heard: &str, language: &str) -> String {
        let question = Question::written(heard, language);
        let answer = responder.respond(question, &CancellationToken::new()).await;
        let text = answer.map_ok(|delta| match delta {
            Delta::Text(text) => text,
            Delta::Usage(_) => panic!("nothing was used"),
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
        check("Can I please speak to a human being?", "colleague").await;
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
        check("My order number is four seven one nine two.", "pass your order number on").await;
        check("Are you open on Tuesday at half past three?", "nine in the morning").await;
        check("Can I book a table for Friday?", "just come by").await;
        check("The parcel arrived broken and I am not happy.", "a photo").await;
        check("Can I change my order?", "left our shop").await;
    }

    #[tokio::test]
    async fn every_fixture_question_is_answered() {
        let faq = demo();
        let mut questions = 0;
        for file in FIXTURES.files().filter(|f| f.path().extension().is_some_and(|e| e == "txt")) {
            let heard = file.contents_utf8().unwrap();
            let answer = ask(&faq, heard, "en").await;
            assert_ne!(answer, DONT_KNOW[0].1, "{}", file.path().display());
            questions += 1;
        }
        assert!(questions >= 11);
    }

    #[tokio::test]
    async fn what_is_not_on_file_is_not_invented() {
        let faq = demo();
        for heard in ["What is the capital of Mongolia?", "Who won the football?", "banana", "?"] {
            assert_eq!(ask(&faq, heard, "en").await, DONT_KNOW[0].1, "{heard}");
        }
        for language in ["de", "de-AT"] {
            assert_eq!(ask(&faq, "xyz", language).await, DONT_KNOW[3].1);
        }
        assert_eq!(ask(&faq, "xyz", "sv").await, DONT_KNOW[0].1);
        let own = HashMap::from([("en".to_owned(), "No idea.".to_owned())]);
        let empty = FaqResponder::new(Arc::new(Knowledge::load(&[]).unwrap()), own);
        assert_eq!(ask(&empty, "when do you open", "en").await, "No idea.");
    }

    #[tokio::test]
    async fn a_cancelled_question_is_not_answered() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let question = Question::written("hello", "en");
        let mut answer = demo().respond(question, &cancel).await;
        assert!(matches!(answer.next().await, Some(Err(AgentError::Cancelled))));
        assert!(answer.next().await.is_none());
    }
}
