//! The one test binary: the real service against the shipped simulator, one file a feature.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod harness;
#[path = "../noises/mod.rs"]
mod noises;
#[path = "../openai/mod.rs"]
mod openai;
mod program;

mod agents;
mod api;
mod asking;
mod bench;
mod blobs;
mod bursts;
mod cases;
mod channels;
mod chaos;
#[cfg(feature = "model-micro")]
mod chatwoot;
mod cli;
mod config;
mod config_page;
mod conformance;
mod context;
mod corpus;
mod costly;
mod crash;
mod customers;
mod delivery;
mod deploy;
mod desk;
mod dialog360;
mod disclosure;
mod docs;
mod doctor;
mod evals;
mod fallback;
mod faults;
mod foreign_graph;
mod front;
mod full_disk;
mod fuzz;
#[cfg(feature = "model-micro")]
mod hearing;
mod heartbeat;
mod hostile;
mod in_doubt;
mod init;
mod knowledge;
mod lanes;
mod layers;
mod listening;
mod log_flood;
mod logs;
mod looking_back;
mod lost;
mod memory;
mod mending;
mod messengers;
mod models;
mod money;
mod named;
mod nodes;
mod numbers;
#[cfg(feature = "stt-whisper")]
mod odd_secrets;
mod people;
mod privacy;
mod queue_command;
mod reload;
mod rich;
mod said_again;
mod sending;
mod shape;
mod shells;
#[cfg(feature = "model-micro")]
mod siege;
mod source;
mod speaking;
mod stores;
mod storing;
mod supervised;
mod thinking;
mod tools;
mod voice;
mod voices;
mod webhook;
#[cfg(feature = "stt-whisper")]
mod wordless;
