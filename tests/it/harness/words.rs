//! How well words were heard: what all tests of hearing assert of the word error rate.

use std::fmt::Write as _;

pub(crate) use hark::stt::wer::normalise as words;
use hark::stt::wer::{WordErrors, word_errors};

/// What was said in a note, and what was heard.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) note: String,
    pub(crate) said: String,
    pub(crate) heard: String,
}

/// Errors for each hundred words that were said.
pub(crate) fn error_rate(notes: &[Comparison]) -> f64 {
    let mut all = WordErrors::default();
    for note in notes {
        all += word_errors(&note.said, &note.heard);
    }
    100.0 * all.rate()
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
        let wrong = word_errors(said, heard).errors;
        if wrong > 0 {
            writeln!(list, "{note}, {wrong} wrong\n  said  {said}\n  heard {heard}").unwrap();
        }
    }
    list
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
