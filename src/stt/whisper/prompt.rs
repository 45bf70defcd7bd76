//! Makes whisper's prompt of a vocabulary.
//!
//! whisper takes what stands in the prompt for the text before, and spells what it hears alike. Each
//! token costs a step of the decoder, and each word makes the others less sure: so the prompt is
//! short. Where nothing clear is heard the model may say the prompt itself: see `words::leak`.

use whisper_rs::WhisperTokenId;

use super::repeats::SentenceEnds;
use super::tokens::Tokenizer;
use crate::models::{ModelError, ModelSource};
use crate::stt::Vocabulary;

/// Makes the prompts of one model.
pub(super) struct Prompts {
    tokenizer: Tokenizer,
    ends: SentenceEnds,
    /// Tokens that a prompt may have.
    room: usize,
}

impl Prompts {
    /// Reads the model's pieces; `None` for a model that was trained without prompts.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub(super) fn read(source: &ModelSource, room: usize) -> Result<Option<Self>, ModelError> {
        if room == 0 {
            return Ok(None);
        }
        let tokenizer = Tokenizer::read(source)?;
        let ends = SentenceEnds::new(tokenizer.sentence_ends());
        Ok(Some(Self { tokenizer, ends, room }))
    }

    /// Makes the prompt of `vocabulary`.
    pub(super) fn of<'a>(&self, vocabulary: &'a Vocabulary) -> Prompt<'a> {
        Prompt::of(vocabulary, &self.tokenizer, self.room)
    }

    /// Returns what sentences end with.
    pub(super) fn sentence_ends(&self) -> &SentenceEnds {
        &self.ends
    }
}

/// Returns the words that the agent lists and `prompts` has no room for: all, where there are none.
pub(super) fn cut<'a>(prompts: Option<&Prompts>, vocabulary: &'a Vocabulary) -> Vec<&'a str> {
    let listed = vocabulary.listed();
    let no_room = |prompts: &Prompts| {
        let cut = prompts.of(vocabulary).cut;
        cut.into_iter().filter(|word| listed.iter().any(|listed| listed == word)).collect()
    };
    prompts.map_or_else(|| listed.iter().map(String::as_str).collect(), no_room)
}

/// Holds what whisper is told before it hears.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt<'a> {
    pub(super) tokens: Vec<WhisperTokenId>,
    /// The words that had no room.
    pub(super) cut: Vec<&'a str>,
}

impl<'a> Prompt<'a> {
    /// Writes the words of `vocabulary` into at most `room` tokens, the most important first; what
    /// does not fit as a whole is cut.
    pub(super) fn of(vocabulary: &'a Vocabulary, tokenizer: &Tokenizer, room: usize) -> Self {
        let mut prompt = Self::default();
        let given = vocabulary.given().map(|word| (word, room));
        // Nobody asked for these: they cost no more than half.
        let found = vocabulary.found().iter().map(|word| (word.as_str(), room / 2));
        for (word, room) in given.chain(found) {
            let mut tokens = Vec::new();
            let before = if prompt.tokens.is_empty() { "" } else { "," };
            tokenizer.append(&format!("{before} {word}"), &mut tokens);
            // One is left for the full stop.
            if prompt.tokens.len() + tokens.len() < room {
                prompt.tokens.append(&mut tokens);
            } else {
                prompt.cut.push(word);
            }
        }
        if !prompt.tokens.is_empty() {
            tokenizer.append(".", &mut prompt.tokens);
        }
        prompt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_bounded_and_whole_words_are_cut_from_its_end() {
        let pieces = (0..=255).map(|byte: u8| [byte].into());
        let tokenizer = Tokenizer::of(pieces.collect());
        let vocabulary = Vocabulary::of_agent(
            &["Hark", "a very long product name", "Özil"].map(str::to_owned),
            &[],
        );
        let vocabulary = vocabulary.with_contact(Some(&"Ann".into()));
        let of = |room| Prompt::of(&vocabulary, &tokenizer, room);
        let text = |prompt: &Prompt<'_>| {
            let bytes = prompt.tokens.iter().map(|token| u8::try_from(*token).unwrap()).collect();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(text(&of(99)), " Ann, Hark, a very long product name, Özil.");
        assert_eq!(
            (text(&of(20)).as_str(), of(20).cut),
            (" Ann, Hark, Özil.", vec!["a very long product name"])
        );
        assert_eq!(text(&of(6)), " Ann.");
        assert_eq!((of(0).tokens.len(), of(0).cut.len()), (0, 4));
        assert_eq!(Prompt::of(&Vocabulary::default(), &tokenizer, 99), Prompt::default());
    }
}
