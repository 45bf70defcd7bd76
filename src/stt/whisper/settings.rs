//! What `[stt]` says of whisper, and the transcriber made of it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

#[cfg(feature = "stt-whisper")]
use super::device::{self, GraphicsCard};
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong};
use crate::models::{self, ModelError, ModelSource};
use crate::stt::{SttDeps, SttSettings, Transcriber};

/// Describes which model hears, and how it is run.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub model: String,
    pub models_dir: Option<PathBuf>,
    pub threads: Option<usize>,
    pub states: Option<usize>,
    pub accuracy: Accuracy,
    pub gpu: bool,
    pub device: u16,
    pub cut_audio_ctx: CutAudioCtx,
    pub vad: Vad,
}

/// Says who decides what of the sound is a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vad {
    /// Silero, in what the detector of every engine lets through.
    Silero,
    /// That detector alone.
    BuiltIn,
}

/// Says what is worth more, time or words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accuracy {
    /// The words that come soonest.
    Fast,
    /// The best words.
    Best,
}

/// Says whether whisper's encoder runs over the note alone or over 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum CutAudioCtx {
    /// What the model's manifest says.
    Auto,
    /// `true`.
    Cut,
    /// `false`.
    Whole,
}

impl TryFrom<toml::Value> for CutAudioCtx {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::Boolean(true) => Ok(Self::Cut),
            toml::Value::Boolean(false) => Ok(Self::Whole),
            toml::Value::String(auto) if auto == "auto" => Ok(Self::Auto),
            _ => Err("must be \"auto\", true or false"),
        }
    }
}

impl Settings {
    /// Returns the settings of a model by name or path that hears on the processor, one utterance at
    /// a time: for benches and tests, which have no configuration.
    #[must_use]
    pub fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            models_dir: None,
            threads: None,
            states: Some(1),
            accuracy: Accuracy::Best,
            gpu: false,
            device: 0,
            cut_audio_ctx: CutAudioCtx::Auto,
            vad: Vad::Silero,
        }
    }

    /// Finds the model.
    ///
    /// # Errors
    /// `NotFound`, with every place that was searched.
    pub fn find(&self, deps: &SttDeps) -> Result<ModelSource, ModelError> {
        let (hark_models, cache) = (deps.hark_models.as_deref(), deps.cache.as_deref());
        models::find(&self.model, self.models_dir.as_deref(), hark_models, cache)
    }

    /// Returns the graphics card to compute on; `None` for the processor.
    ///
    /// # Errors
    /// A card that is not there, where others are.
    #[cfg(feature = "stt-whisper")]
    pub fn card(&self) -> Result<Option<GraphicsCard>, Wrong> {
        let cards = if self.gpu { device::graphics_cards() } else { Vec::new() };
        device::choose(cards, self.device)
    }
}

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        let wrong = || Wrong::new("states", "must be at least 1");
        (self.states == Some(0)).then(wrong).into_iter().collect()
    }

    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&["model", "models_dir", "gpu", "device"])
    }
}

#[async_trait]
impl SttSettings for Settings {
    #[cfg(not(feature = "stt-whisper"))]
    fn build(&self, _: &SttDeps, _: Connect<'_>) -> Result<Arc<dyn Transcriber>, Wrong> {
        let problem = "\"whisper\" is not part of this build (cargo feature stt-whisper)";
        Err(Wrong::new("engine", problem))
    }

    #[cfg(feature = "stt-whisper")]
    fn build(&self, deps: &SttDeps, _: Connect<'_>) -> Result<Arc<dyn Transcriber>, Wrong> {
        let loaded = super::WhisperTranscriber::load(self, self.card()?, deps);
        Ok(Arc::new(loaded.map_err(|error| Wrong::new("model", error.to_string()))?))
    }

    #[cfg(not(feature = "stt-whisper"))]
    async fn examine(
        &self,
        users: &[EngineUser],
        _: &Arc<SttDeps>,
        _: Connect<'_>,
        check: &mut Check,
    ) {
        check.error(
            format!("{}.engine", users[0].section),
            "\"whisper\" is not part of this build",
            "build hark with the cargo feature stt-whisper",
        );
    }

    #[cfg(feature = "stt-whisper")]
    async fn examine(
        &self,
        users: &[EngineUser],
        deps: &Arc<SttDeps>,
        _: Connect<'_>,
        check: &mut Check,
    ) {
        super::examine::examine(self, users, deps, check).await;
    }
}
