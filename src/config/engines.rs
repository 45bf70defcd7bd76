//! `[stt]`, `[llm]` and `[tts]`: what hears, answers and speaks unless an agent says otherwise.
//!
//! Which engines and keys there are is known to `stt`, `agent` and `tts`; here their errors get
//! the place that an operator knows.

use super::{Config, ConfigError, ConfigErrors};
use crate::agent::LlmEngine;
use crate::engine::{self, EngineRole, EngineSpec, OneEngine, Wrong};
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

impl EngineSpecs {
    /// Returns those of one role.
    pub fn of<R: EngineRole>(&self) -> &EngineSpec {
        match R::SECTION {
            SttEngine::SECTION => &self.stt,
            TtsEngine::SECTION => &self.tts,
            _ => &self.llm,
        }
    }
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
            Some(Override::Several(list)) => section.with([("engine", list.clone().into())]),
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
        for Wrong { key, problem } in engine::check_list::<R>(spec) {
            problems.add(match own {
                None => self.wrong(Wrong { key, problem }.in_section::<R>()),
                Some(_) if key == "engine" => self.error(&at, problem),
                Some(Override::Several(_)) if key.starts_with("engine[") => {
                    self.error(&format!("{at}{}", &key["engine".len()..]), problem)
                }
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

    /// Says the same of a key of an agent's engine, which may be in the agent's own list.
    pub fn wrong_of_agent(&self, index: usize, Wrong { key, problem }: Wrong) -> ConfigError {
        for section in [SttEngine::SECTION, TtsEngine::SECTION] {
            let place = key.strip_prefix(section).and_then(|key| key.strip_prefix(".engine["));
            if let Some(place) = place {
                let at = format!("agents[{index}].{section}");
                let (_, list) = self.engine_places(index, section, at);
                return self.error(&format!("{list}[{place}"), problem);
            }
        }
        self.error(&key, problem)
    }

    /// Returns where the keys of an agent's engine are, for words about them: the role's section, or a
    /// table of its own.
    pub fn engine_section<R: EngineRole>(&self, index: usize, one: &OneEngine) -> String {
        let at = format!("{}.{}", self.agent_place(index), R::SECTION);
        let (section, list) = self.engine_places(index, R::SECTION, at);
        one.table().map_or(section, |place| format!("{list}[{place}]"))
    }

    /// Returns where an agent's keys of one role are, and where its list of engines is; its own are `at`
    /// this place.
    fn engine_places(&self, index: usize, section: &str, at: String) -> (String, String) {
        let agent = &self.agents[index];
        match agent.own_engine(section) {
            Some(Override::Keys(_)) => (at.clone(), format!("{at}.engine")),
            Some(Override::Several(_)) => (section.to_owned(), at),
            Some(Override::Engine(_)) | None => (section.to_owned(), format!("{section}.engine")),
        }
    }
}
