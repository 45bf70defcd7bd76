//! One turn, from a leased message to the answer that was sent.
//!
//! Sees traits only. Every turn ends in a voice note, a text, a question or the fallback
//! sentence; what went wrong on the way stands in the turn's record.

mod answer;
mod deliver;
mod doors;
mod error;
mod gate;
mod hear;
mod language;
mod next;
mod note;
mod phrases;
mod problem;
mod reply;
mod speak;
mod stage;
mod turn;
mod typing;
mod voice_path;
mod wishes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use error::{Cause, TurnError};
pub use gate::{Gate, GateAction};
pub use language::Languages;
pub use phrases::{Phrase, Phrases};
pub use stage::Trace;
pub use voice_path::{Ask, Asked, Transcribed, VoicePath};

use tokio_util::sync::CancellationToken;

use crate::agent::Responder;
use crate::clock::Clock;
use crate::provider::Messenger;
use crate::store::Store;
use crate::stt::Transcriber;
use crate::tts::{Synthesizer, Voice};
use crate::turn::{LanguageCode, PhoneNumberId};

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
    /// By language.
    pub by_language: HashMap<LanguageCode, String>,
}

impl AgentVoice {
    /// The voice for `language`; `None` leaves the choice to the synthesizer.
    pub fn for_language(&self, language: &LanguageCode) -> Option<Voice> {
        let own = self.by_language.get(language);
        let own = own.or_else(|| self.by_language.get(language.primary()));
        let own = own.cloned().map(Voice::Fixed);
        own.or_else(|| self.any.clone().map(Voice::Any))
    }
}

/// An agent with its engines.
pub struct AgentSetup {
    /// Its name.
    pub name: String,
    /// What it answers in.
    pub languages: Languages,
    /// When it speaks.
    pub reply: ReplyPolicy,
    /// What it does with words that may have been misheard.
    pub gate: Gate,
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

/// Points at what every step of a turn needs: who answers, on which engines, and the stopwatch.
#[derive(Clone, Copy)]
struct Scene<'a> {
    path: &'a VoicePath,
    agent: &'a AgentSetup,
    trace: &'a Trace,
    cancel: &'a CancellationToken,
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
