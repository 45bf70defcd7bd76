//! Works off what has come: each lane in its order, lanes beside each other.
//!
//! Invariant: what fails for now is tried again until it is done, with longer and longer waits, and holds up
//! its own lane alone; what is refused for good is given up after a while, and said so. Killing it at any
//! moment loses nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Bridge;
use super::error::BridgeError;
use super::state::{BridgeItem, ItemLeaves};
use crate::remote::waits::jittered;

/// First wait before something is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Times that something is tried which is refused: about a minute and a half, in which a limit of
/// messages a minute passes.
const TRIES: u32 = 9;
/// Time between two looks, should a notice be missed.
const LOOK: Duration = Duration::from_secs(5);

/// Says what became of an item.
pub(super) enum ItemProgress {
    /// It is done and gone.
    Done,
    /// It waits for something: look again after this time.
    Later(Duration),
}

/// Knows how long an item has been first in its lane.
pub(super) struct Since {
    pub(super) first: Instant,
    /// Since when the end of its turn is known.
    pub(super) ended: Option<Instant>,
    /// Times that it was refused.
    pub(super) refused: u32,
}

impl Since {
    fn now() -> Self {
        Self { first: Instant::now(), ended: None, refused: 0 }
    }
}

/// Works for ever.
pub(super) async fn work(bridge: Arc<Bridge>) {
    let mut lanes: JoinSet<String> = JoinSet::new();
    let mut busy: HashSet<String> = HashSet::new();
    loop {
        match bridge.state.lanes().await {
            Ok(waiting) => {
                for lane in waiting {
                    if busy.insert(lane.clone()) {
                        lanes.spawn(work_off(Arc::clone(&bridge), lane));
                    }
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "nothing can be done");
            }
        }
        tokio::select! {
            () = bridge.came.notified() => {}
            Some(ended) = lanes.join_next() => match ended {
                Ok(lane) => _ = busy.remove(&lane),
                // The panic is in the log: its lane, whatever it was, waits for the next start.
                Err(_panicked) => {}
            },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Works one lane off until nothing waits in it; returns its name.
async fn work_off(bridge: Arc<Bridge>, lane: String) -> String {
    let mut since = Since::now();
    let (mut wait, mut first) = (FIRST_WAIT, None);
    loop {
        let head = bridge.state.head(&lane).await;
        let result = match head {
            Ok(None) => return lane,
            Ok(Some(item)) => {
                if first.replace(item.id) != Some(item.id) {
                    (since, wait) = (Since::now(), FIRST_WAIT);
                }
                let place = bridge.places.acquire().await.expect("nobody closes it");
                let result = bridge.do_item(&item, &mut since).await;
                drop(place);
                match result {
                    Err(error) => settle(&bridge, &item, error, &mut since).await,
                    result => result,
                }
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(ItemProgress::Done) => {}
            Ok(ItemProgress::Later(wait)) => tokio::time::sleep(wait).await,
            Err(error) => {
                let asked = match &error {
                    BridgeError::Away { after, .. } => *after,
                    _ => None,
                };
                let pause = asked.unwrap_or(wait).max(wait);
                // The lane names a conversation by its number, which says nothing of a person.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    lane,
                    retry.after_s = pause.as_secs_f64(),
                    "something was not done"
                );
                tokio::time::sleep(jittered(pause)).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Gives up what was refused too often.
async fn settle(
    bridge: &Bridge,
    item: &BridgeItem,
    error: BridgeError,
    since: &mut Since,
) -> Result<ItemProgress, BridgeError> {
    if error.refusal().is_none() {
        return Err(error);
    }
    since.refused += 1;
    if since.refused < TRIES {
        return Err(error);
    }
    tracing::error!(
        error = &error as &dyn std::error::Error,
        item.kind,
        "given up: it does not reach the other side"
    );
    bridge.state.done(vec![item.id], ItemLeaves::Nothing).await?;
    Ok(ItemProgress::Done)
}

impl Bridge {
    /// Does what an item says.
    async fn do_item(
        &self,
        item: &BridgeItem,
        since: &mut Since,
    ) -> Result<ItemProgress, BridgeError> {
        match item.kind.as_str() {
            "message" => self.answer(item, since).await,
            "resolved" => self.resolved(item).await,
            _ => self.told(item, since).await,
        }
    }
}
