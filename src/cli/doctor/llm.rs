//! What answers: the knowledge files, and one word from each language model's server.

use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::report::Check;
use super::{ENGINE_TIME_LIMIT, agents_in_use, languages_of, section_of};
use crate::agent::knowledge::Knowledge;
use crate::agent::{Delta, Question, Responder};
use crate::app::{Engines, Hearing, Places};
use crate::config::{Agent, Config, Override};

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
                let said = timeout(ENGINE_TIME_LIMIT, first_word(responder.as_ref(), &language));
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
    let mut passages = 0;
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
        Some(_) => check.well(format!("agent {}: knowledge, passages: {passages}", agent.name)),
    }
}

/// The agent's responder, made without its voice: that one is looked at by itself.
fn responder(
    config: &Config,
    places: &Places,
    index: usize,
) -> anyhow::Result<std::sync::Arc<dyn Responder>> {
    let mut config = config.clone();
    config.agents[index].tts = Some(Override::Engine("scripted".to_owned()));
    let hearing = Hearing { deaf: true, ..Hearing::default() };
    let name = config.agents[index].name.clone();
    let setup = Engines::new(&config, places, &hearing).agent(Some(&name))?;
    Ok(std::sync::Arc::clone(&setup.responder))
}

/// Reads the answer up to its first word, and no further.
async fn first_word(responder: &dyn Responder, language: &str) -> Result<(), String> {
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

/// Names the key that a server's refusal is about.
pub(super) fn refused(check: &mut Check, section: &str, why: &str) {
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let (key, fix) = if has(&["401", "403"]) {
        ("api_key", "write a key that the server takes to api_key or api_key_file")
    } else if has(&["404", "model"]) {
        ("model", "write a model that the server has; and the path of url, which often ends in /v1")
    } else {
        ("url", "start the server, or correct url")
    };
    check.error(format!("{section}.{key}"), why, format!("{fix} in [{section}]"));
}
