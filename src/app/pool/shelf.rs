//! What the pool keeps: engines that some agent holds, and how those of lists do.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::clock::Clock;
use crate::engine::{
    Circuit, EngineFault, EngineRole, EngineSpec, Lineup, Member, Notice, OneEngine, Wrong,
};
use crate::telemetry;

/// Knows the engines of one role, and the lists of several; two that were made of the same are one.
/// An engine lives as long as an agent holds it. The lock is held while one is made and warmed, so
/// that no second one is.
pub(super) struct Shelf<T: ?Sized>(tokio::sync::Mutex<Vec<(Vec<EngineSpec>, Weak<T>)>>);

impl<T: ?Sized> Default for Shelf<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::default())
    }
}

impl<T: ?Sized> Shelf<T> {
    /// Returns the engine of `specs`, each with its own keys alone; `make` makes it if it is not
    /// there. What fails is not kept.
    pub(super) async fn get(
        &self,
        specs: Vec<EngineSpec>,
        make: impl AsyncFnOnce() -> Result<Arc<T>, Unmade<T>>,
    ) -> Result<Arc<T>, Unmade<T>> {
        let mut made = self.0.lock().await;
        made.retain(|(_, engine)| engine.strong_count() > 0);
        let known = made.iter().find(|(known, _)| *known == specs);
        if let Some(engine) = known.and_then(|(_, engine)| engine.upgrade()) {
            return Ok(engine);
        }
        let engine = make().await?;
        made.push((specs, Arc::downgrade(&engine)));
        Ok(engine)
    }
}

/// Says why there is no engine to hand out.
pub(super) enum Unmade<T: ?Sized> {
    /// It cannot be made: mostly a fault of the configuration.
    Refused(anyhow::Error),
    /// It was made and does not work now.
    Cold(Arc<T>, anyhow::Error),
}

impl<T: ?Sized> From<anyhow::Error> for Unmade<T> {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

impl<T: ?Sized> From<Wrong> for Unmade<T> {
    fn from(wrong: Wrong) -> Self {
        Self::Refused(wrong.into())
    }
}

impl<T: ?Sized> Unmade<T> {
    /// Returns the error of an engine that stands alone: then both are one.
    pub(super) fn into_error(self) -> anyhow::Error {
        match self {
            Self::Refused(error) | Self::Cold(_, error) => error,
        }
    }
}

/// Keeps the circuits of engines that stand in lists: an engine of several lists has one.
#[derive(Default)]
pub(super) struct Circuits(Mutex<Vec<(EngineSpec, Weak<Circuit>)>>);

impl Circuits {
    /// Returns the circuit of an engine with this name.
    pub(super) fn of<R: EngineRole>(
        &self,
        one: &OneEngine,
        name: &str,
        clock: &Clock,
    ) -> Arc<Circuit> {
        let spec = one.spec.own::<R>();
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        circuits.retain(|(_, circuit)| circuit.strong_count() > 0);
        let known = circuits.iter().find(|(known, _)| *known == spec);
        if let Some(circuit) = known.and_then(|(_, circuit)| circuit.upgrade()) {
            return circuit;
        }
        let notice: Notice = Arc::new(telemetry::engine_noticed);
        let circuit = Circuit::new(R::SECTION, one.label::<R>(name), clock.clone(), notice);
        circuits.push((spec, Arc::downgrade(&circuit)));
        circuit
    }
}

/// Gathers the engines of a list: one that does not work now has its place, and is left alone.
pub(super) struct Gathering<T: ?Sized> {
    members: Vec<Member<T>>,
    works: bool,
    /// Why the first that does not work does not.
    first: Option<anyhow::Error>,
}

impl<T: ?Sized> Gathering<T> {
    pub(super) fn new() -> Self {
        Self { members: Vec::new(), works: false, first: None }
    }

    /// Adds an engine; `circuit` makes its circuit.
    ///
    /// # Errors
    /// One that cannot be made.
    pub(super) fn add(
        &mut self,
        made: Result<Arc<T>, Unmade<T>>,
        circuit: impl FnOnce(&Arc<T>) -> Arc<Circuit>,
    ) -> anyhow::Result<()> {
        let (engine, cold) = match made {
            Ok(engine) => (engine, None),
            Err(Unmade::Cold(engine, error)) => (engine, Some(error)),
            Err(Unmade::Refused(error)) => return Err(error),
        };
        let circuit = circuit(&engine);
        match cold {
            None => self.works = true,
            Some(error) => {
                circuit.last_resort().failed(EngineFault::TO_MEND, &format_args!("{error:#}"));
                self.first.get_or_insert(error);
            }
        }
        self.members.push(Member { engine, circuit });
        Ok(())
    }

    /// Returns them in their order.
    ///
    /// # Errors
    /// If none of them works.
    pub(super) fn lineup(self) -> anyhow::Result<Lineup<T>> {
        match self.first {
            Some(error) if !self.works => Err(error),
            _ => Ok(Lineup::new(self.members)),
        }
    }
}
