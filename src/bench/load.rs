//! Sends voice notes as people would, and waits for what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Recording, Workload};
use crate::simulator::{ConversationMessage, PersonMessage, Simulator};
use crate::turn::MessageId;

/// People who send voice notes to one number; its clones are the same.
#[derive(Clone)]
pub struct Crowd {
    whatsapp: Simulator,
    recordings: Arc<[Recording]>,
    /// An answer that takes longer has failed.
    patience: Duration,
    stop: CancellationToken,
}

/// Says what is sent in one step.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// How.
    pub workload: Workload,
    /// How many notes.
    pub turns: usize,
    /// Part of everybody's phone number, so that nobody of another step is met again.
    pub step: usize,
}

/// Holds what was seen of one voice note.
#[derive(Clone, Debug)]
pub struct SeenNote {
    /// Its id.
    pub message: MessageId,
    /// Its place among the recordings.
    pub recording: usize,
    /// Who sent it.
    pub contact: String,
    /// When it was due, since the step began.
    pub due_ms: f64,
    /// Until the webhook was answered.
    pub webhook_ms: Option<f64>,
    /// Until the answer was taken.
    pub answer_ms: Option<f64>,
    /// Why it does not count as answered.
    pub error: Option<String>,
    /// Whether the service could not be reached at all.
    pub unreachable: bool,
}

impl Crowd {
    /// Makes people who speak these recordings, one after the other, until `stop`. There is at least
    /// one.
    #[must_use]
    pub fn new(
        whatsapp: Simulator,
        recordings: Vec<Recording>,
        patience: Duration,
        stop: CancellationToken,
    ) -> Self {
        assert!(!recordings.is_empty(), "nobody has anything to say");
        Self { whatsapp, recordings: recordings.into(), patience, stop }
    }

    /// Returns what was sent, by its place.
    #[must_use]
    pub fn recording(&self, place: usize) -> &Recording {
        &self.recordings[place]
    }

    /// Sends so many notes at once as one person who waits for no answer; returns when they are
    /// taken.
    ///
    /// # Errors
    /// Says why one was not taken.
    pub async fn flood(&self, notes: usize) -> Result<(), String> {
        for note in 0..notes {
            let recording = &self.recordings[note % self.recordings.len()];
            let message = PersonMessage::new("15559999999999", recording.says());
            let (_, delivered) = self.whatsapp.deliver(message).await;
            delivered.map_err(|given_up| given_up.to_string())?;
        }
        Ok(())
    }

    /// Sends what is assigned; what is seen comes as it is seen, and ends with the last answer, at a
    /// stop, or with the first note that the service does not take.
    pub fn begin(&self, assignment: Assignment) -> mpsc::Receiver<SeenNote> {
        let (seen, coming) = mpsc::channel(assignment.turns.max(1));
        let began = Instant::now();
        match assignment.workload {
            Workload::Concurrency(people) => {
                let next = Arc::new(AtomicUsize::new(0));
                for person in 0..people {
                    let (crowd, next, seen) = (self.clone(), Arc::clone(&next), seen.clone());
                    tokio::spawn(async move {
                        crowd.one_after_the_other(assignment, began, person, &next, &seen).await;
                    });
                }
            }
            Workload::Rate(rate) => {
                let crowd = self.clone();
                tokio::spawn(async move { crowd.at_a_rate(assignment, began, rate, &seen).await });
            }
        }
        coming
    }

    /// Sends as one person who waits for each answer.
    async fn one_after_the_other(
        &self,
        Assignment { turns, step, .. }: Assignment,
        began: Instant,
        person: usize,
        next: &AtomicUsize,
        seen: &mpsc::Sender<SeenNote>,
    ) {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= turns || self.stop.is_cancelled() {
                return;
            }
            let sending = self.send(turn, contact(step, person), began, Instant::now());
            let Some(one) = self.stop.run_until_cancelled(sending).await else { return };
            let unreachable = one.unreachable;
            if seen.send(one).await.is_err() || unreachable {
                return;
            }
        }
    }

    /// Sends each note when it is due, from somebody new.
    async fn at_a_rate(
        &self,
        Assignment { turns, step, .. }: Assignment,
        began: Instant,
        rate: f64,
        seen: &mpsc::Sender<SeenNote>,
    ) {
        let pause = Duration::from_secs_f64(1.0 / rate);
        let mut due = began;
        for turn in 0..turns {
            let wait = tokio::time::sleep_until(due);
            if self.stop.run_until_cancelled(wait).await.is_none() || seen.is_closed() {
                return;
            }
            let (crowd, seen) = (self.clone(), seen.clone());
            tokio::spawn(async move {
                let sending = crowd.send(turn, contact(step, turn), began, due);
                if let Some(one) = crowd.stop.run_until_cancelled(sending).await {
                    // Nobody wants it any more once the service is gone.
                    let _unwanted = seen.send(one).await;
                }
            });
            due += pause;
        }
    }

    async fn send(&self, turn: usize, contact: String, began: Instant, due: Instant) -> SeenNote {
        let place = turn % self.recordings.len();
        let recording = &self.recordings[place];
        let ms = |from: Instant| from.elapsed().as_secs_f64() * 1000.0;
        let due_ms = (due - began).as_secs_f64() * 1000.0;
        let message = PersonMessage::new(&contact, recording.says());
        let (message, delivered) = self.whatsapp.deliver(message).await;
        let webhook_ms = delivered.ok().map(|_| ms(due));
        let seen = SeenNote {
            message,
            recording: place,
            contact,
            due_ms,
            webhook_ms,
            answer_ms: None,
            error: None,
            unreachable: false,
        };
        if let Err(given_up) = delivered {
            return SeenNote { error: Some(given_up.to_string()), unreachable: true, ..seen };
        }
        let answer = self.whatsapp.wait_for_reply(&seen.message, self.patience).await;
        let answer_ms = answer.is_some().then(|| ms(due));
        SeenNote { answer_ms, error: wrong(answer.as_ref(), self.patience), ..seen }
    }
}

/// Says why an answer is none; `None` of a voice note.
fn wrong(answer: Option<&ConversationMessage>, patience: Duration) -> Option<String> {
    let Some(answer) = answer else {
        return Some(format!("no answer in {} s", patience.as_secs()));
    };
    let voice = answer.media.as_ref().is_some_and(|media| media.voice);
    (!voice).then(|| format!("answered by {} in place of a voice note", answer.kind))
}

/// Returns the phone number of somebody: one that nobody can have.
fn contact(step: usize, person: usize) -> String {
    format!("1555{step:03}{person:06}")
}
