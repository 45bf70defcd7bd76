//! The port of the record: what a turn heard, planned, sent and how it ended.

use async_trait::async_trait;

use super::{Burst, Credit, CreditWarning, DeskState, Lane, Lease, LeasedMessage, StoreError};
use crate::turn::{
    About, Content, DeliveryStatus, Exchange, LanguageCode, MessageId, Part, Personal, Quoted,
    ReplyMode, Role, Spent, TurnId, TurnReport,
};

/// Names the agent that answers a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentUsed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Which version of it; `None` for one of the configuration file.
    pub version: Option<u32>,
    /// How many credits its answer costs, where somebody counts them.
    pub credits: u32,
}

impl<'a> From<&'a str> for AgentUsed<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, version: None, credits: 1 }
    }
}

/// Holds a turn's record, before its parts are sent or at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What the person said or wrote.
    pub heard: Option<Personal>,
    /// The language of that, where it is known; kept with the contact when the turn is closed.
    pub language: Option<LanguageCode>,
    /// The report so far.
    pub report: TurnReport,
}

/// Holds what is known of a turn when an attempt begins.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// It was finished by an earlier attempt.
    pub finished: bool,
    /// Parts that earlier attempts planned or sent, by index.
    pub parts: Vec<Part>,
    /// What an earlier attempt was about to send.
    pub draft: Option<Draft>,
    /// When the turn's person was last told, in its lane, that a machine speaks; Unix milliseconds.
    /// It counts from the planning of the part that says so, unless that turn has failed.
    pub told_ms: Option<i64>,
    /// When the turn's last part was planned, Unix milliseconds.
    pub planned_ms: Option<i64>,
    /// What the desk has to do with the turn's person.
    pub desk: DeskState,
    /// What earlier attempts spent, as far as it was kept.
    pub spent: Spent,
    /// Whether the turn may cost what an answer costs.
    pub credit: Credit,
}

/// Holds the conversation so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Finished exchanges, oldest first, that are not in the notes.
    pub exchanges: Vec<Exchange>,
    /// What the person did to earlier messages since the last turn, oldest first.
    pub deeds: Vec<About>,
    /// When the turn of each began, Unix milliseconds.
    pub began_ms: Vec<i64>,
    /// What the agent noted of those before.
    pub notes: Option<Personal>,
    /// Whether the last turn ended with a question back, within the hour.
    pub doubted: bool,
    /// Words that the person was asked to confirm, if the last turn ended so within the hour.
    pub to_confirm: Option<Personal>,
}

/// Says what a turn sends, and how.
#[derive(Clone, Debug)]
pub struct SendPlan {
    /// What is sent, in order.
    pub parts: Vec<(Role, Content)>,
    /// How many messages the number may send a second.
    pub per_second: u32,
    /// Whether nothing is planned if the person has sent more meanwhile.
    pub unless_more: bool,
}

impl From<Vec<(Role, Content)>> for SendPlan {
    /// At the pace that WhatsApp gives a number unless it is raised.
    fn from(parts: Vec<(Role, Content)>) -> Self {
        Self { parts, per_second: 80, unless_more: false }
    }
}

/// Bounds how much of a conversation is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// So many exchanges.
    pub exchanges: usize,
    /// So many bytes of words; the exchange that goes beyond them is left out, with those before it.
    pub bytes: usize,
    /// After a silence of so many milliseconds a conversation begins anew.
    pub session_ms: Option<i64>,
}

impl From<usize> for HistoryLimits {
    fn from(exchanges: usize) -> Self {
        Self { exchanges, bytes: usize::MAX, session_ms: None }
    }
}

/// Keeps what turns do, in the order they do it.
///
/// # Errors
/// What names a lease fails with `LeaseLost` if a later attempt has begun the turn: that one alone
/// plans, sends and ends it.
#[async_trait]
pub trait Record: Send + Sync {
    /// Writes a turn's row, or finds the one of an earlier attempt; and reserves what its answer costs,
    /// unless it has.
    async fn begin(
        &self,
        lease: &Lease,
        agent: AgentUsed<'_>,
        queue_ms: f64,
        now_ms: i64,
    ) -> Result<Begun, StoreError>;

    /// Takes the messages of a burst that wait behind those of a turn into its lease, as long as nothing
    /// of them was tried on its own; returns them, oldest first.
    async fn gather(
        &self,
        lease: &Lease,
        burst: Burst,
        now_ms: i64,
    ) -> Result<Vec<LeasedMessage>, StoreError>;

    /// Returns whether messages wait behind those of a turn which [`Record::gather`] would take.
    async fn more_waits(&self, lease: &Lease) -> Result<bool, StoreError>;

    /// Returns the last finished exchanges of a lane within `limits`, as of `now_ms`.
    async fn history(
        &self,
        lane: &Lane,
        limits: HistoryLimits,
        now_ms: i64,
    ) -> Result<History, StoreError>;

    /// Returns what an earlier message of a lane said, whoever sent it; `None` if the lane has no
    /// such message.
    async fn quoted(&self, lane: &Lane, message: &MessageId) -> Result<Option<Quoted>, StoreError>;

    /// Remembers which language the person of a turn that has begun wants to be answered in.
    async fn set_asked_language(
        &self,
        turn: &TurnId,
        language: &LanguageCode,
    ) -> Result<(), StoreError>;

    /// Remembers how the person of a turn that has begun wants to be answered.
    async fn set_reply_mode(&self, turn: &TurnId, mode: ReplyMode) -> Result<(), StoreError>;

    /// Writes parts down, in one transaction, before the first of them is sent. Each gets the next
    /// free index of the turn, and the time from which it may go. If the kept draft has a disclosure, it
    /// is said with them. Fails with `TakenOver` while a person has the conversation, unless the turn
    /// says what an operator said; with `WindowShut` if the person has not written for 24 hours and it is
    /// no template; with `MoreCame` if the plan asks for that.
    async fn plan(
        &self,
        lease: &Lease,
        plan: SendPlan,
        now_ms: i64,
    ) -> Result<Vec<Part>, StoreError>;

    /// Returns what the provider said last of a part, if it has said anything.
    async fn status_of(
        &self,
        turn: &TurnId,
        index: u32,
    ) -> Result<Option<DeliveryStatus>, StoreError>;

    /// Keeps what is about to be sent, so that a crash loses neither words nor times.
    async fn draft(&self, lease: &Lease, draft: &Draft) -> Result<(), StoreError>;

    /// Records what became of a part: `Sent` or `Failed` with the error.
    async fn settle(
        &self,
        turn: &TurnId,
        index: u32,
        result: Result<MessageId, String>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Records that a part may have been sent, and the words of the error that left it open: it is
    /// `InDoubt`, or `Assumed` if nobody is to send it again. One that a status has settled stays so.
    async fn doubt(
        &self,
        turn: &TurnId,
        index: u32,
        error: String,
        assumed: bool,
    ) -> Result<(), StoreError>;

    /// Returns the voice note of an operator's message, Ogg/Opus.
    async fn recording(
        &self,
        lane: &Lane,
        message: &MessageId,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps what a turn has spent by now, where an attempt ends and the turn does not.
    async fn spent(&self, lease: &Lease, spent: &Spent) -> Result<(), StoreError>;

    /// Closes a turn: writes down what it used and cost, and spends its credits or gives them back. If its
    /// report wants a ticket, it is opened with that. Returns whose credits are running out now.
    async fn finish(
        &self,
        lease: &Lease,
        ended: &Draft,
        now_ms: i64,
    ) -> Result<Vec<CreditWarning>, StoreError>;
}
