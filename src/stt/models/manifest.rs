//! What is known about a model beyond its file: `manifest.toml`, which is part of the program.
//!
//! Between the file's name and the engine: a model is known by the name of its file, wherever that
//! lies, and only the manifest says that it may be run otherwise than openai/whisper's.

use serde::Deserialize;

use super::ModelSource;

const MANIFEST: &str = include_str!("manifest.toml");

/// One model of the manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is called in the configuration.
    pub name: String,
    /// The name of its file.
    pub file: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// SPDX expression for the weights.
    pub licence: String,
    /// ISO 639-1 codes of what it understands.
    pub languages: Vec<String>,
    /// How it must be run.
    #[serde(default)]
    pub run: RunStyle,
}

/// How a model must be run; the default is for openai/whisper's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunStyle {
    /// Whether the encoder runs only over the audio instead of all 30 s. Only for models trained
    /// for it: others make up to 80 times the errors (futo-org/whisper-acft).
    pub cut_audio_ctx: bool,
    /// Whether words come without times.
    pub no_timestamps: bool,
    /// Whether at least one token must be given, also for silence.
    pub suppress_blank: bool,
    /// Steps of temperature, up to 1, in which doubtful words are tried again; 0 for never.
    pub temperature_inc: f32,
    /// Threads that a state takes at most, where more are not worth their cores.
    pub threads: Option<usize>,
}

impl Default for RunStyle {
    fn default() -> Self {
        Self {
            cut_audio_ctx: false,
            no_timestamps: false,
            suppress_blank: true,
            // 0 and 0.6: one retry where whisper.cpp's 0.2 makes five, for about a minute.
            temperature_inc: 0.6,
            threads: None,
        }
    }
}

/// Every model of the manifest.
pub fn models() -> Vec<Model> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Manifest {
        model: Vec<Model>,
    }
    let manifest: Manifest = toml::from_str(MANIFEST).expect("a test reads the manifest");
    manifest.model
}

/// What the manifest says of a model.
pub fn of(source: &ModelSource) -> Option<Model> {
    models().into_iter().find(|model| match source {
        ModelSource::Path(path) => path.file_name().is_some_and(|file| *file == *model.file),
        ModelSource::Bytes { name, .. } => model.name == *name,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_row_is_complete() {
        for model in models() {
            let file = model.file.strip_suffix(".bin").expect(".bin");
            assert!(!file.is_empty() && !file.contains('/'), "{model:?}");
            assert!(model.bytes > 1_000_000, "{model:?}");
            assert!(hex::decode(&model.sha256).is_ok_and(|hash| hash.len() == 32), "{model:?}");
            assert!(!model.licence.is_empty() && !model.languages.is_empty(), "{model:?}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_name_wherever_it_lies() {
        let of = |path: &str| of(&ModelSource::Path(PathBuf::from(path)));
        let run = of("/somewhere/hark-micro-en.bin").expect("it is in the manifest").run;
        assert!(run.cut_audio_ctx && run.no_timestamps && !run.suppress_blank);
        assert!(run.temperature_inc.abs() < f32::EPSILON && run.threads == Some(1));
        assert_eq!(of("models/ggml-mine.bin"), None);
    }
}
