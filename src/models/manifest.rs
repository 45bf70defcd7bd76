//! Describes models beyond their files: `manifest.toml`, which is part of the program.
//!
//! Sits between the file's name and the engine: a model is known by the name of its file, wherever
//! that is, and only the manifest says that it may be run differently from openai/whisper's.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::ModelSource;

const MANIFEST: &str = include_str!("manifest.toml");

/// Describes one model of the manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name in the configuration.
    pub name: String,
    /// Name of the file.
    pub file: String,
    /// Purpose.
    #[serde(default)]
    pub kind: Kind,
    /// Folder on Hugging Face that the file is in, including a pinned revision; `None` if it is not
    /// downloaded.
    pub from: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// SPDX expression for the weights.
    pub licence: String,
    /// Languages it understands.
    pub languages: ModelLanguages,
    /// Time it takes.
    pub speed: Speed,
    /// Settings it must be run with.
    #[serde(default)]
    pub run: RunStyle,
}

/// Names the purpose of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Speech to text.
    #[default]
    Whisper,
    /// Detects where somebody speaks. hark does not use one yet.
    Vad,
}

/// Names the languages a model understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelLanguages {
    /// English only.
    English,
    /// About a hundred languages.
    Multilingual,
    /// Languages do not matter to it.
    Any,
}

/// Classifies how long ten seconds of speech take on two cores, without a graphics card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// Less than 0.3 s.
    Fastest,
    /// Less than 2 s.
    Fast,
    /// Less than 6 s.
    Moderate,
    /// About as long as the note or longer.
    Slow,
}

/// Describes how a model must be run; the default is for a model that was never measured.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunStyle {
    /// How it hears for `[stt] accuracy = "fast"`.
    pub fast: Effort,
    /// How it hears for `"best"`.
    pub best: Effort,
    /// Whether words come without times.
    pub no_timestamps: bool,
    /// Whether at least one token must be produced, also for silence.
    pub suppress_blank: bool,
    /// Whether words that cannot be right are heard again, once, in the whole window.
    pub hear_again: bool,
    /// Chance of silence, 0 to 1, above which there are no words; `None` if the model tells none.
    pub no_speech: Option<f32>,
    /// Mean log-probability below which words are guesses.
    pub low_logprob: f32,
    /// Mean log-probability of the words below which the model is not made for such speech.
    pub sure_logprob: Option<f32>,
    /// Most tokens of a prompt of words that may be said; 0 for a model trained without.
    pub prompt_tokens: usize,
    /// Most threads per utterance, unless the settings say otherwise; `None`: the cores.
    pub threads: Option<usize>,
}

/// Measures a window of the encoder, in its positions: 50 a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Positions beyond the end of the sound.
    pub spare: u16,
    /// What its length is rounded up to a multiple of.
    #[serde(default = "one")]
    pub step: u16,
}

/// Says what is spent on hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effort {
    /// What the encoder runs over; `None`: all 30 s. Models hear far worse in a window that is too
    /// narrow for them.
    pub window: Option<Window>,
    /// Beams that are followed side by side; 1: no search.
    pub beams: u8,
}

fn one() -> u16 {
    1
}

impl Default for RunStyle {
    fn default() -> Self {
        Self {
            fast: Effort { window: None, beams: 1 },
            best: Effort { window: None, beams: 5 },
            no_timestamps: false,
            suppress_blank: true,
            hear_again: true,
            no_speech: None,
            // As openai/whisper's `transcribe.py`.
            low_logprob: -1.0,
            sure_logprob: None,
            prompt_tokens: 64,
            threads: None,
        }
    }
}

/// Returns every model of the manifest.
pub fn models() -> &'static [Model] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Manifest {
        model: Vec<Model>,
    }
    static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
        let manifest: Manifest = toml::from_str(MANIFEST).expect("a test reads the manifest");
        manifest.model
    });
    &MODELS
}

/// Finds the row of a model.
pub fn find(source: &ModelSource) -> Option<&'static Model> {
    models().iter().find(|model| match source {
        ModelSource::Path(path) => path.file_name().is_some_and(|file| *file == *model.file),
        ModelSource::Bytes { name, .. } => model.name == *name,
    })
}

/// Finds the model called `name`: `tiny`, `ggml-tiny` or `ggml-tiny.bin`.
pub fn named(name: &str) -> Option<&'static Model> {
    let stem = name.strip_suffix(".bin").unwrap_or(name);
    let is = |model: &&Model| model.name == stem || model.file.strip_suffix(".bin") == Some(stem);
    models().iter().find(is)
}

/// Finds the model whose name is most like `name`, if one is.
pub fn nearest(name: &str) -> Option<&'static Model> {
    let name = name.to_lowercase();
    let name = name.strip_suffix(".bin").unwrap_or(&name);
    let name = name.strip_prefix("ggml-").unwrap_or(name);
    let names: Vec<&str> = models().iter().map(|model| model.name.as_str()).collect();
    named(closest(name, &names)?)
}

/// Returns which of `names` is most like `name`, if one is: some people write a part of it.
pub fn closest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance = |known: &str| changes(&known.to_lowercase(), &lower);
    let closest = names.iter().copied().min_by_key(|known| distance(known))?;
    // If more than half of it changes, it is another word.
    if 2 * distance(closest) <= closest.len() {
        return Some(closest);
    }
    let is_part = |known: &&str| lower.len() >= 4 && known.to_lowercase().contains(&lower);
    names.iter().copied().find(is_part)
}

/// Counts the letters to insert, delete or change to turn `a` into `b`.
fn changes(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_row_is_complete() {
        for model in models() {
            let file = model.file.strip_suffix(".bin").expect(".bin");
            assert!(!file.contains('/'), "{model:?}");
            assert!(model.bytes > 500_000, "{model:?}");
            assert!(hex::decode(&model.sha256).is_ok_and(|hash| hash.len() == 32), "{model:?}");
            assert!(!model.licence.is_empty(), "{model:?}");
            if let Some(from) = &model.from {
                // `main` would be another file one day.
                let (repository, revision) = from.split_once("/resolve/").expect("a revision");
                assert!(hex::decode(revision).is_ok_and(|hash| hash.len() == 20), "{model:?}");
                assert_eq!(repository.split('/').count(), 2, "{model:?}");
                assert_eq!(file, format!("ggml-{}", model.name));
                assert_eq!(
                    model.languages == ModelLanguages::English,
                    file.contains(".en"),
                    "{file}"
                );
                // An official model in a window that is not some 64 wider than the sound hears
                // another text.
                for effort in [model.run.fast, model.run.best] {
                    assert!(effort.window.is_none_or(|window| window.spare >= 64), "{file}");
                }
            }
        }
    }

    #[test]
    fn no_two_rows_are_the_same_model() {
        let count = models().len();
        for value in
            [|m: &Model| m.name.clone(), |m: &Model| m.file.clone(), |m: &Model| m.sha256.clone()]
        {
            let values: std::collections::BTreeSet<String> = models().iter().map(value).collect();
            assert_eq!(values.len(), count);
        }
    }

    #[test]
    fn the_sizes_of_one_model_in_three_forms_fit_one_another() {
        // A block of 32 weights: 64 bytes in f16, 34 in q8_0, 24 in q5_1, 22 in q5_0.
        let mut checked = 0;
        for q5 in models().iter().filter(|model| model.name.contains("-q5_")) {
            let (name, form) = q5.name.rsplit_once('-').expect("it has a form");
            let bytes = |name: &str| named(name).map(|model| model.bytes);
            let full = bytes(name).expect("every form has its original");
            let Some(q8) = bytes(&format!("{name}-q8_0")) else { continue };
            let saved = if form == "q5_1" { 40 } else { 42 };
            assert_eq!((full - q5.bytes) * 30, (full - q8) * saved, "{name}");
            checked += 1;
        }
        assert_eq!(checked, 9);
    }

    #[test]
    fn a_file_is_known_by_its_name_wherever_it_lies() {
        let find = |path: &str| find(&ModelSource::Path(PathBuf::from(path)));
        let run = find("/somewhere/hark-micro-en.bin").expect("it is in the manifest").run;
        assert!(run.fast.window.is_some() && run.no_timestamps && !run.suppress_blank);
        assert!(!run.hear_again && run.threads == Some(1));
        let base = find("models/ggml-base.en.bin").expect("it is in the manifest");
        assert_eq!((base.name.as_str(), base.run), ("base.en", RunStyle::default()));
        assert_eq!(find("models/ggml-mine.bin"), None);
    }

    #[test]
    fn a_name_is_found_in_each_way_of_writing_it_and_a_slip_is_guessed() {
        let is = |model: Option<&Model>| model.map(|model| model.name.clone());
        for name in ["tiny.en-q5_1", "ggml-tiny.en-q5_1", "ggml-tiny.en-q5_1.bin"] {
            assert_eq!(is(named(name)).as_deref(), Some("tiny.en-q5_1"));
        }
        assert_eq!(is(named("tin")), None);
        let check =
            |name: &str, meant: Option<&str>| assert_eq!(is(nearest(name)).as_deref(), meant);
        check("tin", Some("tiny"));
        check("Base-EN", Some("base.en"));
        check("ggml-large-v3-trubo.bin", Some("large-v3-turbo"));
        check("silero-vad", Some("silero-v6.2.0"));
        check("parakeet-tdt-0.6b", None);
        check("", None);
    }
}
