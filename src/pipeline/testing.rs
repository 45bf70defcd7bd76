//! What tests of single steps stand on: an agent of given engines, and all that is around a turn.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{AgentSetup, Scene, SoundMemory, Trace, VoicePath};
use crate::agent::scripted;
use crate::audio::AudioLimits;
use crate::registry::{Gate, InterruptPolicy, Languages, Memory, Phrases, ReplyPolicy, Voices};
use crate::stt::{Transcriber, Vocabulary};
use crate::threads::Threads;
use crate::tts::Synthesizer;
use crate::turn::Personal;
use crate::written::Redaction;

/// Holds an agent and everything around it.
pub(super) struct World {
    path: VoicePath,
    agent: AgentSetup,
    pub(super) trace: Trace,
    cancel: CancellationToken,
    contact: Personal,
}

impl World {
    pub(super) fn new(
        transcriber: impl Transcriber + 'static,
        synthesizer: impl Synthesizer + 'static,
    ) -> Self {
        let path = VoicePath {
            decoders: Threads::start("test", 1, 64).unwrap(),
            encoders: Threads::start("test", 1, 8).unwrap(),
            memory: SoundMemory::new(SoundMemory::USUAL),
            limits: AudioLimits::default(),
            redaction: Redaction::default(),
        };
        let agent = AgentSetup {
            name: "test".into(),
            version: None,
            languages: Languages::Any,
            reply: ReplyPolicy::Voice,
            gate: Gate::default(),
            voice: Voices::default(),
            phrases: Arc::new(Phrases::default()),
            vocabulary: Vocabulary::of_agent(&["Hark".to_owned()], &[]),
            hours: None,
            memory: Memory::default(),
            interrupt: InterruptPolicy::default(),
            knowledge: None,
            embedder: None,
            rich: false,
            files: Vec::new(),
            transcriber: Arc::new(transcriber),
            responder: Arc::new(scripted::Settings {
                text: None,
                first_token_ms: 0,
                tokens_per_s: 0.0,
            }),
            synthesizer: Arc::new(synthesizer),
        };
        Self {
            path,
            agent,
            trace: Trace::start(),
            cancel: CancellationToken::new(),
            contact: "Ann".into(),
        }
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        let Self { path, agent, trace, cancel, .. } = self;
        Scene { contact: Some(&self.contact), ..Scene::alone(path, agent, trace, cancel) }
    }
}
