//! The integration tests: the real service against the shipped simulator, one file a feature.

mod harness;

mod crash;
mod delivery;
mod hostile;
mod lanes;
mod layers;
mod voice;
mod webhook;
