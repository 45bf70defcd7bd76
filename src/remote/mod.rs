//! Calls to other people's servers: what the provider, the agent, the voices and the models share.
//!
//! Part of the ground floor: it knows HTTP and no server in particular. Invariant: a key, an
//! address or a person's words that a server repeats do not get past [`words`].

mod client;
pub mod failure;
pub mod fields;
pub mod greeting;
mod names;
pub mod patience;
pub mod redis;
mod server_error;
pub mod waits;
pub mod words;

pub use client::{
    SILENCE, download_client, endpoint_of, http_client, is_web_address, model_client,
};
