//! Makes whisper's tokens of words, as the words that it was trained on were made.
//!
//! whisper.cpp 1.8.3 has a tokenizer of its own, which takes the longest known piece and parts
//! letters beyond ASCII from their words (`src/whisper.cpp` L3258-3310): "Özdemir" becomes pieces
//! that the model has hardly seen. This one joins the pair of pieces that was learnt first, over
//! and over, as openai/tiktoken does: a token's number is its rank.

use std::collections::HashMap;

use whisper_rs::WhisperTokenId;

use crate::models::{ModelError, ModelSource};

/// Knows the pieces of one model.
pub(super) struct Tokenizer(HashMap<Box<[u8]>, WhisperTokenId>);

impl Tokenizer {
    /// Reads the pieces from the model's file, which was checked.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub(super) fn read(source: &ModelSource) -> Result<Self, ModelError> {
        Ok(Self::of(source.words()?))
    }

    pub(super) fn of(pieces: Vec<Box<[u8]>>) -> Self {
        let mut ranks = HashMap::with_capacity(pieces.len());
        for (rank, piece) in (0..).zip(pieces) {
            ranks.entry(piece).or_insert(rank);
        }
        Self(ranks)
    }

    /// Appends the tokens of `text` to `tokens`. A byte without a token, which no official model
    /// has, is left out.
    pub(super) fn append(&self, text: &str, tokens: &mut Vec<WhisperTokenId>) {
        for word in split(text) {
            // Where pieces begin, and the end.
            let mut cuts: Vec<usize> = (0..=word.len()).collect();
            let token = |from: usize, to: usize| self.0.get(&word.as_bytes()[from..to]);
            loop {
                let pairs = cuts.windows(3).enumerate();
                let known = pairs.filter_map(|(at, pair)| Some((token(pair[0], pair[2])?, at)));
                let Some((_, first_learnt)) = known.min() else { break };
                cuts.remove(first_learnt + 1);
            }
            tokens.extend(cuts.windows(2).filter_map(|piece| token(piece[0], piece[1])));
        }
    }

    /// Finds the tokens after which a sentence may be over.
    pub(super) fn sentence_ends(&self) -> Vec<WhisperTokenId> {
        let ends = |piece: &[u8]| {
            let marks = [".", "?", "!", "。", "？", "！", "؟", "।"];
            marks.iter().any(|mark| piece.ends_with(mark.as_bytes()))
        };
        let mut found: Vec<_> =
            self.0.iter().filter(|(piece, _)| ends(piece)).map(|(_, token)| *token).collect();
        found.sort_unstable();
        found
    }
}

/// Splits a text as it was before pairs were learnt: words, numbers, marks, each with the space
/// before it.
fn split(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Shape {
        Letter,
        Digit,
        Space,
        Mark,
    }
    let shape = |c: char| match c {
        c if c.is_alphabetic() => Shape::Letter,
        c if c.is_numeric() => Shape::Digit,
        c if c.is_whitespace() => Shape::Space,
        _ => Shape::Mark,
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let space = usize::from(rest.starts_with(' ') && rest.len() > 1);
        let mut letters = rest[space..].char_indices();
        let first = letters.next().map(|(_, c)| shape(c));
        let end = letters.find(|(_, c)| Some(shape(*c)) != first);
        let (part, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| space + at));
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_that_was_learnt_first_is_joined_first() {
        let mut pieces: Vec<Box<[u8]>> = (0..=255).map(|byte: u8| [byte].into()).collect();
        for piece in ["in", "er", " w", "win", "Ö"] {
            pieces.push(piece.as_bytes().into());
        }
        let tokenizer = Tokenizer::of(pieces);
        let texts = |text: &str| {
            let mut tokens = Vec::new();
            tokenizer.append(text, &mut tokens);
            tokens
        };
        // " w" was learnt before "win", which so never comes to be.
        assert_eq!(texts(" win"), [258, 256]);
        assert_eq!(texts("win"), [259]);
        assert_eq!(texts("Ö."), [260, i32::from(b'.')]);
        assert!(texts("").is_empty());
        assert_eq!(tokenizer.sentence_ends(), [33, 46, 63]);
    }

    #[test]
    fn words_numbers_and_marks_are_parted_and_keep_the_space_before_them() {
        assert_eq!(split(" Dr. Özdemir, X2"), [" Dr", ".", " Özdemir", ",", " X", "2"]);
        assert_eq!(split("a b "), ["a", " b", " "]);
        assert_eq!(split(" "), [" "]);
    }
}
