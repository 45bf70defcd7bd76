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
use super::voices::{Choice, Voices};
use crate::engine::{Check, EngineSettings, Wrong};
#[cfg(feature = "tts-neural")]
use crate::models::{self, built_in};
#[cfg(feature = "tts-neural")]
use crate::tts::espeak::EspeakSynthesizer;
use crate::tts::{
    Speaker, Synthesizer, TtsDeps, TtsError, TtsSettings, VoiceRow, check_speed, espeak,
};

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
    fn find(&self, deps: &TtsDeps<'_>) -> Voices {
        let dir = self.voices_dir.as_deref();
        Voices::find(&models::folders(dir, deps.hark_models, deps.cache))
    }

    /// Returns the settings of espeak-ng; the name of a neural voice is none of its own.
    fn espeak_beside(&self, voices: &Voices) -> espeak::Settings {
        let is_neural = |name: &&String| matches!(voices.named(name), Choice::Neural(_));
        self.espeak(self.voice.as_ref().filter(|name| !is_neural(name)))
    }

    /// Says which voice speaks which languages of `speaker`; returns what is left for espeak-ng.
    fn left(&self, voices: &Voices, speaker: &Speaker, speaks: &mut Spoken) -> Option<Speaker> {
        let mut left = speaker.clone();
        left.named.retain(|(_, name)| matches!(voices.named(name), Choice::Espeak));
        left.user.languages.retain(|language| {
            let chosen = match &self.voice {
                Some(name) => voices.named_for_language(name, language),
                None => voices.for_language(language),
            };
            let Choice::Neural(voice) = chosen else { return true };
            speaks.entry(voice.name.clone()).or_default().insert(language.to_string());
            false
        });
        (!left.user.languages.is_empty() || !left.named.is_empty()).then_some(left)
    }
}

/// Languages by the voices that speak them.
#[cfg(feature = "tts-neural")]
type Spoken = BTreeMap<String, BTreeSet<String>>;

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
        let voices = self.find(deps);
        if built_in::hibari().is_none() {
            warn!("{WITHOUT}: `make voice`, then build again");
        }
        let crew = Crew::start(available_parallelism().map_or(1, usize::from));
        let crew = crew.map_err(|error| Wrong::new("engine", error.to_string()))?;
        Ok(Arc::new(NeuralSynthesizer {
            #[expect(clippy::cast_possible_truncation, reason = "from 0.5 to 2")]
            speed: self.speed as f32,
            voice: self.voice.clone(),
            espeak: EspeakSynthesizer::new(self.espeak_beside(&voices)),
            voices,
            crew: Arc::new(crew),
        }))
    }

    async fn voices(&self, deps: &TtsDeps<'_>) -> Result<Vec<VoiceRow>, TtsError> {
        Ok(self.find(deps).rows())
    }

    async fn examine(&self, speakers: &[Speaker], deps: &TtsDeps<'_>, check: &mut Check) {
        let (voices, mut speaks) = (self.find(deps), Spoken::new());
        let left: Vec<Speaker> = speakers
            .iter()
            .filter_map(|speaker| self.left(&voices, speaker, &mut speaks))
            .collect();
        for (name, languages) in speaks {
            let languages: Vec<String> = languages.into_iter().collect();
            check.well(format!("neural voice {name}: speaks {}", languages.join(", ")));
        }
        if !left.is_empty() {
            self.espeak_beside(&voices).examine(&left, deps, check).await;
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
