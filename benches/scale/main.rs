//! What many messages cost, on one node and on several: `make scale`, which docs/SCALE.md explains.
//!
//! The program as processes of its own, on SQLite or on a PostgreSQL and a Redis that the run starts
//! from Debian's packages, before a Graph that takes everything at once.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

mod ack;
mod drain;
mod graph;
mod load;
mod nodes;
#[path = "../../tests/it/harness/postgres.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "of the tests, which use more of it")]
mod postgres;
#[path = "../../tests/it/harness/redis.rs"]
#[expect(clippy::unwrap_used, reason = "of the tests")]
mod redis;
mod service;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures what many messages cost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// What cargo says to every bench.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum What {
    /// How long a signed webhook takes to be durable and answered, at a constant rate.
    Ack(ack::Settings),
    /// Answers what waits; the memory meanwhile, and the order of each lane.
    Drain(drain::Settings),
    /// What three nodes answer in the time of one, on the same cores.
    Nodes(nodes::Settings),
}

/// Where the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    Sqlite,
    Postgres,
}

/// The stores that are measured: one that is named, or both.
fn stores(named: Option<StoreKind>) -> Vec<StoreKind> {
    named.map_or_else(|| vec![StoreKind::Sqlite, StoreKind::Postgres], |one| vec![one])
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, {}", hark::bench::machine::processor());
    match arguments.what {
        What::Ack(settings) => ack::run(&settings).await,
        What::Drain(settings) => drain::run(&settings).await,
        What::Nodes(settings) => nodes::run(&settings).await,
    }
}
