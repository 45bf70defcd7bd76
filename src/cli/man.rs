//! `hark man`: the manual, a page a command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use super::{Arguments as Hark, print};
use crate::telemetry;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Write every page into this folder, e.g. `/usr/local/share/man/man1`, and print their paths
    /// [default: hark(1) to stdout, for `hark man | man -l -`].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut hark = Hark::command().disable_help_subcommand(true);
    hark.build();
    let Some(dir) = &arguments.dir else {
        let mut page = Vec::new();
        page_of(hark).render(&mut page)?;
        print::bytes(&page)?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    for command in with_all_below(hark) {
        let written = page_of(command).generate_to(dir);
        print::line(&written.with_context(|| dir.display().to_string())?.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the page of a command, of the day and the version of this program.
fn page_of(command: clap::Command) -> Man {
    let day = telemetry::COMMIT.split([' ', ',']).find(|word| word.matches('-').count() == 2);
    Man::new(command).date(day.unwrap_or_default()).source(format!("hark {}", telemetry::VERSION))
}

/// Returns a command and all below it that people type.
fn with_all_below(command: clap::Command) -> Vec<clap::Command> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let below: Vec<_> = shown.flat_map(with_all_below).collect();
    std::iter::once(command).chain(below).collect()
}
