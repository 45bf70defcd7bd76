//! Picks the words of a question that say what it is about.
//!
//! Runs before the index is asked. Invariant: a term has only letters and digits, and there are at
//! most [`MAX_TERMS`], whatever a person says.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::speech_text::lang;
use crate::turn::LanguageCode;

/// Limits the words of each kind; more add nothing to a search.
const MAX_TERMS: usize = 32;

/// Holds the words that are in most questions, by language.
static COMMON: LazyLock<HashMap<&str, HashSet<&str>>> = LazyLock::new(|| {
    let split = |list| lang::entries(list).collect();
    lang::ALL.iter().map(|language| (language.code, split(language.search.common))).collect()
});
/// Holds the courtesies of every language.
static COURTESIES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lang::everywhere(|language| language.search.courtesies).collect());

/// Holds the words to search for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// There was no word at all.
    None,
    /// Only words that are in most questions.
    Common(Vec<String>),
    /// Words that say what the question is about.
    Informative(Vec<String>),
}

/// Picks the terms of `question`, lower case, each once, in order.
pub(super) fn terms(question: &str, language: &LanguageCode) -> Terms {
    let in_most_questions = &COMMON[lang::or_english(language).code];
    let mut common = Vec::new();
    let mut courtesies = Vec::new();
    let mut informative = Vec::new();
    for word in question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        let list = if in_most_questions.contains(word.as_str()) {
            &mut common
        } else if COURTESIES.contains(word.as_str()) {
            &mut courtesies
        } else {
            &mut informative
        };
        if list.len() < MAX_TERMS && !list.contains(&word) {
            list.push(word);
        }
    }
    match (informative.is_empty(), courtesies.is_empty(), common.is_empty()) {
        (false, _, _) => Terms::Informative(informative),
        (true, false, _) => Terms::Informative(courtesies),
        (true, true, false) => Terms::Common(common),
        (true, true, true) => Terms::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn only_telling_words_remain() {
        let informative = |words| Terms::Informative(owned(words));
        assert_eq!(terms("Hello, when do you OPEN? Open!", &"en".into()), informative(&["open"]));
        assert_eq!(terms("Hello there", &"en".into()), informative(&["hello"]));
        for language in ["es", "es-419"] {
            assert_eq!(terms("¿Cuándo abren ustedes?", &language.into()), informative(&["abren"]));
        }
        assert_eq!(
            terms("How are you?", &"en".into()),
            Terms::Common(owned(&["how", "are", "you"]))
        );
        assert_eq!(terms("\"*\" -- !", &"en".into()), Terms::None);
    }

    #[test]
    fn terms_are_bounded() {
        let question = (0..1000).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        let Terms::Informative(terms) = terms(&question, &"en".into()) else { panic!("no terms") };
        assert_eq!(terms.len(), MAX_TERMS);
    }
}
