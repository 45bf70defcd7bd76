//! The port of the queue: what waits to be answered, and which node is answering it.
//!
//! A lease belongs to one node until a time, and is renewed while its turn runs. Whatever ends or
//! renews it names it by its [`LeaseKey`]; a key whose lease has passed on changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::StoreError;
use crate::turn::{
    About, Accepted, Body, ContactRef, Echo, Inbound, LanguageCode, MessageId, NodeId,
    PhoneNumberId, ReplyMode, StatusUpdate, TurnId,
};

/// Says what becomes of a newly accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It starts a turn.
    Queue,
    /// It starts a turn after so many milliseconds, in which the person may send more.
    QueueIn(i64),
    /// It is kept and starts no turn.
    Store,
    /// It came more than 24 h late; kept, not answered.
    Expire,
}

/// Names the node that leases, and says until when it holds what it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lessee {
    /// The node.
    pub node: NodeId,
    /// When its leases expire unless they are renewed, Unix milliseconds.
    pub until_ms: i64,
}

/// Names what is answered in order: one contact's messages to one number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The business number.
    pub number: PhoneNumberId,
    /// The contact's row.
    pub contact_id: i64,
}

/// Holds the messages that one turn answers, leased to one node.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The turn, the same in every attempt.
    pub turn: TurnId,
    /// The lane, which nobody else can lease from meanwhile.
    pub lane: Lane,
    /// The node that holds it.
    pub node: NodeId,
    /// Who the reply goes to.
    pub contact: ContactRef,
    /// Language of the contact's last message that showed one.
    pub contact_language: Option<LanguageCode>,
    /// The language that the contact asked to be answered in, if they did.
    pub asked_language: Option<LanguageCode>,
    /// How the contact asked to be answered, if they did.
    pub reply_mode: Option<ReplyMode>,
    /// 1 on the first try.
    pub attempt: u32,
    /// The messages that it began with, oldest first; at least one.
    pub messages: Vec<LeasedMessage>,
    /// What names it to the queue, with all that has joined it.
    pub(super) key: LeaseKey,
    /// Until when it holds.
    pub time: LeaseTime,
}

/// Tells until when a lease holds. Clones tell of the same lease.
#[derive(Clone, Debug)]
pub struct LeaseTime(Option<Arc<AtomicI64>>);

impl LeaseTime {
    /// Makes that of a lease which holds until `until_ms`, Unix milliseconds, and then passes on.
    pub fn until(until_ms: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(until_ms))))
    }

    /// Makes that of a lease which nobody else can take, whatever the clock is set to.
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Notes that the lease was renewed.
    pub fn renew(&self, until_ms: i64) {
        if let Some(until) = &self.0 {
            until.store(until_ms, Ordering::Relaxed);
        }
    }

    /// Returns whether the lease may have passed on, as of a process that stood still.
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.0.as_ref().is_some_and(|until| now_ms >= until.load(Ordering::Relaxed))
    }
}

impl Lease {
    /// Returns the first message: it started the turn, and the reply refers to it.
    pub fn first(&self) -> &LeasedMessage {
        self.messages.first().expect("a lease holds at least one message")
    }

    /// Returns what names this lease to the queue.
    pub fn key(&self) -> LeaseKey {
        self.key.clone()
    }
}

/// Holds one message of a lease. Who sent it is the lease's contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedMessage {
    /// The message's row.
    pub row: i64,
    /// How often it was leased, this time included.
    pub attempt: u32,
    /// The provider's id.
    pub id: MessageId,
    /// The provider's own type word, e.g. `audio`.
    pub raw_type: String,
    /// What it carries.
    pub body: Body,
    /// What it refers to.
    pub about: About,
    /// When it was accepted, Unix milliseconds.
    pub received_ms: i64,
}

/// Names one lease. A message that is leased again has a higher attempt or another node, so an
/// old key never fits a new lease, unless it was given back without counting the attempt. Clones name
/// the same lease: what joins it is known to all.
#[derive(Clone, Debug)]
pub struct LeaseKey {
    /// The node that holds it.
    pub(super) node: NodeId,
    /// Row and attempt of each message.
    held: Arc<Mutex<Vec<(i64, u32)>>>,
}

impl LeaseKey {
    /// Names a lease of these messages.
    pub(super) fn new(node: &NodeId, messages: &[LeasedMessage]) -> Self {
        let key = Self { node: node.clone(), held: Arc::default() };
        key.join(messages);
        key
    }

    /// Notes that messages have joined the lease.
    pub(super) fn join(&self, messages: &[LeasedMessage]) {
        let joined = messages.iter().map(|message| (message.row, message.attempt));
        self.held.lock().expect("no holder panics").extend(joined);
    }

    /// Returns row and attempt of each message.
    pub(super) fn held(&self) -> Vec<(i64, u32)> {
        self.held.lock().expect("no holder panics").clone()
    }
}

/// Longest time that the messages of one burst are waited for, milliseconds, as long as more come.
const LONGEST_BURST_MS: i64 = 4_000;
/// Most messages of one turn.
pub(super) const MOST_MESSAGES: usize = 30;

/// Says which of the messages that wait behind those of a turn are answered with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// When the turn's first message was accepted, Unix milliseconds.
    pub first_ms: i64,
    /// When its last one was.
    pub last_ms: i64,
    /// So long after each the next may come, milliseconds.
    pub window_ms: i64,
    /// Whether all are that wait, whenever they came.
    pub all: bool,
}

impl Burst {
    /// Begins with a turn's messages.
    pub fn of(messages: &[LeasedMessage], window_ms: i64, all: bool) -> Self {
        let came = |message: Option<&LeasedMessage>| message.map_or(0, |m| m.received_ms);
        let (first_ms, last_ms) = (came(messages.first()), came(messages.last()));
        Self { first_ms, last_ms, window_ms, all }
    }

    /// Returns until when more is waited for, Unix milliseconds.
    pub fn ends_ms(&self) -> i64 {
        (self.last_ms + self.window_ms).min(self.first_ms + self.window_ms.max(LONGEST_BURST_MS))
    }

    /// Takes the next message in, if it is one of them.
    pub fn takes(&mut self, message: &LeasedMessage) -> bool {
        let takes = self.all || self.window_ms > 0 && message.received_ms <= self.ends_ms();
        if takes {
            self.last_ms = self.last_ms.max(message.received_ms);
        }
        takes
    }
}

/// Says whether a lease was still its node's when it was renewed or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenure {
    /// It was; the call did what it says.
    Held,
    /// It has passed on; the call changed nothing.
    Lost,
}

/// Says which leases nobody works on any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lapsed {
    /// Those that an earlier process of this node left: asked once, before the node leases. In a
    /// store that only one process can serve, all leases.
    Predecessor(NodeId),
    /// Those past their time.
    Expired,
}

/// Says what a delivery status did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusEffect {
    /// It was known already.
    Known,
    /// It is kept.
    Kept,
    /// It is kept, and says that a message was not delivered.
    Failed(Loss),
}

/// Says what follows when the provider took a message and did not deliver it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A note: the turn is leased again and sends its words as text.
    Resend,
    /// A note whose words may not be sent any more: the turn has failed.
    WindowShut,
    /// A text: the turn has failed.
    Reply,
    /// What stood beside a note: the turn stands.
    Beside,
    /// A later message of the turn stands for it.
    Replaced,
    /// It was delivered before, perhaps as another copy.
    Arrived,
    /// It belongs to no turn, or to none yet.
    Foreign,
}

impl Loss {
    /// Says it to the operator.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resend => "the reply goes out again",
            Self::WindowShut => "nothing: the 24 hours are over",
            Self::Reply => "nothing: the turn has failed",
            Self::Beside => "nothing: the note stands without it",
            Self::Replaced => "nothing: another message stands for it",
            Self::Arrived => "nothing: it was delivered before",
            Self::Foreign => "nothing yet: it is no message of a finished turn",
        }
    }
}

/// Keeps inbound messages until they are answered, and the statuses of what was sent.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Dedupes, resolves contacts and enqueues, in one transaction. One answer a message, in
    /// order.
    async fn accept(
        &self,
        messages: Vec<(Inbound, Disposition)>,
        now_ms: i64,
    ) -> Result<Vec<Accepted>, StoreError>;

    /// Keeps delivery statuses. One that failed changes its turn's end, or has the turn leased
    /// again. One answer a status, in order.
    async fn record_statuses(
        &self,
        statuses: Vec<StatusUpdate>,
        now_ms: i64,
    ) -> Result<Vec<StatusEffect>, StoreError>;

    /// Opens a ticket for each contact to whom somebody wrote on the phone, or keeps it open; returns the
    /// lanes in which the agent is silent from then on. Contacts that nobody knows, and messages of
    /// ours, are left alone.
    async fn answered_elsewhere(
        &self,
        echoes: Vec<Echo>,
        now_ms: i64,
    ) -> Result<Vec<Lane>, StoreError>;

    /// Leases up to `limit` turns that are due, at most one a lane and in lane order: those that
    /// have been due for longest first.
    async fn lease(
        &self,
        lessee: &Lessee,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Lease>, StoreError> {
        self.lease_without(&[], lessee, limit, now_ms).await
    }

    /// Does the same, but leaves out these numbers.
    async fn lease_without(
        &self,
        numbers: &[PhoneNumberId],
        lessee: &Lessee,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Extends leases until the lessee's time. One answer a lease, in order.
    async fn renew(&self, lessee: &Lessee, leases: &[LeaseKey]) -> Result<Vec<Tenure>, StoreError>;

    /// Puts messages of lapsed leases back into their lanes; returns how many.
    /// Turns with a part that may have been sent wait until `retry_ms`, for its status to come.
    async fn reclaim(
        &self,
        lapsed: Lapsed,
        now_ms: i64,
        retry_ms: i64,
    ) -> Result<usize, StoreError>;

    /// Writes something of no meaning, as durably as a message.
    async fn probe(&self, now_ms: i64) -> Result<(), StoreError>;

    /// Makes what waits beyond `latest_ms` due at `now_ms`; returns how many messages that were. The
    /// clock was set: nobody meant them to wait so long.
    async fn cut_waits(&self, latest_ms: i64, now_ms: i64) -> Result<usize, StoreError>;

    /// Returns when the next waiting message of a free lane is due.
    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError>;

    /// Marks the messages of a lease as done; one whose turn was opened again waits again.
    async fn ack(&self, lease: &LeaseKey) -> Result<Tenure, StoreError>;

    /// Gives the messages of a lease back until `at_ms`, with their attempt if that was none.
    async fn release(
        &self,
        lease: &LeaseKey,
        at_ms: i64,
        was_attempt: bool,
    ) -> Result<Tenure, StoreError>;
}
