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

use crate::config::{self, Config};
use crate::pipeline::AgentSetup;
use crate::remote::{ClientTimes, http_client_with};
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
    /// More of them, asked for when there is such a transcriber: hashing files takes time.
    pub fixtures: Option<fn() -> HashMap<NoteKey, String>>,
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

    /// Sets up one of the configured agents. Loads a model if no earlier agent did.
    ///
    /// # Errors
    /// A [`config::ConfigError`] for what the operator can mend.
    pub fn agent(&mut self, name: Option<&str>) -> anyhow::Result<AgentSetup> {
        self.agent_with(name, |_| {})
    }

    /// Does the same with other engines than the configured ones.
    ///
    /// # Errors
    /// As [`Engines::agent`].
    pub fn agent_with(
        &mut self,
        name: Option<&str>,
        change: impl FnOnce(&mut config::Engines),
    ) -> anyhow::Result<AgentSetup> {
        let name = name.unwrap_or(&self.config.default_agent);
        let index = self.config.agents.iter().position(|agent| agent.name == name);
        let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
        let (agent, mut engines) = (&self.config.agents[index], self.config.engines(index)?);
        change(&mut engines);
        Ok(AgentSetup {
            name: agent.name.clone(),
            languages: agent.languages(engines.stt.language.as_ref()),
            gate: self.config.gate.overridden(agent.gate.as_ref()),
            reply: agent.reply,
            voice: agent.voice.clone(),
            phrases: Arc::new(self.config.messages.clone()),
            transcriber: self.transcriber(index, &engines.stt)?,
            responder: self.responder(index, &engines.llm)?,
            synthesizer: self.synthesizer(&engines.tts)?,
        })
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
