//! `hark models list --voices`: the catalogue, and which of it is here.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::{Context, print, size, voice_places};
use crate::models::built_in;
use crate::models::lock::ModelLock;
use crate::models::pull::HUGGING_FACE;
use crate::models::sum::Sum;
use crate::models::voices::{self, ListedVoice, VoiceKind};
use crate::turn::LanguageCode;

/// Describes one voice, as JSON.
#[derive(Serialize)]
struct ListedRow {
    name: &'static str,
    kind: VoiceKind,
    language: &'static LanguageCode,
    rate_hz: u32,
    licence: &'static str,
    /// What the licence asks for; it has to be accepted.
    credit: Option<&'static str>,
    files: Vec<ListedFile>,
    built_in: bool,
    /// The graph that is here; only sizes were looked at.
    path: Option<PathBuf>,
    /// Whether all files are here and have the sizes they should have.
    size_fits: Option<bool>,
}

/// Describes a file of it, as JSON.
#[derive(Serialize)]
struct ListedFile {
    file: String,
    bytes: u64,
    /// Known, or pinned by an earlier pull.
    sha256: Option<String>,
    md5: Option<&'static str>,
    /// Where `pull` gets it.
    url: Option<String>,
}

pub(super) fn list(context: &Context, json: bool) -> anyhow::Result<ExitCode> {
    let folders = voice_places(context);
    let rows = voices::voices().iter().map(|voice| row(voice, &folders));
    let rows: Vec<ListedRow> = rows.collect::<Result<_, _>>()?;
    if json {
        print::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(&line(["name", "language", "size", "rate", "licence"], "here"))?;
    for row in &rows {
        let bytes = size(row.files.iter().map(|file| file.bytes).sum());
        let rate = format!("{} kHz", f64::from(row.rate_hz) / 1000.0);
        let columns = [row.name, row.language.as_str(), &bytes, &rate, row.licence];
        print::line(&line(columns, &here(row)))?;
    }
    print::line(
        "\nAll may speak for a business. CC-BY-4.0 asks for credit: `hark models pull NAME \
         --accept-licence` says which.\nPiper voices (NAME-low, -medium, -high) need espeak-ng \
         beside them. Of their files only MD5 is published: the\nfirst pull writes the SHA-256 down \
         in models.lock.\nAny other Piper voice: hark models pull URL|FILE --sha256 HEX\nHow each \
         sounds and how fast it is here: hark voices\nNot offered:",
    )?;
    for alike in voices::unlisted().chunk_by(|a, b| a.why == b.why) {
        let names: Vec<&str> = alike.iter().map(|voice| voice.name.as_str()).collect();
        print::line(&format!("  {}: {}", names.join(", "), alike[0].why))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(voice: &'static ListedVoice, folders: &[PathBuf]) -> anyhow::Result<ListedRow> {
    let built_in = built_in::graph(&voice.name).is_some();
    let graph = format!("{}{}", voice.name, voices::GRAPH);
    let folder = folders.iter().find(|folder| folder.join(&graph).is_file());
    let folder = folder.filter(|_| !built_in);
    let lock = folder.map(|folder| ModelLock::read(folder)).transpose()?.unwrap_or_default();
    let fits = |folder: &PathBuf| {
        voice.files().all(|(name, _, file)| {
            folder.join(name).metadata().is_ok_and(|metadata| metadata.len() == file.bytes)
        })
    };
    let files = voice.files().map(|(file, there, known)| {
        let pinned = lock.get(&file).map(|pinned| pinned.sha256.clone());
        let (sha256, md5) = match &known.sum {
            Sum::Sha256(sum) | Sum::Pinned(sum) => (Some(sum.clone()), None),
            Sum::Md5(sum) => (pinned, Some(sum.as_str())),
            Sum::Unknown => (pinned, None),
        };
        let url = voice.from.as_ref().map(|from| format!("{HUGGING_FACE}/{from}/{there}"));
        ListedFile { file, bytes: known.bytes, sha256, md5, url }
    });
    Ok(ListedRow {
        name: &voice.name,
        kind: voice.kind,
        language: &voice.language,
        rate_hz: voice.rate_hz,
        licence: &voice.licence,
        credit: voice.credit.as_deref(),
        files: files.collect(),
        built_in,
        path: folder.map(|folder| folder.join(graph)),
        size_fits: folder.map(fits),
    })
}

fn line(columns: [&str; 5], here: &str) -> String {
    let [name, language, size, rate, licence] = columns;
    format!("{name:<19}  {language:<8}  {size:>7}  {rate:>9}  {licence:<10}  {here}")
}

fn here(row: &ListedRow) -> String {
    match &row.path {
        None if row.built_in => "built in".to_owned(),
        None => "-".to_owned(),
        Some(path) if row.size_fits == Some(true) => path.display().to_string(),
        Some(path) => format!("{} (damaged or incomplete)", path.display()),
    }
}
