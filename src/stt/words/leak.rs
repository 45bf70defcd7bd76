//! Catches a prompt that is spoken back.
//!
//! Pure. A model of whisper's kind that is given words which may be said takes them for the text
//! before; where nothing clear is heard it may say them itself.

use crate::stt::Vocabulary;

/// Entries of the prompt that nobody says one after the other, in its order.
const IN_ORDER: usize = 3;
/// Entries that are a list and not an answer, if nothing else is said.
const ALONE: usize = 2;
/// Pieces between commas and full stops that are a list, if one of them is an entry and all are as
/// short: heard in a bell, "Marenko, Takar, Marenko, Takar." has a name made up beside the list's.
const PIECES: usize = 3;
const PIECE_WORDS: usize = 2;

/// Returns whether `heard` is likely the prompt of `vocabulary` and not what was said: some of its
/// words in its order with nothing between, several of them and nothing else, or another list with
/// one of them.
pub(in crate::stt) fn leaked(heard: &str, vocabulary: &Vocabulary) -> bool {
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
pub(in crate::stt) fn confirmed(first: &str, again: &str) -> bool {
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
}
