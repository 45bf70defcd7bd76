//! People who write and speak, and whose messages come however they come, until they are taken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use hark::clock::Clock;
use hark::simulator::{PersonMessage, Simulator};
use hark::turn::{MessageId, TurnId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::{NUMBER, update};

/// A message that was answered 200.
#[derive(Clone, Debug)]
pub(super) struct PersonAsked {
    pub(super) person: usize,
    pub(super) id: String,
    /// The turn that answers it.
    pub(super) turn: TurnId,
    /// Before it was first posted, and after it was answered 200, Unix milliseconds.
    pub(super) posted_ms: i64,
    pub(super) taken_ms: i64,
}

/// What was said so far; its clones are the same.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<Vec<PersonAsked>>>);

impl Crowd {
    pub(super) fn asked(&self) -> Vec<PersonAsked> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until the next message is answered 200; `false` if none is in this time.
    pub(super) async fn is_answered(&self, patience: Duration) -> bool {
        let before = self.0.lock().unwrap().len();
        let next = async {
            while self.0.lock().unwrap().len() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(patience, next).await.is_ok()
    }

    /// Lets so many people write until `stop`, each about once in `pace`.
    pub(super) fn write(
        &self,
        simulator: &Simulator,
        people: usize,
        pace: Duration,
        seed: u64,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for person in 0..people {
            let random = Rng::with_seed(seed + person as u64);
            let (crowd, simulator, stop) = (self.clone(), simulator.clone(), stop.clone());
            tasks.spawn(async move { crowd.person(person, pace, &simulator, random, &stop).await });
        }
        tasks
    }

    async fn person(
        &self,
        person: usize,
        pace: Duration,
        simulator: &Simulator,
        mut random: Rng,
        stop: &CancellationToken,
    ) {
        for number in 0.. {
            let wait = tokio::time::sleep(pace.mul_f64(0.5 + random.f64()));
            if stop.run_until_cancelled(wait).await.is_none() {
                return;
            }
            // Now and then two at once, which may come in any order.
            if number % 5 == 4 {
                let [first, second] = ["", "b"].map(|letter| format!("{number}{letter}"));
                tokio::join!(
                    self.say(person, &first, simulator),
                    self.say(person, &second, simulator)
                );
            } else {
                self.say(person, &number.to_string(), simulator).await;
            }
        }
    }

    /// Says one thing until it is taken, as Meta does.
    async fn say(&self, person: usize, number: &str, simulator: &Simulator) {
        let id = format!("wamid.chaos.{person}.{number}");
        let message = if number.ends_with(['1', '3', '6']) {
            update::voice_note("en_hours.ogg")
        } else {
            update::text_of("", None, &format!("This is question {number}."))
        };
        let from = format!("1555888{person:04}");
        let message = PersonMessage { from, id: Some(id.as_str().into()), ..message };
        let posted_ms = Clock::System.now_ms();
        while simulator.deliver(message.clone()).await.1.is_err() {}
        let turn = TurnId::from_message(&NUMBER.into(), &MessageId::from(id.as_str()));
        let taken_ms = Clock::System.now_ms();
        self.0.lock().unwrap().push(PersonAsked { person, id, turn, posted_ms, taken_ms });
    }
}
