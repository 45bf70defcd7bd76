//! Events and commands on streams of a Redis or Valkey server.
//!
//! Invariant: the store is the truth. An event's id is its id in the stream, so that it is there once,
//! and what is deleted here is deleted there; a command is taken off its stream when its outcome is
//! known. While the server is away nothing is lost, and everything goes on by itself when it is back.

mod intake;
mod outlet;

use std::time::Duration;

pub use intake::{CommandDesk, CommandIntake, CommandOutcome};
pub use outlet::EventOutlet;

use crate::remote::redis::{RedisServer, RedisTrouble};
use crate::remote::waits::jittered;

/// Wait before a server that was away is asked again, the first time; then it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Names a server's streams.
#[derive(Clone, Debug)]
pub struct RedisStreams {
    /// The server.
    pub server: RedisServer,
    /// Where events go.
    pub events: String,
    /// About how many of them stay there.
    pub events_kept: u32,
    /// Where commands come from.
    pub commands: String,
    /// The node's name.
    pub node: String,
}

/// Counts how long the server has been away, and says so once.
struct Away {
    what: &'static str,
    wait: Duration,
    told: Option<String>,
}

impl Away {
    fn new(what: &'static str) -> Self {
        Self { what, wait: FIRST_WAIT, told: None }
    }

    /// Notes that it works.
    fn back(&mut self) {
        if self.told.take().is_some() {
            tracing::info!(stream = self.what, "the stream goes on");
        }
        self.wait = FIRST_WAIT;
    }

    /// Notes that it does not, and waits.
    async fn wait(&mut self, trouble: RedisTrouble) {
        let RedisTrouble(trouble) = trouble;
        if self.told.as_ref() != Some(&trouble) {
            tracing::warn!(stream = self.what, error = trouble, "a stream stands still");
            self.told = Some(trouble);
        }
        tokio::time::sleep(jittered(self.wait)).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }
}
