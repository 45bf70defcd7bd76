//! Says once that the place of the sound is away, and once that it is back.

use std::sync::{Mutex, PoisonError};

use super::BlobError;

/// Counts what could not be done one after the other.
#[derive(Default)]
pub(super) struct BlobOutage(Mutex<u64>);

impl BlobOutage {
    /// Notes how a call ended.
    pub(super) fn note(&self, place: &str, error: Option<&BlobError>) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => {
                if *failed == 0 {
                    tracing::error!(
                        place, error = %error, fix = error.fix(),
                        "sound cannot be kept or deleted; people are answered all the same"
                    );
                }
                *failed += 1;
            }
            None if *failed > 0 => {
                tracing::info!(place, failed = *failed, "sound can be kept again");
                *failed = 0;
            }
            None => {}
        }
    }
}
