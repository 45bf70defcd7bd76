//! `hark completions`: what a shell needs to complete hark's commands and flags.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments as Hark, print};

const WHERE: &str = "For instance:
  hark completions bash > /usr/share/bash-completion/completions/hark
  hark completions zsh > \"${fpath[1]}/_hark\"
  hark completions fish > ~/.config/fish/completions/hark.fish";

#[derive(clap::Args)]
#[command(after_help = WHERE)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Hark::command(), "hark", &mut script);
    print::bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
