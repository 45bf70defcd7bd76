//! Asks espeak-ng for the phonemes of a sentence, clause by clause.
//!
//! It prints phonemes without punctuation, which Piper's voices want: each clause is asked for alone,
//! and what ends it is put back.

use std::process::Stdio;
use std::time::Duration;

use icu_normalizer::DecomposingNormalizer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::tts::TtsError;
use crate::tts::espeak::{PROGRAM, harmless};

/// Longest time for a clause; it takes milliseconds.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Most bytes of a clause's phonemes.
const MOST_BYTES: u64 = 100_000;

/// Holds what is said of a clause, and the mark that ends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clause {
    phonemes: String,
    end: Option<char>,
}

impl Clause {
    /// Returns the phonemes, the mark, and a space if another clause may follow.
    pub(super) fn symbols(&self) -> impl Iterator<Item = char> {
        let space = self.end.filter(|end| matches!(end, ',' | ';' | ':')).map(|_| ' ');
        self.phonemes.chars().chain(self.end).chain(space)
    }
}

/// Returns the phonemes of `text` as `voice` says it, without clauses that have none.
///
/// # Errors
/// espeak-ng is missing or fails.
pub(super) async fn of(text: &str, voice: &str) -> Result<Vec<Clause>, TtsError> {
    let mut clauses = Vec::new();
    for (words, end) in clauses_of(&harmless(text)) {
        let phonemes = cleaned(&ask(words, voice).await?);
        if !phonemes.is_empty() {
            clauses.push(Clause { phonemes, end });
        }
    }
    Ok(clauses)
}

/// Cuts a text after each mark that ends a clause. A mark within a number or a word ends none.
fn clauses_of(text: &str) -> Vec<(&str, Option<char>)> {
    let mut clauses = Vec::new();
    let mut from = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        if let Some(end) = mark(letter)
            && next.is_none_or(|next| !next.is_alphanumeric())
        {
            clauses.push((&text[from..at], Some(end)));
            from = at + letter.len_utf8();
        }
    }
    clauses.push((&text[from..], None));
    clauses.retain(|(words, _)| words.contains(char::is_alphanumeric));
    clauses
}

/// Returns the mark that Piper's voices know for one that ends a clause.
fn mark(letter: char) -> Option<char> {
    match letter {
        '.' | '…' | '。' => Some('.'),
        ',' | '،' | '、' | '–' | '—' => Some(','),
        '!' | '！' => Some('!'),
        '?' | '？' | '؟' => Some('?'),
        ';' | ':' => Some(letter),
        _ => None,
    }
}

/// Joins the lines that espeak-ng prints, leaves out its marks of languages, such as `(en)`, and takes
/// letters with their accents apart, as the voices' tables have them.
fn cleaned(printed: &str) -> String {
    let mut cleaned = String::new();
    let mut marked = false;
    for letter in printed.trim().chars() {
        match letter {
            '(' => marked = true,
            ')' => marked = false,
            _ if marked => {}
            '\n' | '\r' => cleaned.push(' '),
            _ => cleaned.push(letter),
        }
    }
    DecomposingNormalizer::new_nfd().normalize(cleaned.trim()).into_owned()
}

/// Has espeak-ng print the phonemes of a clause.
async fn ask(words: &str, voice: &str) -> Result<String, TtsError> {
    let failed = |why: String| TtsError::Engine(format!("{PROGRAM} --ipa -v {voice}: {why}"));
    let mut child = Command::new(PROGRAM)
        .args(["-q", "--ipa", "-v", voice])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| TtsError::Start { program: PROGRAM, source })?;
    let mut stdin = child.stdin.take().expect("stdin is piped, and taken only here");
    let stdout = child.stdout.take().expect("stdout is piped, and taken only here");
    let mut printed = String::new();
    let talk = async {
        // It prints while it reads: both at a time, or a full pipe stops both.
        let write = async {
            // A child that has exited breaks the pipe; its status says more.
            let _broken: std::io::Result<()> = stdin.write_all(words.as_bytes()).await;
            drop(stdin);
            Ok(())
        };
        tokio::try_join!(write, async {
            stdout.take(MOST_BYTES).read_to_string(&mut printed).await.map(drop)
        })?;
        child.wait().await
    };
    let status = timeout(TIME_LIMIT, talk).await;
    let status = status.map_err(|_late| failed(format!("no end in {} s", TIME_LIMIT.as_secs())))?;
    let status = status.map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(printed) } else { Err(failed(status.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_end_clauses_but_not_within_numbers_and_words() {
        let check = |text: &str, expected: &[(&str, Option<char>)]| {
            let trimmed: Vec<_> =
                clauses_of(text).into_iter().map(|(words, end)| (words.trim(), end)).collect();
            assert_eq!(trimmed, expected, "{text}");
        };
        check("Ja, bitte!", &[("Ja", Some(',')), ("bitte", Some('!'))]);
        check("3.50 um 9:30", &[("3.50 um 9:30", None)]);
        check("Warte … – gut", &[("Warte", Some('.')), ("gut", None)]);
        check("?!., 😀", &[]);
    }

    #[test]
    fn marks_of_languages_and_lines_are_no_phonemes() {
        assert_eq!(cleaned(" d\u{e3}s\n(en)mi\u{2d0}t(fr) a\n"), "da\u{303}s mi\u{2d0}t a");
    }

    #[tokio::test]
    async fn phonemes_come_with_what_ends_their_clause() {
        let clauses = of("Guten Tag, wie geht's?", "de").await.expect("espeak-ng is installed");
        let marks: Vec<_> = clauses.iter().map(|clause| clause.end).collect();
        assert_eq!(marks, [Some(','), Some('?')]);
        assert!(clauses[0].phonemes.contains('t'), "{clauses:?}");
        assert!(of("?!", "de").await.expect("nothing is asked").is_empty());
    }
}
