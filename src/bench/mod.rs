//! Measures turns from outside: plays voice notes against a service, and says how long they took.
//!
//! Sits beside the service, in a process of its own; `cli/bench` joins the two. What is measured is
//! a [`BenchReport`], which is kept as JSON, compared with an older one and shown as a page.

mod compare;
mod knee;
mod load;
pub mod machine;
mod measure;
mod page;
mod process;
mod recording;
mod report;
#[cfg(test)]
mod sample;
mod spread;
mod table;

pub use compare::{CompareError, ComparedTime, ComparedWords, Comparison, Judgement};
pub use knee::knee;
pub use load::{Assignment, Crowd, SeenNote};
pub use measure::{Measured, TurnRecords, measure};
pub use page::page;
pub use process::{CpuTime, Process};
pub use recording::Recording;
pub use report::{
    BenchReport, BenchStep, BenchTurn, Cpu, MachineState, MemoryUse, SCHEMA, WordCount, Workload,
};
pub use spread::{Spread, Summary};
pub use table::table;
