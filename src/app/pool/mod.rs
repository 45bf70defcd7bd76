//! The engines of all agents: each is made once, warmed once, and shared by those that want it.
//!
//! Owned and safe to share: an agent may be set up at any time while others answer. Invariant: an
//! engine is handed out warm, and two settings that differ, in a secret too, are two engines.

mod agent;
mod fixed;
mod known;
mod shelf;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::OnceCell;

pub use self::agent::Unheard;
use self::known::Known;
use self::shelf::{Circuits, Gathering, Shelf, Unmade};
use crate::agent::tools::Toolbox;
use crate::agent::{LlmDeps, LlmEngine, Responder};
use crate::clock::Clock;
use crate::config;
use crate::engine::{self, EngineRole, EngineSpec, OneEngine, Wrong};
use crate::registry::{Agent, Voice};
use crate::remote::model_client;
use crate::stt::fallback::FallbackTranscriber;
use crate::stt::{NoteKey, SttDeps, SttEngine, SttError, Transcriber, Utterance};
use crate::telemetry;
use crate::tts::cache::SpokenCache;
use crate::tts::fallback::{FallbackSynthesizer, OwnVoice};
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
    ears: Circuits,
    voices: Circuits,
    keeping: Keeping,
    cache_folder: Option<PathBuf>,
    /// Opened with the first agent; `None` if nothing is kept.
    cache: OnceCell<Option<Arc<SpokenCache>>>,
    clients: Arc<Clients>,
    known: Known,
    clock: Clock,
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
            ears: Circuits::default(),
            voices: Circuits::default(),
            keeping,
            cache_folder,
            cache: OnceCell::new(),
            clients: Arc::default(),
            known: Known::default(),
            clock: Clock::System,
        }
    }

    /// Returns the same, whose engines are left alone by this clock when they fail.
    #[must_use]
    pub fn by_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the transcriber of `spec`: a warm engine, or several of which one at least is.
    ///
    /// # Errors
    /// A [`Wrong`] with the key named from the root, or an engine that does not work.
    pub async fn transcriber(&self, spec: &EngineSpec) -> anyhow::Result<Arc<dyn Transcriber>> {
        if self.deaf {
            return Ok(Arc::new(Deaf));
        }
        let each = each::<SttEngine>(spec)?;
        if let [one] = &each[..] {
            return self.one_transcriber(one).await.map_err(Unmade::into_error);
        }
        let mut gathered = Gathering::new();
        for one in &each {
            let made = self.one_transcriber(one).await;
            let circuit = |engine: &Arc<dyn Transcriber>| {
                self.ears.of::<SttEngine>(one, engine.name(), &self.clock)
            };
            gathered.add(made, circuit)?;
        }
        let several: Arc<dyn Transcriber> = Arc::new(FallbackTranscriber::new(gathered.lineup()?));
        let made = self.transcribers.get(own::<SttEngine>(&each), async || Ok(several)).await;
        made.map_err(Unmade::into_error)
    }

    async fn one_transcriber(
        &self,
        one: &OneEngine,
    ) -> Result<Arc<dyn Transcriber>, Unmade<dyn Transcriber>> {
        let placed = |wrong| one.placed(wrong).in_section::<SttEngine>();
        let read = |spec: &EngineSpec| engine::read(spec).map_err(placed);
        let (mut spec, mut engine) = (one.spec.clone(), read(&one.spec)?);
        if let SttEngine::Whisper(whisper) = &engine
            && self.scripted_without_model
            && whisper.find(&self.stt).is_err()
        {
            spec = spec.with([("engine", "scripted".into())]);
            engine = read(&spec)?;
        }
        let make = async move || {
            let (deps, clients) = (Arc::clone(&self.stt), Arc::clone(&self.clients));
            // Loading a model takes seconds.
            let built = tokio::task::spawn_blocking(move || {
                engine.settings().build(&deps, &|time| clients.connect(time))
            });
            let made = built.await.context("loading the transcriber")?.map_err(placed)?;
            if let Err(error) = made.warm_up().await.context("warming the transcriber up") {
                return Err(Unmade::Cold(made, error));
            }
            if let Some(device) = made.device() {
                telemetry::hears_on(made.name(), device);
            }
            Ok(made)
        };
        self.transcribers.get(vec![spec.own::<SttEngine>()], make).await
    }

    /// Returns an agent's tools; each agent has its own connections.
    fn toolbox(&self, agent: &Agent) -> Result<Toolbox, Wrong> {
        Toolbox::new(&agent.tools, &agent.mcp, &|time| self.clients.connect(time))
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

    /// Returns the synthesizer of `spec`, ready for `spoken`, languages and agents' voices: a warm
    /// engine, or several of which one at least is.
    ///
    /// # Errors
    /// As [`EnginePool::transcriber`].
    pub async fn synthesizer(
        &self,
        spec: &EngineSpec,
        spoken: &[(LanguageCode, Option<Voice>)],
    ) -> anyhow::Result<Arc<dyn Synthesizer>> {
        let each = each::<TtsEngine>(spec)?;
        let synthesizer = if let [one] = &each[..] {
            self.one_synthesizer(one).await.map_err(Unmade::into_error)?
        } else {
            let mut gathered = Gathering::new();
            for one in &each {
                let mut made = self.one_synthesizer(one).await;
                if one.has_own("voice") {
                    made = made.map(|engine| Arc::new(OwnVoice(engine)) as Arc<dyn Synthesizer>);
                }
                let circuit = |engine: &Arc<dyn Synthesizer>| {
                    self.voices.of::<TtsEngine>(one, engine.name(), &self.clock)
                };
                gathered.add(made, circuit)?;
            }
            let several: Arc<dyn Synthesizer> =
                Arc::new(FallbackSynthesizer::new(gathered.lineup()?));
            let made = self.synthesizers.get(own::<TtsEngine>(&each), async || Ok(several)).await;
            made.map_err(Unmade::into_error)?
        };
        if !self.mute {
            synthesizer.prepare(spoken).await.context(WARMING)?;
        }
        Ok(synthesizer)
    }

    async fn one_synthesizer(
        &self,
        one: &OneEngine,
    ) -> Result<Arc<dyn Synthesizer>, Unmade<dyn Synthesizer>> {
        let placed = |wrong| one.placed(wrong).in_section::<TtsEngine>();
        let engine: TtsEngine = engine::read(&one.spec).map_err(placed)?;
        let make = async || {
            let SttDeps { hark_models, cache, .. } = self.stt.as_ref();
            let (hark_models, cache) = (hark_models.as_deref(), cache.as_deref());
            let connect = |time| self.clients.connect(time);
            let made = engine.settings().build(&TtsDeps { connect: &connect, hark_models, cache });
            let made = made.map_err(placed)?;
            // A tone has no voice that could be louder than another.
            let is_voice = !matches!(engine, TtsEngine::Scripted(_));
            let made = if is_voice { Arc::new(Levelled::new(made)) } else { made };
            let made = self.kept(made, &one.spec);
            if !self.mute
                && let Err(error) = made.warm_up().await.context(WARMING)
            {
                return Err(Unmade::Cold(made, error));
            }
            Ok(made)
        };
        self.synthesizers.get(vec![one.spec.own::<TtsEngine>()], make).await
    }
}

const WARMING: &str = "warming the synthesizer up";

/// Returns the engines of a list in order, or the only one.
fn each<R: EngineRole>(spec: &EngineSpec) -> Result<Vec<OneEngine>, Wrong> {
    spec.each().map_err(Wrong::in_section::<R>)
}

/// Returns each engine with its own keys alone, and whether its voice is its own.
fn own<R: EngineRole>(each: &[OneEngine]) -> Vec<EngineSpec> {
    let own =
        |one: &OneEngine| one.spec.own::<R>().with([("own_voice", one.has_own("voice").into())]);
    each.iter().map(own).collect()
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
