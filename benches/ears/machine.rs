//! What figures depend on: the machine, the build, the models.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use hark::app::Places;
use hark::bench::machine;
use hark::clock::Clock;
use hark::models::{self, ModelSource, manifest};
use hark::stt::whisper::device::WHISPER_CPP;
use hark::telemetry::{COMMIT, VERSION};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Describes the machine and the build, in Markdown.
pub(crate) fn describe(threads: usize) -> String {
    let now = Timestamp::from_millisecond(Clock::System.now_ms());
    let day = now.map(|now| now.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let cores = machine::cores();
    let optimised = if cfg!(debug_assertions) { "; a debug build" } else { "" };
    format!(
        "- {day}, {cores} cores of {}, load {}; {threads} threads for everyone\n\
         - hark {VERSION} ({COMMIT}{optimised}), whisper.cpp {WHISPER_CPP}",
        machine::processor(),
        load(),
    )
}

/// Returns the processes that ran or waited in the last minute, on average.
pub(crate) fn load() -> String {
    machine::load().map_or("unknown".to_owned(), |load| load.to_string())
}

/// Holds a model that hark found.
pub(crate) struct Model {
    /// As it was asked for: `base`, or the path of a fine-tune.
    pub(crate) name: String,
    /// `None` of the model that is built in.
    pub(crate) file: Option<PathBuf>,
    pub(crate) multilingual: bool,
    sha256: String,
    /// Whether it is the file that the manifest lists.
    listed: bool,
}

impl Model {
    /// Finds a model as hark does, and reads it.
    pub(crate) fn find(name: &str, places: &Places) -> anyhow::Result<Self> {
        let (models, cache) = (places.hark_models.as_deref(), places.cache.as_deref());
        let source = models::find(name, None, models, cache)?;
        let (_, header) = source.check()?;
        let (file, sha256) = match &source {
            ModelSource::Path(file) => {
                let bytes = fs::read(file).with_context(|| file.display().to_string())?;
                (Some(file.clone()), Sha256::digest(bytes))
            }
            ModelSource::Bytes { bytes, .. } => (None, Sha256::digest(bytes)),
        };
        let sha256 = hex::encode(sha256);
        let listed = manifest::models().iter().any(|model| model.sha256 == sha256);
        Ok(Self {
            name: name.to_owned(),
            file,
            multilingual: header.multilingual(),
            sha256,
            listed,
        })
    }

    /// Describes it in a line of Markdown.
    pub(crate) fn describe(&self) -> String {
        let listed = if self.listed { "as listed" } else { "not one of hark's list" };
        format!("SHA-256 {}, {listed}", self.sha256)
    }
}
