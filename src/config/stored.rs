//! Numbers and agents of the store beside those of the file: joined, checked one by one.
//!
//! What the store has joins behind what the file has, but for the built-in agent: of that nobody's file
//! says anything, and one of the store takes its place. What has a version is the store's.

use super::check::{check_agent, check_number};
use super::{Config, ConfigError, ConfigErrors};
use crate::registry::{Agent, Number};

impl Config {
    /// Returns the same with the numbers and agents of the store; this one must be without any.
    #[must_use]
    pub fn with_stored(&self, numbers: Vec<Number>, agents: Vec<Agent>) -> Self {
        let mut joined = self.clone();
        joined.numbers.extend(numbers);
        for agent in agents {
            let built_in = self.is_built_in(&agent.name).then(|| self.agent_index(&agent.name));
            match built_in.flatten() {
                Some(index) => joined.agents[index] = agent,
                None => joined.agents.push(agent),
            }
        }
        joined
    }

    /// Returns the place of an agent among [`Config::agents`].
    pub fn agent_index(&self, name: &str) -> Option<usize> {
        self.agents.iter().position(|agent| agent.name == name)
    }

    /// Returns whether an agent is the built-in one, of which neither file nor variable says anything:
    /// one of the store may take its place.
    pub fn is_built_in(&self, name: &str) -> bool {
        let Some(index) = self.agent_index(name) else { return false };
        let place = format!("agents[{index}]");
        self.agents[index].version.is_none()
            && !self.origins.0.keys().any(|key| key.starts_with(&place))
    }

    /// Returns where an agent is set, for words about it: `agents[0]`, or `store: agents/desk`.
    pub fn agent_place(&self, index: usize) -> String {
        let place = format!("agents[{index}]");
        self.entry_of_store(&place).map_or(place, |entry| format!("store: {entry}"))
    }

    /// Returns where a number is set, likewise.
    pub fn number_place(&self, index: usize) -> String {
        let place = format!("numbers[{index}]");
        self.entry_of_store(&place).map_or(place, |entry| format!("store: {entry}"))
    }

    /// Returns the store's own name of a key, such as `agents/desk.llm` for `agents[1].llm`; `None`
    /// if the key is not of an entry of the store.
    pub(super) fn entry_of_store(&self, key: &str) -> Option<String> {
        let (list, rest) = key.split_once('[')?;
        let (index, rest) = rest.split_once(']')?;
        let index: usize = index.parse().ok()?;
        let (name, version) = match list {
            "agents" => self.agents.get(index).map(|agent| (&agent.name, agent.version))?,
            "numbers" => {
                let number = self.numbers.get(index)?;
                (&number.phone_number_id.0, number.version)
            }
            _ => return None,
        };
        version.map(|_| format!("{list}/{name}{rest}"))
    }

    /// Returns what cannot be used of one agent.
    pub fn agent_problems(&self, index: usize) -> ConfigErrors {
        let mut problems = ConfigErrors::default();
        check_agent(self, index, &mut problems);
        problems
    }

    /// Returns what cannot be used of one number.
    pub fn number_problems(&self, index: usize) -> ConfigErrors {
        let mut problems = ConfigErrors::default();
        check_number(self, index, &mut problems);
        problems.settle_agents(&[]);
        problems
    }

    /// Finds a number or an agent that is both in the file and in the store. The built-in agent is in
    /// no file.
    ///
    /// # Errors
    /// It, naming both places.
    pub fn refuse_twins(&self, numbers: &[Number], agents: &[Agent]) -> Result<(), ConfigError> {
        let store = self.store.address();
        for (index, number) in self.numbers.iter().enumerate() {
            if numbers.iter().any(|stored| stored.phone_number_id == number.phone_number_id) {
                let id = &number.phone_number_id;
                let problem = format!(
                    "number {id} is set here and in the store {store}: take it out here, or \
                     `hark numbers remove {id}`"
                );
                return Err(self.error(&format!("numbers[{index}].phone_number_id"), problem));
            }
        }
        for (index, agent) in self.agents.iter().enumerate() {
            let is_twin = |stored: &Agent| stored.name == agent.name;
            if agents.iter().any(is_twin) && !self.is_built_in(&agent.name) {
                let name = &agent.name;
                let problem = format!(
                    "agent \"{name}\" is set here and in the store {store}: take it out here, or \
                     `hark agents remove {name}`"
                );
                return Err(self.error(&format!("agents[{index}].name"), problem));
            }
        }
        Ok(())
    }
}
