//! Measures turns from outside: plays voice notes against a service, and says how long they took.
//!
//! Sits beside the service, in a process of its own; `cli/bench` joins the two. What is measured is
//! a [`BenchReport`], which is kept as JSON, compared with an older one and shown as a page.

mod report;
mod spread;

pub use report::{
    BenchReport, BenchTurn, Cpu, MachineState, MemoryUse, SCHEMA, Step, Words, Workload,
};
pub use spread::{Spread, Summary};
