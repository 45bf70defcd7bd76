//! Finds text that no one spoke, by its form: it goes round in circles, counts, or comes faster
//! than anyone speaks.
//!
//! Pure, and in linear time. openai/whisper measures the same by how well zlib compresses a text;
//! here the repetitions are searched for, so that what people say twice is told from a loop.

use std::collections::{HashMap, HashSet};

/// Repeats in a row that make a loop, and the units they must cover together: "no, no, no, no" is
/// something people say.
const REPEATS: usize = 4;
const REPEATED_UNITS: usize = 8;
/// Repeats that do of a phrase of this many units: a sentence.
const SENTENCE_REPEATS: usize = 3;
const SENTENCE: usize = 6;
/// Longest phrase searched for, in units.
const PHRASE: usize = 16;

/// Characters that a loop without regard to words covers, its repeats, and its longest phrase:
/// syllables in one long word, or a script without spaces beside one with them.
const LOOPED_LETTERS: usize = 40;
const LETTERS_PHRASE: usize = 24;
/// The same inside one word: longer than any "hahahaha".
const LOOPED_WORD: usize = 16;
const WORD_REPEATS: usize = 6;

/// From this many units on, text whose runs of three are mostly repeated is a loop too. Ordinary
/// speech of that length stays above 0.8.
const LONG: usize = 40;
const NEW_RUNS: f64 = 0.5;

/// From this many characters on, text is a loop that is this many times longer than the pieces it
/// is made of. People's words stay below 1.6, see the tests.
const COMPRESSED_FROM: usize = 80;
const MOST_COMPRESSED: f64 = 2.2;

/// Numbers in a row, each one more than the last, that are counted and not told: people count to
/// ten to try a microphone.
const COUNTED: usize = 11;

/// Words, tokens and letters a second that no one speaks, and what a short sound has to spare.
/// Tokens and words are counted where letters are Latin: other scripts take several tokens for a
/// letter, or have no spaces.
const WORDS_PER_S: f64 = 8.0;
const TOKENS_PER_S: f64 = 12.0;
const LETTERS_PER_S: f64 = 30.0;
const SPARE_S: f64 = 1.0;

/// Replacement characters that show that the model lost itself in the bytes of a script.
const BROKEN: usize = 3;

/// Returns whether `text`, of `tokens` tokens, cannot have been spoken in `seconds` of sound.
pub(super) fn repeats(text: &str, seconds: f64, tokens: usize) -> bool {
    goes_round(text) || is_too_fast(text, seconds, tokens)
}

/// Returns whether `text` goes round in circles, counts on, or is broken.
pub(super) fn goes_round(text: &str) -> bool {
    let units = units(text);
    let letters: Vec<char> = units.iter().flat_map(|unit| unit.chars()).collect();
    (1..=PHRASE).any(|phrase| has_loop(&units, phrase, needed(phrase)))
        || (1..=LETTERS_PHRASE)
            .any(|phrase| has_loop(&letters, phrase, (phrase * REPEATS).max(LOOPED_LETTERS)))
        || units.iter().any(|word| loops_inside(word))
        || few_new_runs(&units)
        || compresses(text)
        || counts(&units)
        || text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count() >= BROKEN
}

/// Returns the units that repeats of a phrase of `phrase` units cover in a loop.
fn needed(phrase: usize) -> usize {
    if phrase >= SENTENCE {
        phrase * SENTENCE_REPEATS
    } else {
        (phrase * REPEATS).max(REPEATED_UNITS)
    }
}

/// Splits text into words in lower case without punctuation; into single characters where words are
/// not separated by spaces.
pub(super) fn units(text: &str) -> Vec<String> {
    let plain = |c: &char| c.is_alphanumeric();
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().filter(plain).flat_map(char::to_lowercase).collect())
        .filter(|word: &String| !word.is_empty())
        .collect();
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    // No language that separates its words averages 15 letters a word.
    if letters > 15 * words.len() {
        words.iter().flat_map(|word| word.chars()).map(String::from).collect()
    } else {
        words
    }
}

/// Returns whether some phrase of `length` units is repeated until it covers `needed` of them.
fn has_loop<T: PartialEq>(units: &[T], length: usize, needed: usize) -> bool {
    let mut run = length;
    for (unit, earlier) in units.iter().skip(length).zip(units) {
        run = if unit == earlier { run + 1 } else { length };
        if run >= needed {
            return true;
        }
    }
    false
}

/// Returns whether a word is made of one syllable over and over. Numbers may be.
fn loops_inside(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let needed = |syllable: usize| (syllable * WORD_REPEATS).max(LOOPED_WORD);
    !word.contains(|c: char| c.is_ascii_digit())
        && (1..=REPEATS).any(|syllable| has_loop(&letters, syllable, needed(syllable)))
}

#[expect(clippy::cast_precision_loss, reason = "a transcript has far fewer than 2^52 words")]
fn few_new_runs(units: &[String]) -> bool {
    if units.len() < LONG {
        return false;
    }
    let runs: HashSet<_> = units.windows(3).collect();
    (runs.len() as f64) < NEW_RUNS * (units.len() - 2) as f64
}

/// Returns whether much of `text` is a copy of what it said before, wherever that was.
#[expect(clippy::cast_precision_loss, reason = "a transcript has far fewer than 2^52 letters")]
fn compresses(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.len() >= COMPRESSED_FROM
        && letters.len() as f64 > MOST_COMPRESSED * pieces(&letters) as f64
}

/// Counts what it takes to write `letters` by copying: one for a letter, and three for a copy of
/// four or more that stood before.
fn pieces(letters: &[char]) -> usize {
    const COPY: usize = 4;
    const COPY_COST: usize = 3;
    let mut seen: HashMap<&[char], usize> = HashMap::new();
    let (mut at, mut cost) = (0, 0);
    while at < letters.len() {
        let earlier = letters.get(at..at + COPY).and_then(|four| seen.insert(four, at));
        let same = earlier.map_or(0, |from| {
            letters[from..].iter().zip(&letters[at..]).take_while(|(a, b)| a == b).count()
        });
        if same < COPY {
            (at, cost) = (at + 1, cost + 1);
            continue;
        }
        for next in at + 1..at + same {
            if let Some(four) = letters.get(next..next + COPY) {
                seen.insert(four, next);
            }
        }
        (at, cost) = (at + same, cost + COPY_COST);
    }
    cost
}

/// Returns whether numbers follow one another, one by one.
fn counts(units: &[String]) -> bool {
    let numbers: Vec<Option<u32>> = units.iter().map(|unit| unit.parse().ok()).collect();
    let mut run = 1;
    numbers.windows(2).any(|pair| {
        let next = matches!(pair, [Some(a), Some(b)] if a.checked_add(1) == Some(*b));
        run = if next { run + 1 } else { 1 };
        run >= COUNTED
    })
}

/// Returns whether no one can say that much in `seconds`.
#[expect(clippy::cast_precision_loss, reason = "a transcript has far fewer than 2^52 words")]
fn is_too_fast(text: &str, seconds: f64, tokens: usize) -> bool {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let latin = text.chars().filter(|c| c.is_alphanumeric() && *c < '\u{250}').count();
    let words = text.split_whitespace().count();
    let most = |rate: f64| rate * (seconds + SPARE_S);
    letters as f64 > most(LETTERS_PER_S)
        || (10 * latin >= 9 * letters
            && (words as f64 > most(WORDS_PER_S) || tokens as f64 > most(TOKENS_PER_S)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_found() {
        for text in [
            "thank you. ".repeat(4),
            "No, ".repeat(8),
            format!("So I said {}", "that we should go home now, ".repeat(4)),
            "Vielen Dank für Ihre Aufmerksamkeit heute. ".repeat(3),
            "¿Qué es lo que vas a hacer? ".repeat(3),
            "谢谢大家".repeat(6),
            "the a b the a c the a b the c a ".repeat(8),
            format!("a{}", "ha".repeat(20)),
            format!("Well, it is {} again", "ba".repeat(9)),
            format!("O{} não", "o".repeat(30)),
            format!("안녕하세요 {}", "아니아니".repeat(12)),
            "ព្រះបាទ".repeat(8),
            "ආයුබෝවන් ".repeat(8),
            "වවවවවවවවවවවවවවවවවවවවවව".to_owned(),
            (1..=20).map(|n| n.to_string()).collect::<Vec<_>>().join(", "),
            (1..=14).map(|n| format!("{n}.")).collect::<Vec<_>>().join(" "),
            "1.5% 1.5% 1.5% 1.5% 1.5% 1.5% 1.5% 1.5%".to_owned(),
            "The price of gas is up. The price of oil is up. The price of corn is up. The price of \
             gold is up. The price of gas is up. The price of oil is up. The price of corn is up."
                .to_owned(),
            "\u{fffd}\u{fffd} \u{fffd}".to_owned(),
        ] {
            assert!(goes_round(&text), "{text}");
        }
    }

    #[test]
    fn what_people_say_twice_is_no_loop() {
        for text in [
            "no, no, no, no, that is wrong",
            "one two one two one two three",
            "ja ja ja, das stimmt schon",
            "Hallo? Hallo? Hallo? Können Sie mich hören?",
            "non non non non non, ce n'est pas ça",
            "uno dos tres, probando, uno dos tres",
            "1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
            "My number is 555 5555 5555, I repeat, 555 5555 5555.",
            "0 8 0 0 1 1 1 0 0 0 1 1",
            "meine Nummer ist null eins sieben sieben sieben sieben drei drei drei null",
            "five five five, five five five, five zero",
            "我想明天下午三点预约一下可以吗谢谢",
            "Hahahahaha, that was good",
            "jajajajajaja qué risa",
            "Muito, muito, muito, muito obrigado mesmo!",
            "Where are you? Where are you? Where are you?",
            "Nooooooo, I said no",
            "Do you have it in red? Do you have it in blue? And do you have it in green?",
            "Quiero dos pizzas grandes, una con jamón y queso y una con champiñones y queso, y también \
             quiero dos ensaladas, una con tomate y una con atún, y dos refrescos grandes, por favor.",
            "Montag von acht bis zwölf, Dienstag von acht bis zwölf, Mittwoch von acht bis zwölf, \
             Donnerstag von acht bis achtzehn und Freitag von acht bis zwölf Uhr.",
        ] {
            assert!(!goes_round(text), "{text}");
        }
    }

    #[test]
    fn no_one_speaks_faster_than_the_fastest() {
        let words = "I would like to know when you are open today";
        assert!(!is_too_fast(words, 2.0, 12) && is_too_fast(words, 0.2, 12));
        assert!(!is_too_fast("sí", 0.3, 2) && !is_too_fast("", 0.0, 0));
        assert!(is_too_fast(words, 2.0, 60));
        assert!(is_too_fast(&words.repeat(12), 8.0, 80));
        // Korean takes more tokens, and Chinese has no spaces.
        assert!(!is_too_fast("안녕하세요 오늘 문을 여나요", 2.0, 40));
        assert!(is_too_fast(&"我想明天下午三点预约".repeat(12), 2.0, 90));
        assert!(repeats(words, 0.2, 12) && !repeats(words, 2.0, 12));
    }

    #[test]
    fn long_text_takes_linear_time() {
        let mut number = 7u32;
        let mut letter = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(number >> 24).unwrap_or(0) % 26)
        };
        let text: String = (0..50_000).map(|n| if n % 7 == 6 { ' ' } else { letter() }).collect();
        assert!(!goes_round(&text));
        assert!(goes_round(&"ab".repeat(50_000)));
    }
}
