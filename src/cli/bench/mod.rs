//! `hark bench`: the latency of turns, stage by stage, on this machine.

mod arguments;
mod output;
mod progress;
mod run;
mod serve;
pub(super) mod service;

use std::process::ExitCode;

pub(super) use self::arguments::Arguments;
use self::arguments::{BenchTarget, Sent};
use super::Context;

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { sent, plan, own, output, target } = arguments;
    match target {
        None => run::own(context, sent, plan, own, output).await,
        Some(BenchTarget::Serve(served)) => serve::served(sent, plan, served, output).await,
    }
}
