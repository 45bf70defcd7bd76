//! Which engine an agent gets: from names in the configuration to what hears, answers and speaks.
//!
//! Engines are shared: agents that want the same get one, and a model is loaded once.

mod hearing;
mod speaking;
mod thinking;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::{self, Config, Reply};
use crate::pipeline::{AgentSetup, AgentVoice, Gate, GateAction, Languages, ReplyPolicy};
use crate::provider::{ClientTimes, http_client_with};
#[cfg(feature = "stt-whisper")]
use crate::stt::whisper::WhisperTranscriber;
use crate::stt::{NoteKey, Transcriber};
use crate::tts::Synthesizer;

/// What the machine around the process offers, read from the environment once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `HARK_MODELS`.
    pub hark_models: Option<PathBuf>,
    /// The user's cache folder.
    pub cache: Option<PathBuf>,
}

impl Places {
    /// Reads them from the environment.
    pub fn from(environment: &config::Environment) -> Self {
        let path = |name: &str| environment.get(name).map(PathBuf::from);
        let cache = path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|h| h.join(".cache")));
        Self { hark_models: path("HARK_MODELS"), cache }
    }
}

/// How the transcribers of this run are made.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    /// Texts of notes that the scripted transcriber knows.
    pub known: HashMap<NoteKey, String>,
    /// Whether a missing model is replaced by the scripted transcriber, as `demo` does.
    pub scripted_without_model: bool,
    /// Nothing will be heard: no model is loaded.
    pub deaf: bool,
    /// Nothing will be said: a machine without a voice will do.
    pub mute: bool,
}

/// Makes engines, one for all agents that want the same.
pub struct Engines<'a> {
    config: &'a Config,
    #[cfg_attr(not(feature = "stt-whisper"), expect(dead_code, reason = "only models are sought"))]
    places: &'a Places,
    hearing: &'a Hearing,
    transcribers: HashMap<String, Arc<dyn Transcriber>>,
    #[cfg(feature = "stt-whisper")]
    models: HashMap<String, Arc<WhisperTranscriber>>,
    synthesizers: HashMap<String, Arc<dyn Synthesizer>>,
    /// Connections to model servers, by the milliseconds that one may take to open.
    clients: HashMap<u64, reqwest::Client>,
}

impl<'a> Engines<'a> {
    /// Makes none yet.
    pub fn new(config: &'a Config, places: &'a Places, hearing: &'a Hearing) -> Self {
        Self {
            config,
            places,
            hearing,
            transcribers: HashMap::new(),
            #[cfg(feature = "stt-whisper")]
            models: HashMap::new(),
            synthesizers: HashMap::new(),
            clients: HashMap::new(),
        }
    }

    /// Sets one of the configured agents up. Loads a model if no earlier agent did.
    ///
    /// # Errors
    /// A [`config::ConfigError`] for what the operator can mend.
    pub fn agent(&mut self, name: Option<&str>) -> anyhow::Result<Arc<AgentSetup>> {
        let name = name.unwrap_or(&self.config.default_agent);
        let index = self.config.agents.iter().position(|agent| agent.name == name);
        let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
        let (agent, engines) = (&self.config.agents[index], self.config.engines(index)?);
        Ok(Arc::new(AgentSetup {
            name: agent.name.clone(),
            languages: languages(agent, &engines.stt),
            gate: gate(self.config.gate.laid_under(agent.gate.as_ref())),
            reply: match agent.reply {
                Reply::Voice => ReplyPolicy::Voice,
                Reply::Reciprocal => ReplyPolicy::Reciprocal,
                Reply::Text => ReplyPolicy::Text,
            },
            voice: voice(agent),
            transcriber: self.transcriber(index, &engines.stt)?,
            responder: self.responder(index, &engines.llm)?,
            synthesizer: self.synthesizer(&engines.tts)?,
        }))
    }

    /// The client of model servers, whose callers bound every wait but the one for a connection.
    fn client(&mut self, connect_timeout_ms: u64) -> reqwest::Client {
        let times = ClientTimes { connect: Duration::from_millis(connect_timeout_ms), read: None };
        let made = self.clients.entry(connect_timeout_ms);
        made.or_insert_with(|| http_client_with(times)).clone()
    }

    /// Warms every engine up that was made.
    ///
    /// # Errors
    /// The first engine that cannot work.
    pub async fn warm_up(self) -> anyhow::Result<()> {
        for transcriber in self.transcribers.values() {
            transcriber.warm_up().await.context("warming the transcriber up")?;
        }
        if self.hearing.mute {
            return Ok(());
        }
        for synthesizer in self.synthesizers.values() {
            synthesizer.warm_up().await.context("warming the synthesizer up")?;
        }
        Ok(())
    }
}

fn languages(agent: &config::Agent, stt: &config::Stt) -> Languages {
    let fixed = agent.language.as_ref().or(stt.language.as_ref());
    match (&agent.languages, fixed) {
        (Some(languages), _) => Languages::Among(languages.clone()),
        (None, Some(language)) => Languages::Fixed(language.clone()),
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

fn voice(agent: &config::Agent) -> AgentVoice {
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
