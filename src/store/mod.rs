//! The record: messages in and out, contacts, turns and delivery statuses.
//!
//! The port that the queue and the pipeline see. What a method returned `Ok` for is on disk.

pub mod sqlite;

use async_trait::async_trait;

use crate::turn::{
    Accepted, ContactRef, Exchange, Inbound, LanguageCode, MediaId, MessageId, Personal,
    PhoneNumberId, ReplyMode, Retry, StatusUpdate, TurnId, TurnReport,
};

/// What becomes of a newly accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It starts a turn.
    Queue,
    /// It is kept and starts none.
    Store,
    /// It came more than 24 h late; kept, not answered.
    Expire,
}

/// A leased message: what a turn is made of.
#[derive(Clone, Debug)]
pub struct Job {
    /// The message's row.
    pub row: i64,
    /// The contact's row; with the number it names the lane.
    pub contact_id: i64,
    /// Who the reply goes to.
    pub contact: ContactRef,
    /// Language of the contact's last message that told one.
    pub contact_language: Option<LanguageCode>,
    /// How the contact asked to be answered, if they did.
    pub reply_mode: Option<ReplyMode>,
    /// The message.
    pub message: Inbound,
    /// 1 on the first try.
    pub attempt: u32,
    /// When it was accepted, Unix milliseconds.
    pub received_ms: i64,
}

/// What one outbound message carries, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartContent {
    /// An uploaded voice note; it can be sent again for 30 days.
    Voice(MediaId),
    /// A text.
    Text(String),
}

/// Where an outbound message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Written down, perhaps sent.
    Planned,
    /// The provider gave it an id.
    Sent(MessageId),
    /// The provider refused it.
    Failed,
}

/// One outbound message of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place in the turn, from 0.
    pub index: u32,
    /// What it carries.
    pub content: PartContent,
    /// Where it stands.
    pub state: PartState,
}

/// A turn's record before its parts are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What the person said or wrote.
    pub heard: Option<String>,
    /// The language of that, where it is known; kept with the contact when the turn is closed.
    pub language: Option<LanguageCode>,
    /// The report so far.
    pub report: TurnReport,
}

/// What is known of a turn when an attempt begins.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// It was finished by an earlier attempt.
    pub finished: bool,
    /// Parts that earlier attempts planned or sent, by index.
    pub parts: Vec<Part>,
    /// What an earlier attempt was about to send.
    pub draft: Option<Draft>,
}

/// The conversation so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Finished exchanges, oldest first.
    pub exchanges: Vec<Exchange>,
    /// Words that the person was asked to confirm, if the last turn ended so within the hour.
    pub to_confirm: Option<Personal>,
}

/// A turn as `hark turns` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TurnRow {
    /// The turn's id.
    pub turn: TurnId,
    /// The business number.
    pub number: PhoneNumberId,
    /// User id or phone number of the contact.
    pub contact: String,
    /// The agent that answered.
    pub agent: String,
    /// How many attempts it took.
    pub attempt: u32,
    /// When it began, Unix milliseconds.
    pub created_ms: i64,
    /// Wait between acceptance and lease.
    pub queue_ms: Option<f64>,
    /// What the person said or wrote.
    pub heard: Option<String>,
    /// What the turn did; `None` while it runs. Its outcome and reason are those of the last
    /// status.
    #[serde(flatten)]
    pub report: Option<TurnReport>,
    /// Delivery statuses so far, e.g. `sent`, `delivered`, `played`.
    pub statuses: Vec<String>,
}

/// The record of everything hark does.
#[async_trait]
pub trait Store: Send + Sync {
    /// Dedupes, resolves contacts and enqueues, in one transaction. One answer a message, in
    /// order.
    async fn accept(
        &self,
        messages: Vec<(Inbound, Disposition)>,
        now_ms: i64,
    ) -> Result<Vec<Accepted>, StoreError>;

    /// Keeps delivery statuses; a failed one changes its turn's outcome.
    async fn record_statuses(&self, statuses: Vec<StatusUpdate>) -> Result<(), StoreError>;

    /// Puts back what was leased when the process died; returns how many.
    /// Turns with a part that may have been sent wait until `retry_ms`, for its status to come.
    async fn recover(&self, now_ms: i64, retry_ms: i64) -> Result<usize, StoreError>;

    /// Leases up to `limit` messages that are due, at most one a lane and in lane order.
    async fn lease(&self, limit: usize, now_ms: i64) -> Result<Vec<Job>, StoreError>;

    /// When the next waiting message is due.
    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError>;

    /// Marks a leased message as done.
    async fn ack(&self, row: i64) -> Result<(), StoreError>;

    /// Gives a leased message back until `at_ms`, with its attempt if that was none.
    async fn release(&self, row: i64, at_ms: i64, was_attempt: bool) -> Result<(), StoreError>;

    /// Writes a turn's row, or finds the one of an earlier attempt.
    async fn begin_turn(
        &self,
        turn: &TurnId,
        job: &Job,
        agent: &str,
        queue_ms: f64,
        now_ms: i64,
    ) -> Result<Begun, StoreError>;

    /// The last `limit` finished exchanges of a lane, as of `now_ms`.
    async fn history(
        &self,
        number: &PhoneNumberId,
        contact_id: i64,
        limit: usize,
        now_ms: i64,
    ) -> Result<History, StoreError>;

    /// Remembers how the person behind the message `row` wants to be answered.
    async fn set_reply_mode(&self, row: i64, mode: ReplyMode) -> Result<(), StoreError>;

    /// Writes parts down, in one transaction, before the first of them is sent.
    async fn plan_parts(
        &self,
        turn: &TurnId,
        parts: &[Part],
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Keeps what is about to be sent, so that a crash loses neither words nor times.
    async fn draft_turn(&self, turn: &TurnId, draft: &Draft) -> Result<(), StoreError>;

    /// Notes what became of a part: `Sent` or `Failed` with the error.
    async fn settle_part(
        &self,
        turn: &TurnId,
        index: u32,
        result: Result<MessageId, String>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Closes a turn.
    async fn finish_turn(
        &self,
        turn: &TurnId,
        ended: &Draft,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// The last `limit` turns, newest first, of one contact (user id or phone) or of all.
    async fn turns(
        &self,
        contact: Option<String>,
        limit: usize,
    ) -> Result<Vec<TurnRow>, StoreError>;
}

/// Why the store could not do something.
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
    #[error("store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The transaction did not commit; nothing of it is kept: try again.
    #[error("store could not commit: {0}")]
    Commit(String),
    /// The store's thread is gone: the process is stopping.
    #[error("store is closed")]
    Closed,
}

impl StoreError {
    /// When the same call may be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Sqlite(_) | Self::Commit(_) => Retry::After(std::time::Duration::from_secs(1)),
            Self::Open { .. } | Self::InUse { .. } | Self::Closed => Retry::Never,
        }
    }
}
