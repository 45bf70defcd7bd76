//! The words that may be said and that nobody could guess: names of people, of the house, of what
//! it sells.
//!
//! Between the agent and an engine, which decides how many of them it has room for. Ordered by
//! importance: who speaks, what the agent's configuration lists, what its knowledge names.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::turn::Personal;

/// Limits a person's name, which they choose themselves: words, and letters of all of them.
const NAME_WORDS: usize = 3;
const NAME_LETTERS: usize = 40;

/// Holds words that may be said. Cheap to clone.
#[derive(Clone, Default)]
pub struct Vocabulary {
    /// Who speaks.
    contact: Option<Personal>,
    house: Arc<House>,
}

#[derive(Default)]
struct House {
    words: Vec<String>,
    /// How many of the words, the first, are the configuration's.
    listed: usize,
}

impl Vocabulary {
    /// Makes the vocabulary of an agent: `listed` in its configuration, and `found` in its
    /// knowledge. Each word or phrase is kept once.
    pub fn of_agent(listed: &[String], found: &[String]) -> Self {
        let mut seen = HashSet::new();
        let mut words = Vec::new();
        for word in listed {
            add(&mut words, &mut seen, word);
        }
        let listed = words.len();
        for word in found {
            add(&mut words, &mut seen, word);
        }
        Self { contact: None, house: Arc::new(House { words, listed }) }
    }

    /// Returns the same for speech of the person whose profile has `name`.
    #[must_use]
    pub fn with_contact(&self, name: Option<&Personal>) -> Self {
        let contact = name.and_then(|name| speakable(name.reveal())).map(Personal);
        Self { contact, house: Arc::clone(&self.house) }
    }

    /// Returns all words and phrases, the most important first.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.given().chain(self.found().iter().map(String::as_str))
    }

    /// Returns the name of who speaks and what the configuration lists.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        let contact = self.contact.iter().map(Personal::reveal);
        contact.chain(self.listed().iter().map(String::as_str))
    }

    /// Returns what the configuration lists.
    pub fn listed(&self) -> &[String] {
        &self.house.words[..self.house.listed]
    }

    /// Returns what was found in the knowledge.
    pub fn found(&self) -> &[String] {
        &self.house.words[self.house.listed..]
    }
}

impl fmt::Debug for Vocabulary {
    /// Counts the words: a name is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vocabulary({} words)", self.words().count())
    }
}

fn add(words: &mut Vec<String>, seen: &mut HashSet<String>, word: &str) {
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    if !word.is_empty() && seen.insert(word.to_lowercase()) {
        words.push(word);
    }
}

/// Returns what can be said of a profile's name, which may hold hearts and slogans.
fn speakable(name: &str) -> Option<String> {
    let in_name = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-');
    let words = name.split(|c: char| !in_name(c)).map(|word| word.trim_matches(['\'', '’', '-']));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(NAME_WORDS).collect();
    let name = words.join(" ");
    let fits = name.chars().count() <= NAME_LETTERS;
    (fits && name.chars().filter(|c| c.is_alphabetic()).count() > 1).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn words_stand_by_importance_and_once() {
        let agent = Vocabulary::of_agent(
            &owned(&[" Hark ", "Dr.  Özdemir"]),
            &owned(&["Lumivelo", "hark", "ÖZDEMIR"]),
        );
        let all =
            |vocabulary: &Vocabulary| vocabulary.words().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all(&agent), ["Hark", "Dr. Özdemir", "Lumivelo", "ÖZDEMIR"]);
        assert_eq!(agent.listed(), ["Hark", "Dr. Özdemir"]);
        let spoken = agent.with_contact(Some(&"Saoirse".into()));
        assert_eq!(all(&spoken)[..2], ["Saoirse", "Hark"]);
        assert_eq!(all(&spoken.with_contact(None)), all(&agent));
        assert_eq!(Vocabulary::default().words().count(), 0);
    }

    #[test]
    fn of_a_profile_only_what_is_a_name_is_taken() {
        for (profile, name) in [
            ("Saoirse O'Neill-Kelly", Some("Saoirse O'Neill-Kelly")),
            ("~ 💖 Ann 💖 ~", Some("Ann")),
            ("Zoë\u{0}\n(she/her)", Some("Zoë she her")),
            ("Best Deals In Town Call Now", Some("Best Deals In")),
            ("محمد", Some("محمد")),
            ("J.", None),
            ("+49 1555 000", None),
            ("", None),
        ] {
            assert_eq!(speakable(profile).as_deref(), name, "{profile}");
        }
        assert_eq!(speakable(&"a".repeat(41)), None);
    }

    #[test]
    fn names_are_not_printed() {
        let vocabulary = Vocabulary::default().with_contact(Some(&"Saoirse".into()));
        assert_eq!(format!("{vocabulary:?}"), "Vocabulary(1 words)");
    }
}
