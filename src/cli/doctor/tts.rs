//! What speaks: the first sound of one word from each voice engine in use.

use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::report::Check;
use super::{ENGINE_TIME_LIMIT, agents_in_use, languages_of, llm, section_of};
use crate::app::{Engines, Hearing, Places};
use crate::config::Config;
use crate::pipeline::AgentSetup;
use crate::registry::Override;
use crate::tts::Sentence;
use crate::turn::LanguageCode;

pub(super) async fn check(config: &Config, places: &Places) -> Check {
    let mut check = Check::new("tts");
    let mut asked = Vec::new();
    for index in agents_in_use(config) {
        let Ok(engines) = config.engines(index) else { continue };
        let (agent, tts) = (&config.agents[index], engines.tts);
        match tts.engine.as_str() {
            // Looked at with its voices.
            "espeak" => continue,
            "scripted" => {
                check.skipped(format!("agent {}: scripted, for tests", agent.name));
                continue;
            }
            _ => {}
        }
        let key = tts.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let same = (tts.url.clone(), tts.model.clone(), key);
        if asked.contains(&same) {
            continue;
        }
        asked.push(same);
        let section = section_of(agent.tts.as_ref(), index, "tts");
        match setup(config, places, index) {
            Err(error) => check.refused(&section, &error),
            Ok(setup) => {
                let language = languages_of(config, index).swap_remove(0);
                let heard = timeout(ENGINE_TIME_LIMIT, first_sound(&setup, language)).await;
                let heard = heard.unwrap_or_else(|_| {
                    Err(format!("no sound within {} s", ENGINE_TIME_LIMIT.as_secs()))
                });
                let what = format!("agent {}: {}", agent.name, setup.synthesizer.name());
                match heard {
                    Ok(()) => check.well(format!("{what} speaks")),
                    Err(why) => llm::refused(&mut check, &section, &format!("{what}: {why}")),
                }
            }
        }
    }
    check
}

/// The agent's synthesizer, made without its responder: that one is looked at by itself.
fn setup(config: &Config, places: &Places, index: usize) -> anyhow::Result<AgentSetup> {
    let mut config = config.clone();
    config.agents[index].llm = Some(Override::Engine("scripted".to_owned()));
    let hearing = Hearing { deaf: true, ..Hearing::default() };
    let name = config.agents[index].name.clone();
    Engines::new(&config, places, &hearing).agent(Some(&name))
}

/// Listens up to the first sound, and no further.
async fn first_sound(setup: &AgentSetup, language: LanguageCode) -> Result<(), String> {
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let voice = setup.voice.for_language(&language);
    let word = Sentence { text: "ok".to_owned(), language, voice };
    match setup.synthesizer.speak(word, &cancel).await.next().await {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("there was no sound".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment};

    #[tokio::test]
    async fn the_first_sound_of_a_word_is_heard() {
        let environment = Environment::from([
            ("HARK__TTS__ENGINE".to_owned(), "scripted".to_owned()),
            // Another engine that cannot be made does not matter here.
            ("HARK__AGENTS__0__KNOWLEDGE".to_owned(), "[\"none.csv\"]".to_owned()),
        ]);
        let config = config::load(None, &environment).unwrap();
        let setup = setup(&config, &Places::default(), 0).unwrap();
        assert_eq!(first_sound(&setup, "en".into()).await, Ok(()));
    }
}
