//! The numbers and agents of the store: read, looked over, and joined to those of the file, so that every
//! other check looks at them too.
//!
//! Invariant: an entry of the store is named as one, `store: agents/desk`, whatever looks at it.

use std::collections::HashMap;

use super::report;
use crate::app::{LockedError, Stored};
use crate::config::{Config, ConfigErrors};
use crate::engine::Check;
use crate::store::StoreError;

/// Holds what a service would run on.
pub(super) struct Joined {
    /// The configuration with what the store has.
    pub(super) config: Config,
    /// Passages that each agent was given to know.
    pub(super) known: HashMap<String, usize>,
    pub(super) check: Check,
    /// Why the store could not be read.
    pub(super) trouble: Option<StoreError>,
    /// An entry is in both places: a service would not start.
    pub(super) refused: bool,
}

/// Looks at the store, if there is one; `problems` are those of the file.
pub(super) async fn join(config: &Config, problems: &ConfigErrors) -> Joined {
    let (config, check) = (config.clone(), Check::new("entries"));
    let mut joined = Joined { config, known: HashMap::new(), check, trouble: None, refused: false };
    if problems.concern("store") {
        return joined;
    }
    match Stored::look(&joined.config).await {
        Ok(Some(stored)) => joined.add(stored, problems),
        Ok(None) => {}
        Err(LockedError::Store(error)) => joined.trouble = Some(error),
        Err(LockedError::Key(error)) => joined.check.error(
            "HARK_SECRET_KEY",
            format!("the secrets of the store cannot be read: {error}"),
            "set it, or put the key's file back beside the store; without it enter the secrets anew",
        ),
        Err(LockedError::Damaged(place)) => joined.check.error(
            format!("store: {place}"),
            "cannot be decrypted with the key of the store",
            "set it anew: hark numbers, hark agents, or the API",
        ),
    }
    joined
}

impl Joined {
    fn add(&mut self, stored: Stored, problems: &ConfigErrors) {
        for entry in &stored.unreadable {
            self.check.error(format!("store: {}", entry.key), &entry.message, &entry.fix);
        }
        if let Err(twin) = self.config.refuse_twins(&stored.numbers, &stored.agents) {
            self.check.lines.push(crate::engine::CheckLine::Found(report::unreadable(&twin)));
            self.refused = true;
            return;
        }
        for (agent, files) in stored.sources {
            let passages = files.iter().map(|file| file.passages as usize).sum();
            self.known.insert(agent, passages);
        }
        let (numbers, agents) = (stored.numbers.len(), stored.agents.len());
        let mut config = self.config.with_stored(stored.numbers, stored.agents);
        let token = config.webhook.verify_token.take();
        config.webhook.verify_token = token.or(stored.verify_token);
        for index in 0..config.numbers.len() {
            if config.numbers[index].version.is_some() {
                let id = &config.numbers[index].phone_number_id.0;
                let fix = format!("change it: PUT /api/v1/numbers/{id}, or remove and add it anew");
                self.report(&config.number_problems(index), problems, &fix);
            }
        }
        for index in 0..config.agents.len() {
            if config.agents[index].version.is_some() {
                let name = &config.agents[index].name;
                let fix = format!("correct it: hark agents add {name} --file FILE");
                self.report(&config.agent_problems(index), problems, &fix);
            }
        }
        if numbers + agents > 0 {
            let store = config.store.address();
            self.check.well(format!("{store} has numbers: {numbers}, agents: {agents}"));
        }
        self.config = config;
    }

    /// Reports what is wrong with an entry; what is wrong with a section of the file has been said.
    fn report(&mut self, own: &ConfigErrors, problems: &ConfigErrors, fix: &str) {
        let is_said = |key: &str| problems.iter().any(|known| known.key == key);
        for error in own.iter().filter(|error| !is_said(&error.key)) {
            let of_entry = error.key.contains('/');
            let key = if of_entry { format!("store: {}", error.key) } else { error.key.clone() };
            self.check.error(key, &error.problem, fix);
        }
    }
}
