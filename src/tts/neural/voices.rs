//! Knows the neural voices that this machine has, and chooses the one for a sentence.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tracing::warn;

use super::english::{Accent, English, EnglishFiles};
use super::graph::{self, BadVoice};
use super::hibari::HibariVoice;
use super::piper::{self, PiperVoice};
use crate::audio::SampleRate;
use crate::models::built_in::{self, Hibari};
use crate::models::installed;
use crate::tts::VoiceRow;
use crate::turn::LanguageCode;

/// Name of the voice that is part of the program.
const BUILT_IN: &str = "heart";

/// Describes a voice that is here, loaded or not.
pub(super) struct NeuralVoice {
    pub(super) name: String,
    pub(super) language: LanguageCode,
    source: Source,
    /// Loaded when the first sentence needs it. A failure stays: the file would have to change.
    pub(super) loaded: OnceCell<Result<Loaded, Arc<BadVoice>>>,
}

/// Says where a voice's graph is.
enum Source {
    BuiltIn(Hibari),
    Piper(PathBuf),
}

impl Source {
    /// Returns the size and the time of the file, by which a change of it shows.
    fn state(&self) -> String {
        match self {
            Self::BuiltIn(files) => files.voice.len().to_string(),
            Self::Piper(file) => file.metadata().map_or_else(
                |error| error.to_string(),
                |found| format!("{} {:?}", found.len(), found.modified().ok()),
            ),
        }
    }
}

/// Holds a voice that can speak.
#[derive(Clone)]
pub(super) enum Loaded {
    Hibari(Arc<HibariVoice>),
    Piper(Arc<PiperVoice>),
}

impl Loaded {
    pub(super) fn rate(&self) -> SampleRate {
        match self {
            Self::Hibari(_) => HibariVoice::rate(),
            Self::Piper(voice) => voice.rate(),
        }
    }
}

impl NeuralVoice {
    /// Reads the files; takes up to a second.
    pub(super) fn load(&self) -> Result<Loaded, Arc<BadVoice>> {
        let load = || match &self.source {
            Source::BuiltIn(files) => {
                let model = graph::load_built_in(files.voice)?;
                let english = English::load(&english(files), Accent::American);
                let english = english.map_err(|error| BadVoice::file("what is built in", error))?;
                let voice = HibariVoice::new(model, files.symbols, Arc::new(english))?;
                Ok(Loaded::Hibari(Arc::new(voice)))
            }
            Source::Piper(file) => Ok(Loaded::Piper(Arc::new(PiperVoice::load(file)?))),
        };
        load().map_err(Arc::new)
    }

    /// Returns where it comes from, for lists.
    fn place(&self) -> String {
        match &self.source {
            Source::BuiltIn(_) => "built in".to_owned(),
            Source::Piper(file) => file.display().to_string(),
        }
    }

    fn speaks(&self, language: &LanguageCode) -> bool {
        self.language.primary() == language.primary()
    }
}

/// Says who speaks a sentence.
#[derive(Clone, Copy)]
pub(super) enum Choice<'a> {
    /// This voice.
    Neural(&'a Arc<NeuralVoice>),
    /// espeak-ng, with the voice that was asked for.
    Espeak,
}

/// Holds the voices, the one that is part of the program first.
pub(super) struct Voices {
    voices: Vec<Arc<NeuralVoice>>,
    /// Languages and names that were said to have no voice.
    missed: Mutex<HashSet<String>>,
}

impl Voices {
    /// Finds the voices of `folders`: files `NAME.onnx`, each with a `NAME.onnx.json`. A file that is no
    /// voice is named in a warning, and is none.
    pub(super) fn find(folders: &[PathBuf]) -> Self {
        let built_in = built_in::hibari().map(|files| NeuralVoice {
            name: BUILT_IN.to_owned(),
            language: "en-US".into(),
            source: Source::BuiltIn(files),
            loaded: OnceCell::new(),
        });
        let mut voices: Vec<_> = built_in.into_iter().map(Arc::new).collect();
        for folder in folders {
            let files = installed::files(folder, ".onnx").unwrap_or_else(|error| {
                warn!(%error, "{} cannot be searched for voices", folder.display());
                Vec::new()
            });
            for file in files {
                match read(&file) {
                    Ok(voice) if voices.iter().all(|known| known.name != voice.name) => {
                        voices.push(Arc::new(voice));
                    }
                    Ok(_) => {}
                    Err(error) => warn!("{} is left out: {error}", file.display()),
                }
            }
        }
        Self { voices, missed: Mutex::default() }
    }

    /// Describes them all.
    pub(super) fn rows(&self) -> Vec<VoiceRow> {
        let row = |voice: &Arc<NeuralVoice>| VoiceRow {
            engine: "neural",
            name: voice.name.clone(),
            language: voice.language.clone(),
            place: voice.place(),
        };
        self.voices.iter().map(row).collect()
    }

    /// Names the voices and the state of their files.
    pub(super) fn revision(&self) -> String {
        let state = |voice: &Arc<NeuralVoice>| format!("{} {}", voice.name, voice.source.state());
        self.voices.iter().map(state).collect::<Vec<_>>().join(", ")
    }

    /// Returns the voice of that name, whatever it speaks; espeak-ng may know other names.
    pub(super) fn named(&self, name: &str) -> Choice<'_> {
        let found = self.voices.iter().find(|voice| voice.name == name);
        found.map_or(Choice::Espeak, Choice::Neural)
    }

    /// Returns the voice of that name if it speaks `language` or nobody's name it is; else the voice for
    /// the language.
    pub(super) fn named_for_language(&self, name: &str, language: &LanguageCode) -> Choice<'_> {
        match self.named(name) {
            Choice::Neural(voice) if !voice.speaks(language) => self.for_language(language),
            choice => choice,
        }
    }

    /// Returns a voice that speaks `language`: of its region, else of another; else espeak-ng, and says
    /// so once.
    pub(super) fn for_language(&self, language: &LanguageCode) -> Choice<'_> {
        let language = if language.is_unknown() { &LanguageCode::english() } else { language };
        let exact = self.voices.iter().find(|voice| voice.language == *language);
        let found = exact.or_else(|| self.voices.iter().find(|voice| voice.speaks(language)));
        if found.is_none() {
            let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
            if missed.insert(language.primary().to_owned()) {
                warn!(
                    tts.language = %language,
                    "no neural voice speaks a language: espeak-ng does; `hark models list --voices`"
                );
            }
        }
        found.map_or(Choice::Espeak, Choice::Neural)
    }
}

/// Returns what English is read with.
fn english(files: &Hibari) -> EnglishFiles {
    let Hibari { gold, silver, tagger, tokenizer, normalize, unknown, unknown_symbols, .. } =
        *files;
    EnglishFiles { gold, silver, tagger, tokenizer, normalize, unknown, unknown_symbols }
}

/// Reads what a voice is called and which language it speaks.
fn read(file: &Path) -> Result<NeuralVoice, BadVoice> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let language = piper::language_of(file)?;
    let source = Source::Piper(file.to_owned());
    Ok(NeuralVoice { name, language, source, loaded: OnceCell::new() })
}
