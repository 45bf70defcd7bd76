//! What answers: the knowledge files, and one word from each language model's server.

use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::report::{Check, Level};
use super::{ENGINE_TIME_LIMIT, agents_in_use, languages_of, section_of};
use crate::agent::{Delta, Question, Responder};
use crate::app::{Engines, Hearing, Places};
use crate::config::Config;
use crate::knowledge::Knowledge;
use crate::registry::{Agent, Override};
use crate::turn::LanguageCode;

pub(super) async fn check(config: &Config, places: &Places) -> Check {
    let mut check = Check::new("llm");
    let mut asked = Vec::new();
    for index in agents_in_use(config) {
        let Ok(engines) = config.engines(index) else { continue };
        let (agent, llm) = (&config.agents[index], engines.llm);
        knowledge(&mut check, index, agent, llm.engine == "faq");
        if llm.engine == "scripted" {
            check.skipped(format!("agent {}: scripted, for tests", agent.name));
        }
        if llm.engine != "openai" {
            continue;
        }
        let key = llm.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let same = (llm.url.clone(), llm.model.clone(), key);
        if asked.contains(&same) {
            continue;
        }
        asked.push(same);
        let section = section_of(agent.llm.as_ref(), index, "llm");
        match responder(config, places, index) {
            Err(error) => check.refused(&section, &error),
            Ok(responder) => {
                let language = languages_of(config, index).swap_remove(0);
                let said = timeout(ENGINE_TIME_LIMIT, first_word(responder.as_ref(), language));
                let said = said.await.unwrap_or_else(|_| Err(late()));
                let what = format!("agent {}: {}", agent.name, responder.name());
                match said {
                    Ok(()) => check.well(format!("{what} answers")),
                    Err(why) => refused(&mut check, &section, &format!("{what}: {why}")),
                }
            }
        }
    }
    check
}

/// Reads each file of an agent by itself, so that each may be a finding.
fn knowledge(check: &mut Check, index: usize, agent: &Agent, answers_from_it: bool) {
    let key = format!("agents[{index}].knowledge");
    let (mut passages, found_before) = (0, check.findings().count());
    for file in agent.knowledge.iter().flatten() {
        let name = file.display().to_string();
        let read = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"));
        let loaded = read.and_then(|text| {
            Knowledge::load(&[(name.clone(), text)]).map_err(|error| error.to_string())
        });
        match loaded {
            Ok(knowledge) => passages += knowledge.len(),
            Err(error) => {
                check.error(&key, error, format!("correct {name}, or take it off {key}"));
            }
        }
    }
    match &agent.knowledge {
        None if answers_from_it => {
            check.well(format!("agent {}: answers from the demo's knowledge", agent.name));
        }
        None => {}
        Some(files) if files.is_empty() && answers_from_it => check.error(
            key,
            format!("agent \"{}\" answers from its knowledge and has none", agent.name),
            "name a file: knowledge = [\"faq.csv\"]",
        ),
        Some(_) if check.findings().count() > found_before => {}
        Some(_) => check.well(format!("agent {}: knowledge, passages: {passages}", agent.name)),
    }
}

/// The agent's responder, made without its voice and its knowledge: those are looked at by
/// themselves.
fn responder(
    config: &Config,
    places: &Places,
    index: usize,
) -> anyhow::Result<std::sync::Arc<dyn Responder>> {
    let mut config = config.clone();
    config.agents[index].tts = Some(Override::Engine("scripted".to_owned()));
    config.agents[index].knowledge = Some(Vec::new());
    let hearing = Hearing { deaf: true, ..Hearing::default() };
    let name = config.agents[index].name.clone();
    let setup = Engines::new(&config, places, &hearing).agent(Some(&name))?;
    Ok(std::sync::Arc::clone(&setup.responder))
}

/// Reads the answer up to its first word, and no further.
async fn first_word(responder: &dyn Responder, language: LanguageCode) -> Result<(), String> {
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let mut answer = responder.respond(Question::written("ok", language), &cancel).await;
    while let Some(delta) = answer.next().await {
        if let Delta::Text(_) = delta.map_err(|error| error.to_string())? {
            return Ok(());
        }
    }
    Err("the answer was empty".to_owned())
}

fn late() -> String {
    format!("no word within {} s", ENGINE_TIME_LIMIT.as_secs())
}

/// Names the key that a model server's refusal is about, by the HTTP status in its words.
pub(super) fn refused(check: &mut Check, section: &str, why: &str) {
    let status = why.split_once("HTTP ").and_then(|(_, rest)| rest.get(..3)?.parse::<u16>().ok());
    let (level, key, fix) = match status {
        Some(401 | 403) => (
            Level::Error,
            "api_key",
            format!("write a key that the server takes to {section}.api_key or its file"),
        ),
        Some(402 | 429) => (
            Level::Warning,
            "api_key",
            "look at the limits and the credit of the key's account".to_owned(),
        ),
        Some(400 | 404 | 422) => (
            Level::Error,
            "model",
            format!(
                "write a model that the server has to {section}.model, and the whole path to \
                 {section}.url, which often ends in /v1"
            ),
        ),
        Some(500..) => (
            Level::Warning,
            "url",
            "look at the server's log, and run hark doctor again".to_owned(),
        ),
        Some(_) | None => {
            (Level::Error, "url", format!("start the server, or correct {section}.url"))
        }
    };
    check.found(level, format!("{section}.{key}"), why, fix);
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
                "broken" => Err(AgentError::Knowledge("it broke".to_owned())),
                word => Ok(Delta::Text(word.to_owned())),
            });
            stream::iter(said).boxed()
        }
    }

    #[tokio::test]
    async fn one_word_is_enough_and_none_is_not() {
        let said =
            async |words: &[&'static str]| first_word(&Says(words.to_vec()), "en".into()).await;
        assert_eq!(said(&["", "hello", "broken"]).await, Ok(()));
        assert_eq!(said(&[""]).await, Err("the answer was empty".to_owned()));
        assert!(said(&["", "broken"]).await.is_err_and(|why| why.contains("it broke")));
    }

    #[test]
    fn a_servers_refusal_names_its_key() {
        for (why, level, key) in [
            ("language model refused (HTTP 401): no", Level::Error, "llm.api_key"),
            ("language model refused (HTTP 404): no", Level::Error, "llm.model"),
            ("language model is busy (HTTP 429): no", Level::Warning, "llm.api_key"),
            ("language model is busy (HTTP 503): no", Level::Warning, "llm.url"),
            ("language model could not be reached: HTTP ", Level::Error, "llm.url"),
        ] {
            let mut check = Check::new("llm");
            refused(&mut check, "llm", why);
            let found = check.findings().next().expect("there is one");
            assert_eq!((found.level, found.key.as_str()), (level, key), "{why}");
        }
    }
}
