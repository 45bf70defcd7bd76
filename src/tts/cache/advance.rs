//! Makes fixed sentences in advance, one after the other and only while nobody waits for a voice.
//!
//! Low in everything: a sentence that somebody waits for stops the one that is being made, and the
//! loop rests as long as it worked. What it does not get to is kept when it is first said.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use futures_util::stream::TryStreamExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::entry::SoundKey;
use super::{SpokenCache, Voiced};
use crate::tts::{Sentence, Sound, TtsError};

/// Most sentences that are known as fixed at a time; far more than any agent has.
const MOST_FIXED: usize = 100_000;
/// Silence after which it is believed that nobody waits.
const CALM: Duration = Duration::from_millis(200);
/// Shortest rest between two sentences.
const REST: Duration = Duration::from_millis(20);

/// Holds a sentence to be made.
pub(super) struct Planned {
    voiced: Weak<Voiced>,
    sentence: Sentence,
    pub(super) key: SoundKey,
}

/// Notes sentences as fixed, and plans those that are new.
pub(super) fn plan(voiced: &Arc<Voiced>, sentences: Vec<Sentence>) {
    let mut fixed = voiced.fixed.lock().unwrap_or_else(PoisonError::into_inner);
    let mut planned = voiced.cache.planned.lock().unwrap_or_else(PoisonError::into_inner);
    for sentence in sentences {
        let key = voiced.key(&sentence);
        if fixed.len() < MOST_FIXED && fixed.insert(key) {
            planned.push_back(Planned { voiced: Arc::downgrade(voiced), sentence, key });
        }
    }
    voiced.cache.more_planned.notify_one();
}

impl SpokenCache {
    /// Makes what is planned, now and later; never returns.
    pub async fn make_in_advance(&self) {
        loop {
            let next = self.planned.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(Planned { voiced, sentence, key }) = next else {
                self.more_planned.notified().await;
                continue;
            };
            let Some(voiced) = voiced.upgrade() else { continue };
            if !self.folder.has_room() {
                // What is said pushes out what is not; what is only planned must not.
                self.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
                continue;
            }
            if self.find(key).await.is_some() {
                continue;
            }
            let started = Instant::now();
            match self.make(&voiced, &sentence).await {
                Ok(sounds) => self.keep(key, sounds).await,
                Err(error) => self.give_up(&voiced, &error),
            }
            sleep(started.elapsed().max(REST)).await;
        }
    }

    /// Makes one sentence, from its beginning again whenever somebody comes who waits.
    async fn make(&self, voiced: &Voiced, sentence: &Sentence) -> Result<Vec<Sound>, TtsError> {
        loop {
            self.calm().await;
            let cancel = CancellationToken::new();
            let _stopped = cancel.clone().drop_guard();
            let mut awaited = self.awaited.subscribe();
            let making =
                async { voiced.engine.speak(sentence.clone(), &cancel).await.try_collect().await };
            tokio::select! {
                biased;
                _somebody = awaited.wait_for(|count| *count > 0) => {}
                made = making => return made,
            }
        }
    }

    /// Waits until nobody has waited for a voice for a while.
    async fn calm(&self) {
        let mut awaited = self.awaited.subscribe();
        while *awaited.borrow_and_update() > 0 {
            awaited.wait_for(|count| *count == 0).await.expect("the sender is ours");
            sleep(CALM).await;
        }
    }

    /// Leaves the sentences of an engine that fails to when they are said.
    fn give_up(&self, voiced: &Arc<Voiced>, error: &TtsError) {
        let engine = voiced.engine.name();
        tracing::warn!(engine, %error, "its fixed sentences are not made in advance");
        let of_it = Arc::downgrade(voiced);
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.retain(|planned| !planned.voiced.ptr_eq(&of_it));
    }
}
