//! The engines of all agents: each is made once, warmed once, and shared by those that want it.
//!
//! Owned and safe to share: an agent may be set up at any time while others answer. Invariant: an
//! engine is handed out warm, and two settings that differ, in a secret too, are two engines.

mod agent;
mod fixed;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::OnceCell;

pub use self::agent::Unheard;
use crate::agent::{LlmDeps, LlmEngine, Responder};
use crate::config;
use crate::engine::{self, EngineRole as _, EngineSpec, Wrong};
use crate::registry::Voice;
use crate::remote::model_client;
use crate::stt::{NoteKey, SttDeps, SttEngine, SttError, Transcriber, Utterance};
use crate::telemetry;
use crate::tts::cache::SpokenCache;
use crate::tts::{Levelled, Synthesizer, TtsDeps, TtsEngine};
use crate::turn::{LanguageCode, Transcript};

/// Holds the folders that the environment names.
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

/// Says how the engines of this run are made.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    /// Texts of notes that the scripted transcriber knows.
    pub known: HashMap<NoteKey, String>,
    /// Gives more of them, asked for when there is such a transcriber.
    pub fixtures: Option<fn() -> HashMap<NoteKey, String>>,
    /// Whether a missing model is replaced by the scripted transcriber, as `demo` does.
    pub scripted_without_model: bool,
    /// Nothing will be heard: no model is loaded.
    pub deaf: bool,
    /// Nothing will be said: a machine without a voice will do.
    pub mute: bool,
    /// Which sound is kept.
    pub keeping: Keeping,
}

/// Says which sound is kept to be said again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// None: commands speak once.
    #[default]
    Nothing,
    /// That of sentences which come back again and again, as a service wants it.
    FixedSentences,
}

/// Makes engines, and hands those that some agent holds to the next that wants the same.
pub struct EnginePool {
    stt: Arc<SttDeps>,
    scripted_without_model: bool,
    deaf: bool,
    mute: bool,
    transcribers: Shelf<dyn Transcriber>,
    synthesizers: Shelf<dyn Synthesizer>,
    keeping: Keeping,
    cache_folder: Option<PathBuf>,
    /// Opened with the first agent; `None` if nothing is kept.
    cache: OnceCell<Option<Arc<SpokenCache>>>,
    clients: Clients,
}

impl EnginePool {
    /// Makes no engine yet.
    pub fn new(places: Places, hearing: Hearing) -> Self {
        let Hearing { known, fixtures, scripted_without_model, deaf, mute, keeping } = hearing;
        let Places { hark_models, cache } = places;
        let cache_folder = cache.as_ref().map(|cache| cache.join("hark/spoken"));
        Self {
            stt: Arc::new(SttDeps { hark_models, cache, known, fixtures }),
            scripted_without_model,
            deaf,
            mute,
            transcribers: Shelf::default(),
            synthesizers: Shelf::default(),
            keeping,
            cache_folder,
            cache: OnceCell::new(),
            clients: Clients::default(),
        }
    }

    /// Returns the warm transcriber of `spec`.
    ///
    /// # Errors
    /// A [`Wrong`] with the key named from the root, or an engine that does not work.
    pub async fn transcriber(&self, spec: &EngineSpec) -> anyhow::Result<Arc<dyn Transcriber>> {
        if self.deaf {
            return Ok(Arc::new(Deaf));
        }
        let read = |spec| engine::read(spec).map_err(Wrong::in_section::<SttEngine>);
        let (mut spec, mut engine) = (spec.clone(), read(spec)?);
        if let SttEngine::Whisper(whisper) = &engine
            && self.scripted_without_model
            && whisper.find(&self.stt).is_err()
        {
            spec = spec.with([("engine", "scripted".into())]);
            engine = read(&spec)?;
        }
        let make = async move || {
            let deps = Arc::clone(&self.stt);
            // Loading a model takes seconds.
            let built = tokio::task::spawn_blocking(move || engine.settings().build(&deps));
            let built = built.await.context("loading the transcriber")?;
            let made = built.map_err(Wrong::in_section::<SttEngine>)?;
            made.warm_up().await.context("warming the transcriber up")?;
            if let Some(device) = made.device() {
                telemetry::hears_on(made.name(), device);
            }
            Ok(made)
        };
        self.transcribers.get(spec.own::<SttEngine>(), make).await
    }

    /// Returns a responder of `spec`; each agent has its own, with its prompt and its knowledge.
    ///
    /// # Errors
    /// As [`EnginePool::transcriber`].
    pub fn responder(
        &self,
        spec: &EngineSpec,
        deps: LlmDeps,
    ) -> anyhow::Result<Arc<dyn Responder>> {
        let engine: LlmEngine = engine::read(spec).map_err(Wrong::in_section::<LlmEngine>)?;
        let made = engine.settings().build(deps, &|time| self.clients.connect(time));
        Ok(made.map_err(Wrong::in_section::<LlmEngine>)?)
    }

    /// Returns the warm synthesizer of `spec`, ready for `spoken`: languages and agents' voices.
    ///
    /// # Errors
    /// As [`EnginePool::transcriber`].
    pub async fn synthesizer(
        &self,
        spec: &EngineSpec,
        spoken: &[(LanguageCode, Option<Voice>)],
    ) -> anyhow::Result<Arc<dyn Synthesizer>> {
        const WARMING: &str = "warming the synthesizer up";
        let engine: TtsEngine = engine::read(spec).map_err(Wrong::in_section::<TtsEngine>)?;
        let make = async || {
            let SttDeps { hark_models, cache, .. } = self.stt.as_ref();
            let (hark_models, cache) = (hark_models.as_deref(), cache.as_deref());
            let connect = |time| self.clients.connect(time);
            let made = engine.settings().build(&TtsDeps { connect: &connect, hark_models, cache });
            let made = made.map_err(Wrong::in_section::<TtsEngine>)?;
            // A tone has no voice that could be louder than another.
            let is_voice = !matches!(engine, TtsEngine::Scripted(_));
            let made = if is_voice { Arc::new(Levelled::new(made)) } else { made };
            let made = self.kept(made, spec);
            if !self.mute {
                made.warm_up().await.context(WARMING)?;
            }
            Ok(made)
        };
        let synthesizer = self.synthesizers.get(spec.own::<TtsEngine>(), make).await?;
        if !self.mute {
            synthesizer.prepare(spoken).await.context(WARMING)?;
        }
        Ok(synthesizer)
    }
}

/// Knows the engines of one role; two that were made of the same are one. An engine lives as long
/// as an agent holds it. The lock is held while one is made and warmed, so that no second one is.
struct Shelf<T: ?Sized>(tokio::sync::Mutex<Vec<(EngineSpec, Weak<T>)>>);

impl<T: ?Sized> Default for Shelf<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::default())
    }
}

impl<T: ?Sized> Shelf<T> {
    /// Returns the engine of `spec`, which holds its own keys alone; `make` makes it if it is not
    /// there. What fails is not kept.
    async fn get(
        &self,
        spec: EngineSpec,
        make: impl AsyncFnOnce() -> anyhow::Result<Arc<T>>,
    ) -> anyhow::Result<Arc<T>> {
        let mut made = self.0.lock().await;
        made.retain(|(_, engine)| engine.strong_count() > 0);
        let known = made.iter().find(|(known, _)| *known == spec);
        if let Some(engine) = known.and_then(|(_, engine)| engine.upgrade()) {
            return Ok(engine);
        }
        let engine = make().await?;
        made.push((spec, Arc::downgrade(&engine)));
        Ok(engine)
    }
}

/// Keeps the clients of model servers, by the time that a connection may take to open.
#[derive(Default)]
struct Clients(Mutex<HashMap<Duration, reqwest::Client>>);

impl Clients {
    /// Returns the client; its callers bound every other wait.
    fn connect(&self, time: Duration) -> reqwest::Client {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(time).or_insert_with(|| model_client(time)).clone()
    }
}

/// Hears nothing, for a command that needs no model.
struct Deaf;

#[async_trait::async_trait]
impl Transcriber for Deaf {
    fn name(&self) -> &'static str {
        "none"
    }

    async fn transcribe(
        &self,
        _: Utterance,
        _: &tokio_util::sync::CancellationToken,
    ) -> Result<Transcript, SttError> {
        Err(SttError::Engine("this command was started without a transcriber".into()))
    }
}

#[cfg(test)]
mod tests;
