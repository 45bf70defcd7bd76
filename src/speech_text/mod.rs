//! What is written becomes what is said: sentences out of a stream of text, words out of a sentence.
//!
//! Between the agent and the synthesizer. Pure functions and one small state machine: no I/O, no
//! clock, the same output for the same input however the stream was cut.

mod blocks;
#[cfg(test)]
mod cases;
mod contacts;
mod counting;
mod dates;
mod inline;
mod lang;
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

pub use links::long_links;
pub use sentences::{SentenceSplitter, complete_sentences};
pub use spoken::spoken;

/// The links of a reply that are too long to be said.
pub fn long_links(text: &str) -> Vec<String> {
    text.split_whitespace()
        .filter(|w| w.starts_with("http") && w.len() > 30)
        .map(str::to_owned)
        .collect()
}

/// The whole sentences at the beginning of `text`.
pub fn complete_sentences(text: &str) -> &str {
    text.rfind(['.', '!', '?']).map_or("", |end| &text[..=end])
}
