//! Sets up an agent of the configuration with its engines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::EnginePool;
use crate::agent::reply::RichResponder;
use crate::agent::{LlmDeps, LlmEngine, Responder};
use crate::config::{Config, EngineSpecs};
use crate::engine::{self, EngineRole as _, EngineSpec, Wrong};
use crate::knowledge::{Knowledge, KnowledgeError};
use crate::models;
use crate::pipeline::AgentSetup;
use crate::provider::mime_type_of;
use crate::registry::{Agent, Languages, Voice, Voices};
use crate::stt::whisper::device::BACKEND;
use crate::stt::{Transcriber, Vocabulary};
use crate::turn::LanguageCode;

impl EnginePool {
    /// Sets up the agent `name` of the configuration, else the default one.
    ///
    /// # Errors
    /// A [`crate::config::ConfigError`] for what the operator can mend.
    pub async fn agent(&self, config: &Config, name: Option<&str>) -> anyhow::Result<AgentSetup> {
        self.agent_with(config, name, |_| {}).await
    }

    /// Does the same with other engines than the configured ones.
    ///
    /// # Errors
    /// As [`EnginePool::agent`].
    pub async fn agent_with(
        &self,
        config: &Config,
        name: Option<&str>,
        change: impl FnOnce(&mut EngineSpecs),
    ) -> anyhow::Result<AgentSetup> {
        let name = name.unwrap_or(&config.default_agent);
        let index = config.agents.iter().position(|agent| agent.name == name);
        let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
        let mut engines = config.engines(index)?;
        change(&mut engines);
        let set_up = self.set_up(config, index, &engines).await;
        set_up.map_err(|error| match error.downcast::<Wrong>() {
            Ok(wrong) => config.wrong_of_agent(index, wrong).into(),
            Err(error) => error,
        })
    }

    /// Sets up one agent; a fault of the configuration is a [`Wrong`].
    async fn set_up(
        &self,
        config: &Config,
        index: usize,
        engines: &EngineSpecs,
    ) -> anyhow::Result<AgentSetup> {
        let agent = &config.agents[index];
        self.open_cache(&config.cache).await?;
        let heard = engines.stt.text("language").map(LanguageCode::from);
        let (languages, voice) = (agent.languages(heard.as_ref()), agent.voice.clone());
        warn_of_missing_gpu(config, &engines.stt);
        let wrong = |name: &str, problem| Wrong::new(format!("agents[{index}].{name}"), problem);
        let timezone = agent.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get);
        let deps = LlmDeps {
            prompt: agent.prompt.clone(),
            timezone: timezone.map_err(|error| wrong("timezone", error.to_string()))?,
            dont_know: config.messages.dont_know.clone(),
            rich: agent.rich.then(|| agent.file_names()),
            tools: Arc::new(self.toolbox(agent).map_err(|own| wrong(&own.key, own.problem))?),
        };
        let embedder = self.embedder(&config.embeddings).await;
        let known = self.known.of(agent, embedder.as_deref(), &self.clock).await;
        let known = known.map_err(|error| match error.downcast::<KnowledgeError>() {
            Ok(unreadable) => wrong("knowledge", unreadable.to_string()).into(),
            Err(error) => error,
        })?;
        let vocabulary = vocabulary(agent, known.as_deref());
        let knowledge =
            known.map_or_else(|| own_knowledge(&engines.llm), |known| Ok(Some(known)))?;
        // First what is quickly refused.
        check_files(&agent.files).map_err(|own| wrong(&own.key, own.problem))?;
        let responder = rich(agent, self.responder(&engines.llm, deps)?);
        let transcriber = self.transcriber(&engines.stt).await?;
        if let Some(unheard) = Unheard::find(transcriber.as_ref(), named(&languages)) {
            let problem = format!("agent \"{}\" speaks {}", agent.name, unheard.problem);
            return Err(match (unheard.helps, &agent.languages, &agent.language) {
                (Helps::AnotherModel, ..) => Wrong::new("stt.model", problem),
                (Helps::AnotherCode, Some(_), _) => wrong("languages", problem),
                (Helps::AnotherCode, None, Some(_)) => wrong("language", problem),
                (Helps::AnotherCode, None, None) => Wrong::new("stt.language", problem),
            }
            .into());
        }
        warn_of_cut(transcriber.as_ref(), agent, &vocabulary);
        let spoken = spoken(&languages, &voice);
        let synthesizer = self.synthesizer(&engines.tts, &spoken).await?;
        let set_up = AgentSetup {
            name: agent.name.clone(),
            version: agent.version,
            languages,
            gate: config.gate.overridden(agent.gate.as_ref()),
            reply: agent.reply,
            voice,
            phrases: Arc::clone(&config.messages),
            vocabulary,
            hours: agent.hours.clone(),
            memory: agent.memory,
            interrupt: agent.interrupt,
            knowledge,
            embedder,
            rich: agent.rich,
            files: agent.files.clone(),
            transcriber,
            responder,
            synthesizer,
        };
        self.announce(&set_up);
        Ok(set_up)
    }
}

/// Returns the words that may be said to an agent. Of the demo's own knowledge none: the shop is made up.
fn vocabulary(agent: &Agent, known: Option<&Knowledge>) -> Vocabulary {
    Vocabulary::of_agent(&agent.vocabulary, known.map_or(&[][..], |known| known.names()))
}

/// Returns what an engine knows by itself.
pub(super) fn own_knowledge(llm: &EngineSpec) -> Result<Option<Arc<Knowledge>>, Wrong> {
    let engine = engine::read::<LlmEngine>(llm).map_err(Wrong::in_section::<LlmEngine>)?;
    Ok(engine.settings().own_knowledge().map(Arc::new))
}

/// Lets an agent that may answer in the reply format do so.
fn rich(agent: &Agent, responder: Arc<dyn Responder>) -> Arc<dyn Responder> {
    if agent.rich { Arc::new(RichResponder::new(responder, agent.file_names())) } else { responder }
}

/// Checks that files can be sent.
fn check_files(files: &[PathBuf]) -> Result<(), Wrong> {
    files.iter().enumerate().try_for_each(|(place, file)| {
        check_file(file).map_err(|problem| Wrong::new(format!("files[{place}]"), problem))
    })
}

/// Checks that a file can be sent.
fn check_file(file: &Path) -> Result<(), String> {
    let shown = file.display();
    if mime_type_of(file).is_none() {
        return Err(format!("{shown}: WhatsApp takes no file with this ending"));
    }
    let opened = std::fs::File::open(file).and_then(|file| file.metadata());
    match opened {
        Ok(about) if about.is_file() => Ok(()),
        Ok(_) => Err(format!("{shown} is no file")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// Warns who wrote `gpu` or `device` down of a build without it; others expect none.
fn warn_of_missing_gpu(config: &Config, stt: &EngineSpec) {
    let wanted = stt.get("gpu").and_then(toml::Value::as_bool) == Some(true);
    let written = |key: &str| config.origins.0.contains_key(key);
    if wanted && BACKEND.is_none() && (written("stt.gpu") || written("stt.device")) {
        tracing::warn!("this build knows no graphics card: transcribing on the processor");
    }
}

/// Names the words of an agent's list for which there is no room.
fn warn_of_cut(transcriber: &dyn Transcriber, agent: &Agent, vocabulary: &Vocabulary) {
    for engine in each(transcriber) {
        let cut = engine.cut(vocabulary);
        if !cut.is_empty() {
            tracing::warn!(
                agent = agent.name,
                engine = engine.name(),
                cut = cut.join(", "),
                "the model has no room for a part of the agent's vocabulary: the words cut are not \
                 listened for"
            );
        }
    }
}

/// Returns the engines that a transcriber is made of, or itself.
fn each(transcriber: &dyn Transcriber) -> Vec<&dyn Transcriber> {
    let members = transcriber.members();
    if members.is_empty() { vec![transcriber] } else { members }
}

/// Describes a language that a transcriber does not understand.
pub struct Unheard {
    /// The language, what the transcriber knows instead, and the way out.
    pub problem: String,
    /// What to change.
    pub helps: Helps,
}

/// Says what to change for a language that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helps {
    /// A model that knows more than one language.
    AnotherModel,
    /// One of the codes that the model knows.
    AnotherCode,
}

impl Unheard {
    /// Finds the first of `languages` that `transcriber`, or an engine of its list, does not
    /// understand.
    pub fn find(transcriber: &dyn Transcriber, languages: &[LanguageCode]) -> Option<Self> {
        each(transcriber).into_iter().find_map(|engine| Self::of(engine, languages))
    }

    fn of(transcriber: &dyn Transcriber, languages: &[LanguageCode]) -> Option<Self> {
        let language = languages.iter().find(|language| !transcriber.knows(language))?;
        let (engine, codes) = (transcriber.name(), transcriber.languages());
        let model = engine.rsplit('/').next().unwrap_or(engine);
        let codes: Vec<&str> = codes.iter().map(LanguageCode::as_str).collect();
        let (helps, way_out) = match codes[..] {
            [only] => {
                let pull = models::multilingual_pull_line(model);
                (Helps::AnotherModel, format!("only \"{only}\"; a multilingual one: {pull}"))
            }
            _ => (Helps::AnotherCode, format!("these languages: {}", codes.join(", "))),
        };
        let problem = format!("\"{language}\", and model {model} knows {way_out}");
        Some(Self { problem, helps })
    }
}

/// Returns the languages that an agent lists, if it does.
fn named(languages: &Languages) -> &[LanguageCode] {
    match languages {
        Languages::Fixed(language) => std::slice::from_ref(language),
        Languages::Among(languages) => languages,
        Languages::Any => &[],
    }
}

/// Returns the languages and voices that an agent is sure to speak with.
fn spoken(languages: &Languages, voice: &Voices) -> Vec<(LanguageCode, Option<Voice>)> {
    let mut spoken = named(languages).to_vec();
    if spoken.is_empty() {
        spoken.push(LanguageCode::english());
    }
    spoken.extend(voice.languages().cloned());
    let with_voice = |language: LanguageCode| {
        let voice = voice.for_language(&language);
        (language, voice)
    };
    spoken.into_iter().map(with_voice).collect()
}
