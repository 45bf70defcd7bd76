//! Sets an agent of the configuration up with its engines.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::{Pool, PoolError};
use crate::agent::{LlmDeps, Responder};
use crate::config::{self, Agent, AgentEngines, Config, Reply};
use crate::engine::{EngineSpec, Wrong};
use crate::knowledge::Knowledge;
use crate::pipeline::{AgentSetup, AgentVoice, Gate, GateAction, Languages, ReplyPolicy};
use crate::stt::Transcriber;
use crate::tts::Voice;

impl Pool {
    /// Sets up the agent `name` of the configuration, else the default one.
    ///
    /// # Errors
    /// A [`config::ConfigError`] for what the operator can mend.
    pub async fn named(
        &self,
        config: &Config,
        name: Option<&str>,
    ) -> anyhow::Result<Arc<AgentSetup>> {
        let name = name.unwrap_or(&config.default_agent);
        let index = config.agents.iter().position(|agent| agent.name == name);
        let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
        let (agent, engines) = (&config.agents[index], config.engines(index)?);
        self.agent(config, agent, &engines).await.map_err(|error| error.located(config))
    }

    /// Sets up `agent` with `engines`: those of the configuration, or what a command makes of them.
    ///
    /// # Errors
    /// A key that the operator can mend, or an engine that does not work.
    pub async fn agent(
        &self,
        config: &Config,
        agent: &Agent,
        engines: &AgentEngines,
    ) -> Result<Arc<AgentSetup>, PoolError> {
        let languages = languages(agent, &engines.stt);
        let voice = voice(agent);
        warn_of_missing_gpu(config, &engines.stt);
        Ok(Arc::new(AgentSetup {
            name: agent.name.clone(),
            gate: gate(config.gate.laid_under(agent.gate.as_ref())),
            reply: match agent.reply {
                Reply::Voice => ReplyPolicy::Voice,
                Reply::Reciprocal => ReplyPolicy::Reciprocal,
                Reply::Text => ReplyPolicy::Text,
            },
            // First what is quickly refused.
            responder: self.mind(config, agent, &engines.llm)?,
            transcriber: {
                let transcriber = self.transcriber(&engines.stt).await?;
                check_languages(transcriber.as_ref(), agent, &languages, &engines.stt)?;
                transcriber
            },
            synthesizer: self.synthesizer(&engines.tts, &spoken(&languages, &voice)).await?,
            languages,
            voice,
        }))
    }

    fn mind(
        &self,
        config: &Config,
        agent: &Agent,
        llm: &EngineSpec,
    ) -> Result<Arc<dyn Responder>, PoolError> {
        let index = config.agents.iter().position(|known| known.name == agent.name);
        let key = |name: &str| format!("agents[{}].{name}", index.unwrap_or_default());
        let knowledge = knowledge(agent)
            .map_err(|problem| PoolError::Wrong(Wrong::new(key("knowledge"), problem)))?;
        let timezone = agent.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get);
        let timezone = timezone
            .map_err(|error| PoolError::Wrong(Wrong::new(key("timezone"), error.to_string())))?;
        let deps = LlmDeps {
            prompt: agent.prompt.clone(),
            timezone,
            knowledge: knowledge.map(Arc::new),
            dont_know: config.messages.dont_know.by_language().into_iter().collect(),
        };
        self.responder(llm, deps)
    }
}

/// Reads an agent's files; `None` if it names none. An error is in words.
fn knowledge(agent: &Agent) -> Result<Option<Knowledge>, String> {
    let Some(files) = &agent.knowledge else { return Ok(None) };
    let read = |file: &PathBuf| {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, text))
    };
    let files: Vec<_> = files.iter().map(read).collect::<Result<_, String>>()?;
    Knowledge::load(&files).map(Some).map_err(|error| error.to_string())
}

/// A card is used unless it is turned off: only somebody who wrote the key down expects one.
fn warn_of_missing_gpu(config: &Config, stt: &EngineSpec) {
    let wanted = stt.keys.get("gpu").and_then(toml::Value::as_bool) == Some(true);
    if wanted && !cfg!(feature = "cuda") && config.origins.0.contains_key("stt.gpu") {
        tracing::warn!("this build knows no graphics card: transcribing on the processor");
    }
}

fn check_languages(
    transcriber: &dyn Transcriber,
    agent: &Agent,
    languages: &Languages,
    stt: &EngineSpec,
) -> Result<(), Wrong> {
    let spoken = match languages {
        Languages::Fixed(language) => std::slice::from_ref(language),
        Languages::Among(languages) => languages,
        Languages::Any => &[],
    };
    let Some(language) = spoken.iter().find(|language| !transcriber.knows(language)) else {
        return Ok(());
    };
    let model = stt.text("model").unwrap_or_else(|| transcriber.name());
    let problem = format!(
        "agent \"{}\" speaks \"{language}\" and model {model} does not: a multilingual one does, \
         for instance: hark models pull base",
        agent.name
    );
    Err(Wrong::new("stt.model", problem))
}

/// The languages and voices that an agent is sure to speak with.
fn spoken(languages: &Languages, voice: &AgentVoice) -> Vec<(String, Option<Voice>)> {
    let mut spoken = match languages {
        Languages::Fixed(language) => vec![language.clone()],
        Languages::Among(languages) => languages.clone(),
        Languages::Any => vec!["en".to_owned()],
    };
    spoken.extend(voice.by_language.keys().cloned());
    let with_voice = |language: String| {
        let voice = voice.for_language(&language);
        (language, voice)
    };
    spoken.into_iter().map(with_voice).collect()
}

fn languages(agent: &Agent, stt: &EngineSpec) -> Languages {
    let fixed = agent.language.as_deref().or(stt.text("language"));
    match (&agent.languages, fixed) {
        (Some(languages), _) => Languages::Among(languages.clone()),
        (None, Some(language)) => Languages::Fixed(language.to_owned()),
        (None, None) => Languages::Any,
    }
}

fn gate(gate: config::Gate) -> Gate {
    let action = |action| match action {
        config::GateAction::Answer => GateAction::Answer,
        config::GateAction::Confirm => GateAction::Confirm,
        config::GateAction::Repeat => GateAction::Repeat,
    };
    Gate {
        no_speech: action(gate.no_speech),
        low_probability: action(gate.low_probability),
        repetition: action(gate.repetition),
    }
}

/// Returns the voices that an agent names.
pub(crate) fn voice(agent: &Agent) -> AgentVoice {
    match &agent.voice {
        None => AgentVoice::default(),
        Some(config::Voice::One(voice)) => {
            AgentVoice { any: Some(voice.clone()), by_language: HashMap::new() }
        }
        Some(config::Voice::ByLanguage(voices)) => {
            AgentVoice { any: None, by_language: voices.clone().into_iter().collect() }
        }
    }
}
