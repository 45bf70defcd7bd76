//! Decides which request meets which fault.
//!
//! Invariant: a decision is a function of the seed, the kind of fault, what the request is about and
//! how often that was asked before. Requests side by side may come in any order and change nothing.
//! What a request is about never holds an id, which differs from run to run: the third message of a
//! person is `15550001111/3`, part 0 of its answer `15550001111/3/0`.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{FaultKind, FaultPlan, KINDS};

/// Requests and messages whose past is remembered.
const REMEMBERED: usize = 100_000;

/// Holds the plan, and what was decided so far.
pub(in crate::simulator) struct FaultDice {
    pub(super) plan: FaultPlan,
    seed: u64,
    past: Mutex<Past>,
    done: [AtomicU64; KINDS.len()],
}

#[derive(Default)]
struct Past {
    /// How often each was asked: kind and what it is about.
    asked: Recent<u64>,
    /// Messages of each person.
    said: Recent<u64>,
    /// What each message of a person is called here.
    names: Recent<String>,
}

impl FaultDice {
    pub(in crate::simulator) fn new(plan: FaultPlan, seed: u64) -> Self {
        let done = std::array::from_fn(|_| AtomicU64::new(0));
        Self { plan, seed, past: Mutex::default(), done }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides whether this fault comes now, and counts it. Each call is one more that was asked.
    pub(in crate::simulator) fn hits(&self, kind: FaultKind, about: &str) -> bool {
        if self.plan.rate(kind) <= 0.0 {
            return false;
        }
        let nth = {
            let mut past = self.past();
            let asked = past.asked.entry(&format!("{}:{about}", kind as usize));
            *asked += 1;
            *asked
        };
        self.decide(kind, about, nth)
    }

    /// Decides as [`Self::hits`], the same each time.
    pub(in crate::simulator) fn hits_always(&self, kind: FaultKind, about: &str) -> bool {
        self.decide(kind, about, 0)
    }

    fn decide(&self, kind: FaultKind, about: &str, nth: u64) -> bool {
        // 53 bits: as many as a double has.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let chance = (self.number(kind, about, nth) >> 11) as f64 / (1_u64 << 53) as f64;
        let hit = chance < self.plan.rate(kind);
        if hit {
            self.done[kind as usize].fetch_add(1, Ordering::Relaxed);
            tracing::debug!(fault = kind.key(), "the simulator does what was asked for");
        }
        hit
    }

    /// Makes a number of the seed and what is asked.
    pub(super) fn number(&self, kind: FaultKind, about: &str, nth: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(kind.key());
        hash.update([0]);
        hash.update(about);
        hash.update([0]);
        hash.update(nth.to_le_bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        u64::from_le_bytes(*bytes.first_chunk().expect("it is longer"))
    }

    /// Names a message of a person by how many they sent before; the same id has the same name.
    pub(in crate::simulator) fn name(&self, contact: &str, id: &str) -> String {
        let mut past = self.past();
        if let Some(name) = past.names.of(id) {
            return name.clone();
        }
        let said = past.said.entry(contact);
        *said += 1;
        let name = format!("{contact}/{said}");
        past.names.entry(id).clone_from(&name);
        name
    }

    /// Returns the name of a message of a person, if it is known.
    pub(in crate::simulator) fn name_of(&self, id: &str) -> Option<String> {
        self.past().names.of(id).cloned()
    }

    /// Describes the seed, and of each kind how often it comes and came.
    pub(in crate::simulator) fn report(&self) -> Value {
        let kinds = KINDS.iter().map(|(kind, ..)| {
            let done = self.done[*kind as usize].load(Ordering::Relaxed);
            (kind.key(), json!({ "rate": self.plan.rate(*kind), "done": done }))
        });
        let kinds: serde_json::Map<String, Value> = kinds.collect();
        json!({ "seed": self.seed, "faults": kinds })
    }
}

/// Remembers a value for each of the last keys.
struct Recent<V> {
    values: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V: Default> Recent<V> {
    fn of(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    /// Returns the value of a key, a new one if there was none.
    fn entry(&mut self, key: &str) -> &mut V {
        if !self.values.contains_key(key) {
            while self.order.len() >= REMEMBERED {
                let oldest = self.order.pop_front();
                oldest.and_then(|oldest| self.values.remove(&oldest));
            }
            self.order.push_back(key.to_owned());
        }
        self.values.entry(key.to_owned()).or_default()
    }
}
