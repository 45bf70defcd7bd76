//! Gathers what one person sends in a short time into one turn, and hears it meanwhile.
//!
//! A turn waits for more until its person has been silent for the window; download, decoding and
//! transcription of what is there run inside it. What joins the turn is its own in the store, so that a
//! process that dies loses none of it.

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesOrdered, StreamExt as _};

use super::error::{Cause, TurnError};
use super::hear::Heard;
use super::turn::Turn;
use crate::registry::InterruptPolicy;
use crate::store::{Burst, LeasedMessage, StoreError};

/// How often an answer is begun anew because its person has sent more; then they get it, and the rest
/// is the next turn's: who never stops is answered too.
const MOST_ANEW: u32 = 3;

/// Holds the messages of a turn, oldest first, and what was heard in them.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) messages: Vec<LeasedMessage>,
    heard: Vec<Result<Heard, TurnError>>,
    /// How often the answer was begun anew.
    anew: u32,
}

impl Gathered {
    /// Joins what was heard.
    pub(super) fn join(&mut self) -> Result<Heard, TurnError> {
        let heard = Heard::join(std::mem::take(&mut self.heard))?;
        self.heard.push(Ok(heard.clone()));
        Ok(heard)
    }

    /// Begins the answer anew if `error` says that more came.
    pub(super) fn begins_anew(&mut self, error: &TurnError) -> bool {
        let more = matches!(error.cause, Cause::Store(StoreError::MoreCame));
        self.anew += u32::from(more);
        more
    }
}

impl Turn<'_> {
    /// Hears the messages of the turn, and those that come before its person falls silent.
    pub(super) async fn gather(&self, gathered: &mut Gathered) -> Result<(), TurnError> {
        let (record, clock) = (&self.pipeline.record, &self.pipeline.clock);
        let mut hearing = FuturesOrdered::new();
        if gathered.messages.is_empty() {
            gathered.messages.clone_from(&self.lease.messages);
            hearing.extend(self.lease.messages.iter().cloned().map(|one| self.hear_one(one)));
        }
        let all = self.route.agent.interrupt != InterruptPolicy::Followup;
        let mut burst = Burst::of(&gathered.messages, self.pipeline.burst_ms, all);
        while burst.window_ms > 0 || all {
            // Before the look: what comes during it is looked for again.
            let now_ms = clock.now_ms();
            if record.more_waits(self.lease).await? {
                let more = record.gather(self.lease, burst, clock.now_ms()).await?;
                for message in &more {
                    burst.takes(message);
                    self.marks.add(&message.id);
                    hearing.push_back(self.hear_one(message.clone()));
                }
                gathered.messages.extend(more);
            }
            let left_ms = burst.ends_ms() - now_ms;
            let Some(left_ms) = u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0) else {
                break;
            };
            let idle = hearing.is_empty().then(Instant::now);
            tokio::select! {
                Some(heard) = hearing.next() => gathered.heard.push(heard),
                () = self.news.wait(Duration::from_millis(left_ms)) => {}
            }
            if let Some(since) = idle {
                self.scene.trace.waited(since.elapsed());
            }
        }
        while let Some(heard) = hearing.next().await {
            gathered.heard.push(heard);
        }
        let joined = gathered.messages.len() - self.lease.messages.len();
        if joined > 0 {
            tracing::info!(messages = gathered.messages.len(), "messages are answered together");
        }
        Ok(())
    }

    async fn hear_one(&self, message: LeasedMessage) -> Result<Heard, TurnError> {
        self.hear(&message).await
    }

    /// Returns whether the answer gives way to what its person sends before it is sent.
    pub(super) fn gives_way(&self, gathered: &Gathered) -> bool {
        self.route.agent.interrupt == InterruptPolicy::Interrupt && gathered.anew < MOST_ANEW
    }

    /// Ends when its person has sent more and the answer gives way to it.
    pub(super) async fn interrupted(&self, gathered: &Gathered) -> TurnError {
        if !self.gives_way(gathered) {
            return std::future::pending().await;
        }
        loop {
            self.news.wait(Duration::MAX).await;
            match self.pipeline.record.more_waits(self.lease).await {
                Ok(false) => {}
                Ok(true) => return StoreError::MoreCame.into(),
                Err(error) => return error.into(),
            }
        }
    }
}
