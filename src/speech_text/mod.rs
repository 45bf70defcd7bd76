//! Turns written text into spoken words: cuts a stream into sentences and writes out each of them.
//!
//! Sits between the agent and the synthesizer. Pure functions and one small state machine: no I/O,
//! no clock, and the same output for the same input, however the stream was cut.

mod blocks;
#[cfg(test)]
mod cases;
mod codes;
mod contacts;
mod counting;
mod dates;
mod decades;
mod durations;
mod formulas;
mod hosts;
mod html;
mod inline;
pub mod lang;
mod language;
mod latex;
mod lengths;
mod links;
mod markup;
mod money;
mod number;
mod quantities;
mod romans;
mod rules;
mod sentences;
mod sources;
mod spoken;
mod stops;
mod symbols;
mod times;
mod versions;
mod weekdays;
mod whole;

pub use language::{Answers, Language, PersonRequests, Search, Wishes};
pub use links::long_links;
pub use rules::Change;
pub use sentences::{SentenceSplitter, complete_sentences, sentences_of};
pub use spoken::{Wording, spoken, worded};
