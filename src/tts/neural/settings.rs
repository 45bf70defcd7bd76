//! What `[tts]` says of neural voices, the synthesizer made of it, and a look at who speaks what.

#[cfg(feature = "tts-neural")]
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "tts-neural")]
use std::thread::available_parallelism;

use async_trait::async_trait;
use serde::Deserialize;
use tracing::warn;

#[cfg(feature = "tts-neural")]
use super::synthesizer::{Crew, NeuralSynthesizer};
#[cfg(feature = "tts-neural")]
use super::voices::{NeuralVoices, VoiceChoice};
use crate::engine::{Check, EngineSettings, Wrong};
#[cfg(feature = "tts-neural")]
use crate::models::{self, built_in};
#[cfg(feature = "tts-neural")]
use crate::tts::espeak::EspeakSynthesizer;
use crate::tts::{Speaker, Synthesizer, TtsDeps, TtsSettings, check_speed, espeak};
#[cfg(feature = "tts-neural")]
use crate::tts::{TtsError, VoiceRow};

/// What a build has to say that cannot speak as this engine's name promises.
const WITHOUT: &str = "this hark has no neural voice, and espeak-ng speaks instead";

/// Describes which voice speaks, and how fast.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Settings {
    /// The voice of sentences that name none, where it speaks their language; `None`: by language.
    pub voice: Option<String>,
    /// Pace, 0.5 to 2; 1 as the voice speaks by itself.
    pub speed: f64,
    /// A folder with voices, searched before the usual ones.
    pub voices_dir: Option<PathBuf>,
}

impl Settings {
    /// Returns the settings of espeak-ng, which speaks where no neural voice does.
    fn espeak(&self, voice: Option<&String>) -> espeak::Settings {
        espeak::Settings { voice: voice.cloned(), speed: self.speed, ..espeak::Settings::default() }
    }
}

#[cfg(feature = "tts-neural")]
impl Settings {
    /// Finds the voices that this machine has.
    fn find(&self, deps: &TtsDeps<'_>) -> NeuralVoices {
        let dir = self.voices_dir.as_deref();
        NeuralVoices::find(&models::folders(dir, deps.hark_models, deps.cache))
    }

    /// Returns the settings of espeak-ng; the name of a neural voice is none of its own.
    fn espeak_beside(&self, voices: &NeuralVoices) -> espeak::Settings {
        let is_neural = |name: &&String| matches!(voices.named(name), VoiceChoice::Neural(_));
        self.espeak(self.voice.as_ref().filter(|name| !is_neural(name)))
    }

    /// Makes the synthesizer.
    fn synthesizer(&self, deps: &TtsDeps<'_>) -> Result<NeuralSynthesizer, Wrong> {
        let voices = self.find(deps);
        let crew = Crew::start(available_parallelism().map_or(1, usize::from));
        let crew = crew.map_err(|error| Wrong::new("engine", error.to_string()))?;
        Ok(NeuralSynthesizer {
            #[expect(clippy::cast_possible_truncation, reason = "from 0.5 to 2")]
            speed: self.speed as f32,
            voice: self.voice.clone(),
            espeak: EspeakSynthesizer::new(self.espeak_beside(&voices)),
            voices,
            crew: Arc::new(crew),
        })
    }
}

/// Languages by the voices that speak them.
#[cfg(feature = "tts-neural")]
type SpokenLanguages = BTreeMap<String, BTreeSet<String>>;

impl EngineSettings for Settings {
    fn check(&self) -> Vec<Wrong> {
        check_speed(self.speed).into_iter().collect()
    }

    fn seen_by(&self) -> Option<&'static [&'static str]> {
        Some(&["voices_dir"])
    }
}

#[cfg(feature = "tts-neural")]
#[async_trait]
impl TtsSettings for Settings {
    fn build(&self, deps: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong> {
        if built_in::hibari().is_none() {
            warn!("{WITHOUT}: `make voice`, then build again");
        }
        Ok(Arc::new(self.synthesizer(deps)?))
    }

    async fn voices(&self, deps: &TtsDeps<'_>) -> Result<Vec<VoiceRow>, TtsError> {
        Ok(self.find(deps).rows())
    }

    async fn examine(&self, speakers: &[Speaker], deps: &TtsDeps<'_>, check: &mut Check) {
        let synthesizer = match self.synthesizer(deps) {
            Ok(synthesizer) => synthesizer,
            Err(Wrong { key, problem }) => {
                return check.error(key, problem, "let more threads be started");
            }
        };
        let (mut speaks, mut left) = (SpokenLanguages::new(), Vec::new());
        for speaker in speakers {
            let mut rest = speaker.clone();
            rest.user.languages.clear();
            let is_other =
                |name: &str| matches!(synthesizer.voices.named(name), VoiceChoice::Espeak);
            rest.named.retain(|(_, name)| is_other(name));
            for language in &speaker.user.languages {
                match synthesizer.choose(language, None).await {
                    VoiceChoice::Espeak => rest.user.languages.push(language.clone()),
                    VoiceChoice::Neural(voice) => {
                        let languages = speaks.entry(voice.name.clone()).or_default();
                        languages.insert(language.to_string());
                    }
                }
            }
            if !rest.user.languages.is_empty() || !rest.named.is_empty() {
                left.push(rest);
            }
        }
        for (name, languages) in speaks {
            let languages: Vec<String> = languages.into_iter().collect();
            check.well(format!("neural voice {name}: speaks {}", languages.join(", ")));
        }
        if !left.is_empty() {
            self.espeak_beside(&synthesizer.voices).examine(&left, deps, check).await;
        }
    }
}

#[cfg(not(feature = "tts-neural"))]
#[async_trait]
impl TtsSettings for Settings {
    fn build(&self, deps: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong> {
        warn!("{WITHOUT}: it was built without the cargo feature `tts-neural`");
        self.espeak(self.voice.as_ref()).build(deps)
    }

    async fn examine(&self, speakers: &[Speaker], deps: &TtsDeps<'_>, check: &mut Check) {
        self.espeak(self.voice.as_ref()).examine(speakers, deps, check).await;
    }
}
