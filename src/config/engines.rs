//! `[stt]`, `[llm]` and `[tts]`: what hears, answers and speaks unless an agent says otherwise.
//!
//! Which engines and keys there are is known to `stt`, `agent` and `tts`; here their errors get
//! the place that an operator knows.

use super::{Config, ConfigError};
use crate::agent::LlmEngine;
use crate::engine::{self, EngineRole, EngineSpec, Wrong};
use crate::registry::Override;
use crate::stt::SttEngine;
use crate::tts::TtsEngine;

/// Holds the engines of one agent: the sections with the agent's own keys in their place.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the section of that name")]
pub struct EngineSpecs {
    pub stt: EngineSpec,
    pub llm: EngineSpec,
    pub tts: EngineSpec,
}

impl Config {
    /// Returns the engines of one of [`Config::agents`].
    ///
    /// # Errors
    /// An engine or a key that does not exist, or that cannot be used.
    pub fn engines(&self, index: usize) -> Result<EngineSpecs, ConfigError> {
        let agent = &self.agents[index];
        Ok(EngineSpecs {
            stt: self.spec::<SttEngine>(&self.stt, agent.stt.as_ref(), index)?,
            llm: self.spec::<LlmEngine>(&self.llm, agent.llm.as_ref(), index)?,
            tts: self.spec::<TtsEngine>(&self.tts, agent.tts.as_ref(), index)?,
        })
    }

    fn spec<R: EngineRole>(
        &self,
        section: &EngineSpec,
        own: Option<&Override>,
        agent: usize,
    ) -> Result<EngineSpec, ConfigError> {
        let at = format!("agents[{agent}].{}", R::SECTION);
        if let Some(Override::Keys(keys)) = own
            && let Some(key) = engine::unknown_key::<R>(keys)
        {
            return Err(self.error(&at, format!("unknown key `{key}`")));
        }
        let spec = match own {
            None => section.clone(),
            Some(Override::Engine(engine)) => section.with([("engine", engine.clone().into())]),
            Some(Override::Keys(keys)) => section.overridden_by(keys),
        };
        let checked = engine::check::<R>(&spec);
        checked.map_err(|Wrong { key, problem }| match own {
            None => self.wrong(Wrong { key, problem }.in_section::<R>()),
            Some(_) if key == "engine" => self.error(&at, problem),
            Some(_) => self.error(&at, format!("{key}: {problem}")),
        })?;
        Ok(spec)
    }

    /// Checks that the sections hold known keys of the right types; the key of an error is whole.
    pub(super) fn check_sections(&self) -> Result<(), Wrong> {
        engine::check_keys::<SttEngine>(&self.stt).map_err(Wrong::in_section::<SttEngine>)?;
        engine::check_keys::<LlmEngine>(&self.llm).map_err(Wrong::in_section::<LlmEngine>)?;
        engine::check_keys::<TtsEngine>(&self.tts).map_err(Wrong::in_section::<TtsEngine>)
    }

    /// Says which file or variable set the wrong key, which is named from the root.
    pub fn wrong(&self, Wrong { key, problem }: Wrong) -> ConfigError {
        self.error(&key, problem)
    }
}
