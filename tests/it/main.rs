//! The integration tests: the real service against the shipped simulator, one file a feature.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod harness;

mod crash;
mod delivery;
mod hostile;
mod lanes;
mod layers;
mod voice;
mod webhook;
