//! Follows who speaks, and on which channel, in the turns that a model writes out.

use super::{FilterState, MESSAGE, Stepped, ThoughtFilter};
use crate::agent::openai::chunk::Aside;
use crate::agent::openai::text::marks::is_model;

/// Most bytes of the name of a channel, with what stands around it.
const CHANNEL: usize = 200;
/// Most bytes of the name of who speaks.
const ROLE: usize = 32;

impl ThoughtFilter {
    /// Goes on with the words of the model, or leaves out those that it makes up for others.
    pub(super) fn speaks(&mut self, model: bool) {
        match (model, &self.state) {
            // What it says after its turn is made up, too.
            (true, FilterState::Over) if !self.fresh => {}
            (true, _) => self.state = FilterState::Answer,
            (false, _) => self.state = FilterState::Over,
        }
    }

    /// Reads the name of who speaks.
    pub(super) fn role(&mut self, rest: &str) -> Stepped {
        let name = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        if name == rest.len() && name < ROLE && !self.ending {
            return None;
        }
        self.state = FilterState::Answer;
        match is_model(&rest[..name]) {
            Some(model) => {
                self.speaks(model);
                Some(name)
            }
            // Words of the answer.
            None => Some(0),
        }
    }

    /// Reads the name of a channel, to the mark or the line break that ends it.
    pub(super) fn channel(&mut self, rest: &str) -> Stepped {
        const ENDS: [&str; 2] = ["<|message|>", "\n"];
        let ends = ENDS.iter().filter_map(|end| Some((rest.find(end)?, end.len()))).min();
        let (name, done) = match ends {
            Some((at, length)) => (&rest[..at], at + length),
            None if rest.len() < CHANNEL && !self.ending => return None,
            None => (rest, rest.len()),
        };
        let name = name.trim().to_lowercase();
        self.state = match name.split(|c: char| !c.is_alphanumeric()).next() {
            Some("analysis" | "thought" | "thinking") => {
                self.leave_out(Aside::Thought);
                FilterState::Thought { message: true }
            }
            Some("commentary") => {
                self.leave_out(Aside::Call);
                FilterState::Call { key: MESSAGE.to_owned() }
            }
            _ => {
                // Whatever came before the last channel was not for the person.
                self.take_back();
                FilterState::Answer
            }
        };
        Some(done)
    }
}
