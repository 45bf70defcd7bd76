//! `hark store`: moves the store to another database, and saves it while a service runs.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{Context, office, print};
use crate::blobs::BlobPlace;
use crate::config::{Config, ConfigError};
use crate::store::vault::KeySource;
use crate::store::{
    CopyError, CopyReport, CopyStep, StoreAddress, StoreError, TableCheck, backup_store, copy_store,
};

/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(2);
/// Values that are named, of those that were not kept as they are.
const NAMED: usize = 20;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(clap::Subcommand)]
enum StoreCommand {
    /// Copy the whole store into an empty database and compare the two. hark must be stopped. What was
    /// stopped in the middle goes on when it is started again.
    Copy(CopyArguments),
    /// Save the store into a file of SQLite's, while hark runs on it.
    Backup(BackupArguments),
}

#[derive(clap::Args)]
struct CopyArguments {
    /// Where to: `postgres://user@host:5432/database`, or a path.
    #[arg(long, value_name = "URL")]
    to: String,
    /// File with the password of URL, if it is not in it; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct BackupArguments {
    /// The file to write.
    file: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        StoreCommand::Copy(arguments) => copy(&context.config, &arguments),
        StoreCommand::Backup(arguments) => backup(&context.config, &arguments),
    }
}

fn copy(config: &Config, arguments: &CopyArguments) -> anyhow::Result<ExitCode> {
    let from = config.store.address();
    let password = arguments.password_file.as_deref().map(office::secret).transpose()?;
    let target = config.store.elsewhere(&arguments.to, password);
    let wrong = |problem| ConfigError { origin: "--to".to_owned(), key: "URL".to_owned(), problem };
    if let Some(problem) = target.odd() {
        return Err(wrong(problem).into());
    }
    let to = target.address();
    refuse_absent(&from)?;
    let mut shown = CopyProgress::start();
    let copied = copy_store(&from, &to, &mut |step| shown.show(step));
    shown.end();
    let report = copied.map_err(said)?;
    let files = beside(config, &from, &to);
    if arguments.json {
        let mut object = serde_json::to_value(&report)?;
        object["same"] = json!(report.is_same());
        object["rows"] = json!(report.rows());
        object["beside"] = json!(files);
        print::json(&object)?;
    } else {
        print_report(&report, &files)?;
    }
    Ok(if report.is_same() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn backup(config: &Config, arguments: &BackupArguments) -> anyhow::Result<ExitCode> {
    let from = config.store.address();
    refuse_absent(&from)?;
    let mut shown = CopyProgress::start();
    let saved = backup_store(&from, &arguments.file, arguments.force, &mut |step| shown.show(step));
    shown.end();
    let report = saved.map_err(said)?;
    let key = key_beside(config, &from);
    if arguments.json {
        let mut object = serde_json::to_value(&report)?;
        object["key"] = json!(key);
        return print::json(&object).map(|()| ExitCode::SUCCESS);
    }
    print::line(&format!(
        "saved {} as {}: {} rows in {} tables, {} bytes, checked, in {:.1} s",
        report.from, report.file, report.rows, report.tables, report.bytes, report.seconds
    ))?;
    if let Some(key) = key {
        print::line(&format!("its secrets are encrypted; keep their key with it: {key}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse_absent(from: &StoreAddress) -> anyhow::Result<()> {
    if !from.may_exist() {
        anyhow::bail!("there is no store at {from} yet ([store] url); `hark serve` creates it");
    }
    Ok(())
}

/// Says what was refused and what to do.
fn said(error: CopyError) -> anyhow::Error {
    match error {
        CopyError::Store(error @ StoreError::InUse { .. }) => {
            anyhow::anyhow!("{error}: stop it first, a store that changes cannot be copied")
        }
        other => other.into(),
    }
}

fn print_report(report: &CopyReport, files: &[String]) -> anyhow::Result<()> {
    let CopyReport { from, to, seconds, check_seconds, rows_before, .. } = report;
    print::line(&format!("{:<16}  {:>10}  {:<16}  copy", "table", "rows", "sha256"))?;
    for check in &report.tables {
        print::line(&words(check))?;
    }
    let before = match rows_before {
        0 => String::new(),
        rows => format!(", {rows} of them in an earlier run"),
    };
    print::line(&format!(
        "{} rows of {} tables{before}, from {from} to {to} in {seconds:.1} s, of which {check_seconds:.1} s \
         to read them back",
        report.rows(),
        report.tables.len()
    ))?;
    for value in report.rewritten.iter().take(NAMED) {
        print::line(&format!(
            "{} {}: {} has a NUL, which PostgreSQL cannot keep: it is U+FFFD there",
            value.table, value.key, value.column
        ))?;
    }
    if report.rewritten.len() > NAMED {
        print::line(&format!("and {} more such values", report.rewritten.len() - NAMED))?;
    }
    if !report.is_same() {
        return print::line(
            "the copy is NOT the same: hark does not start on it; run the command again, which begins anew",
        );
    }
    print::line("the copy is the same: set [store] url to it, and start hark")?;
    files.iter().try_for_each(|file| print::line(file))
}

/// Writes what became of a table; of a sum that is right, its first digits.
fn words(check: &TableCheck) -> String {
    let TableCheck { table, rows, checksum, rows_there, checksum_there } = check;
    if check.is_same() {
        return format!("{table:<16}  {rows:>10}  {}  same", &checksum[..16]);
    }
    format!("{table:<16}  {rows:>10}  {checksum}  DIFFERS: {rows_there} rows, {checksum_there}")
}

/// Says what has to go with a store: it lies beside it, in files.
fn beside(config: &Config, from: &StoreAddress, to: &StoreAddress) -> Vec<String> {
    let mut files = Vec::new();
    if let Some(key) = key_beside(config, from) {
        let new = key_file(to);
        let stays = new == Path::new(&key);
        let copy = if stays {
            "it stays there".to_owned()
        } else {
            format!("copy it to {}", new.display())
        };
        files.push(format!(
            "the key of its secrets is {key}: {copy}, or set HARK_SECRET_KEY to what is in it on every node"
        ));
    }
    let folder = |at: &StoreAddress| match config.blobs.place(at.beside()) {
        Ok(BlobPlace::Folder(folder)) => Some(folder),
        _ => None,
    };
    if let (Some(old), Some(new)) = (folder(from), folder(to))
        && old != new
        && old.exists()
    {
        files.push(format!(
            "the sound of its turns is in {}: move the folder to {}, or name one that every node reaches \
             in [blobs] url",
            old.display(),
            new.display()
        ));
    }
    files
}

/// Returns the file of the key that a store's secrets are encrypted with, if it has one.
fn key_beside(config: &Config, at: &StoreAddress) -> Option<String> {
    let file = key_file(at);
    (config.store.secret_key.is_none() && file.exists()).then(|| file.display().to_string())
}

fn key_file(at: &StoreAddress) -> PathBuf {
    match KeySource::beside(at.beside()) {
        KeySource::File(file) => file,
        KeySource::Given(_) => unreachable!("a file is beside a store"),
    }
}

/// Shows how far a copy is, on stderr: a bar for people, a line now and then for logs.
struct CopyProgress {
    bar: ProgressBar,
    lines: bool,
    said: Option<(String, Instant)>,
}

impl CopyProgress {
    fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{msg:16}  {bar:32} {human_pos}/{human_len} rows  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
        Self { bar, lines: !std::io::stderr().is_terminal(), said: None }
    }

    fn show(&mut self, step: CopyStep<'_>) {
        match step {
            CopyStep::GoesOn { rows } => self.line(&format!(
                "going on with a copy that was begun: {rows} rows are there already"
            )),
            CopyStep::Anew => {
                self.line("the store has changed since a copy was begun: it begins anew");
            }
            CopyStep::Copies { table, done, of } => {
                self.bar.set_length(of);
                self.bar.set_position(done);
                self.bar.set_message(table.to_owned());
                let since = self.said.as_ref().filter(|(said, _)| said == table);
                if self.lines && since.is_none_or(|(_, at)| at.elapsed() > LINE) {
                    self.said = Some((table.to_owned(), Instant::now()));
                    eprintln!("{table}: {done} of {of} rows");
                }
            }
            CopyStep::Checks { table } => self.bar.set_message(format!("check {table}")),
        }
    }

    /// Prints a line above the bar, or alone if there is no bar.
    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}
