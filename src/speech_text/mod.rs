//! What is written becomes what is said: sentences out of a stream of text, markup out of a sentence.
//!
//! Between the agent and the synthesizer. Pure functions and one small state machine: no I/O, no
//! clock, the same output for the same input however the stream was cut.

mod sentences;
mod spoken;

pub use sentences::SentenceSplitter;
pub use spoken::spoken;
