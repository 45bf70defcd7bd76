//! `hark models verify`: reads every model and voice that is here, and what is built in.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use super::target::known;
use super::{Context, built_in, places, print, voice_places};
use crate::models::built_in::graph;
use crate::models::installed::{self, Condition};
use crate::models::lock::{LockError, ModelLock};
use crate::models::manifest::{self, Model};
use crate::models::sum::Sum;
use crate::models::voices::{self, CARD, GRAPH, ListedVoice};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only these: names of models and voices, or files with a `/` in their paths [default: all].
    #[arg(value_parser = target)]
    names: Vec<Target>,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

/// Names what is to be checked.
#[derive(Clone)]
enum Target {
    Model(&'static Model),
    Voice(&'static ListedVoice),
    File(PathBuf),
}

/// Says what a file should be.
struct Due {
    /// The model or voice.
    name: String,
    bytes: Option<u64>,
    sum: Sum,
    /// What replaces a file that is damaged.
    remedy: String,
}

/// Says what was found out about one file.
#[derive(Serialize)]
struct FileReport {
    /// The model or voice it is by its name.
    model: Option<String>,
    /// The file; none for what is built in or not here.
    path: Option<PathBuf>,
    status: Status,
    /// What is wrong and what to do.
    problem: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Damaged,
    Unreadable,
    Missing,
    /// Neither listed nor pinned.
    Unknown,
    /// A download that broke off.
    Unfinished,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut reports = Vec::new();
    for target in targets(context, arguments.names)? {
        let report = match target {
            Target::Model(model) => check_built_in(model),
            Target::Voice(voice) => check_built_in_voice(voice),
            Target::File(file) => check_file(file)?,
        };
        if !arguments.json {
            print::line(&report.line())?;
        }
        reports.push(report);
    }
    if arguments.json {
        print::json(&reports)?;
    }
    let bad = |report: &FileReport| {
        matches!(report.status, Status::Damaged | Status::Unreadable | Status::Missing)
    };
    Ok(ExitCode::from(u8::from(reports.iter().any(bad))))
}

/// Returns what is to be looked at: a name stands for its files, or for itself if there is none.
fn targets(context: &Context, names: Vec<Target>) -> anyhow::Result<Vec<Target>> {
    let files = all_files(context)?;
    let mut targets = Vec::new();
    if names.is_empty() {
        let built_in = manifest::models().iter().filter(|model| built_in(model).is_some());
        targets.extend(built_in.map(Target::Model));
        let voices = voices::voices().iter().filter(|voice| graph(&voice.name).is_some());
        targets.extend(voices.map(Target::Voice));
        targets.extend(files.into_iter().map(Target::File));
        return Ok(targets);
    }
    for named in names {
        let (is_built_in, its_files) = match &named {
            Target::Model(model) => (built_in(model).is_some(), vec![model.file.clone()]),
            Target::Voice(voice) => {
                (graph(&voice.name).is_some(), voice.files().map(|(file, ..)| file).collect())
            }
            Target::File(_) => (true, Vec::new()),
        };
        let of_it = |file: &&PathBuf| {
            let name = name(file);
            its_files.iter().any(|known| name.strip_suffix(".part").unwrap_or(&name) == known)
        };
        let here: Vec<Target> = files.iter().filter(of_it).cloned().map(Target::File).collect();
        if is_built_in || here.is_empty() {
            targets.push(named);
        }
        targets.extend(here);
    }
    Ok(targets)
}

/// Lists every model file and part of one in the folders that models and voices are looked for in,
/// once.
fn all_files(context: &Context) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut seen) = (Vec::new(), HashSet::new());
    for folder in places(context).into_iter().chain(voice_places(context)) {
        for ending in [".bin", GRAPH, CARD] {
            let unreadable = || format!("reading {}", folder.display());
            let mut here = installed::files(&folder, ending).with_context(unreadable)?;
            let parts = installed::files(&folder, &format!("{ending}.part"));
            here.extend(parts.with_context(unreadable)?);
            for file in here {
                if seen.insert(file.canonicalize().with_context(unreadable)?) {
                    files.push(file);
                }
            }
        }
    }
    Ok(files)
}

fn check_built_in(model: &'static Model) -> FileReport {
    let Some(bytes) = built_in(model) else { return missing(&model.name) };
    compared_built_in(due(model), bytes)
}

fn check_built_in_voice(voice: &'static ListedVoice) -> FileReport {
    let due = listed(&format!("{}{GRAPH}", voice.name));
    match due.zip(graph(&voice.name)) {
        Some((due, bytes)) => compared_built_in(due, bytes),
        None => missing(&voice.name),
    }
}

fn compared_built_in(due: Due, bytes: &[u8]) -> FileReport {
    let condition = installed::check_bytes(bytes, due.bytes.unwrap_or_default(), &due.sum);
    let remedy = "this program is damaged, install it again".to_owned();
    compared(Due { remedy, ..due }, None, condition)
}

fn missing(name: &str) -> FileReport {
    let problem = format!("it is not here: hark models pull {name}");
    FileReport::new(Some(name.to_owned()), None, Status::Missing, Some(problem))
}

fn check_file(file: PathBuf) -> Result<FileReport, LockError> {
    let name = name(&file);
    if let Some(model) = name.strip_suffix(".part").and_then(listed) {
        let problem = format!("incomplete; `hark models pull {}` continues it", model.name);
        return Ok(FileReport::new(
            Some(model.name),
            Some(file),
            Status::Unfinished,
            Some(problem),
        ));
    }
    let Some(due) = of_file(&file, &name)? else {
        let problem = "hark knows no model of this file name".to_owned();
        return Ok(FileReport::new(None, Some(file), Status::Unknown, Some(problem)));
    };
    Ok(match installed::check(&file, due.bytes, &due.sum) {
        Ok(condition) => compared(due, Some(file), condition),
        Err(error) => {
            FileReport::new(Some(due.name), Some(file), Status::Unreadable, Some(error.to_string()))
        }
    })
}

/// Says what a file should be, by the manifest, the catalogue and what was pulled into its folder.
fn of_file(file: &Path, name: &str) -> Result<Option<Due>, LockError> {
    let listed = listed(name);
    if listed.as_ref().is_some_and(|due| matches!(due.sum, Sum::Sha256(_))) {
        return Ok(listed);
    }
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let lock = ModelLock::read(folder)?;
    let Some(pinned) = lock.get(name) else { return Ok(listed) };
    let sum = Sum::Pinned(pinned.sha256.clone());
    let stem = name.strip_suffix(CARD).or_else(|| name.strip_suffix(GRAPH)).unwrap_or(name);
    let remedy = format!("it came from {}: pull it again", pinned.from);
    let pinned = Due { name: stem.to_owned(), bytes: None, sum: sum.clone(), remedy };
    Ok(Some(listed.map_or(pinned, |due| Due { sum, ..due })))
}

/// Says what a file of the manifest or the catalogue should be.
fn listed(name: &str) -> Option<Due> {
    let model = manifest::models().iter().find(|model| model.file == name);
    model.map(due).or_else(|| {
        let (voice, file) = voices::by_file(name)?;
        Some(Due {
            name: voice.name.clone(),
            bytes: Some(file.bytes),
            sum: file.sum.clone(),
            remedy: remedy(&voice.name, voice.from.is_some()),
        })
    })
}

fn due(model: &Model) -> Due {
    Due {
        name: model.name.clone(),
        bytes: Some(model.bytes),
        sum: Sum::Sha256(model.sha256.clone()),
        remedy: remedy(&model.name, model.from.is_some()),
    }
}

fn remedy(name: &str, is_downloaded: bool) -> String {
    if is_downloaded {
        format!("`hark models pull {name}` replaces it")
    } else {
        "remove it".to_owned()
    }
}

fn compared(due: Due, file: Option<PathBuf>, condition: Condition) -> FileReport {
    let differs = match condition {
        Condition::Good => return FileReport::new(Some(due.name), file, Status::Ok, None),
        Condition::Size { bytes } => {
            format!("{bytes} bytes instead of {}", due.bytes.unwrap_or_default())
        }
        Condition::Checksum { got } => format!("{got} instead of {}", due.sum),
    };
    let problem = Some(format!("{differs}; {}", due.remedy));
    FileReport::new(Some(due.name), file, Status::Damaged, problem)
}

impl FileReport {
    fn new(
        model: Option<String>,
        path: Option<PathBuf>,
        status: Status,
        problem: Option<String>,
    ) -> Self {
        Self { model, path, status, problem }
    }

    fn line(&self) -> String {
        let what = match (&self.path, &self.model) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(model)) if self.status == Status::Missing => model.clone(),
            (None, model) => format!("{} (built in)", model.as_deref().unwrap_or_default()),
        };
        let status = match self.status {
            Status::Ok => "ok",
            Status::Damaged => "damaged",
            Status::Unreadable => "unreadable",
            Status::Missing => "missing",
            Status::Unknown => "unknown",
            Status::Unfinished => "unfinished",
        };
        let problem = self.problem.as_ref().map(|p| format!(": {p}")).unwrap_or_default();
        format!("{status:<10}  {what}{problem}")
    }
}

fn target(text: &str) -> Result<Target, String> {
    if text.contains('/') {
        return Ok(Target::File(text.into()));
    }
    match voices::named(text) {
        Some(voice) => Ok(Target::Voice(voice)),
        None => known(text).map(Target::Model),
    }
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
