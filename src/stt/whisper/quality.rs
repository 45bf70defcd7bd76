//! Decides whether the words of an utterance can be trusted.
//!
//! Pure: numbers and text in, a verdict out. Thresholds are those of openai/whisper `transcribe.py`
//! (`no_speech_threshold` 0.6, `logprob_threshold` -1.0); its compression ratio is replaced by a
//! direct search for text that repeats itself.

use crate::models::manifest::RunStyle;
use crate::turn::Uncertainty;

/// Repeats in a row that make a loop, and the units they must cover together: "no, no, no, no" is
/// something people say.
const REPEATS: usize = 4;
const REPEATED_UNITS: usize = 8;
/// Longest phrase searched for, in units.
const PHRASE: usize = 16;
/// Units of a phrase that is hardly ever said twice within 30 s.
const PHRASE_TWICE: usize = 5;
/// From this many units on, text whose runs of three are mostly repeated is a loop too. Ordinary
/// speech of that length stays above 0.8.
const LONG: usize = 40;
const NEW_RUNS: f64 = 0.5;

/// Probability of a language that may not be spoken, above which it was: whisper translates fluently
/// then, and its words look sure.
const ELSEWHERE: f32 = 0.9;

/// Returns why `text` may be wrong; `None` if no check failed.
///
/// `mean_logprob` is the mean over the tokens, `None` without tokens; `elsewhere` the probability of a
/// language that may not be spoken, 0 to 1.
pub(super) fn judge(
    text: &str,
    mean_logprob: Option<f32>,
    elsewhere: f32,
    run: &RunStyle,
) -> Option<Uncertainty> {
    let unlikely = mean_logprob.is_none_or(|mean| mean < run.low_logprob);
    let beyond = mean_logprob.zip(run.sure_logprob).is_some_and(|(mean, sure)| mean < sure);
    if !has_words(text) {
        Some(Uncertainty::NoSpeech)
    } else if beyond {
        Some(Uncertainty::BeyondModel)
    } else if elsewhere > ELSEWHERE {
        Some(Uncertainty::OtherLanguage)
    } else if repeats(text) {
        // Before the log-probability: a loop is the cause, and models are sure of their loops.
        Some(Uncertainty::Repetition)
    } else if unlikely {
        Some(Uncertainty::LowProbability)
    } else {
        None
    }
}

/// Returns whether anything is left without sound marks: `[BLANK_AUDIO]`, `(music)`, `*sighs*`,
/// notes.
fn has_words(text: &str) -> bool {
    let mut closing = None;
    for c in text.chars() {
        match (closing, c) {
            (Some(end), _) if c == end => closing = None,
            (None, '[') => closing = Some(']'),
            (None, '(') => closing = Some(')'),
            (None, '*') => closing = Some('*'),
            (None, _) if c.is_alphanumeric() => return true,
            _ => {}
        }
    }
    false
}

/// Returns whether `text` may be no transcript of what was said, whatever that was, so that hearing
/// it in another window is worth its time. People say a phrase twice, too: this alone is no doubt.
pub(super) fn may_be_astray(text: &str, mean_logprob: Option<f32>, run: &RunStyle) -> bool {
    let units = units(text);
    let mut seen = std::collections::HashSet::new();
    mean_logprob.is_some_and(|mean| mean < run.low_logprob)
        || units.windows(PHRASE_TWICE).any(|phrase| !seen.insert(phrase))
        || repeats(text)
}

/// Returns whether `text` goes round in circles.
pub(super) fn repeats(text: &str) -> bool {
    let units = units(text);
    (1..=PHRASE).any(|phrase| longest_loop(&units, phrase)) || few_new_runs(&units)
}

/// Splits text into words in lower case without punctuation; into single characters where words are
/// not separated by spaces.
fn units(text: &str) -> Vec<String> {
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

/// Returns whether some phrase of `length` units occurs often enough in a row.
fn longest_loop(units: &[String], length: usize) -> bool {
    let needed = (length * REPEATS).max(REPEATED_UNITS);
    let mut run = length;
    for (unit, earlier) in units.iter().skip(length).zip(units) {
        run = if unit == earlier { run + 1 } else { length };
        if run >= needed {
            return true;
        }
    }
    false
}

#[expect(clippy::cast_precision_loss, reason = "a transcript has far fewer than 2^52 words")]
fn few_new_runs(units: &[String]) -> bool {
    if units.len() < LONG {
        return false;
    }
    let runs: std::collections::HashSet<_> = units.windows(3).collect();
    (runs.len() as f64) < NEW_RUNS * (units.len() - 2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, logprob: f32, expected: Option<Uncertainty>) {
        assert_eq!(judge(text, Some(logprob), 0.0, &RunStyle::default()), expected, "{text}");
    }

    #[test]
    fn a_model_for_certain_voices_says_when_it_hears_others() {
        let run = RunStyle { sure_logprob: Some(-0.25), ..RunStyle::default() };
        let judge = |text: &str, logprob| judge(text, Some(logprob), 0.0, &run);
        assert_eq!(judge("When do you open?", -0.2), None);
        assert_eq!(judge("Is the London?", -0.3), Some(Uncertainty::BeyondModel));
        assert_eq!(judge(&"no ".repeat(9), -2.0), Some(Uncertainty::BeyondModel));
        assert_eq!(judge("...", -2.0), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn sure_words_are_trusted_and_doubtful_ones_marked() {
        check("Hello, can I book a table?", -0.3, None);
        check("Hello, can I book a table?", -1.2, Some(Uncertainty::LowProbability));
    }

    #[test]
    fn fluent_words_of_another_language_are_doubtful() {
        let judge = |elsewhere| judge("Good day.", Some(-0.1), elsewhere, &RunStyle::default());
        assert_eq!(judge(0.8), None);
        assert_eq!(judge(0.95), Some(Uncertainty::OtherLanguage));
    }

    #[test]
    fn sound_marks_are_not_words() {
        for text in ["", " ", "[BLANK_AUDIO]", "(soft music)", "*sighs*", "♪ ♪", "...", "[open"]
        {
            check(text, -0.1, Some(Uncertainty::NoSpeech));
        }
        check("(laughs) yes", -0.1, None);
        assert_eq!(judge("", None, 0.0, &RunStyle::default()), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn loops_are_found_and_emphasis_is_not() {
        let loops = |text: &str| check(text, -0.1, Some(Uncertainty::Repetition));
        loops(&"thank you. ".repeat(4));
        loops(&"No, ".repeat(8));
        loops(&format!("So I said {}", "that we should go home now, ".repeat(4)));
        loops(&"谢谢大家".repeat(6));
        loops(&"the a b the a c the a b the c a ".repeat(8));
        check("no, no, no, no, that is wrong", -0.1, None);
        check("one two one two one two three", -0.1, None);
        check("我想明天下午三点预约一下可以吗谢谢", -0.1, None);
    }
}
