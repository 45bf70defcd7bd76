//! `[stt]`, `[llm]` and `[tts]`: what hears, answers and speaks unless an agent says otherwise.
//!
//! Which engines and keys there are is known to `stt`, `agent` and `tts`; here their errors get
//! the place that an operator knows.

use super::{Config, ConfigError, ConfigErrors};
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
    /// Every engine and key that does not exist, or that cannot be used.
    pub fn engines(&self, index: usize) -> Result<EngineSpecs, ConfigErrors> {
        let (agent, specs) = (&self.agents[index], self.specs(index));
        let mut problems = ConfigErrors::default();
        self.check_engine::<SttEngine>(&specs.stt, agent.stt.as_ref(), index, &mut problems);
        self.check_engine::<LlmEngine>(&specs.llm, agent.llm.as_ref(), index, &mut problems);
        self.check_engine::<TtsEngine>(&specs.tts, agent.tts.as_ref(), index, &mut problems);
        problems.or(specs)
    }

    /// Returns the same as they are written, whether they can be used or not.
    pub fn specs(&self, index: usize) -> EngineSpecs {
        let agent = &self.agents[index];
        let spec = |section: &EngineSpec, own: &Option<Override>| match own {
            None => section.clone(),
            Some(Override::Engine(engine)) => section.with([("engine", engine.clone().into())]),
            Some(Override::Keys(keys)) => section.overridden_by(keys),
        };
        EngineSpecs {
            stt: spec(&self.stt, &agent.stt),
            llm: spec(&self.llm, &agent.llm),
            tts: spec(&self.tts, &agent.tts),
        }
    }

    fn check_engine<R: EngineRole>(
        &self,
        spec: &EngineSpec,
        own: Option<&Override>,
        agent: usize,
        problems: &mut ConfigErrors,
    ) {
        let at = format!("agents[{agent}].{}", R::SECTION);
        if let Some(Override::Keys(keys)) = own
            && let Some(key) = engine::unknown_key::<R>(keys)
        {
            return problems.add(self.error(&at, format!("unknown key `{key}`")));
        }
        for Wrong { key, problem } in engine::check::<R>(spec) {
            problems.add(match own {
                None => self.wrong(Wrong { key, problem }.in_section::<R>()),
                Some(_) if key == "engine" => self.error(&at, problem),
                Some(_) => self.error(&at, format!("{key}: {problem}")),
            });
        }
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
