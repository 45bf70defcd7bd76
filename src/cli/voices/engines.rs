//! The engines whose voices are shown: those of the configuration, and those that need no account.

use std::sync::Arc;

use crate::app::Places;
use crate::config::Config;
use crate::engine::{self, EngineRole as _, EngineSpec, Wrong};
use crate::remote::model_client;
use crate::tts::{Synthesizer, TtsDeps, TtsEngine, TtsError, VoiceRow};

use super::agents_in_use;

/// Engines with voices on this machine, looked at also where no agent speaks with them.
const OURS: [&str; 2] = ["neural", "espeak"];

/// Holds an engine, and whether an agent speaks with it.
pub(super) struct VoiceEngine {
    pub(super) configured: bool,
    engine: TtsEngine,
}

/// Returns the engines, those of agents first; two that see the same voices are one.
///
/// # Errors
/// A key of the configuration that cannot be used.
pub(super) fn all(config: &Config) -> anyhow::Result<Vec<VoiceEngine>> {
    let wrong = |wrong| config.wrong(Wrong::in_section::<TtsEngine>(wrong));
    let mut specs: Vec<(EngineSpec, bool)> = Vec::new();
    for index in agents_in_use(config) {
        let listed = config.specs(index).tts.each().map_err(wrong)?;
        specs.extend(listed.into_iter().map(|one| (one.spec, true)));
    }
    specs.extend(OURS.map(|name| (config.tts.with([("engine", name.into())]), false)));
    let (mut engines, mut seen) = (Vec::new(), Vec::<EngineSpec>::new());
    for (spec, configured) in specs {
        let engine = engine::read::<TtsEngine>(&spec).map_err(wrong)?;
        let sees = spec.only(engine.settings().seen_by().unwrap_or_default());
        let unused = !configured && seen.iter().any(|known| known.engine() == spec.engine());
        if unused || seen.contains(&sees) {
            continue;
        }
        seen.push(sees);
        engines.push(VoiceEngine { configured, engine });
    }
    Ok(engines)
}

impl VoiceEngine {
    /// Lists its voices on this machine.
    ///
    /// # Errors
    /// What is to be said of an engine that cannot be asked.
    pub(super) async fn voices(&self, places: &Places) -> Result<Vec<VoiceRow>, String> {
        match &self.engine {
            TtsEngine::OpenAi(_) => {
                eprintln!("openai: the server names its voices; `hark say --voice V` tries one");
                return Ok(Vec::new());
            }
            TtsEngine::Scripted(_) => {
                eprintln!("scripted: it hums, and has no voices");
                return Ok(Vec::new());
            }
            TtsEngine::Neural(_) | TtsEngine::Espeak(_) => {}
        }
        let listed = self.engine.settings().voices(&deps(places)).await;
        listed.map_err(|error: TtsError| error.to_string())
    }

    /// Returns whether it has more voices than anybody looks through.
    pub(super) fn has_many(&self) -> bool {
        matches!(self.engine, TtsEngine::Espeak(_))
    }

    /// Makes a synthesizer.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub(super) fn build(&self, places: &Places) -> Result<Arc<dyn Synthesizer>, Wrong> {
        self.engine.settings().build(&deps(places))
    }
}

fn deps(places: &Places) -> TtsDeps<'_> {
    let (hark_models, cache) = (places.hark_models.as_deref(), places.cache.as_deref());
    TtsDeps { connect: &model_client, hark_models, cache }
}
