//! `[stt]`, `[llm]` and `[tts]`: what hears, thinks and speaks unless an agent says otherwise.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::turn::{LanguageCode, Uncertainty};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Stt {
    pub engine: String,
    pub model: String,
    pub models_dir: Option<PathBuf>,
    pub threads: Option<usize>,
    pub states: usize,
    pub language: Option<LanguageCode>,
    pub gpu: bool,
    pub cut_audio_ctx: CutAudioCtx,
    pub text: String,
    pub uncertain: Option<Uncertainty>,
}

/// Whether whisper's encoder runs over the note alone or over 30 s.
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

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Llm {
    pub engine: String,
    pub url: Option<Url>,
    pub model: Option<String>,
    pub api_key: Option<SecretString>,
    pub temperature: Option<f64>,
    pub max_tokens: u32,
    pub history_tokens: u32,
    pub connect_timeout_ms: u64,
    pub first_token_timeout_ms: u64,
    pub stall_timeout_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
    pub text: Option<String>,
    pub first_token_ms: u64,
    pub tokens_per_s: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Tts {
    pub engine: String,
    pub voice: Option<String>,
    pub url: Option<Url>,
    pub model: Option<String>,
    pub api_key: Option<SecretString>,
    pub speed: f64,
    pub format: TtsFormat,
    pub sample_rate: u32,
    pub parallel: usize,
    pub connect_timeout_ms: u64,
    pub first_audio_timeout_ms: u64,
    pub timeout_ms: u64,
    pub retries: u32,
    pub first_audio_ms: u64,
    pub rtf: f64,
}

/// What a speech server is asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "default.toml documents every value")]
pub enum TtsFormat {
    Pcm,
    Wav,
    Opus,
}
