//! Faults that the simulator may have: which there are, how often each comes, and the file of both.
//!
//! [`FaultPlan`] is read from TOML, `dice` decides, the other files act. Invariant: without a
//! plan nothing of this runs, and the simulator is as reliable as it was.

mod calls;
mod dice;
mod people;
mod statuses;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use toml::{Table, Value};

pub(super) use self::calls::hang_up;
pub(super) use self::dice::FaultDice;
pub(super) use self::people::{HELD, WebhookBatch};

/// Names one kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A webhook of a person is posted twice.
    Duplicate,
    /// A message comes once more after it was taken, with a time that is days old.
    LateDuplicate,
    /// A webhook is held back while later ones go past it.
    Reorder,
    /// A message comes in one webhook with many others.
    Batch,
    /// A file comes slowly.
    SlowMedia,
    /// The connection breaks off in the middle of a file.
    CutMedia,
    /// A file is damaged, however often it is fetched.
    BrokenMedia,
    /// A file's address has expired before its time.
    ExpiredMedia,
    /// A look-up, an upload or a read mark is answered 503.
    CallError,
    /// A look-up, an upload or a read mark is not answered.
    CallHangUp,
    /// A message is taken, and its answer comes late.
    SlowSend,
    /// A message is not taken and answered 503.
    ErrorBefore,
    /// A message is taken and answered 502, by a page that says nothing.
    ErrorAfter,
    /// A message is neither taken nor answered.
    HangUpBefore,
    /// A message is taken and not answered.
    HangUpAfter,
    /// A message is refused: too many of the number.
    RateLimit,
    /// A message is refused: too many to this person.
    PairLimit,
    /// A message is refused: the token is not valid.
    TokenRefused,
    /// A voice note is taken and fails afterwards.
    MediaRefused,
    /// A status is never posted.
    StatusLost,
    /// A status is posted late.
    StatusLate,
    /// The statuses of a message are posted last first.
    StatusReversed,
    /// A status is posted twice.
    StatusDuplicate,
}

use FaultKind as Kind;

/// Every kind with its section and key, in the order of their discriminants.
const KINDS: [(Kind, &str, &str); 23] = [
    (Kind::Duplicate, "webhooks", "duplicate"),
    (Kind::LateDuplicate, "webhooks", "late_duplicate"),
    (Kind::Reorder, "webhooks", "reorder"),
    (Kind::Batch, "webhooks", "batch"),
    (Kind::SlowMedia, "media", "slow"),
    (Kind::CutMedia, "media", "cut"),
    (Kind::BrokenMedia, "media", "broken"),
    (Kind::ExpiredMedia, "media", "expired"),
    (Kind::CallError, "calls", "error"),
    (Kind::CallHangUp, "calls", "hang_up"),
    (Kind::SlowSend, "sends", "slow"),
    (Kind::ErrorBefore, "sends", "error_before"),
    (Kind::ErrorAfter, "sends", "error_after"),
    (Kind::HangUpBefore, "sends", "hang_up_before"),
    (Kind::HangUpAfter, "sends", "hang_up_after"),
    (Kind::RateLimit, "sends", "rate_limit"),
    (Kind::PairLimit, "sends", "pair_limit"),
    (Kind::TokenRefused, "sends", "token_refused"),
    (Kind::MediaRefused, "sends", "media_refused"),
    (Kind::StatusLost, "statuses", "lost"),
    (Kind::StatusLate, "statuses", "late"),
    (Kind::StatusReversed, "statuses", "reversed"),
    (Kind::StatusDuplicate, "statuses", "duplicate"),
];

/// Sizes and times that go with them: section, key, default and most.
const AMOUNTS: [(&str, &str, u64, u64); 5] = [
    ("webhooks", "hold_ms", 400, 600_000),
    ("webhooks", "batch_size", 1_000, 1_000),
    ("media", "slow_ms", 2_000, 600_000),
    ("sends", "slow_ms", 500, 600_000),
    ("statuses", "late_ms", 12_000, 600_000),
];

impl FaultKind {
    /// Returns its key in the file, with the section.
    #[must_use]
    pub fn key(self) -> String {
        let (_, section, key) = KINDS[self as usize];
        format!("{section}.{key}")
    }
}

/// Says how often each kind of fault comes.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultPlan {
    rates: [f64; KINDS.len()],
    amounts: [u64; AMOUNTS.len()],
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self { rates: [0.0; KINDS.len()], amounts: AMOUNTS.map(|(_, _, default, _)| default) }
    }
}

impl FaultPlan {
    /// Reads the text of a file; what it does not name never happens.
    ///
    /// # Errors
    /// Every key that is wrong, each with what is wrong and what would be right.
    pub fn read(text: &str) -> Result<Self, Vec<(String, String)>> {
        let table: Table = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or(text).split('\n').count();
            vec![(format!("line {line}"), format!("is not TOML: {}", error.message()))]
        })?;
        let (mut plan, mut problems) = (Self::default(), Vec::new());
        for (section, keys) in &table {
            let Value::Table(keys) = keys else {
                let said = "is in no section: write it under one, e.g. [sends]";
                problems.push((section.clone(), said.to_owned()));
                continue;
            };
            if !KINDS.iter().any(|(_, its, _)| its == section) {
                let said = "is no section: there are webhooks, media, calls, sends and statuses";
                problems.push((section.clone(), said.to_owned()));
                continue;
            }
            for (key, value) in keys {
                if let Err(said) = plan.set(section, key, value) {
                    problems.push((format!("{section}.{key}"), said));
                }
            }
        }
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }

    fn set(&mut self, section: &str, key: &str, value: &Value) -> Result<(), String> {
        let is_it = |its_section: &str, its_key: &str| its_section == section && its_key == key;
        if let Some(place) = KINDS.iter().position(|(_, section, key)| is_it(section, key)) {
            #[expect(clippy::cast_precision_loss, reason = "only 0 and 1 are rates")]
            let rate = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            let rate = rate.filter(|rate| (0.0..=1.0).contains(rate));
            self.rates[place] = rate
                .ok_or_else(|| format!("is {value}: a rate is a number from 0 to 1, e.g. 0.05"))?;
            return Ok(());
        }
        let place = AMOUNTS.iter().position(|(section, key, ..)| is_it(section, key));
        let Some(place) = place else {
            return Err(format!("is no key: [{section}] has {}", keys_of(section)));
        };
        let most = AMOUNTS[place].3;
        let amount = value.as_integer().and_then(|amount| u64::try_from(amount).ok());
        let amount = amount.filter(|amount| (1..=most).contains(amount));
        self.amounts[place] =
            amount.ok_or_else(|| format!("is {value}: it is a whole number from 1 to {most}"))?;
        Ok(())
    }

    /// Sets how often a kind comes.
    ///
    /// # Panics
    /// If the rate is not from 0 to 1.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, rate: f64) -> Self {
        assert!((0.0..=1.0).contains(&rate), "{rate} is no rate");
        self.rates[kind as usize] = rate;
        self
    }

    /// Returns how often a kind comes, 0 to 1.
    #[must_use]
    pub fn rate(&self, kind: FaultKind) -> f64 {
        self.rates[kind as usize]
    }

    fn amount(&self, section: &str, key: &str) -> u64 {
        let place = AMOUNTS.iter().position(|(its, name, ..)| (*its, *name) == (section, key));
        self.amounts[place.expect("the callers name what is listed")]
    }

    fn wait(&self, section: &str, key: &str) -> std::time::Duration {
        std::time::Duration::from_millis(self.amount(section, key))
    }
}

/// Lists what a section may have.
fn keys_of(section: &str) -> String {
    let kinds = KINDS.iter().map(|(_, its, key)| (*its, *key));
    let amounts = AMOUNTS.iter().map(|(its, key, ..)| (*its, *key));
    let mut keys = String::new();
    for (_, key) in kinds.chain(amounts).filter(|(its, _)| *its == section) {
        let comma = if keys.is_empty() { "" } else { ", " };
        write!(keys, "{comma}{key}").expect("a string takes everything");
    }
    keys
}
