//! One turn, from a leased message to the answer that was sent.
//!
//! Sees traits only. Every turn ends in a voice note, a text, a question, a ticket or the fallback
//! sentence; what went wrong on the way is in the turn's record.

mod ahead;
mod answer;
mod answering;
mod credits;
mod deliver;
mod doors;
mod error;
mod failures;
mod follow;
mod gate;
mod gather;
mod handler;
mod hear;
mod hours;
mod inbound;
mod kept;
mod listen;
mod listener;
mod next;
mod note;
mod opening;
mod person;
mod problem;
mod reply;
mod search;
mod sound_memory;
mod speak;
mod stage;
mod summary;
mod takeover;
mod template;
#[cfg(test)]
mod testing;
mod turn;
mod typing;
mod unnoted;
mod voice_path;
mod wishes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use error::{Cause, TurnError};
pub use failures::TurnFailures;
pub use problem::Problem;
pub use sound_memory::SoundMemory;
pub use speak::{MAX_CHARS, said_of, spoken_in};
pub use stage::Trace;
pub use summary::{NoteTaker, Summaries, summaries};
pub use unnoted::Unnoted;
pub use voice_path::{Ask, Asked, Transcribed, VoicePath};

use ahead::Recorded;
use opening::Opening;
use tokio_util::sync::CancellationToken;

use crate::agent::Responder;
use crate::blobs::SoundIntake;
use crate::clock::Clock;
use crate::customers::CustomerBook;
use crate::knowledge::{Embedder, Knowledge};
use crate::provider::Messenger;
use crate::registry::{
    Disclosure, Gate, InterruptPolicy, Languages, Memory, MessageTemplate, Phrases, ReplyPolicy,
    Voices,
};
use crate::store::{AgentUsed, DeskState, Record};
use crate::stt::{Transcriber, Vocabulary};
use crate::tts::Synthesizer;
use crate::turn::{Personal, PhoneNumberId, Talker, WorkingHours};

/// Holds an agent with its engines.
pub struct AgentSetup {
    /// Its name.
    pub name: String,
    /// Which version of it; `None` for one of the configuration file.
    pub version: Option<u32>,
    /// What it answers in.
    pub languages: Languages,
    /// When it speaks.
    pub reply: ReplyPolicy,
    /// What it does with words that may have been misheard.
    pub gate: Gate,
    /// Its voices, if it names any.
    pub voice: Voices,
    /// Our own sentences.
    pub phrases: Arc<Phrases>,
    /// The words that may be said to it.
    pub vocabulary: Vocabulary,
    /// When it answers; `None`: always.
    pub hours: Option<WorkingHours>,
    /// What it remembers of a conversation.
    pub memory: Memory,
    /// What becomes of messages that come while it answers.
    pub interrupt: InterruptPolicy,
    /// What it knows, if anything.
    pub knowledge: Option<Arc<Knowledge>>,
    /// Tells what questions mean, if there is one.
    pub embedder: Option<Arc<Embedder>>,
    /// Whether its answers may be in the reply format.
    pub rich: bool,
    /// What it may send, if anything.
    pub files: Vec<PathBuf>,
    /// Hears.
    pub transcriber: Arc<dyn Transcriber>,
    /// Answers.
    pub responder: Arc<dyn Responder>,
    /// Speaks.
    pub synthesizer: Arc<dyn Synthesizer>,
}

/// Describes how one business number is answered. A turn keeps the route it began with.
pub struct Route {
    /// Its connection to WhatsApp.
    pub messenger: Arc<dyn Messenger>,
    /// Its agent.
    pub agent: Arc<AgentSetup>,
    /// When people are told that a machine speaks.
    pub disclosure: Disclosure,
    /// After this the fallback text goes out.
    pub turn_limit: Duration,
    /// How many credits an answer costs, where somebody counts them.
    pub credits: u32,
    /// How many messages the number may send a second.
    pub per_second: u32,
    /// What is sent to who has not written for 24 hours, if anything.
    pub template: Option<MessageTemplate>,
}

impl Route {
    /// Names who answers for the record.
    fn used(&self) -> AgentUsed<'_> {
        let AgentSetup { name, version, .. } = &*self.agent;
        AgentUsed { name, version: *version, credits: self.credits }
    }
}

/// Finds the route of each message.
pub trait Routes: Send + Sync {
    /// Returns how `number` is answered; `None` while it is paused or not configured.
    fn route(&self, number: &PhoneNumberId) -> Option<Arc<Route>>;
}

/// Points at what every step of a turn needs: who answers, on which engines, and the trace.
#[derive(Clone, Copy)]
struct Scene<'a> {
    path: &'a VoicePath,
    agent: &'a AgentSetup,
    /// The profile's name of who speaks.
    contact: Option<&'a Personal>,
    trace: &'a Trace,
    cancel: &'a CancellationToken,
    /// Who is heard, where others may wait.
    talker: Option<Talker>,
    /// What is said before the first words, if anything.
    opening: Option<&'a Opening>,
    /// Is set when the turn's record is open; without a record nobody waits for it.
    recorded: Option<&'a Recorded>,
    /// What the desk has to do with who speaks.
    desk: DeskState,
}

impl<'a> Scene<'a> {
    /// Sets the scene where nobody writes and nobody waits.
    fn alone(
        path: &'a VoicePath,
        agent: &'a AgentSetup,
        trace: &'a Trace,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            path,
            agent,
            contact: None,
            trace,
            cancel,
            talker: None,
            opening: None,
            recorded: None,
            desk: DeskState::default(),
        }
    }
}

/// Answers what the lanes lease.
pub struct Pipeline {
    /// The way in and the way out.
    pub path: VoicePath,
    /// The numbers that are answered.
    pub routes: Arc<dyn Routes>,
    /// The record.
    pub record: Arc<dyn Record>,
    /// Knows who writes.
    pub customers: CustomerBook,
    /// What takes the sound of turns, if it is kept.
    pub sounds: Option<SoundIntake>,
    /// What takes notes on long conversations.
    pub summaries: Summaries,
    /// What was sent and the record could not take yet.
    pub unnoted: Unnoted,
    /// How often waiting turns failed.
    pub failures: TurnFailures,
    /// How long more of the same person is waited for, milliseconds.
    pub burst_ms: i64,
    /// The time.
    pub clock: Clock,
}
