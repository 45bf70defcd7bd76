//! Loads a model and owns the threads that run it.
//!
//! One model is loaded once and shared by all states. The file is checked before whisper.cpp
//! sees it, since whisper.cpp ends the process on a bad one.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use whisper_rs::{WhisperContext, WhisperContextParameters, WhisperError};

use super::device::{self, GraphicsCard};
use super::first_step::SpecialTokens;
use super::language::{LanguageChoice, LanguageId};
use super::prompt::{self, Prompts};
use super::run::Runner;
use super::settings::{Accuracy, CutAudioCtx, Settings, Vad};
use super::silero::VoiceFilter;
use super::turnstile::Room;
use super::worker::Workers;
use crate::models::ggml::Header;
use crate::models::manifest::{self, Effort, RunStyle, Window};
use crate::models::{ModelError, ModelSource};
use crate::stt::{LanguageHint, SttDeps, SttError, Transcriber, Utterance, Vocabulary};
use crate::turn::{LanguageCode, Transcript};

/// The window that official models hear well in.
const USUAL_WINDOW: Window = Window { spare: 64, step: 1 };

/// States unless the settings say otherwise: one for each core within these bounds. Two, so that long
/// notes leave one to everybody else; not more than four, since each takes memory.
const FEWEST_STATES: usize = 2;
const MOST_STATES: usize = 4;

/// Threads of one utterance unless the settings or the manifest say otherwise: whisper.cpp's wait for
/// one another after every step, and more of them mostly wait.
const MOST_THREADS: usize = 8;

/// Transcribes with a whisper model.
pub struct WhisperTranscriber {
    name: String,
    /// What it computes on, in words.
    device: String,
    header: Header,
    workers: Workers,
    /// Only models trained with prompts have any.
    prompts: Option<Arc<Prompts>>,
}

impl WhisperTranscriber {
    /// Loads the model, once it is found and checked, onto `card` or the processor, and starts the
    /// workers. Blocks for up to seconds.
    ///
    /// # Errors
    /// No such model, a file that is not a complete whisper model, or a machine that cannot run it.
    pub fn load(
        settings: &Settings,
        card: Option<GraphicsCard>,
        deps: &SttDeps,
    ) -> Result<Self, ModelError> {
        Self::load_with(settings, card, deps, |_| {})
    }

    /// Loads the model as [`load`](Self::load) does, to be run as `change` has it: to measure other
    /// ways than the manifest's.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(
        settings: &Settings,
        card: Option<GraphicsCard>,
        deps: &SttDeps,
        change: impl FnOnce(&mut RunStyle),
    ) -> Result<Self, ModelError> {
        // This must come first, or ggml writes to stderr on its own.
        whisper_rs::install_logging_hooks();
        let source = settings.find(deps)?;
        let (name, header) = source.check()?;
        let refused = |problem: String| ModelError::Refused { file: name.clone(), problem };
        if let Some(missing) = missing_cpu_feature() {
            return Err(refused(format!("this build needs a processor with {missing}")));
        }
        if !header.has_weights() {
            tracing::warn!(
                stt.model = name,
                "the model has no weights: it will transcribe nothing"
            );
        }
        let mut run = run_style(settings, &source);
        change(&mut run);
        if let (Some(backend), None, true) = (device::BACKEND, &card, settings.gpu) {
            tracing::warn!("no graphics card is found by {backend}: hearing on the processor");
        }
        // Slower than without it on a CPU. And never in a window that is cut: whisper.cpp 1.8.3
        // rounds the keys of cross-attention up to 256 positions and masks none, so that what an
        // earlier caller said is heard in the positions after the window (src/whisper.cpp L2682).
        let flash_attn = card.is_some() && run.fast.window.or(run.best.window).is_none();
        let device = card.is_some().then_some(settings.device);
        let model = open(&source, device, flash_attn).map_err(|error| {
            refused(format!("whisper.cpp refused its tensors or memory ran out ({error})"))
        })?;
        let room = room(settings, run.threads, card.is_some());
        let count = room.states;
        let states: Result<Vec<_>, _> = (0..count).map(|_| model.create_state()).collect();
        let states = states
            .map_err(|error| refused(format!("not enough memory for {count} states ({error})")))?;
        let tokens = SpecialTokens::of(&model, header.languages());
        let first = match settings.accuracy {
            Accuracy::Fast => run.fast,
            Accuracy::Best => run.best,
        };
        let voices = match settings.vad {
            Vad::Silero => Some(VoiceFilter::load().map_err(|error| {
                refused(format!("not enough memory for the detector of voices ({error})"))
            })?),
            Vad::BuiltIn => None,
        };
        let prompts = Prompts::read(&source, run.prompt_tokens)?.map(Arc::new);
        let runner = Runner::new(tokens, run, first, voices, prompts.clone());
        let workers = Workers::start(states, runner, room)
            .map_err(|error| refused(format!("a thread could not be started ({error})")))?;
        let device = card.map_or_else(|| "cpu".to_owned(), |card| card.to_string());
        Ok(Self { name: format!("whisper/{}", source.stem()), device, header, workers, prompts })
    }

    /// Returns whether the model knows languages other than English.
    pub fn multilingual(&self) -> bool {
        self.header.multilingual()
    }

    /// Returns whether the model can transcribe; false for whisper.cpp's test models.
    pub fn has_weights(&self) -> bool {
        self.header.has_weights()
    }

    /// Converts a hint to whisper's numbers. A code that the model does not know is detected
    /// instead: its number would be another token.
    fn language(&self, hint: &LanguageHint) -> LanguageChoice {
        let id = |code: &LanguageCode| language_id(code).filter(|id| *id < self.header.languages());
        match hint {
            LanguageHint::Known(code) => id(code).map(LanguageChoice::only).unwrap_or_default(),
            LanguageHint::Guess { likely, among } => LanguageChoice {
                likely: likely.as_ref().and_then(id),
                among: among.iter().filter_map(id).collect(),
            },
        }
    }
}

#[async_trait]
impl Transcriber for WhisperTranscriber {
    fn name(&self) -> &str {
        &self.name
    }

    fn device(&self) -> Option<&str> {
        Some(&self.device)
    }

    fn knows(&self, language: &LanguageCode) -> bool {
        knows(&self.header, language)
    }

    fn languages(&self) -> Vec<LanguageCode> {
        let codes = (0..self.header.languages()).filter_map(whisper_rs::get_lang_str);
        codes.map(LanguageCode::from).collect()
    }

    fn cut<'a>(&self, vocabulary: &'a Vocabulary) -> Vec<&'a str> {
        prompt::cut(self.prompts.as_deref(), vocabulary)
    }

    /// Waits for the silent utterance that every state runs before its first job.
    async fn warm_up(&self) -> Result<(), SttError> {
        self.workers.warm().await
    }

    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        if cancel.is_cancelled() {
            return Err(SttError::Cancelled);
        }
        let language = self.language(&utterance.language);
        self.workers.transcribe(utterance, language, cancel).await
    }
}

/// Says what there is to hear with; `threads` is the most that gain anything for this model.
fn room(settings: &Settings, threads: Option<usize>, on_card: bool) -> Room {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = settings.threads.or(threads);
    if on_card {
        // The card computes, and every state may always start.
        let states = settings.states.unwrap_or(FEWEST_STATES);
        let threads = threads.unwrap_or((cores / states.max(1)).max(1));
        return Room { cores: states * threads, threads, states };
    }
    let states = settings.states.unwrap_or(cores.clamp(FEWEST_STATES, MOST_STATES));
    let threads = threads.unwrap_or(cores.min(MOST_THREADS));
    Room { cores: cores.max(threads), threads, states }
}

/// Returns how to run the model: as its manifest says, unless the settings say otherwise.
fn run_style(settings: &Settings, source: &ModelSource) -> RunStyle {
    if matches!(source, ModelSource::Bytes { .. }) {
        tracing::info!(
            stt.model = settings.model,
            "hearing with the small model that is built in; people are heard better with an \
             official one, for instance: hark models pull base"
        );
    }
    let run = manifest::find(source).map(|known| known.run).unwrap_or_default();
    let measured = run.fast.window.is_some();
    if !measured && settings.cut_audio_ctx == CutAudioCtx::Auto {
        tracing::warn!(
            stt.model = settings.model,
            "how wide a window this model needs was never measured: it hears in the whole one; \
             docs/EARS.md says how to measure it"
        );
    }
    let window = |effort: Effort| match settings.cut_audio_ctx {
        CutAudioCtx::Auto => effort.window,
        CutAudioCtx::Cut => effort.window.or(Some(USUAL_WINDOW)),
        CutAudioCtx::Whole => None,
    };
    if settings.cut_audio_ctx == CutAudioCtx::Cut && !measured {
        tracing::warn!(
            stt.model = settings.model,
            "stt.cut_audio_ctx is true, and nothing says that this model was measured with it: \
             it may make many times the errors"
        );
    }
    let fast = Effort { window: window(run.fast), ..run.fast };
    let best = Effort { window: window(run.best), ..run.best };
    RunStyle { fast, best, ..run }
}

/// Loads the checked model into whisper.cpp, onto the graphics card of this number if there is one.
fn open(
    source: &ModelSource,
    device: Option<u16>,
    flash_attn: bool,
) -> Result<WhisperContext, WhisperError> {
    let mut parameters = WhisperContextParameters::default();
    parameters.use_gpu(device.is_some()).flash_attn(flash_attn);
    parameters.gpu_device(device.unwrap_or_default().into());
    match source {
        ModelSource::Path(path) => WhisperContext::new_with_params(path, parameters),
        ModelSource::Bytes { bytes, .. } => {
            WhisperContext::new_from_buffer_with_params(bytes, parameters)
        }
    }
}

/// Returns whether the model of `header` knows `language`, a code such as `en`, `pt` or `pt-BR`.
pub(super) fn knows(header: &Header, language: &LanguageCode) -> bool {
    // Without this, whisper.cpp writes unknown codes to stderr.
    whisper_rs::install_logging_hooks();
    language_id(language).is_some_and(|id| id < header.languages())
}

/// Returns the index in whisper's table of a code such as `en` or `pt-BR`; names such as `english`,
/// which whisper would accept too, are not codes.
fn language_id(code: &LanguageCode) -> Option<LanguageId> {
    let primary = code.primary().to_ascii_lowercase();
    let is_code = matches!(primary.len(), 2 | 3) && primary.bytes().all(|b| b.is_ascii_lowercase());
    if is_code { whisper_rs::get_lang_id(&primary) } else { None }
}

/// Returns a feature that ggml was compiled to use and this processor lacks: it would end the
/// process.
fn missing_cpu_feature() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        // GGML_NATIVE=OFF turns these on (ggml/CMakeLists.txt); see .cargo/config.toml.
        let features = [
            ("AVX2", std::is_x86_feature_detected!("avx2")),
            ("FMA", std::is_x86_feature_detected!("fma")),
            ("F16C", std::is_x86_feature_detected!("f16c")),
            ("BMI2", std::is_x86_feature_detected!("bmi2")),
        ];
        features.into_iter().find(|(_, present)| !present).map(|(name, _)| name)
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_codes_are_known_with_and_without_a_region() {
        assert_eq!(language_id(&"en".into()), Some(0));
        assert_eq!(language_id(&"pt-BR".into()), language_id(&"pt".into()));
        assert_eq!(language_id(&"ES_mx".into()), language_id(&"es".into()));
        for code in ["", "english", "e\0", "xx", "auto"] {
            assert_eq!(language_id(&code.into()), None, "{code}");
        }
    }
}
