//! One turn, from a leased message to the answer that was sent.
//!
//! Sees traits only. Every turn ends in a voice note, a text, a question or the fallback
//! sentence; what went wrong on the way stands in the turn's record.

mod ask;
mod deliver;
mod error;
mod hear;
mod note;
mod phrases;
mod reply;
mod speak;
mod stage;
mod turn;
mod workers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use ask::{Ask, Asked, Transcribed};
pub use error::{Cause, TurnError};
pub use phrases::{Phrase, Phrases};
pub use stage::Trace;
pub use workers::Workers;

use crate::agent::Responder;
use crate::audio::Limits;
use crate::clock::Clock;
use crate::provider::Messenger;
use crate::store::Store;
use crate::stt::Transcriber;
use crate::tts::Synthesizer;
use crate::turn::PhoneNumberId;

/// When a reply is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyPolicy {
    /// Always.
    Voice,
    /// When the person spoke.
    Reciprocal,
    /// Never.
    Text,
}

/// The voices that an agent names, as its synthesizer knows them.
#[derive(Clone, Debug, Default)]
pub struct AgentVoice {
    /// For every language without one of its own.
    pub any: Option<String>,
    /// By ISO 639-1 code.
    pub by_language: HashMap<String, String>,
}

/// An agent with its engines.
pub struct AgentSetup {
    /// Its name.
    pub name: String,
    /// Fixed language, if it has one.
    pub language: Option<String>,
    /// When it speaks.
    pub reply: ReplyPolicy,
    /// Its voices, if it names any.
    pub voice: AgentVoice,
    /// Hears.
    pub transcriber: Arc<dyn Transcriber>,
    /// Answers.
    pub responder: Arc<dyn Responder>,
    /// Speaks.
    pub synthesizer: Arc<dyn Synthesizer>,
}

/// A business number: who answers, and through what.
pub struct Route {
    /// Its connection to WhatsApp.
    pub messenger: Arc<dyn Messenger>,
    /// Its agent.
    pub agent: Arc<AgentSetup>,
}

/// What hears and speaks, without a messenger or a record: `hark ask` needs no more.
pub struct VoicePath {
    /// Threads for decoding and encoding.
    pub workers: Workers,
    /// What may come in.
    pub limits: Limits,
    /// What people are told when something goes wrong.
    pub phrases: Phrases,
}

/// Everything a turn needs.
pub struct Pipeline {
    /// The way in and the way out.
    pub path: VoicePath,
    /// Numbers that are answered.
    pub routes: HashMap<PhoneNumberId, Route>,
    /// The record.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// After this the fallback text goes out.
    pub turn_limit: Duration,
}
