//! Numbers and agents of the store beside those of the file: joined, checked one by one.
//!
//! What the store has joins behind what the file has, so that a place in the list tells which it is.

use super::check::{check_agent, check_number};
use super::{Config, ConfigError, ConfigErrors};
use crate::registry::{Agent, Number};

impl Config {
    /// Returns the same with the numbers and agents of the store.
    #[must_use]
    pub fn with_stored(&self, numbers: Vec<Number>, agents: Vec<Agent>) -> Self {
        let mut joined = self.clone();
        joined.numbers.extend(numbers);
        joined.agents.extend(agents);
        joined
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
        problems
    }

    /// Finds a number or an agent that is both in the file and in the store.
    ///
    /// # Errors
    /// It, naming both places.
    pub fn refuse_twins(&self, numbers: &[Number], agents: &[Agent]) -> Result<(), ConfigError> {
        let store = self.store.path().display();
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
            if agents.iter().any(|stored| stored.name == agent.name) {
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
