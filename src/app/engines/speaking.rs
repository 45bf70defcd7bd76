//! What an agent speaks with.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::Engines;
use crate::audio::SampleRate;
use crate::config;
use crate::registry::Languages;
use crate::threads::Threads;
use crate::tts::Synthesizer;
use crate::tts::espeak::{EspeakSettings, EspeakSynthesizer, WORDS_PER_MINUTE};
use crate::tts::openai::{OpenAiSettings, OpenAiSynthesizer, SpeechFormat};
use crate::tts::scripted::ScriptedSynthesizer;
use crate::turn::LanguageCode;

/// Threads that decode one server's sentences: it sends a sentence far faster than it is spoken.
const DECODERS: usize = 2;
/// Sentences that may wait for them, 4 MiB each at most.
const UNDECODED: usize = 64;

impl Engines<'_> {
    pub(super) fn synthesizer(
        &mut self,
        tts: &config::Tts,
    ) -> anyhow::Result<Arc<dyn Synthesizer>> {
        // Debug hides keys: what hides the same may still differ.
        let key = tts.api_key.as_ref().map(ExposeSecret::expose_secret);
        let key = format!("{tts:?} {key:?}");
        if let Some(made) = self.synthesizers.get(&key) {
            return Ok(Arc::clone(made));
        }
        let made: Arc<dyn Synthesizer> = match tts.engine.as_str() {
            "scripted" => Arc::new(ScriptedSynthesizer::new(tts.first_audio_ms, tts.rtf)),
            "openai" => self.speech_server(tts)?,
            _ => Arc::new(EspeakSynthesizer::new(self.espeak(tts)?)),
        };
        self.synthesizers.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn speech_server(&mut self, tts: &config::Tts) -> anyhow::Result<Arc<dyn Synthesizer>> {
        let missing = |key: &str| self.config.error(key, "is missing");
        let settings = OpenAiSettings {
            url: tts.url.clone().ok_or_else(|| missing("tts.url"))?,
            model: tts.model.clone().ok_or_else(|| missing("tts.model"))?,
            api_key: tts.api_key.clone(),
            voice: tts.voice.clone().unwrap_or_else(|| "alloy".to_owned()),
            speed: tts.speed,
            format: match tts.format {
                config::TtsFormat::Pcm => SpeechFormat::Pcm,
                config::TtsFormat::Wav => SpeechFormat::Wav,
                config::TtsFormat::Opus => SpeechFormat::Opus,
            },
            sample_rate: SampleRate(tts.sample_rate),
            parallel: tts.parallel,
            silence: Duration::from_millis(tts.first_audio_timeout_ms),
            whole: Duration::from_millis(tts.timeout_ms),
            retries: tts.retries,
        };
        let client = self.client(tts.connect_timeout_ms);
        let threads = Threads::start("speech", DECODERS, UNDECODED)?;
        Ok(Arc::new(OpenAiSynthesizer::new(settings, client, threads)))
    }

    /// How espeak-ng speaks for `tts`, with the voices of all agents that use it.
    fn espeak(&self, tts: &config::Tts) -> anyhow::Result<EspeakSettings> {
        let mut warm = Vec::new();
        for (index, agent) in self.config.agents.iter().enumerate() {
            let engines = self.config.engines(index)?;
            if format!("{:?}", engines.tts) != format!("{tts:?}") {
                continue;
            }
            let mut spoken = match agent.languages(engines.stt.language.as_ref()) {
                Languages::Fixed(language) => vec![language],
                Languages::Among(languages) => languages,
                Languages::Any => vec![LanguageCode::english()],
            };
            spoken.extend(agent.voice.languages().cloned());
            for language in spoken {
                let voice = agent.voice.for_language(&language);
                if !warm.contains(&(language.clone(), voice.clone())) {
                    warm.push((language, voice));
                }
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be from 0.5 to 2"
        )]
        let words_per_minute = ((tts.speed - 1.0).abs() > f64::EPSILON)
            .then(|| (f64::from(WORDS_PER_MINUTE) * tts.speed).round() as u32);
        let voice = tts.voice.clone();
        Ok(EspeakSettings { voice, words_per_minute, warm, ..EspeakSettings::default() })
    }
}
