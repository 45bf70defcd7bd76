//! Finds the names in passages: of people, places and products, which a question may say and no
//! model of speech would guess.
//!
//! Once, when passages are loaded. Without a dictionary only letters tell: a capital within a
//! sentence, a capital within a word, a digit beside letters. Where all nouns have a capital, as in
//! German, one alone tells nothing, and two words with one in a row do.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::source::Passage;
use crate::speech_text::lang;
use crate::written;

/// Letters of a word without small ones, such as "EUR", below which it shortens something.
const SHOUTED: usize = 4;

/// Limits the names that are kept, the words of one, and its letters.
const MOST: usize = 24;
const MOST_WORDS: usize = 3;
const MOST_LETTERS: usize = 32;

/// Share of words with a capital above which a sentence is a title, or shouted; where all nouns have
/// one, it takes more. Shorter sentences are none.
const TITLE: f64 = 0.5;
const TITLE_WITH_NOUNS: f64 = 0.9;
const TITLE_WORDS: usize = 4;

/// Holds words that have a capital and are no names, in lower case, of every language.
static ORDINARY: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lang::everywhere(|language| language.search.capitals).collect());

/// Holds words that stand before names, in lower case, of every language.
static TITLES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lang::everywhere(|language| language.search.titles).collect());

/// Letters of a word with a capital that a full stop shortens, such as "Prof.": more end a sentence.
const SHORTENED: usize = 4;

/// Says by what a name was known: the later, the surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// One capital within a sentence.
    Capital,
    /// Several words with capitals in a row, or one after a title.
    Row,
    /// A capital within the word, or letters and digits together.
    Spelling,
}

/// Holds what is known of a name.
struct Found {
    mark: Mark,
    /// Whether a question has it: what people ask for is what they say.
    asked: bool,
    passages: usize,
    last_passage: usize,
    /// Its place, so that of two alike the first stays first.
    place: usize,
}

/// Holds one word of a sentence.
struct Word<'a> {
    text: &'a str,
    /// Whether it begins a sentence, a line or a cell.
    first: bool,
    /// Whether nothing but a space stands between the word before and this one.
    joined: bool,
    /// Whether the word before is a title, such as "Dr."
    titled: bool,
}

/// Returns the names in `passages`, those that are likeliest said first, at most [`MOST`].
pub(super) fn of(passages: &[Passage]) -> Vec<String> {
    let texts: Vec<Text<'_>> = passages.iter().map(Text::of).collect();
    let german = texts.iter().filter(|text| text.nouns == Some(true)).count();
    let other = texts.iter().filter(|text| text.nouns == Some(false)).count();
    let all = texts.iter().flat_map(|text| text.question.iter().chain(&text.answer));
    let in_lower_case: HashSet<&str> =
        all.map(|word| word.text).filter(|text| !starts_with_capital(text)).collect();
    let mut names: HashMap<String, Found> = HashMap::new();
    for (passage, text) in texts.iter().enumerate() {
        let reader = NameReader {
            in_lower_case: &in_lower_case,
            // What does not tell its language is in that of most others.
            nouns: text.nouns.unwrap_or(german > other),
        };
        for (asked, words) in [(true, &text.question), (false, &text.answer)] {
            for (name, mark) in reader.names(words) {
                let place = names.len();
                let found = names.entry(name).or_insert(Found {
                    mark,
                    asked,
                    passages: 0,
                    last_passage: usize::MAX,
                    place,
                });
                found.mark = found.mark.max(mark);
                found.asked |= asked;
                found.passages += usize::from(found.last_passage != passage);
                found.last_passage = passage;
            }
        }
    }
    let mut names: Vec<(String, Found)> = names.into_iter().collect();
    names.sort_by_key(|(_, found)| {
        (Reverse((found.asked, found.mark, found.passages)), found.place)
    });
    names.truncate(MOST);
    names.into_iter().map(|(name, _)| name).collect()
}

/// Holds the words of one passage.
struct Text<'a> {
    question: Vec<Word<'a>>,
    answer: Vec<Word<'a>>,
    /// Whether all nouns have a capital, if the language is known.
    nouns: Option<bool>,
}

impl<'a> Text<'a> {
    fn of(passage: &'a Passage) -> Self {
        let question = passage.question.as_deref().unwrap_or_default();
        let language = written::language(&format!("{question} {}", passage.answer), |_| true);
        Self {
            question: words(question),
            answer: words(&passage.answer),
            nouns: language.told().map(|code| code == "de"),
        }
    }
}

/// Reads names out of sentences of one language.
struct NameReader<'a> {
    /// Words that stand somewhere without a capital.
    in_lower_case: &'a HashSet<&'a str>,
    /// Whether all nouns have one.
    nouns: bool,
}

impl NameReader<'_> {
    fn names(&self, words: &[Word<'_>]) -> Vec<(String, Mark)> {
        words
            .chunk_by(|_, next| !next.first)
            .flat_map(|sentence| self.of_sentence(sentence))
            .collect()
    }

    fn of_sentence(&self, sentence: &[Word<'_>]) -> Vec<(String, Mark)> {
        let is_title = self.is_title(sentence);
        let may_be = |word: &Word<'_>| {
            has_own_spelling(word.text) || (!is_title && self.may_be_a_name(word.text))
        };
        // "Varnex 300 Pro": a number within or after a name is a part of it.
        let part = |word: &Word<'_>| may_be(word) || word.text.chars().all(char::is_numeric);
        let mut names = Vec::new();
        for row in sentence.chunk_by(|one, next| next.joined && part(one) && part(next)) {
            let Some(start) = row.iter().position(may_be) else { continue };
            let row = &row[start..];
            let first = &row[0];
            let spelling = row.iter().any(|word| has_own_spelling(word.text));
            let mark = match (spelling, row.iter().filter(|word| may_be(word)).count()) {
                (true, _) => Mark::Spelling,
                (false, 2..) => Mark::Row,
                (false, _) if first.titled => Mark::Row,
                // The first word of a sentence has a capital anyway.
                (false, _) if self.nouns || first.first => continue,
                (false, _) => Mark::Capital,
            };
            let name = row.iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
            if row.len() <= MOST_WORDS && name.chars().count() <= MOST_LETTERS {
                names.push((name, mark));
            }
        }
        names
    }

    fn is_title(&self, sentence: &[Word<'_>]) -> bool {
        let capitals = sentence.iter().skip(1).filter(|word| has_telling_capital(word.text));
        let share = if self.nouns { TITLE_WITH_NOUNS } else { TITLE };
        sentence.len() >= TITLE_WORDS && exceeds(capitals.count(), sentence.len() - 1, share)
    }

    fn may_be_a_name(&self, word: &str) -> bool {
        let shortened = word.chars().count() < SHOUTED && !word.contains(char::is_lowercase);
        let ordinary = self.in_lower_case.contains(word.to_lowercase().as_str());
        has_telling_capital(word) && !shortened && !ordinary
    }
}

/// Returns whether a word has a capital that other words would not have in its place.
fn has_telling_capital(word: &str) -> bool {
    let lower = word.to_lowercase();
    let lists = [&ORDINARY, &TITLES];
    starts_with_capital(word) && !lists.iter().any(|list| list.contains(lower.as_str()))
}

/// Splits a text into words of letters and digits.
fn words(text: &str) -> Vec<Word<'_>> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-');
    let mut words = Vec::new();
    let (mut rest, mut first) = (text, true);
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        let between = &rest[..start];
        let last = words.last().map_or("", |word: &Word<'_>| word.text);
        let shortened = starts_with_capital(last) && last.chars().count() <= SHORTENED;
        let ends =
            |c: char| matches!(c, '!' | '?' | ':' | '\n' | '…' | '。') || (c == '.' && !shortened);
        first |= between.contains(ends);
        let titled = !first && TITLES.contains(last.to_lowercase().as_str());
        let word = &rest[start..];
        let end = word.find(|c: char| !part(c)).unwrap_or(word.len());
        let text = word[..end].trim_end_matches(['\'', '’', '-']);
        let joined = !first && between.chars().all(char::is_whitespace);
        words.push(Word { text, first, joined, titled });
        (rest, first) = (&word[end..], false);
    }
    words
}

fn starts_with_capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// Returns whether no ordinary word is spelt so: `LumiVelo`, `iPad`, `X2`, `GTX-300`; but not `10`,
/// `5kg`, `USA` or `McDonald's` less its capital.
fn has_own_spelling(word: &str) -> bool {
    let upper = word.chars().filter(|c| c.is_uppercase()).count();
    let lower = word.chars().any(char::is_lowercase);
    let digit = word.chars().any(char::is_numeric);
    let parts = || word.split(['-', '\'', '’']);
    let within = parts().any(|part| part.chars().skip(1).any(char::is_uppercase));
    (upper > 0 && digit) || (within && lower && word.chars().count() > 2)
}

#[expect(clippy::cast_precision_loss, reason = "counts of words are far below 2^52")]
fn exceeds(part: usize, whole: usize, share: f64) -> bool {
    part as f64 > share * whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(passages: &[(&str, &str)], expected: &[&str]) {
        let passages: Vec<Passage> = passages
            .iter()
            .map(|(question, answer)| Passage {
                question: (!question.is_empty()).then(|| (*question).to_owned()),
                answer: (*answer).to_owned(),
                also: String::new(),
                place: String::new(),
            })
            .collect();
        assert_eq!(of(&passages), expected);
    }

    #[test]
    fn names_are_known_by_a_capital_within_a_sentence() {
        check(
            &[
                ("Is Dr. Achterberg in on Monday?", "Yes, and Mrs Okafor is in, too. Ask for her."),
                ("Do you repair the Lumivelo X2?", "We repair it in the shop, like every bike."),
                ("", "The shop is open. Shop assistants speak English. I ask Kvarnholm first."),
            ],
            &["Lumivelo X2", "Achterberg", "Okafor", "Kvarnholm"],
        );
    }

    #[test]
    fn where_nouns_have_capitals_only_rows_and_spelling_tell() {
        check(
            &[
                (
                    "Wann hat die Praxis geöffnet?",
                    "Die Praxis hat von Montag bis Freitag geöffnet.",
                ),
                (
                    "Was kostet die Wartung?",
                    "Die Wartung der Therme macht Herr Jan Szymański mit Frau Özdemir.",
                ),
                ("", "Wir liefern nach Bad Zwischenahn, und das LumiVelo gibt es im Laden."),
            ],
            &["LumiVelo", "Jan Szymański", "Özdemir", "Bad Zwischenahn"],
        );
    }

    #[test]
    fn a_number_is_a_part_of_the_name_before_it() {
        check(&[("", "name: Varnex 300 Pro, price: 3")], &["Varnex 300 Pro"]);
        check(&[("", "we have the Varnex 300 and on 5 May the other")], &["Varnex 300"]);
    }

    #[test]
    fn titles_lines_and_cells_tell_nothing_by_their_first_letters() {
        check(&[("Our Opening Hours And Holidays", "We Are Open On Every Day")], &[]);
        check(&[("", "name: Tea, price: 3 EUR, size: 250g"), ("", "- Tea\n- Milk\n# Prices")], &[]);
        check(&[("", "name: Varnex, price: 300")], &[]);
        check(&[("", "PLEASE CALL US ABOUT THE VARNEX NOW")], &[]);
        check(&[], &[]);
    }

    #[test]
    fn names_are_bounded_and_those_that_are_asked_for_come_first() {
        let many: Vec<String> = (0..99).map(|n| format!("we sell the Model{n} here")).collect();
        let mut passages: Vec<(&str, &str)> = many.iter().map(|text| ("", text.as_str())).collect();
        passages.push(("is there a Quellbrunn?", "yes"));
        let passages: Vec<Passage> = passages
            .into_iter()
            .map(|(question, answer)| Passage {
                question: Some(question.to_owned()),
                answer: answer.to_owned(),
                also: String::new(),
                place: String::new(),
            })
            .collect();
        let names = of(&passages);
        assert_eq!((names.len(), names[0].as_str()), (MOST, "Quellbrunn"));
    }
}
