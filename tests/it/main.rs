//! The one test binary: one file a feature.

mod cli;
mod config;
mod corpus;
mod foreign_graph;
mod program;
