//! Finds models: from a name or path in the configuration to the built-in model or to a file that
//! exists; and knows the voices that can be pulled.
//!
//! Reads neither the environment nor the home folder: the caller names the folders. The engine that
//! loads a file checks whether it is a model.

pub mod built_in;
pub mod ggml;
pub mod installed;
pub mod lock;
pub mod manifest;
pub mod pull;
pub mod sum;
pub mod voices;

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use url::Url;

use self::ggml::Header;
use self::manifest::{Kind, Model};

/// Says where a model's bytes are.
#[derive(Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A file.
    Path(PathBuf),
    /// Part of the program.
    Bytes {
        /// Name for spans and errors, e.g. `hark-micro-en`.
        name: &'static str,
        /// The file's content.
        bytes: &'static [u8],
    },
}

impl ModelSource {
    /// Checks the file without whisper.cpp; returns its name for errors and its header.
    ///
    /// # Errors
    /// A file that cannot be read or is not a complete whisper model.
    pub fn check(&self) -> Result<(String, Header), ModelError> {
        let name = self.name();
        let header = self.open(|file, len, name| ggml::check(file, len, name))?;
        Ok((name, header))
    }

    /// Reads the words that the model's tokens stand for, in their order, without the special ones.
    ///
    /// # Errors
    /// As [`ModelSource::check`].
    pub fn words(&self) -> Result<Vec<Box<[u8]>>, ModelError> {
        self.open(|file, len, name| ggml::words(file, len, name))
    }

    /// Reads the file with `read`, which takes it, its length and its name.
    fn open<T>(
        &self,
        read: impl FnOnce(&mut dyn Bytes, u64, &str) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let name = self.name();
        match self {
            Self::Bytes { bytes, .. } => read(&mut Cursor::new(*bytes), bytes.len() as u64, &name),
            Self::Path(path) => {
                let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
                let (len, mut file) = opened
                    .map_err(|source| ModelError::Unreadable { file: name.clone(), source })?;
                read(&mut file, len, &name)
            }
        }
    }

    /// Returns the name for errors.
    fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes { name, .. } => (*name).to_owned(),
        }
    }

    /// Returns the name without folder and extension.
    pub fn stem(&self) -> String {
        match self {
            Self::Path(path) => {
                path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Self::Bytes { name, .. } => (*name).to_owned(),
        }
    }
}

impl fmt::Debug for ModelSource {
    /// Writes the name, but no weights.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Bytes { name, bytes } => write!(f, "{name}, {} bytes built in", bytes.len()),
        }
    }
}

/// Reads a file, or what is part of the program.
trait Bytes: io::Read + io::Seek {}
impl<T: io::Read + io::Seek> Bytes for T {}

/// Says why there is no model to transcribe with.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No file of that name: pull it, or correct the name. The last line is a command to run.
    #[error("{}\n{}", self.problem(), pull_line(.name))]
    NotFound {
        /// The name as configured.
        name: String,
        /// Every file that would have been accepted.
        looked_for: Vec<PathBuf>,
    },
    /// The name is an address, and models are downloaded on command only: run it.
    #[error("{}; run `{}`", self.problem(), pull_address(.url))]
    Address {
        /// The address, without a password.
        url: Box<Url>,
    },
    /// The file exists but cannot be read: correct its permissions or the disk.
    #[error("{file} cannot be read: {source}")]
    Unreadable {
        /// The model's file.
        file: String,
        /// The system's error.
        source: io::Error,
    },
    /// The file is something else: pull the model.
    #[error("{}; run `{}`", self.problem(), pull_line(.file))]
    NotAModel {
        /// The model's file.
        file: String,
        /// Description of what it is instead, with the likely cause.
        what: &'static str,
    },
    /// The file is the beginning of a model: pull it again.
    #[error("{}; run `{}`", self.problem(), pull_line(.file))]
    Incomplete {
        /// The model's file.
        file: String,
        /// Place of the early end.
        missing: String,
    },
    /// The file has a model's magic number but impossible contents: use another.
    #[error("{file} is not a whisper model that can be loaded: {problem}")]
    Malformed {
        /// The model's file.
        file: String,
        /// The value that is wrong, and its range.
        problem: String,
    },
    /// This machine or its memory does not allow it: use a smaller model or fewer states.
    #[error("{file} could not be loaded: {problem}")]
    Refused {
        /// The model's file.
        file: String,
        /// The failure.
        problem: String,
    },
}

impl ModelError {
    /// Returns the command that helps, if one does.
    pub fn command(&self) -> Option<String> {
        match self {
            Self::NotFound { name: model, .. }
            | Self::NotAModel { file: model, .. }
            | Self::Incomplete { file: model, .. } => Some(pull_line(model)),
            Self::Address { url } => Some(pull_address(url)),
            Self::Unreadable { .. } | Self::Malformed { .. } | Self::Refused { .. } => None,
        }
    }

    /// Says what is wrong, without the command.
    pub fn problem(&self) -> String {
        match self {
            Self::NotFound { name, looked_for } => {
                let files: Vec<_> =
                    looked_for.iter().map(|file| file.display().to_string()).collect();
                format!("no model `{name}`; looked for {}", files.join(", "))
            }
            Self::Address { url } => {
                let file = url.path().rsplit('/').next().unwrap_or_default();
                let name = file.strip_suffix(".bin").unwrap_or(file);
                let name = name.strip_prefix("ggml-").unwrap_or(name);
                format!("{url} is an address: pull it, then write model = {name:?}")
            }
            Self::NotAModel { file, what } => format!("{file} is {what}"),
            Self::Incomplete { file, missing } => {
                format!("{file} is incomplete, {missing}: the download was cut")
            }
            Self::Unreadable { .. } | Self::Malformed { .. } | Self::Refused { .. } => {
                self.to_string()
            }
        }
    }
}

/// Finds model `name`.
///
/// `name` is `tiny`, `ggml-tiny`, `ggml-tiny.bin` or a path. A path is taken as it is. The name of
/// the model that is built in means that one; others are looked up in `models_dir` (the configured
/// one), `hark_models` (from `HARK_MODELS`), `./models` and `hark/models` in `cache_dir`, the
/// user's cache folder.
///
/// # Errors
/// `NotFound`, whose message ends in the line that pulls a model; `Address`.
pub fn find(
    name: &str,
    models_dir: Option<&Path>,
    hark_models: Option<&Path>,
    cache_dir: Option<&Path>,
) -> Result<ModelSource, ModelError> {
    if let Some(url) = address(name) {
        return Err(ModelError::Address { url: Box::new(url) });
    }
    let path = Path::new(name);
    if is_path(name) || (has_bin_ending(path) && path.is_file()) {
        return if path.is_file() {
            Ok(ModelSource::Path(path.to_owned()))
        } else {
            Err(ModelError::NotFound { name: name.to_owned(), looked_for: vec![path.to_owned()] })
        };
    }
    if let Some(built_in) = built_in::find(name) {
        return Ok(built_in);
    }
    let looked_for: Vec<PathBuf> = folders(models_dir, hark_models, cache_dir)
        .into_iter()
        .flat_map(|folder| file_names(name).into_iter().map(move |file| folder.join(file)))
        .collect();
    match looked_for.iter().find(|file| file.is_file()) {
        Some(file) => Ok(ModelSource::Path(file.clone())),
        None => Err(ModelError::NotFound { name: name.to_owned(), looked_for }),
    }
}

/// Returns the folders that a name is looked up in, in order; [`find`] explains them.
pub fn folders(
    models_dir: Option<&Path>,
    hark_models: Option<&Path>,
    cache_dir: Option<&Path>,
) -> Vec<PathBuf> {
    let folders = [
        models_dir.map(Path::to_owned),
        hark_models.map(Path::to_owned),
        Some(PathBuf::from("models")),
        cache_dir.map(in_cache),
    ];
    folders.into_iter().flatten().collect()
}

/// Returns the folder for models in the user's cache folder.
pub fn in_cache(cache_dir: &Path) -> PathBuf {
    cache_dir.join("hark").join("models")
}

/// Returns the address that `name` is, without what only its owner should know.
fn address(name: &str) -> Option<Url> {
    let mut url = name.contains("://").then(|| Url::parse(name).ok())??;
    url.set_query(None);
    url.set_fragment(None);
    // Both fail for an address that cannot have them.
    url.set_username("").and_then(|()| url.set_password(None)).ok();
    Some(url)
}

/// Returns whether `name` is a path: it holds a separator, so it never leaves a model folder by
/// accident.
fn is_path(name: &str) -> bool {
    name.contains(['/', std::path::MAIN_SEPARATOR])
}

fn has_bin_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "bin")
}

/// Returns the files a name may mean, the official one first.
fn file_names(name: &str) -> Vec<String> {
    if has_bin_ending(Path::new(name)) {
        vec![name.to_owned()]
    } else if name.starts_with("ggml-") {
        vec![format!("{name}.bin")]
    } else {
        vec![format!("ggml-{name}.bin"), format!("{name}.bin")]
    }
}

/// Returns the command that pulls the official model that a name or file means, `tiny` if it means
/// no model.
fn pull_line(name: &str) -> String {
    format!("hark models pull {}", official(name).map_or("tiny", |model| &model.name))
}

/// Returns the command that pulls what is at an address.
fn pull_address(url: &Url) -> String {
    format!("hark models pull {url} --sha256 HEX")
}

/// Returns the command that pulls the multilingual model like the one that a name or file means,
/// `base` if there is none.
pub fn multilingual_pull_line(name: &str) -> String {
    let like = official(name).and_then(|model| official(&model.name.replacen(".en", "", 1)));
    format!("hark models pull {}", like.map_or("base", |model| &model.name))
}

/// Finds the official model that a name or file means.
fn official(name: &str) -> Option<&'static Model> {
    let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or(name);
    let hears = |model: &&Model| model.from.is_some() && model.kind == Kind::Whisper;
    manifest::named(file).filter(hears)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_the_folders_in_order() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = second.path().join("hark").join("models");
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::write(first.path().join("ggml-tiny.bin"), "x").unwrap();
        std::fs::write(cache.join("ggml-tiny.bin"), "x").unwrap();
        std::fs::write(cache.join("ggml-base.en.bin"), "x").unwrap();
        let check = |name: &str, file: PathBuf| {
            let found = find(name, Some(first.path()), None, Some(second.path()));
            assert_eq!(found.unwrap(), ModelSource::Path(file), "{name}");
        };
        for name in ["tiny", "ggml-tiny", "ggml-tiny.bin"] {
            check(name, first.path().join("ggml-tiny.bin"));
        }
        check("base.en", cache.join("ggml-base.en.bin"));
        let path = cache.join("ggml-base.en.bin");
        check(&path.display().to_string(), path);
    }

    #[cfg(feature = "model-micro")]
    #[test]
    fn the_built_in_name_comes_before_the_folders_and_a_path_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hark-micro-en.bin");
        std::fs::write(&file, "x").unwrap();
        let find = |name: &str| find(name, Some(folder.path()), None, None).unwrap();
        let built_in = format!("{:?}", find(built_in::NAME));
        assert!(built_in.starts_with("hark-micro-en, ") && built_in.len() < 100, "{built_in}");
        assert_eq!(find(&file.display().to_string()), ModelSource::Path(file.clone()));
        assert_eq!(find("hark-micro-en.bin"), ModelSource::Path(file));
    }

    #[test]
    fn a_missing_model_names_the_places_and_ends_with_the_pull_line() {
        let folder = Path::new("/nowhere");
        let check = |name: &str, line: &str| {
            let message = find(name, Some(folder), None, None).unwrap_err().to_string();
            assert!(message.ends_with(&format!("\n{line}")), "{message}");
            message
        };
        let message = check("mine", "hark models pull tiny");
        assert!(message.contains("/nowhere/ggml-mine.bin"), "{message}");
        assert!(message.contains("models/mine.bin"), "{message}");
        check("base.en", "hark models pull base.en");
        check("ggml-small-q5_1.bin", "hark models pull small-q5_1");
        check("/nowhere/ggml-large-v3-turbo.bin", "hark models pull large-v3-turbo");
        check("../models/mine", "hark models pull tiny");
        check("ggml-silero-v6.2.0.bin", "hark models pull tiny");
    }

    #[test]
    fn an_english_model_has_a_multilingual_one_like_it() {
        let check = |name: &str, like: &str| {
            assert_eq!(multilingual_pull_line(name), format!("hark models pull {like}"));
        };
        check("whisper/ggml-tiny.en", "tiny");
        check("/somewhere/ggml-small.en-q5_1.bin", "small-q5_1");
        check("whisper/hark-micro-en", "base");
        check("whisper/mine.en", "base");
    }
}
