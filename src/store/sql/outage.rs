//! Says once that nothing can be written, and once that it can be again.

/// Counts the groups of calls that failed one after the other.
#[derive(Default)]
pub(in crate::store) struct Outage {
    failed: u64,
}

impl Outage {
    /// Notes how a group of calls ended.
    pub(in crate::store) fn note(&mut self, error: Option<&str>) {
        match error {
            Some(error) => {
                if self.failed == 0 {
                    tracing::error!(
                        error,
                        "the store cannot be written: webhooks are answered 503, and Meta sends them again"
                    );
                }
                self.failed += 1;
            }
            None if self.failed > 0 => {
                tracing::info!(failed = self.failed, "the store can be written again");
                self.failed = 0;
            }
            None => {}
        }
    }
}
