//! The one test binary: the real service against the shipped simulator, one file a feature.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod harness;
mod program;

mod cli;
mod config;
mod config_page;
mod corpus;
mod crash;
mod delivery;
mod docs;
mod foreign_graph;
#[cfg(feature = "model-micro")]
mod hearing;
mod hostile;
mod lanes;
mod layers;
mod logs;
mod voice;
mod webhook;
