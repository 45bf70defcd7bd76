//! How well words were heard: the word error rate, as all tests of hearing count it.

use std::fmt::Write as _;

/// What was said in a note, and what was heard.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) note: String,
    pub(crate) said: String,
    pub(crate) heard: String,
}

/// The words of a text: lower case, without punctuation.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || c == '-')
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()))
        .map(|word| word.flat_map(char::to_lowercase).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The fewest words to replace, add and take away that make `said` of what was `heard`.
pub(crate) fn errors(said: &str, heard: &str) -> usize {
    let (said, heard) = (words(said), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (done, word) in said.iter().enumerate() {
        let mut diagonal = done;
        row[0] = done + 1;
        for (at, other) in heard.iter().enumerate() {
            let replaced = diagonal + usize::from(word != other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()]
}

/// Errors for each hundred words that were said.
#[expect(clippy::cast_precision_loss, reason = "a few hundred words")]
pub(crate) fn error_rate(notes: &[Comparison]) -> f64 {
    let wrong: usize = notes.iter().map(|note| errors(&note.said, &note.heard)).sum();
    let all: usize = notes.iter().map(|note| words(&note.said).len()).sum();
    100.0 * wrong as f64 / all as f64
}

/// Checks that of a hundred words at most `most` were heard wrong; shows every note that has one.
#[track_caller]
pub(crate) fn assert_error_rate(what: &str, notes: &[Comparison], most: f64) {
    let rate = error_rate(notes);
    eprintln!("{what}: {rate:.1} % of the words are wrong, {most} % may be");
    assert!(rate <= most, "{what}: {rate:.1} %, more than {most} %:\n{}", misheard(notes));
}

/// The notes with errors, one a paragraph.
pub(crate) fn misheard(notes: &[Comparison]) -> String {
    let mut list = String::new();
    for Comparison { note, said, heard } in notes {
        let wrong = errors(said, heard);
        if wrong > 0 {
            writeln!(list, "{note}, {wrong} wrong\n  said  {said}\n  heard {heard}").unwrap();
        }
    }
    list
}

#[test]
fn punctuation_and_capitals_are_no_words() {
    assert_eq!(words(" Hello, I'm  TWENTY-one... "), ["hello", "im", "twenty", "one"]);
    assert!(words("?! - ").is_empty());
}

#[test]
fn each_wrong_missing_or_added_word_is_one_error() {
    for (said, heard, expected) in [
        ("When do you open?", "when do you open", 0),
        ("when do you open", "when did you open", 1),
        ("when do you open", "do you open", 1),
        ("when do you open", "so when do you open", 1),
        ("when do you open", "open when do you", 2),
        ("when do you open", "", 4),
        ("", "thank you", 2),
        ("yes", "no", 1),
    ] {
        assert_eq!(errors(said, heard), expected, "{said:?} {heard:?}");
    }
}

#[test]
fn the_rate_is_over_all_words_that_were_said() {
    let heard = |said: &str, heard: &str| Comparison {
        note: "a.ogg".to_owned(),
        said: said.to_owned(),
        heard: heard.to_owned(),
    };
    let notes = [heard("Yes.", "no"), heard("When do you open?", "when do you open")];
    assert!((error_rate(&notes) - 20.0).abs() < 1e-9);
    assert_eq!(misheard(&notes), "a.ogg, 1 wrong\n  said  Yes.\n  heard no\n");
    assert_error_rate("both", &notes, 20.0);
}

#[test]
#[should_panic(expected = "both: 50.0 %, more than 49 %:\na.ogg, 1 wrong\n  said  two words")]
fn too_many_errors_fail_and_show_what_was_said_and_heard() {
    let (said, heard) = ("two words".to_owned(), "to words".to_owned());
    let notes = [Comparison { note: "a.ogg".to_owned(), said, heard }];
    assert_error_rate("both", &notes, 49.0);
}
