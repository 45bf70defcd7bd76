//! The Cloud API over HTTP: the [`Messenger`](crate::provider::Messenger) of a real number, and of
//! the simulator's.
//!
//! Meta sells it itself and through resellers. What they share is here; everything in which they
//! differ is in [`CloudAccess`]. Invariant: an error never holds the token, an address or a text.

mod access;
pub mod checkup;
mod client;
mod errors;
mod hosts;
mod info;
mod media;
mod message;
mod rich;
mod token;

pub use access::CloudAccess;
pub use client::{CloudClient, CloudSettings};
pub use errors::retry_of;
pub use info::{Answered, NumberInfo};
