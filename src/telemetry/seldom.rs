//! Lines that anybody outside can cause: told at once, and then at most once a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Time between two lines of one kind.
const MINUTE: Duration = Duration::from_mins(1);

/// Counts what happens by its kind, and has it logged.
#[derive(Default)]
pub struct Seldom {
    /// Those since the last line, for each kind that had a line within the last minute.
    since: Mutex<HashMap<&'static str, u64>>,
}

impl Seldom {
    /// Calls `line` with 1 for the first of a kind at once, and once a minute with how many followed.
    /// Needs a runtime.
    pub fn tell(self: &Arc<Self>, kind: &'static str, line: impl Fn(u64) + Send + Sync + 'static) {
        let mut since = self.since.lock().expect("no holder panics");
        if let Some(count) = since.get_mut(kind) {
            *count += 1;
            return;
        }
        since.insert(kind, 0);
        drop(since);
        line(1);
        let seldom = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(MINUTE).await;
                match seldom.take(kind) {
                    0 => return,
                    count => line(count),
                }
            }
        });
    }

    /// Returns how many there were since the last line; forgets the kind if there were none.
    fn take(&self, kind: &'static str) -> u64 {
        let mut since = self.since.lock().expect("no holder panics");
        let count = since.get_mut(kind).map(std::mem::take).unwrap_or_default();
        if count == 0 {
            since.remove(kind);
        }
        count
    }
}
