//! Which engine an agent gets: from names in the configuration to what hears, answers and speaks.
//!
//! Engines are shared: agents that want the same get one, and a model is loaded once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::ExposeSecret;

use super::speakers;
use crate::agent::Responder;
use crate::agent::faq::{DEMO_FAQ, FaqResponder};
use crate::agent::knowledge::Knowledge;
use crate::agent::scripted::ScriptedResponder;
use crate::config::{self, Config, ConfigError, Reply};
use crate::pipeline::{AgentSetup, ReplyPolicy};
#[cfg(feature = "stt-whisper")]
use crate::stt::models::ModelSource;
#[cfg(feature = "stt-whisper")]
use crate::stt::models::manifest::{self, RunStyle};
use crate::stt::scripted::ScriptedTranscriber;
#[cfg(feature = "stt-whisper")]
use crate::stt::whisper::WhisperTranscriber;
use crate::stt::{NoteKey, SttError, Transcriber, Utterance};
use crate::tts::Synthesizer;
use crate::turn::Transcript;

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
        }
    }

    /// Sets one of the configured agents up. Loads a model if no earlier agent did.
    ///
    /// # Errors
    /// A [`ConfigError`] for what the operator can mend.
    pub fn agent(&mut self, name: Option<&str>) -> anyhow::Result<Arc<AgentSetup>> {
        let name = name.unwrap_or(&self.config.default_agent);
        let index = self.config.agents.iter().position(|agent| agent.name == name);
        let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
        let (agent, engines) = (&self.config.agents[index], self.config.engines(index)?);
        let language = agent.language.clone().or_else(|| engines.stt.language.clone());
        Ok(Arc::new(AgentSetup {
            name: agent.name.clone(),
            language,
            reply: match agent.reply {
                Reply::Voice => ReplyPolicy::Voice,
                Reply::Reciprocal => ReplyPolicy::Reciprocal,
                Reply::Text => ReplyPolicy::Text,
            },
            voice: speakers::voice(agent),
            transcriber: self.transcriber(index, &engines.stt)?,
            responder: self.responder(index, &engines.llm)?,
            synthesizer: self.synthesizer(&engines.tts)?,
        }))
    }

    fn transcriber(
        &mut self,
        agent: usize,
        stt: &config::Stt,
    ) -> anyhow::Result<Arc<dyn Transcriber>> {
        if self.hearing.deaf {
            return Ok(Arc::new(Deaf));
        }
        let (key, transcriber) = if stt.engine == "scripted" {
            (format!("{stt:?}"), self.scripted(stt))
        } else {
            self.whisper(agent, stt)?
        };
        Ok(Arc::clone(self.transcribers.entry(key).or_insert(transcriber)))
    }

    fn scripted(&self, stt: &config::Stt) -> Arc<dyn Transcriber> {
        let scripted = ScriptedTranscriber::new(&stt.text, self.hearing.known.clone());
        Arc::new(scripted.doubting(stt.uncertain))
    }

    #[cfg(not(feature = "stt-whisper"))]
    fn whisper(&self, _: usize, _: &config::Stt) -> anyhow::Result<(String, Arc<dyn Transcriber>)> {
        let problem = "\"whisper\" is not part of this build (cargo feature stt-whisper)";
        Err(self.config.error("stt.engine", problem).into())
    }

    /// The transcriber of one agent and the key it is shared under: a model is loaded once.
    #[cfg(feature = "stt-whisper")]
    fn whisper(
        &mut self,
        agent: usize,
        stt: &config::Stt,
    ) -> anyhow::Result<(String, Arc<dyn Transcriber>)> {
        use crate::stt::models::{self, ModelError};
        use crate::stt::whisper::WhisperSettings;

        let places = self.places;
        let found = models::find(
            &stt.model,
            stt.models_dir.as_deref(),
            places.hark_models.as_deref(),
            places.cache.as_deref(),
        );
        let refused = |error: ModelError| self.config.error("stt.model", error.to_string());
        // It is on unless it is turned off: only somebody who wrote it down expects one.
        if stt.gpu && !cfg!(feature = "cuda") && self.config.origins.0.contains_key("stt.gpu") {
            tracing::warn!("this build knows no graphics card: transcribing on the processor");
        }
        let model = match found {
            Ok(model) => model,
            Err(_) if self.hearing.scripted_without_model => {
                return Ok((format!("{stt:?}"), self.scripted(stt)));
            }
            Err(error) => return Err(refused(error).into()),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let run = run_style(stt, &model);
        let settings = WhisperSettings {
            threads: stt.threads.or(run.threads).unwrap_or_else(|| (cores / stt.states).max(1)),
            states: stt.states,
            gpu: stt.gpu,
            // Every agent names its own with each utterance.
            default_language: None,
            run,
            model,
        };
        let key = format!("{settings:?}");
        let whisper = if let Some(whisper) = self.models.get(&key) {
            Arc::clone(whisper)
        } else {
            if matches!(settings.model, ModelSource::Bytes { .. }) {
                tracing::info!(
                    stt.model = stt.model,
                    "hearing with the small model that is built in; people are heard better with \
                     an official one, for instance: hark models pull base"
                );
            }
            Arc::new(WhisperTranscriber::load(settings).map_err(refused)?)
        };
        self.models.insert(key.clone(), Arc::clone(&whisper));
        let speaker = &self.config.agents[agent];
        if let Some(language) = speaker.language.as_ref().or(stt.language.as_ref())
            && !whisper.knows(language)
        {
            let problem = format!(
                "agent \"{}\" speaks \"{language}\" and model {} does not: a multilingual one \
                 does, for instance: hark models pull base",
                speaker.name, stt.model
            );
            return Err(self.config.error("stt.model", problem).into());
        }
        Ok((key, whisper))
    }

    fn responder(&self, agent: usize, llm: &config::Llm) -> anyhow::Result<Arc<dyn Responder>> {
        if llm.engine == "scripted" {
            let text = llm.text.clone();
            let scripted = ScriptedResponder::new(text, llm.first_token_ms, llm.tokens_per_s);
            return Ok(Arc::new(scripted));
        }
        if llm.engine == "openai" {
            return Err(self.config.error("llm.engine", "\"openai\" is not built yet").into());
        }
        let key = format!("agents[{agent}].knowledge");
        let refused = |problem: String| self.config.error(&key, problem);
        let files = match &self.config.agents[agent].knowledge {
            None => vec![(DEMO_FAQ.0.to_owned(), DEMO_FAQ.1.to_owned())],
            Some(files) => files
                .iter()
                .map(|file| {
                    let text = std::fs::read_to_string(file)
                        .map_err(|error| refused(format!("{}: {error}", file.display())))?;
                    Ok((file.display().to_string(), text))
                })
                .collect::<Result<_, ConfigError>>()?,
        };
        let knowledge = Knowledge::load(&files).map_err(|error| refused(error.to_string()))?;
        let dont_know = self.config.messages.dont_know.by_language();
        Ok(Arc::new(FaqResponder::new(Arc::new(knowledge), dont_know.into_iter().collect())))
    }

    fn synthesizer(&mut self, tts: &config::Tts) -> anyhow::Result<Arc<dyn Synthesizer>> {
        // Debug hides keys: what hides the same may still differ.
        let key = tts.api_key.as_ref().map(ExposeSecret::expose_secret);
        let key = format!("{tts:?} {key:?}");
        if let Some(made) = self.synthesizers.get(&key) {
            return Ok(Arc::clone(made));
        }
        let made = speakers::synthesizer(self.config, tts)?;
        self.synthesizers.insert(key, Arc::clone(&made));
        Ok(made)
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

/// How `model` is run: as the manifest says, unless the configuration says otherwise.
#[cfg(feature = "stt-whisper")]
fn run_style(stt: &config::Stt, model: &ModelSource) -> RunStyle {
    let run = manifest::of(model).map(|known| known.run).unwrap_or_default();
    let cut_audio_ctx = match stt.cut_audio_ctx {
        config::CutAudioCtx::Auto => run.cut_audio_ctx,
        config::CutAudioCtx::Cut => true,
        config::CutAudioCtx::Whole => false,
    };
    if cut_audio_ctx && !run.cut_audio_ctx {
        tracing::warn!(
            stt.model = stt.model,
            "stt.cut_audio_ctx is true, and nothing says that this model was trained for it: it \
             may make many times the errors"
        );
    }
    RunStyle { cut_audio_ctx, ..run }
}

/// What stands where a command hears nothing, so that no model is loaded for it.
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
