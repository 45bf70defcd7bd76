//! Turns written text into spoken words: cuts a stream into sentences and writes out each of them.
//!
//! Sits between the agent and the synthesizer. Pure functions and one small state machine: no I/O,
//! no clock, and the same output for the same input, however the stream was cut.

mod blocks;
#[cfg(test)]
mod cases;
mod contacts;
mod counting;
mod dates;
mod hosts;
mod inline;
pub mod lang;
mod language;
mod links;
mod markup;
mod number;
mod quantities;
mod rules;
mod sentences;
mod spoken;
mod stops;
mod symbols;
mod times;

pub use language::{Answers, Language, PersonRequests, Search, Wishes};
pub use links::long_links;
pub use sentences::{SentenceSplitter, complete_sentences};
pub use spoken::spoken;
