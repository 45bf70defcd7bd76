//! From the text of a model's server to the words that may be said.
//!
//! Three filters over the stream, in this order: whole characters, no repetition by the server, and
//! nothing but the answer itself. Invariant: wherever the stream is cut, the words are the same.

mod calls;
mod characters;
mod filter;
mod marks;
mod phrases;
mod repeats;

pub(super) use characters::mend;
pub(super) use filter::Filtered;

use characters::Characters;
use filter::ThoughtFilter;
use repeats::{RawPiece, Repeats};

use super::chunk::{Aside, Chunk};

/// Filters the text of one answer.
pub(super) struct AnswerText {
    characters: Characters,
    repeats: Repeats,
    filter: ThoughtFilter,
    /// What the server gives beside the text.
    aside: Option<Aside>,
}

impl AnswerText {
    /// Makes one for a new answer of a server whose answers begin within a thought, or do not, or
    /// have not shown it.
    pub(super) fn new(opens_thoughts: Option<bool>) -> Self {
        Self {
            characters: Characters::default(),
            repeats: Repeats::default(),
            filter: ThoughtFilter::new(opens_thoughts),
            aside: None,
        }
    }

    /// Takes a chunk's text and returns what of it may be said after `said`.
    pub(super) fn push(&mut self, chunk: &Chunk, said: &str) -> Filtered {
        let mut lifted = Filtered::default();
        if chunk.aside == Some(Aside::Thought) && self.aside.is_none() {
            // Who gives thoughts beside the text leaves none in it.
            self.filter.opens_thoughts = Some(false);
            lifted = self.filter.lift();
        }
        self.aside = self.aside.max(chunk.aside);
        let text = self.characters.push(&chunk.text);
        let piece = RawPiece { text: &text, whole: chunk.whole, last: chunk.end.is_some() };
        let new = self.repeats.push(piece, said);
        lifted.then(self.filter.push(&new))
    }

    /// Returns what was kept back, at the end of an answer; `whole` if it did not break off.
    pub(super) fn finish(&mut self, whole: bool) -> Filtered {
        let rest = self.repeats.finish();
        self.filter.push(&rest).then(self.filter.finish(whole))
    }

    /// Returns whether the server's answers begin within a thought, once this one has shown it.
    pub(super) fn opens_thoughts(&self) -> Option<bool> {
        self.filter.opens_thoughts
    }

    /// Says what came in place of an answer.
    pub(super) fn instead(&self) -> Option<&'static str> {
        self.aside.max(self.filter.aside).map(|aside| match aside {
            Aside::Thought => "thoughts alone",
            Aside::Call => "a call of a tool, and hark offers none",
        })
    }
}

#[cfg(test)]
mod tests;
