//! What an agent hears with.

use std::sync::Arc;

use super::Engines;
use crate::config;
#[cfg(feature = "stt-whisper")]
use crate::models::ModelSource;
#[cfg(feature = "stt-whisper")]
use crate::models::manifest::{self, RunStyle};
#[cfg(feature = "stt-whisper")]
use crate::registry::Languages;
use crate::stt::scripted::ScriptedTranscriber;
#[cfg(feature = "stt-whisper")]
use crate::stt::whisper::WhisperTranscriber;
use crate::stt::{SttError, Transcriber, Utterance};
use crate::turn::Transcript;

impl Engines<'_> {
    pub(super) fn transcriber(
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
        let mut known = self.hearing.known.clone();
        known.extend(self.hearing.fixtures.map(|fixtures| fixtures()).unwrap_or_default());
        let scripted = ScriptedTranscriber::new(&stt.text, known);
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
        use crate::models::{self, ModelError};
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
            Arc::new(WhisperTranscriber::load(&settings).map_err(refused)?)
        };
        self.models.insert(key.clone(), Arc::clone(&whisper));
        let speaker = &self.config.agents[agent];
        let spoken = match speaker.languages(stt.language.as_ref()) {
            Languages::Fixed(language) => vec![language],
            Languages::Among(languages) => languages,
            Languages::Any => Vec::new(),
        };
        if let Some(language) = spoken.iter().find(|language| !whisper.knows(language)) {
            let problem = format!(
                "agent \"{}\" speaks \"{language}\" and model {} does not: a multilingual one \
                 does, for instance: hark models pull base",
                speaker.name, stt.model
            );
            return Err(self.config.error("stt.model", problem).into());
        }
        Ok((key, whisper))
    }
}

/// How `model` is run: as the manifest says, unless the configuration says otherwise.
#[cfg(feature = "stt-whisper")]
fn run_style(stt: &config::Stt, model: &ModelSource) -> RunStyle {
    let run = manifest::find(model).map(|known| known.run).unwrap_or_default();
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
