//! The record: messages in and out, contacts, turns and delivery statuses.
//!
//! Ports on one database, each for its callers: [`Queue`] for `queue`, [`Record`] for `pipeline`,
//! [`Archive`], [`Books`], [`Backlog`] and [`People`] for whoever looks back, [`Customers`] for who wants to know who writes,
//! [`Desk`] for people who take over, [`EventLog`] and [`EventHooks`] for who tells events on,
//! [`SoundIndex`] for who keeps sound, [`Directory`], [`Library`] and [`Tokens`] for whoever sets numbers
//! and agents up. What a method returned `Ok` for is on disk. What every backend has to decide alike is
//! in `rules`.

mod address;
mod archive;
mod audit;
mod backlog;
mod books;
mod copy;
mod customers;
mod desk;
mod desk_rules;
mod directory;
mod event_hooks;
mod events;
mod library;
mod memories;
mod nodes;
mod pace;
mod people;
mod postgres;
mod queue;
mod record;
mod rules;
mod sounds;
mod sql;
mod sqlite;
mod tokens;
pub mod vault;

pub use address::StoreAddress;
pub use archive::{Archive, MessageCounts, PartStatus, TurnRow, TurnSearch};
pub use audit::{AuditLog, DeedRow, DeedSearch, Retention};
pub use backlog::{Backlog, BacklogChange, BacklogRow, BacklogSearch, BacklogState};
pub use books::{
    AccountChange, AccountRow, BalanceChange, Books, Credit, CreditWarning, PriceRow, UsageDay,
    UsageKey, UsageRow, UsageSearch, WarningChange,
};
pub use copy::{
    BackupReport, CopyError, CopyReport, CopyStep, RewrittenValue, TableCheck, backup_store,
    copy_store,
};
pub use customers::{
    CustomerChange, CustomerEntry, CustomerPatch, CustomerRow, CustomerSource, Customers, Imported,
    OnFile,
};
pub use desk::{
    Author, ConversationRow, ConversationSearch, Desk, DeskChange, DeskState, NewTicket,
    OperatorMessage, OperatorRow, SaidRow, TicketRow, TicketSearch,
};
pub use directory::{
    AgentRow, Changed, Directory, DirectoryRows, Expected, NumberRow, Reseal, Sealed, SecretRow,
};
pub use event_hooks::{DeadEventRow, EventHookRow, EventHooks};
pub use events::{ErasedEvents, EventLog, EventPage, EventRow, EventSearch};
pub use library::{Library, SourceRow, WordsKey};
pub use memories::{FreshNotes, Memories, SummaryRow};
pub use nodes::{NodeRow, Nodes};
pub use people::{ContactRow, MessageRow, People};
pub use queue::{
    Burst, Disposition, Lane, Lapsed, Lease, LeaseKey, LeaseTime, LeasedMessage, Lessee, Loss,
    Queue, StatusEffect, Tenure,
};
pub use record::{AgentUsed, Begun, Draft, History, HistoryLimits, Record, SendPlan};
pub use rules::WINDOW_SHUT;
pub use sounds::{SoundIndex, SoundRow};
pub use sql::{Access, SqlStore, check_address, check_writable};
pub use tokens::{Claim, ClaimTimes, TokenRole, TokenRow, Tokens};

use std::time::Duration;

use crate::turn::Retry;

/// Says why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened: fix `[store] url` or the folder's permissions.
    #[error("store {path} could not be opened: {cause}")]
    Open {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// Another process serves from this file: stop it, or give this one its own.
    #[error("store {path} is in use by another hark")]
    InUse {
        /// The file.
        path: String,
    },
    /// The database refused: try again, then look at disk space and permissions.
    #[error("the database refused: {0}")]
    Backend(Box<dyn std::error::Error + Send + Sync>),
    /// The transaction did not commit; nothing of it is kept: try again.
    #[error("store could not commit: {0}")]
    Commit(String),
    /// A later attempt has taken the turn over: leave it alone.
    #[error("a later attempt has taken the turn over")]
    LeaseLost,
    /// A person has the conversation: the agent sends nothing more.
    #[error("a person has taken the conversation over")]
    TakenOver,
    /// WhatsApp delivers nothing but templates to the person: they have not written for 24 hours.
    #[error("the 24 hours are over in which the person may be written to")]
    WindowShut,
    /// The person has sent more, which the answer is to know: nothing was planned.
    #[error("the person has sent more")]
    MoreCame,
    /// The store's thread is gone: the process is stopping.
    #[error("store is closed")]
    Closed,
}

/// Says that a database has half a store.
const UNFINISHED: &str =
    "a copy into it has not ended: run `hark store copy` again, or give hark an empty database";

impl StoreError {
    /// Returns whether the store itself has logged it: it says once that nothing can be written.
    pub fn is_told(&self) -> bool {
        matches!(self, Self::Commit(_))
    }

    /// Logs that something was not done because of it.
    pub fn log(&self, what: &'static str) {
        if self.is_told() {
            tracing::debug!(error = %self, "{what}");
        } else {
            tracing::error!(error = %self, "{what}");
        }
    }

    /// Returns when the same call may be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Backend(_) | Self::Commit(_) => Retry::After(Duration::from_secs(1)),
            // It is no longer ours to give back, so nothing comes of it.
            Self::LeaseLost | Self::TakenOver | Self::MoreCame => Retry::After(Duration::ZERO),
            Self::Open { .. } | Self::InUse { .. } | Self::Closed | Self::WindowShut => {
                Retry::Never
            }
        }
    }
}
