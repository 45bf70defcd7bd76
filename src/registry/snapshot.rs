//! One state of everything that may change while the service runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Agent, Disclosure, Gate, Number, Phrases, ProviderKind};
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
    /// How many credits an answer costs, where somebody counts them.
    pub credits: u32,
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
    shared_secrets: Vec<SharedSecret>,
}

/// Says how a webhook of 360dialog shows that its sender knows a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownBy {
    /// `x-360dialog-signature` is made with it.
    Signature,
    /// The header of this name, in lower case, has it.
    Header(String),
}

/// Holds a secret shared with 360dialog and the numbers it speaks for.
#[derive(Clone, Debug)]
pub struct SharedSecret {
    /// The secret.
    pub secret: SecretString,
    /// How it is shown.
    pub shown_by: ShownBy,
    /// The numbers that are served from bodies that show it.
    pub numbers: Vec<PhoneNumberId>,
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

    /// Returns the distinct secrets shared with 360dialog.
    pub fn shared_secrets(&self) -> &[SharedSecret] {
        &self.shared_secrets
    }

    /// Notes the secrets of a number at 360dialog.
    fn share(&mut self, number: &Number) {
        let signature = number.signature_secret.iter().chain(&number.former.signature_secrets);
        let signature = signature.map(|secret| (secret, ShownBy::Signature));
        let header = number.webhook_secret.iter().chain(&number.former.webhook_secrets);
        let header = header.map(|secret| (secret, ShownBy::Header(number.webhook_header())));
        for (secret, shown_by) in signature.chain(header) {
            let id = number.phone_number_id.clone();
            let same = |shared: &&mut SharedSecret| {
                shared.shown_by == shown_by
                    && shared.secret.expose_secret() == secret.expose_secret()
            };
            if let Some(shared) = self.shared_secrets.iter_mut().find(same) {
                if !shared.numbers.contains(&id) {
                    shared.numbers.push(id);
                }
            } else {
                let (secret, numbers) = (secret.clone(), vec![id]);
                self.shared_secrets.push(SharedSecret { secret, shown_by, numbers });
            }
        }
    }
}

impl FromIterator<Number> for Numbers {
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> Self {
        let mut all = Self::default();
        for number in numbers {
            let id = number.phone_number_id.clone();
            if number.provider == ProviderKind::D360 {
                all.share(&number);
                all.by_id.insert(id, number);
                continue;
            }
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
