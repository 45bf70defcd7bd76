//! Several engines of one role, in the order they are asked.
//!
//! Knows nothing of sound or words. Invariants: an engine whose breaker is open is passed over
//! without a wait; where nothing else is left it is asked all the same, since a person waits; what
//! is logged is a change, not each failure after it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::breaker::{Breaker, EngineFault};
use crate::clock::Clock;

/// Says what a circuit noticed; `engine` is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// The engine got its place in a list.
    Listed,
    /// A call failed, and the next engine got it.
    Failed,
    /// The engine is left alone for a while.
    Opened,
    /// The engine works again.
    Closed,
}

/// Hears of what circuits notice: the role, the engine's name, and what it was.
pub type Notice = Arc<dyn Fn(&'static str, &str, Noticed) + Send + Sync>;

/// Keeps how one engine does, for all who ask it.
pub struct Circuit {
    role: &'static str,
    /// The engine's name in logs, metrics and records.
    pub name: String,
    clock: Clock,
    breaker: Mutex<Breaker>,
    notice: Notice,
}

impl Circuit {
    /// Makes the circuit of an engine of which nothing bad is known; `role` is its section.
    pub fn new(role: &'static str, name: String, clock: Clock, notice: Notice) -> Arc<Self> {
        notice(role, &name, Noticed::Listed);
        Arc::new(Self { role, name, clock, breaker: Mutex::default(), notice })
    }

    /// Returns whether calls go to the engine.
    pub fn is_closed(&self) -> bool {
        self.breaker().is_closed()
    }

    /// Starts a call, if the engine is not left alone.
    pub fn call(self: &Arc<Self>) -> Option<EngineCall> {
        let admitted = self.breaker().admits(self.clock.now_ms());
        admitted.then(|| self.last_resort())
    }

    /// Starts a call whatever is known of the engine.
    pub fn last_resort(self: &Arc<Self>) -> EngineCall {
        EngineCall { circuit: Some(Arc::clone(self)) }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Circuit {
    /// Nobody asks the engine any more: nothing is left to mend.
    fn drop(&mut self) {
        if !self.is_closed() {
            (self.notice)(self.role, &self.name, Noticed::Closed);
        }
    }
}

/// Follows one call to an engine; dropped without a word, it tells nothing of the engine.
#[must_use]
pub struct EngineCall {
    circuit: Option<Arc<Circuit>>,
}

impl EngineCall {
    /// Notes that the engine did what it was asked.
    pub fn succeeded(mut self) {
        let Some(circuit) = self.circuit.take() else { return };
        let closed = circuit.breaker().succeeded();
        if closed {
            (circuit.notice)(circuit.role, &circuit.name, Noticed::Closed);
            tracing::info!(role = circuit.role, engine = circuit.name, "an engine works again");
        }
    }

    /// Notes that the engine failed, and why.
    pub fn failed(mut self, fault: EngineFault, error: &dyn fmt::Display) {
        let Some(circuit) = self.circuit.take() else { return };
        let (was_closed, opened) = {
            let mut breaker = circuit.breaker();
            (breaker.is_closed(), breaker.failed(fault, circuit.clock.now_ms()))
        };
        let (role, engine) = (circuit.role, circuit.name.as_str());
        (circuit.notice)(role, engine, Noticed::Failed);
        let Some(pause) = opened else {
            tracing::debug!(role, engine, error = %error, "an engine of several failed");
            return;
        };
        let pause_s = pause.as_secs();
        if was_closed {
            (circuit.notice)(role, engine, Noticed::Opened);
            tracing::warn!(
                role, engine, error = %error, pause_s,
                "an engine fails: what comes after it takes its place until it works again"
            );
        } else {
            tracing::debug!(role, engine, error = %error, pause_s, "an engine fails still");
        }
    }
}

impl Drop for EngineCall {
    fn drop(&mut self) {
        if let Some(circuit) = self.circuit.take() {
            circuit.breaker().abandoned(circuit.clock.now_ms());
        }
    }
}

/// Holds one engine of several.
pub struct Member<T: ?Sized> {
    /// The engine.
    pub engine: Arc<T>,
    /// How it does.
    pub circuit: Arc<Circuit>,
}

/// Holds engines in the order they are asked; at least one.
pub struct Lineup<T: ?Sized> {
    members: Vec<Member<T>>,
    /// The names of all, in order.
    pub name: String,
}

impl<T: ?Sized> Lineup<T> {
    /// Puts engines in order.
    pub fn new(members: Vec<Member<T>>) -> Self {
        let names: Vec<&str> = members.iter().map(|member| member.circuit.name.as_str()).collect();
        let name = names.join(", ");
        Self { members, name }
    }

    /// Returns all of them.
    pub fn members(&self) -> &[Member<T>] {
        &self.members
    }

    /// Returns the engine that is asked next, as far as is known.
    pub fn first(&self) -> &T {
        let closed = self.members.iter().find(|member| member.circuit.is_closed());
        &closed.unwrap_or(&self.members[0]).engine
    }

    /// Starts the calls that one request may take, each when it is asked for: to every engine that
    /// is not left alone, then to those that are.
    pub fn calls(&self) -> Calls<'_, T> {
        Calls { waiting: self.members.iter(), passed_over: VecDeque::new() }
    }
}

/// Yields the calls of one request.
pub struct Calls<'a, T: ?Sized> {
    waiting: std::slice::Iter<'a, Member<T>>,
    passed_over: VecDeque<&'a Member<T>>,
}

impl<'a, T: ?Sized> Iterator for Calls<'a, T> {
    type Item = (&'a Member<T>, EngineCall);

    fn next(&mut self) -> Option<Self::Item> {
        for member in self.waiting.by_ref() {
            match member.circuit.call() {
                Some(call) => return Some((member, call)),
                None => self.passed_over.push_back(member),
            }
        }
        let member = self.passed_over.pop_front()?;
        Some((member, member.circuit.last_resort()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Kept = Arc<Mutex<Vec<(String, Noticed)>>>;

    /// Two engines, a clock, and what was noticed.
    fn lineup() -> (Lineup<str>, Clock, Kept) {
        let (clock, noticed) = (Clock::manual(0), Kept::default());
        let kept = Arc::clone(&noticed);
        let notice: Notice = Arc::new(move |_, name: &str, what| {
            kept.lock().unwrap().push((name.to_owned(), what));
        });
        let member = |name: &str| Member {
            engine: Arc::from(name),
            circuit: Circuit::new("tts", name.to_owned(), clock.clone(), Arc::clone(&notice)),
        };
        (Lineup::new(vec![member("a"), member("b")]), clock.clone(), noticed)
    }

    fn fail_first(lineup: &Lineup<str>) {
        let (_, call) = lineup.calls().next().unwrap();
        call.failed(EngineFault::IN_VAIN, &"it hung");
    }

    /// The engines that a request is tried with which always fails, and tells nothing.
    fn order(lineup: &Lineup<str>) -> Vec<&str> {
        lineup.calls().map(|(member, _call)| &*member.engine).collect()
    }

    #[test]
    fn what_is_left_alone_is_asked_last() {
        let (lineup, clock, noticed) = lineup();
        assert_eq!(
            (order(&lineup), lineup.first(), lineup.name.as_str()),
            (vec!["a", "b"], "a", "a, b")
        );
        fail_first(&lineup);
        assert_eq!((order(&lineup), lineup.first()), (vec!["b", "a"], "b"));
        fail_first(&lineup);
        assert_eq!((order(&lineup), lineup.first()), (vec!["a", "b"], "a"), "a person waits");
        clock.advance(5_000);
        let (trial, call) = lineup.calls().next().unwrap();
        assert_eq!(&*trial.engine, "a");
        assert_eq!(order(&lineup), ["b", "a"], "one trial at a time");
        call.succeeded();
        assert_eq!(order(&lineup), ["a", "b"]);
        let of_a: Vec<Noticed> =
            noticed.lock().unwrap().iter().filter(|(name, _)| name == "a").map(|n| n.1).collect();
        assert_eq!(of_a, [Noticed::Listed, Noticed::Failed, Noticed::Opened, Noticed::Closed]);
    }

    #[test]
    fn a_trial_that_nobody_waits_for_is_made_up_for() {
        let (lineup, clock, _) = lineup();
        fail_first(&lineup);
        clock.advance(5_000);
        drop(lineup.calls().next());
        assert_eq!(order(&lineup), ["a", "b"]);
    }
}
