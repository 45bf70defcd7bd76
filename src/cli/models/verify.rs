//! `hark models verify`: reads every model that is here, and the one that is built in.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use super::{Context, built_in, known, places, print};
use crate::models::installed::{self, Condition};
use crate::models::manifest::{self, Model};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only these: names of models, or files with a `/` in their paths [default: all].
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
    File(PathBuf),
}

/// Says what was found out about one file.
#[derive(Serialize)]
struct FileReport {
    /// The model it is by its name.
    model: Option<&'static str>,
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
    /// Not in the manifest.
    Unknown,
    /// A download that broke off.
    Unfinished,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut targets = Vec::new();
    if arguments.names.is_empty() {
        let built_in = manifest::models().iter().filter(|model| built_in(model).is_some());
        targets.extend(built_in.map(Target::Model));
        targets.extend(all_files(context)?.into_iter().map(Target::File));
    }
    for named in arguments.names {
        let Target::Model(model) = named else {
            targets.push(named);
            continue;
        };
        let mut files = all_files(context)?;
        files.retain(|file| is_of(file, model));
        if built_in(model).is_some() || files.is_empty() {
            targets.push(named);
        }
        targets.extend(files.into_iter().map(Target::File));
    }
    let mut reports = Vec::new();
    for target in targets {
        let report = match target {
            Target::Model(model) => check_built_in(model),
            Target::File(file) => check_file(file),
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

/// Lists every model file and part of one in the folders that models are looked for in, once.
fn all_files(context: &Context) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut seen) = (Vec::new(), HashSet::new());
    for folder in places(context) {
        for ending in [".bin", ".bin.part"] {
            let unreadable = || format!("reading {}", folder.display());
            for file in installed::files(&folder, ending).with_context(unreadable)? {
                if seen.insert(file.canonicalize().with_context(unreadable)?) {
                    files.push(file);
                }
            }
        }
    }
    Ok(files)
}

fn check_built_in(model: &'static Model) -> FileReport {
    if let Some(bytes) = built_in(model) {
        return compared(model, None, installed::check_bytes(bytes, model));
    }
    let problem = format!("it is not here: hark models pull {}", model.name);
    FileReport::new(Some(model), None, Status::Missing, Some(problem))
}

fn check_file(file: PathBuf) -> FileReport {
    let name = name(&file);
    if let Some(model) = name.strip_suffix(".part").and_then(by_file) {
        let problem = format!("incomplete; `hark models pull {}` continues it", model.name);
        return FileReport::new(Some(model), Some(file), Status::Unfinished, Some(problem));
    }
    let Some(model) = by_file(&name) else {
        let problem = "hark knows no model of this file name".to_owned();
        return FileReport::new(None, Some(file), Status::Unknown, Some(problem));
    };
    match installed::check(&file, Some(model.bytes), &model.sha256) {
        Ok(condition) => compared(model, Some(file), condition),
        Err(error) => {
            FileReport::new(Some(model), Some(file), Status::Unreadable, Some(error.to_string()))
        }
    }
}

fn compared(model: &'static Model, file: Option<PathBuf>, condition: Condition) -> FileReport {
    let differs = match condition {
        Condition::Good => return FileReport::new(Some(model), file, Status::Ok, None),
        Condition::Size { bytes } => format!("{bytes} bytes instead of {}", model.bytes),
        Condition::Checksum { sha256 } => format!("sha256 {sha256} instead of {}", model.sha256),
    };
    let problem = match &file {
        Some(_) if model.from.is_some() => {
            format!("{differs}; `hark models pull {}` replaces it", model.name)
        }
        Some(_) => format!("{differs}; remove it"),
        None => format!("{differs}; this program is damaged, install it again"),
    };
    FileReport::new(Some(model), file, Status::Damaged, Some(problem))
}

impl FileReport {
    fn new(
        model: Option<&'static Model>,
        path: Option<PathBuf>,
        status: Status,
        problem: Option<String>,
    ) -> Self {
        Self { model: model.map(|model| &*model.name), path, status, problem }
    }

    fn line(&self) -> String {
        let what = match (&self.path, self.model) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(model)) if self.status == Status::Missing => model.to_owned(),
            (None, model) => format!("{} (built in)", model.unwrap_or_default()),
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
    if text.contains('/') { Ok(Target::File(text.into())) } else { known(text).map(Target::Model) }
}

fn is_of(file: &Path, model: &Model) -> bool {
    let name = name(file);
    name.strip_suffix(".part").unwrap_or(&name) == model.file
}

fn by_file(name: &str) -> Option<&'static Model> {
    manifest::models().iter().find(|model| model.file == name)
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
