//! What is written becomes what is said: sentences out of a stream of text, markup out of a sentence.
//!
//! Between the agent and the synthesizer. Pure functions and one small state machine: no I/O, no
//! clock, the same output for the same input however the stream was cut.

mod sentences;
mod spoken;

pub use sentences::SentenceSplitter;
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
