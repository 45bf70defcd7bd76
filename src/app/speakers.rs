//! What speaks: from a voice's settings to its engine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::audio::SampleRate;
use crate::config::{self, Config};
use crate::pipeline::AgentVoice;
use crate::provider::http_client_within;
use crate::tts::espeak::{EspeakSettings, EspeakSynthesizer, WORDS_PER_MINUTE};
use crate::tts::openai::{OpenAiSettings, OpenAiSynthesizer, SpeechFormat};
use crate::tts::scripted::ScriptedSynthesizer;
use crate::tts::{Synthesizer, Voice};

/// Makes the synthesizer that `tts` asks for.
///
/// # Errors
/// A [`config::ConfigError`] for what the operator can mend.
pub(super) fn synthesizer(
    config: &Config,
    tts: &config::Tts,
) -> anyhow::Result<Arc<dyn Synthesizer>> {
    Ok(match tts.engine.as_str() {
        "scripted" => Arc::new(ScriptedSynthesizer::new(tts.first_audio_ms, tts.rtf)),
        "openai" => speech_server(config, tts)?,
        _ => Arc::new(EspeakSynthesizer::new(espeak(config, tts)?)),
    })
}

/// The voices that an agent names.
pub(super) fn voice(agent: &config::Agent) -> AgentVoice {
    match &agent.voice {
        None => AgentVoice::default(),
        Some(config::Voice::One(voice)) => {
            AgentVoice { any: Some(voice.clone()), by_language: HashMap::new() }
        }
        Some(config::Voice::ByLanguage(voices)) => {
            AgentVoice { any: None, by_language: voices.clone().into_iter().collect() }
        }
    }
}

fn speech_server(config: &Config, tts: &config::Tts) -> anyhow::Result<Arc<dyn Synthesizer>> {
    let missing = |key: &str| config.error(key, "is missing");
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
    // The engine keeps its own time while it reads; the client must not be faster.
    let connect = Duration::from_millis(tts.connect_timeout_ms);
    let client = http_client_within(connect, settings.whole + settings.silence);
    Ok(Arc::new(OpenAiSynthesizer::new(settings, client)))
}

/// How espeak-ng speaks for `tts`, with the voices of all agents that use it.
fn espeak(config: &Config, tts: &config::Tts) -> anyhow::Result<EspeakSettings> {
    let mut warm = Vec::new();
    for (index, agent) in config.agents.iter().enumerate() {
        let engines = config.engines(index)?;
        if format!("{:?}", engines.tts) != format!("{tts:?}") {
            continue;
        }
        let own = agent.language.iter().chain(agent.languages.iter().flatten());
        let heard = engines.stt.language.iter();
        let mut languages: Vec<String> = own.chain(heard).cloned().collect();
        if let Some(config::Voice::ByLanguage(voices)) = &agent.voice {
            languages.extend(voices.keys().cloned());
        }
        if languages.is_empty() {
            languages.push("en".to_owned());
        }
        let voice = voice(agent);
        for language in languages {
            let fixed = voice.by_language.get(&language).cloned().map(Voice::Fixed);
            let voice = fixed.or_else(|| voice.any.clone().map(Voice::Any));
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
