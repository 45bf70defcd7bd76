//! The port of the directory: numbers, agents and secrets that were set up while the service runs.
//!
//! What a method returned `Ok` for is on disk, and the revision has grown with it, in one
//! transaction. Invariant: secrets come and go sealed (see [`Vault`](super::vault::Vault)); no
//! implementation sees one in the clear.

use async_trait::async_trait;

use super::{SourceRow, StoreError};

/// Holds what only the key of a [`Vault`](super::vault::Vault) opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Holds a number as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberRow {
    /// The `phone_number_id`.
    pub id: String,
    /// The number as JSON, without its secrets.
    pub spec: String,
    /// Grows by one with each change, of a secret too; 1 when it was added.
    pub version: u32,
    /// When it was added, Unix milliseconds.
    pub created_ms: i64,
    /// When it was changed last.
    pub changed_ms: i64,
}

/// Holds one version of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRow {
    /// Its name.
    pub name: String,
    /// Which version it is, from 1; a name that is used again goes on counting.
    pub version: u32,
    /// The agent as JSON, without its secrets; `None` if this version says that it was removed.
    pub spec: Option<String>,
    /// Its secrets, if it has some.
    pub sealed: Option<Sealed>,
    /// The version that a rollback brought back.
    pub restores: Option<u32>,
    /// When this version was made, Unix milliseconds.
    pub created_ms: i64,
}

/// Holds a secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    /// Its id.
    pub id: String,
    /// The number that it belongs to, or `@webhook`.
    pub owner: String,
    /// What it is: the name of a number's secret, or `verify_token`.
    pub name: String,
    /// The secret.
    pub sealed: Sealed,
    /// When it was added, Unix milliseconds.
    pub created_ms: i64,
}

/// Holds all that makes up the registry, as of one revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectoryRows {
    /// The revision.
    pub revision: i64,
    /// The numbers, by their ids.
    pub numbers: Vec<NumberRow>,
    /// The latest version of each agent that is not removed, by their names.
    pub agents: Vec<AgentRow>,
    /// The secrets, oldest first.
    pub secrets: Vec<SecretRow>,
    /// The files that agents know, by the agents' and their own names.
    pub sources: Vec<SourceRow>,
}

impl SecretRow {
    /// Returns the place that it is sealed for.
    pub fn place(&self) -> String {
        format!("secrets/{}/{}", self.owner, self.name)
    }
}

impl AgentRow {
    /// Returns the place that the secrets of all versions of an agent are sealed for.
    pub fn place(name: &str) -> String {
        format!("agents/{name}")
    }
}

/// Says whether a change found what it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed<T = u32> {
    /// It is made; this is the version now, or what is there now.
    Now(T),
    /// Nothing is changed: this version is there now, and not the one that was expected.
    Stale(u32),
    /// Nothing is changed: there is no such entry.
    Absent,
}

/// Says which version a change is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The entry must not be there.
    New,
    /// The entry must have this version.
    Version(u32),
}

impl Expected {
    /// Judges what is there; `Ok` has the version that the change makes.
    pub(super) fn meets(self, there: Option<u32>) -> Result<u32, Changed> {
        match (self, there) {
            (Self::New, None) => Ok(1),
            (Self::Version(expected), Some(version)) if version == expected => Ok(version + 1),
            (_, Some(version)) => Err(Changed::Stale(version)),
            (Self::Version(_), None) => Err(Changed::Absent),
        }
    }
}

/// Keeps numbers, agents and secrets.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Counts the changes of numbers, agents, what they know and secrets so far.
    async fn revision(&self) -> Result<i64, StoreError>;

    /// Returns all that makes up the registry.
    async fn directory(&self) -> Result<DirectoryRows, StoreError>;

    /// Adds or replaces a number. `secrets` take the place of all that it has of the same names.
    async fn put_number(
        &self,
        id: &str,
        spec: &str,
        expected: Expected,
        secrets: Vec<SecretRow>,
        now_ms: i64,
    ) -> Result<Changed, StoreError>;

    /// Removes a number and its secrets.
    async fn remove_number(&self, id: &str, version: u32) -> Result<Changed, StoreError>;

    /// Adds a secret beside those of its owner, which becomes newer by a version.
    async fn add_secret(&self, secret: SecretRow, version: u32) -> Result<Changed, StoreError>;

    /// Removes a secret of a number, which becomes newer by a version.
    async fn remove_secret(
        &self,
        owner: &str,
        id: &str,
        version: u32,
        now_ms: i64,
    ) -> Result<Changed, StoreError>;

    /// Keeps a secret that belongs to no number, unless there is one of its owner and name; returns
    /// the one that is kept.
    async fn keep_secret(&self, secret: SecretRow) -> Result<SecretRow, StoreError>;

    /// Keeps a secret that belongs to no number, in the place of what there is of its owner and name.
    async fn set_secret(&self, secret: SecretRow) -> Result<(), StoreError>;

    /// Returns the newest secret of an owner and name.
    async fn secret(&self, owner: &str, name: &str) -> Result<Option<SecretRow>, StoreError>;

    /// Adds a version of an agent; its own `version` and `created_ms` are not looked at.
    async fn put_agent(
        &self,
        agent: AgentRow,
        expected: Expected,
        now_ms: i64,
    ) -> Result<Changed, StoreError>;

    /// Returns the versions of an agent, newest first, that it was removed included.
    async fn agent_versions(&self, name: &str) -> Result<Vec<AgentRow>, StoreError>;

    /// Returns what shows which key the secrets are sealed with, if there is one yet.
    async fn seal_check(&self) -> Result<Option<Sealed>, StoreError>;

    /// Keeps what shows which key the secrets are sealed with, unless there is one; returns the one
    /// that is kept.
    async fn keep_seal_check(&self, check: Sealed) -> Result<Sealed, StoreError>;

    /// Seals everything anew, in one transaction: `check` is of the new key, `reseal` opens with the
    /// old one and seals with the new one. Answers of idempotency keys are forgotten. Returns how
    /// many secrets that were; one that does not open is an error, and nothing has changed.
    async fn reseal(&self, check: Sealed, reseal: Reseal) -> Result<usize, StoreError>;
}

/// Opens what was sealed for a place with one key and seals it with another; `None` if it cannot be
/// opened.
pub type Reseal = Box<dyn Fn(&str, &Sealed) -> Option<Sealed> + Send>;
