//! Makes whisper's prompt of a vocabulary, and catches one that is spoken back.
//!
//! whisper takes what stands in the prompt for the text before, and spells what it hears alike. Each
//! token costs a step of the decoder, and each word makes the others less sure: so the prompt is
//! short. Where nothing clear is heard the model may say the prompt itself.

use whisper_rs::WhisperTokenId;

use super::repeats::SentenceEnds;
use super::tokens::Tokenizer;
use crate::models::{ModelError, ModelSource};
use crate::stt::Vocabulary;

/// Entries of the prompt that nobody says one after the other, in its order.
const IN_ORDER: usize = 3;
/// Entries that are a list and not an answer, if nothing else is said.
const ALONE: usize = 2;
/// Pieces between commas and full stops that are a list, if one of them is an entry and all are as
/// short: heard in a bell, "Marenko, Takar, Marenko, Takar." has a name made up beside the list's.
const PIECES: usize = 3;
const PIECE_WORDS: usize = 2;

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

/// Returns whether `heard` is likely the prompt of `vocabulary` and not what was said: some of its
/// words in its order with nothing between, several of them and nothing else, or another list with
/// one of them.
pub(super) fn leaked(heard: &str, vocabulary: &Vocabulary) -> bool {
    let entries: Vec<Vec<String>> = vocabulary.words().map(words).collect();
    let pieces = heard.split([',', '.', ';', '\n']).map(words).filter(|piece| !piece.is_empty());
    let pieces: Vec<Vec<String>> = pieces.collect();
    let is_entry = |piece: &Vec<String>| entries.contains(piece);
    let short = |piece: &Vec<String>| piece.len() <= PIECE_WORDS || is_entry(piece);
    if pieces.len() >= PIECES && pieces.iter().any(is_entry) && pieces.iter().all(short) {
        return true;
    }
    let heard = words(heard);
    // The entry that begins at a word, the longest of them: "Bad", "Bad Zwischenahn".
    let entry_at = |at: usize| {
        let begins = |entry: &[String]| !entry.is_empty() && heard[at..].starts_with(entry);
        let all = entries.iter().enumerate();
        all.filter(|(_, entry)| begins(entry)).max_by_key(|(_, entry)| entry.len())
    };
    let (mut at, mut listed, mut in_order, mut other) = (0, 0, 0, 0);
    let mut last = None;
    while at < heard.len() {
        let Some((place, entry)) = entry_at(at) else {
            (last, at, other) = (None, at + 1, other + 1);
            continue;
        };
        in_order = if last.is_some_and(|last| last + 1 == place) { in_order + 1 } else { 1 };
        if in_order >= IN_ORDER {
            return true;
        }
        (last, at, listed) = (Some(place), at + entry.len(), listed + 1);
    }
    other == 0 && listed >= ALONE
}

/// Returns whether `again`, heard without the prompt, sounds like `first`: then that was said.
pub(super) fn confirmed(first: &str, again: &str) -> bool {
    let letters = |text: &str| -> Vec<char> { words(text).concat().chars().collect() };
    let (first, again) = (letters(first), letters(again));
    let most = first.len().max(again.len());
    most > 0 && 2 * distance(&first, &again) <= most
}

/// Splits a text into words of letters and digits, in lower case.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Counts the letters to change, to add or to leave out to make one of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (place, same) in other.iter().map(|known| known == letter).enumerate() {
            let changed = diagonal + usize::from(!same);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> Vocabulary {
        let words = ["Hark", "Dr. Özdemir", "Lumivelo X2", "Bad Zwischenahn", "Klarvo"];
        Vocabulary::of_agent(&words.map(str::to_owned), &[])
    }

    #[track_caller]
    fn check(heard: &str, expected: bool) {
        assert_eq!(leaked(heard, &house()), expected, "{heard}");
    }

    #[test]
    fn a_prompt_that_is_spoken_back_is_caught() {
        check("Hark, Dr. Özdemir, Lumivelo X2, Bad Zwischenahn, Klarvo.", true);
        check("dr özdemir lumivelo x2 bad zwischenahn and more", true);
        check("So, Lumivelo X2. Bad Zwischenahn. Klarvo.", true);
        check("Klarvo, Hark.", true);
        check("Hark, Hark, Hark", true);
        check("Klarvo, Takar, Klarvo, Takar.", true);
    }

    #[test]
    fn people_who_say_names_are_believed() {
        check("Özdemir.", false);
        check("Dr. Özdemir", false);
        check("Is Dr. Özdemir in Bad Zwischenahn?", false);
        check("Hark, Dr. Özdemir is not on Klarvo", false);
        check("Hark, yes. That would be good, thanks.", false);
        check("I ordered Klarvo, Lumivelo X2 and Hark yesterday", false);
        check("", false);
        assert!(!leaked("anything, at all, here", &Vocabulary::default()));
    }

    #[test]
    fn what_sounds_alike_without_the_prompt_was_said() {
        assert!(confirmed("Hark, Dr. Özdemir, Lumivelo", "Hark, Doctor Ozdemeer, Lumi Velo."));
        assert!(confirmed("Klarvo, Hark.", "Clavo, hark"));
        assert!(!confirmed("Hark, Dr. Özdemir, Lumivelo X2.", "Thank you."));
        assert!(!confirmed("Klarvo, Hark.", ""));
        assert!(!confirmed("", ""));
    }

    #[test]
    fn letters_are_counted_as_by_hand() {
        let count = |one: &str, other: &str| {
            distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>())
        };
        assert_eq!([count("kitten", "sitting"), count("", "ab"), count("ab", "")], [3, 2, 2]);
    }

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
