//! The desk's clock: conversations that are over, tickets that nobody works on, events that are old.
//!
//! What people do at the desk is asked of the store's `Desk`; this does what nobody asks for.

mod retention;

use std::sync::Arc;
use std::time::Duration;

pub use self::retention::{RetentionKeeper, RetentionTimes};
use crate::clock::Clock;
use crate::queue::Wake;
use crate::store::{Desk, EventLog, StoreError};

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(15);
/// Events that are deleted in one transaction, so that no webhook waits for long.
const EVENTS_AT_ONCE: usize = 500;

/// Says how long things last.
#[derive(Clone, Copy, Debug)]
pub struct DeskTimes {
    /// A conversation is over after so long without a word.
    pub conversation: Duration,
    /// A ticket is closed after so long without a word.
    pub ticket: Duration,
    /// An event is kept for so long.
    pub events: Duration,
    /// A note that was not played after so long is followed by its words, if that is wanted.
    pub follow_up: Option<Duration>,
}

/// Looks after the desk.
pub struct DeskKeeper {
    desk: Arc<dyn Desk>,
    events: Arc<dyn EventLog>,
    times: DeskTimes,
    clock: Clock,
    wake: Wake,
}

impl DeskKeeper {
    /// Makes the keeper of a store.
    pub fn new(
        desk: Arc<dyn Desk>,
        events: Arc<dyn EventLog>,
        times: DeskTimes,
        clock: Clock,
        wake: Wake,
    ) -> Self {
        Self { desk, events, times, clock, wake }
    }

    /// Looks at once, and then again and again, for ever.
    pub async fn run(&self) {
        // Notes up to this time were looked at; those of before the start, too.
        let mut followed_ms = i64::MIN;
        loop {
            let looked = async {
                self.look().await?;
                self.follow_up(&mut followed_ms).await
            };
            if let Err(error) = looked.await {
                error.log("the desk could not be looked after");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Lets the words of notes follow that were not played in time.
    async fn follow_up(&self, followed_ms: &mut i64) -> Result<(), StoreError> {
        let Some(after) = self.times.follow_up else { return Ok(()) };
        let now_ms = self.clock.now_ms();
        let until_ms = now_ms - crate::clock::as_ms(after);
        let notes = self.desk.follow_up(*followed_ms, until_ms, now_ms).await?;
        if notes > 0 {
            tracing::info!(notes, "notes were not played: their words follow");
            self.wake.wake();
        }
        *followed_ms = until_ms;
        Ok(())
    }

    /// Looks once.
    async fn look(&self) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let before = |time: Duration| now_ms - crate::clock::as_ms(time);
        let idle = self.desk.close_idle(before(self.times.ticket), now_ms).await?;
        if idle > 0 {
            tracing::info!(tickets = idle, "nobody wrote for a while: the agent answers again");
        }
        self.desk.assign_waiting(now_ms).await?;
        self.desk.close_conversations(before(self.times.conversation), now_ms).await?;
        let old_ms = before(self.times.events);
        while self.events.drop_events(old_ms, EVENTS_AT_ONCE).await? == EVENTS_AT_ONCE {}
        Ok(())
    }
}
