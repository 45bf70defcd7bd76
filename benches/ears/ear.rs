//! hark as a contestant: its whole way from bytes to words, in this process, as `hark transcribe`
//! goes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use hark::app::{EnginePool, Hearing, Places, voice_path};
use hark::config::{self, Config, Environment};
use hark::engine::{self, EngineSpec};
use hark::models::manifest::RunStyle;
use hark::pipeline::{AgentSetup, Trace, VoicePath};
use hark::registry::Languages;
use hark::stt::whisper::WhisperTranscriber;
use hark::stt::{SttDeps, SttEngine, Transcriber as _, Vocabulary};
use hark::turn::{LanguageCode, Transcript};
use toml::Value;

/// Makes ears that share what they can.
pub(crate) struct Ears {
    config: Config,
    pool: EnginePool,
    /// Makes agents that are given something to hear with.
    deaf: EnginePool,
    path: Arc<VoicePath>,
    threads: usize,
    deps: SttDeps,
}

/// Hears with one model, run in one way.
pub(crate) struct Ear {
    agent: AgentSetup,
    path: Arc<VoicePath>,
}

impl Ears {
    /// Makes none yet; each will use so many threads. Models are looked for where hark does.
    pub(crate) fn new(environment: &Environment, threads: usize) -> anyhow::Result<Self> {
        // What ships: a hark.toml of this folder, or of the environment, would change the figures.
        let nothing = Path::new("/dev/null");
        let config = config::load(Some(nothing), &BTreeMap::new())?;
        let hearing = |deaf| Hearing { mute: true, deaf, ..Hearing::default() };
        let places = Places::from(environment);
        let Places { hark_models, cache } = places.clone();
        let deps = SttDeps { hark_models, cache, ..SttDeps::default() };
        let deaf = EnginePool::new(places.clone(), hearing(true));
        let pool = EnginePool::new(places, hearing(false));
        let path = Arc::new(voice_path(&config)?);
        Ok(Self { config, pool, deaf, path, threads, deps })
    }

    /// Loads `model` and warms it up, with these keys of `[stt]` besides.
    pub(crate) async fn ear(
        &self,
        model: &str,
        keys: &[(&str, Value)],
        languages: Languages,
    ) -> anyhow::Result<Ear> {
        let stt = self.stt(model)?.with(keys.iter().cloned());
        let agent = self.pool.agent_with(&self.config, None, |engines| engines.stt = stt).await?;
        Ok(Ear { agent: AgentSetup { languages, ..agent }, path: Arc::clone(&self.path) })
    }

    /// Does the same of a model that is to be run as `change` has it.
    pub(crate) async fn changed(
        &self,
        model: &str,
        keys: &[(&str, Value)],
        change: impl FnOnce(&mut RunStyle) + Send + 'static,
        languages: Languages,
    ) -> anyhow::Result<Ear> {
        let SttEngine::Whisper(settings) =
            engine::read(&self.stt(model)?.with(keys.iter().cloned()))?
        else {
            bail!("this build hears without whisper");
        };
        let deps = self.deps.clone();
        let load = move || WhisperTranscriber::load_with(&settings, None, &deps, change);
        let loaded = tokio::task::spawn_blocking(load).await.context("loading the model")??;
        loaded.warm_up().await?;
        let agent = self.deaf.agent(&self.config, None).await?;
        let agent = AgentSetup { languages, transcriber: Arc::new(loaded), ..agent };
        Ok(Ear { agent, path: Arc::clone(&self.path) })
    }

    /// Returns the section that hears with `model`.
    fn stt(&self, model: &str) -> anyhow::Result<EngineSpec> {
        let threads = i64::try_from(self.threads).context("so many threads")?;
        Ok(self.config.stt.with([
            ("engine", "whisper".into()),
            ("model", model.into()),
            ("threads", threads.into()),
            ("states", 1.into()),
        ]))
    }
}

impl Ear {
    /// Returns the same, listening for these names.
    pub(crate) fn listening_for(self, names: &[String]) -> Self {
        let vocabulary = Vocabulary::of_agent(names, &[]);
        Self { agent: AgentSetup { vocabulary, ..self.agent }, ..self }
    }

    /// Hears one recording; without a `language` that is one of the agent's.
    pub(crate) async fn hear(
        &self,
        sound: Bytes,
        language: Option<&LanguageCode>,
    ) -> Result<Transcript, String> {
        let trace = Trace::start();
        self.path.transcribe(&self.agent, sound, language.cloned(), &trace).await.heard
    }
}
