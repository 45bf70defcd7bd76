//! How many turns run at a time, and of which numbers.
//!
//! A number may use every place while others need none. One whose engines hang then holds them all,
//! so every number has a share that it gets even so, from as many places again.

use std::collections::HashMap;

use crate::turn::PhoneNumberId;

/// A number may begin this part of all places though none is free.
const SHARE: usize = 8;

/// Holds the number of places.
pub(super) struct TurnPlaces(pub(super) usize);

/// Says what may be leased next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// This many turns,
    pub(super) limit: usize,
    /// of any number but these.
    pub(super) without: Vec<PhoneNumberId>,
}

impl TurnPlaces {
    /// Decides it from the number of each turn that runs.
    pub(super) fn allow<'a>(&self, running: impl Iterator<Item = &'a PhoneNumberId>) -> Allowed {
        let Self(places) = *self;
        let mut held: HashMap<&PhoneNumberId, usize> = HashMap::new();
        for number in running {
            *held.entry(number).or_default() += 1;
        }
        let all: usize = held.values().sum();
        let (limit, share) = match places.saturating_sub(all) {
            0 if all < 2 * places => (1, (places / SHARE).max(1)),
            free => (free, usize::MAX),
        };
        let sated = held.into_iter().filter(|(_, turns)| *turns >= share);
        Allowed { limit, without: sated.map(|(number, _)| number.clone()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(running: &[(&str, usize)]) -> Allowed {
        let numbers: Vec<PhoneNumberId> = running
            .iter()
            .flat_map(|(number, turns)| std::iter::repeat_n((*number).into(), *turns))
            .collect();
        let mut allowed = TurnPlaces(64).allow(numbers.iter());
        allowed.without.sort_by(|a, b| a.0.cmp(&b.0));
        allowed
    }

    fn allowed(limit: usize, without: &[&str]) -> Allowed {
        Allowed { limit, without: without.iter().map(|number| (*number).into()).collect() }
    }

    #[test]
    fn a_lone_number_may_use_every_place() {
        assert_eq!(allow(&[]), allowed(64, &[]));
        assert_eq!(allow(&[("a", 63)]), allowed(1, &[]));
        assert_eq!(allow(&[("a", 64)]), allowed(1, &["a"]));
    }

    #[test]
    fn a_number_below_its_share_begins_though_none_is_free() {
        assert_eq!(allow(&[("a", 64), ("b", 7)]), allowed(1, &["a"]));
        assert_eq!(allow(&[("a", 64), ("b", 8)]), allowed(1, &["a", "b"]));
        let (hanging, many) = ([("a", 64)], ["b", "c", "d", "e", "f", "g", "h", "i"]);
        let all: Vec<_> = hanging.into_iter().chain(many.map(|number| (number, 8))).collect();
        assert_eq!(allow(&all), allowed(0, &[]));
        let few = TurnPlaces(1).allow([PhoneNumberId::from("a")].iter());
        assert_eq!(few, allowed(1, &["a"]));
    }
}
