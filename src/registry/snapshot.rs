//! One state of everything that may change while the service runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Agent, Disclosure, Gate, Number, Phrases};
use crate::turn::PhoneNumberId;

/// Holds the numbers and the agents as they are at one time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The numbers we answer for.
    pub numbers: Numbers,
    /// The agents; no name twice.
    pub agents: Vec<Agent>,
    /// Who answers numbers that name no agent.
    pub default_agent: String,
    /// The rules of agents without rules of their own.
    pub gate: Gate,
    /// The sentences that are ours and not an agent's.
    pub phrases: Arc<Phrases>,
    /// When people are told that a machine speaks.
    pub disclosure: Disclosure,
    /// The token of the webhook's handshake; without one every handshake is refused.
    pub verify_token: Option<SecretString>,
    /// After this time a turn ends in the fallback text.
    pub turn_limit: Duration,
}

impl Snapshot {
    /// Returns the agent of this name, else the default one; `None` if there is no such agent.
    pub fn agent(&self, name: Option<&str>) -> Option<&Agent> {
        let name = name.unwrap_or(&self.default_agent);
        self.agents.iter().find(|agent| agent.name == name)
    }
}

/// Holds numbers by their ids, with the distinct app secrets that sign for them.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    by_id: BTreeMap<PhoneNumberId, Number>,
    app_secrets: Vec<AppSecret>,
}

/// Holds an app secret and the numbers it speaks for.
#[derive(Clone, Debug)]
pub struct AppSecret {
    /// The secret.
    pub secret: SecretString,
    /// The numbers that are served from bodies signed with it.
    pub numbers: Vec<PhoneNumberId>,
}

impl Numbers {
    /// Returns a number; `None` if it is not ours.
    pub fn get(&self, id: &PhoneNumberId) -> Option<&Number> {
        self.by_id.get(id)
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Returns all of them.
    pub fn iter(&self) -> impl Iterator<Item = &Number> {
        self.by_id.values()
    }

    /// Returns the distinct app secrets.
    pub fn app_secrets(&self) -> &[AppSecret] {
        &self.app_secrets
    }
}

impl FromIterator<Number> for Numbers {
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> Self {
        let mut all = Self::default();
        for number in numbers {
            let id = number.phone_number_id.clone();
            for secret in number.app_secrets() {
                let same =
                    |app: &&mut AppSecret| app.secret.expose_secret() == secret.expose_secret();
                match all.app_secrets.iter_mut().find(same) {
                    Some(app) if app.numbers.contains(&id) => {}
                    Some(app) => app.numbers.push(id.clone()),
                    None => all
                        .app_secrets
                        .push(AppSecret { secret: secret.clone(), numbers: vec![id.clone()] }),
                }
            }
            all.by_id.insert(id, number);
        }
        all
    }
}
