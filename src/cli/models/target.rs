//! What `hark models pull` is asked for: a name, an address or a path, and the files that it means.

use std::path::PathBuf;

use url::Url;

use super::wrong_usage;
use crate::models::manifest::{self, Kind, Model};
use crate::models::pull::{HUGGING_FACE, PullError, Wanted};
use crate::models::voices::{self, GRAPH, ListedVoice, UnlistedVoice, VoiceKind};

/// Names what is to be pulled.
#[derive(Clone)]
pub(super) enum PullTarget {
    Model(&'static Model),
    Voice(&'static ListedVoice),
    /// A model or a voice that hark does not know, by its ending.
    Address(Url),
    /// The graph of a voice.
    File(PathBuf),
}

impl PullTarget {
    /// Reads an argument; clap makes wrong usage, exit code 2, of what means nothing.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return address(text).map(Self::Address);
        }
        let file = PathBuf::from(text);
        if text.ends_with(GRAPH) && (text.contains('/') || file.is_file()) {
            return Ok(Self::File(file));
        }
        if let Some(voice) = voices::named(text) {
            return Ok(Self::Voice(voice));
        }
        if let Some(UnlistedVoice { name, why, .. }) = voices::unlisted_named(text) {
            return Err(format!("hark does not offer the voice {name}: {why}"));
        }
        known(text).map(Self::Model)
    }

    /// Returns the files of it, each with its sum, from `mirror` or where they are published.
    ///
    /// # Errors
    /// What is not downloaded. Arguments that do not fit one another end the program.
    pub(super) fn wanted(
        &self,
        sums: &[String],
        mirror: Option<&Url>,
    ) -> Result<Vec<Wanted>, PullError> {
        let official = hugging_face();
        let server = mirror.unwrap_or(&official);
        let (url, is_voice) = match self {
            Self::Model(_) | Self::Voice(_) if !sums.is_empty() => {
                wrong_usage("--sha256 is for an address or a file: hark knows what its own must be")
            }
            Self::Model(model) => {
                return Wanted::official(model, server).map(|wanted| vec![wanted]);
            }
            Self::Voice(voice) => return Wanted::voice(voice, server),
            Self::Address(_) | Self::File(_) if mirror.is_some() => {
                wrong_usage("--mirror is for what hark knows: an address has its server")
            }
            Self::Address(url) => (url.clone(), url.path().ends_with(GRAPH)),
            Self::File(file) => (file_address(file), true),
        };
        let (first, second) = match (sums, is_voice) {
            ([], _) => wrong_usage(
                "--sha256 HEX is missing: hark does not know this file, and takes none that may \
                 be another; who publishes it states the sum, or `sha256sum` does of a file you \
                 trust",
            ),
            ([first], _) => (first.clone(), None),
            ([first, second], true) => (first.clone(), Some(second.clone())),
            (_, true) => wrong_usage("--sha256 is for the .onnx and, again, for its .onnx.json"),
            (_, false) => wrong_usage("--sha256 is there twice"),
        };
        let wanted = if is_voice { Wanted::graph_at(url, first) } else { Wanted::at(url, first) };
        let wanted = wanted.unwrap_or_else(|problem| wrong_usage(&problem));
        Ok(match self {
            _ if !is_voice => vec![wanted],
            // hibari's voices have no card.
            Self::File(file) if !file.with_added_extension("json").is_file() => vec![wanted],
            // The graph first: who has the right one may be believed what belongs beside it.
            _ => vec![wanted.clone(), wanted.card(second)],
        })
    }

    /// Says which licence has to be accepted, and what it asks for.
    pub(super) fn terms(&self) -> Option<String> {
        let file = match self {
            Self::Model(_) => return None,
            Self::Voice(voice) => {
                let (licence, credit) = (&voice.licence, voice.credit.as_ref()?);
                return Some(format!(
                    "{licence}: whoever uses the voice gives credit where people find it, such as\n  \
                     {credit}"
                ));
            }
            Self::Address(url) => url.path().rsplit('/').next()?.to_owned(),
            Self::File(file) => file.file_name()?.to_str()?.to_owned(),
        };
        let UnlistedVoice { why, licence, .. } = voices::unlisted_named(&file)?;
        licence.as_ref().map(|licence| format!("{licence}: {why}"))
    }

    /// Returns the licence, where hark knows it.
    pub(super) fn licence(&self) -> Option<&'static str> {
        match self {
            Self::Model(model) => Some(&model.licence),
            Self::Voice(voice) => Some(&voice.licence),
            Self::Address(_) | Self::File(_) => None,
        }
    }

    /// Returns what it is for.
    pub(super) fn purpose(&self) -> Purpose {
        match self {
            Self::Model(model) if model.kind == Kind::Vad => Purpose::Nothing,
            Self::Address(url) if !url.path().ends_with(GRAPH) => Purpose::Hear,
            Self::Model(_) => Purpose::Hear,
            Self::Voice(voice) => Purpose::Speak { espeak: voice.kind == VoiceKind::Piper },
            Self::Address(_) | Self::File(_) => Purpose::Speak { espeak: true },
        }
    }
}

/// Says what a file is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Hear,
    /// `espeak`: it needs espeak-ng's phonemes.
    Speak {
        espeak: bool,
    },
    Nothing,
}

/// Reads a model's name from an argument.
pub(super) fn known(name: &str) -> Result<&'static Model, String> {
    manifest::named(name).ok_or_else(|| {
        let model = manifest::nearest(name).map(|model| &model.name);
        let guess = model.or_else(|| voices::nearest(name).map(|voice| &voice.name));
        let guess = guess.map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
        let names: Vec<&str> = manifest::models().iter().map(|model| &*model.name).collect();
        let voices: Vec<&str> = voices::voices().iter().map(|voice| &*voice.name).collect();
        format!(
            "hark knows no such model and no such voice{guess}\nknown: {}\nvoices: {}",
            names.join(", "),
            voices.join(", ")
        )
    })
}

/// Reads an address of a server or a file from an argument.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// or http://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a password: others see the arguments of a command".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must end with its path: no `?` and no `#`".into());
    }
    Ok(url)
}

/// Reads a SHA-256 from an argument.
pub(super) fn sha256(text: &str) -> Result<String, String> {
    let sum = text.to_ascii_lowercase();
    let right = hex::decode(&sum).is_ok_and(|bytes| bytes.len() == 32);
    right.then_some(sum).ok_or_else(|| "it must have 64 hexadecimal digits".into())
}

/// Returns the address of a file of this machine.
fn file_address(file: &std::path::Path) -> Url {
    let whole = file.canonicalize();
    let whole = whole.unwrap_or_else(|error| wrong_usage(&format!("{}: {error}", file.display())));
    Url::from_file_path(whole).expect("it is a whole path")
}

pub(super) fn hugging_face() -> Url {
    HUGGING_FACE.parse().expect("it is an address")
}
