//! What may change while the service runs: numbers, agents, voices, sentences and the gate.
//!
//! Low in the order: it knows words and nothing else. The webhook and the inbox ask it
//! for each message, the pipeline asks for the route that was built of it. Invariant: a [`Snapshot`] never changes, so whoever works with one may keep
//! it while the next is swapped in.

mod agent;
mod disclosure;
mod gate;
mod language;
mod number;
mod phrases;
mod snapshot;
mod tool;
mod voice;

use std::sync::Arc;

use tokio::sync::watch;

pub use agent::{Agent, InterruptPolicy, Memory, Override, ReplyPolicy};
pub use disclosure::Disclosure;
pub use gate::{Gate, GateAction, GateOverride};
pub use language::Languages;
pub use number::{
    FormerSecrets, MessageTemplate, Number, NumberStatus, ProviderKind, SecretName, USUAL_PACE,
};
pub use phrases::{Phrase, Phrases};
pub use snapshot::{AppSecret, Numbers, SharedSecret, ShownBy, Snapshot};
pub use tool::{
    AddressTemplate, HttpTool, JsonObject, LONGEST_TOOL_NAME, McpServer, SecretHeaders, ToolMethod,
    check_tools, is_tool_name, mismatches,
};
pub use voice::{Voice, Voices};

/// Holds the snapshot in use.
#[derive(Debug)]
pub struct Registry(watch::Sender<Arc<Snapshot>>);

impl Registry {
    /// Begins with `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self(watch::Sender::new(Arc::new(snapshot)))
    }

    /// Returns the snapshot in use: a lock held for an instant, and nothing is copied.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.borrow())
    }

    /// Makes `snapshot` the one in use.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.send_replace(Arc::new(snapshot));
    }
}
