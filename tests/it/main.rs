//! The one test binary: the real service against the shipped simulator, one file a feature.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod harness;
mod program;

mod cli;
mod config;
mod corpus;
mod crash;
mod delivery;
mod foreign_graph;
#[cfg(feature = "model-micro")]
mod hearing;
mod hostile;
mod lanes;
mod layers;
mod mutation;
mod voice;
mod webhook;
