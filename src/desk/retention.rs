//! Lets go of what is old: words, people who are silent, what was done.
//!
//! A little at a time, so that no webhook waits for it.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, as_ms};
use crate::store::{People, Retention, StoreError};

/// Time between two looks.
const LOOK: Duration = Duration::from_mins(10);
/// Turns and messages, or people, that go in one transaction.
const WORDS_AT_ONCE: usize = 200;
const PEOPLE_AT_ONCE: usize = 20;

/// Says how long things are kept; `None`: for ever.
#[derive(Clone, Copy, Debug)]
pub struct RetentionTimes {
    /// What was said.
    pub words: Option<Duration>,
    /// Somebody who does not write any more.
    pub contacts: Option<Duration>,
    /// What operators and tokens did.
    pub audit: Duration,
}

/// Lets go of what is old.
pub struct RetentionKeeper {
    /// What is old.
    pub old: Arc<dyn Retention>,
    /// Who is forgotten.
    pub people: Arc<dyn People>,
    /// How long things are kept.
    pub times: RetentionTimes,
    /// The time.
    pub clock: Clock,
}

impl RetentionKeeper {
    /// Looks at once, and then again and again, for ever.
    pub async fn run(&self) {
        // Up to here all words are gone.
        let mut gone_ms = 0;
        loop {
            if let Err(error) = self.look(&mut gone_ms).await {
                error.log("what is old could not be let go");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look(&self, gone_ms: &mut i64) -> Result<(), StoreError> {
        let before = |time: Duration| self.clock.now_ms() - as_ms(time);
        if let Some(time) = self.times.words {
            let until_ms = before(time);
            while let Some(next_ms) =
                self.old.forget_words(*gone_ms, until_ms, WORDS_AT_ONCE).await?
            {
                *gone_ms = next_ms;
            }
            // Turns that had not ended then are looked at once more.
            *gone_ms = (*gone_ms).max(until_ms - as_ms(LOOK * 12));
        }
        if let Some(time) = self.times.contacts {
            let mut people = 0;
            loop {
                let silent = self.old.silent_contacts(before(time), PEOPLE_AT_ONCE).await?;
                for &contact in &silent {
                    self.people.forget(contact).await?;
                }
                people += silent.len();
                if silent.len() < PEOPLE_AT_ONCE {
                    break;
                }
            }
            if people > 0 {
                tracing::info!(people, "people who did not write for long are forgotten");
            }
        }
        self.old.drop_deeds(before(self.times.audit)).await
    }
}
