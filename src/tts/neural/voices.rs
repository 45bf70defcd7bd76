//! Knows the neural voices that this machine has, and chooses the one for a sentence.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tracing::warn;

use super::english::{Accent, English};
use super::graph::{self, BadVoice};
use super::hibari::HibariVoice;
use super::piper::{self, PiperVoice};
use crate::audio::SampleRate;
use crate::models::built_in::{self, Hibari};
use crate::models::voices::VoiceKind;
use crate::models::{self, installed};
use crate::tts::VoiceRow;
use crate::turn::LanguageCode;

/// Largest graph without a card that is looked into: twice one of hibari's.
const MOST_WITHOUT_CARD: u64 = 16_000_000;

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
    /// `None`: the one that is part of the program.
    Hibari(Option<PathBuf>, HibariParts),
    Piper(PathBuf),
}

impl Source {
    /// Returns the size and the time of the file, by which a change of it shows.
    fn state(&self) -> String {
        let file = match self {
            Self::Hibari(None, parts) => return parts.files.voice.len().to_string(),
            Self::Hibari(Some(file), _) | Self::Piper(file) => file,
        };
        file.metadata().map_or_else(
            |error| error.to_string(),
            |found| format!("{} {:?}", found.len(), found.modified().ok()),
        )
    }
}

/// Holds what hibari's voices share: the files that are part of the program, and what they are read as
/// when the first of them speaks.
#[derive(Clone)]
struct HibariParts {
    files: Hibari,
    english: Arc<Mutex<Option<Arc<English>>>>,
}

impl HibariParts {
    fn english(&self) -> Result<Arc<English>, BadVoice> {
        let mut english = self.english.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(english) = &*english {
            return Ok(Arc::clone(english));
        }
        let loaded = English::load(&self.files, Accent::American)?;
        Ok(Arc::clone(english.insert(Arc::new(loaded))))
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
            Source::Hibari(file, parts) => {
                let model = match file {
                    Some(file) => graph::load(file)?,
                    None => graph::load_built_in(parts.files.voice)?,
                };
                let voice = HibariVoice::new(model, parts.files.symbols, parts.english()?)?;
                Ok(Loaded::Hibari(Arc::new(voice)))
            }
            Source::Piper(file) => Ok(Loaded::Piper(Arc::new(PiperVoice::load(file)?))),
        };
        load().map_err(Arc::new)
    }

    /// Returns where it comes from, for lists.
    fn place(&self) -> String {
        match &self.source {
            Source::Hibari(None, _) => "built in".to_owned(),
            Source::Hibari(Some(file), _) | Source::Piper(file) => file.display().to_string(),
        }
    }

    /// Returns its licence, as far as the catalogue knows it.
    fn licence(&self) -> String {
        let listed = models::voices::named(&self.name).map(|voice| &voice.licence);
        let unlisted = || models::voices::unlisted_named(&self.name)?.licence.as_ref();
        listed.or_else(unlisted).map_or("unknown", String::as_str).to_owned()
    }

    /// Returns whether it speaks a language, in whatever region.
    pub(super) fn speaks(&self, language: &LanguageCode) -> bool {
        self.language.primary() == language.primary()
    }
}

/// Says who speaks a sentence.
#[derive(Clone, Copy)]
pub(super) enum VoiceChoice<'a> {
    /// This voice.
    Neural(&'a Arc<NeuralVoice>),
    /// espeak-ng, with the voice that was asked for.
    Espeak,
}

/// Holds the voices, the one that is part of the program first.
pub(super) struct NeuralVoices {
    voices: Vec<Arc<NeuralVoice>>,
    /// Languages and names that were said to have no voice.
    missed: Mutex<HashSet<String>>,
}

impl NeuralVoices {
    /// Finds the voices of `folders`: files `NAME.onnx`, each with a `NAME.onnx.json` unless it is one of
    /// hibari's. A file that is no voice is named in a warning, and is none.
    pub(super) fn find(folders: &[PathBuf]) -> Self {
        let parts = built_in::hibari().map(|files| HibariParts { files, english: Arc::default() });
        let built_in = parts.clone().map(|parts| hibari(built_in::VOICE.to_owned(), None, parts));
        let mut voices: Vec<_> = built_in.into_iter().map(Arc::new).collect();
        for folder in folders {
            let files = installed::files(folder, ".onnx").unwrap_or_else(|error| {
                warn!(%error, "{} cannot be searched for voices", folder.display());
                Vec::new()
            });
            for file in files {
                match read(&file, parts.as_ref()) {
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
            licence: voice.licence(),
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
    pub(super) fn named(&self, name: &str) -> VoiceChoice<'_> {
        let found = self.voices.iter().find(|voice| voice.name == name);
        found.map_or(VoiceChoice::Espeak, VoiceChoice::Neural)
    }

    /// Returns a voice that speaks `language`: of its region, else of another; else espeak-ng, and says
    /// so once.
    pub(super) fn for_language(&self, language: &LanguageCode) -> VoiceChoice<'_> {
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
        found.map_or(VoiceChoice::Espeak, VoiceChoice::Neural)
    }
}

/// Describes one of hibari's voices, in a file or part of the program.
fn hibari(name: String, file: Option<PathBuf>, parts: HibariParts) -> NeuralVoice {
    let source = Source::Hibari(file, parts);
    NeuralVoice { name, language: "en-US".into(), source, loaded: OnceCell::new() }
}

/// Reads what a voice is called and which language it speaks.
fn read(file: &Path, parts: Option<&HibariParts>) -> Result<NeuralVoice, BadVoice> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let listed = models::voices::named(&name);
    if listed.map_or_else(|| is_hibari(file), |voice| voice.kind == VoiceKind::Hibari) {
        let problem = "it needs what a build with the voice \"heart\" has: `make voice`";
        let parts = parts.ok_or_else(|| BadVoice::file(file.display().to_string(), problem))?;
        return Ok(hibari(name, Some(file.to_owned()), parts.clone()));
    }
    let language = piper::language_of(file)?;
    let source = Source::Piper(file.to_owned());
    Ok(NeuralVoice { name, language, source, loaded: OnceCell::new() })
}

/// Returns whether a graph that hark does not know is one of hibari's, by its inputs and outputs. Only a
/// small one without a card is looked into: that takes as long as reading it.
fn is_hibari(file: &Path) -> bool {
    let small = file.metadata().is_ok_and(|about| about.len() <= MOST_WITHOUT_CARD);
    let has_card = file.with_added_extension("json").is_file();
    small && !has_card && graph::load(file).is_ok_and(|model| HibariVoice::fits(&model))
}
