//! Decides whether the words of an utterance can be trusted.
//!
//! Pure: numbers and text in, a verdict out. Thresholds are those of openai/whisper `transcribe.py`
//! (`no_speech_threshold` 0.6, `logprob_threshold` -1.0); its compression ratio is replaced by a
//! direct search for text that repeats itself.

use crate::turn::Uncertainty;

/// Above this the model considers the audio silent.
pub(super) const NO_SPEECH: f32 = 0.6;
/// Below this mean log-probability the words are guesses.
pub(super) const LOW_LOGPROB: f32 = -1.0;

/// Repeats in a row that make a loop, and the units they must cover together: "no, no, no, no" is
/// something people say.
const REPEATS: usize = 4;
const REPEATED_UNITS: usize = 8;
/// Longest phrase searched for, in units.
const PHRASE: usize = 16;
/// From this many units on, text whose runs of three are mostly repeated is a loop too. Ordinary
/// speech of that length stays above 0.8.
const LONG: usize = 40;
const NEW_RUNS: f64 = 0.5;

/// Returns why `text` may be wrong; `None` if no check failed.
///
/// `no_speech_prob` is 0 to 1; `mean_logprob` the mean over the tokens, `None` without tokens;
/// `sure_logprob` what it must reach where the model is made for certain speech only.
pub(super) fn judge(
    text: &str,
    no_speech_prob: f32,
    mean_logprob: Option<f32>,
    sure_logprob: Option<f32>,
) -> Option<Uncertainty> {
    let unlikely = mean_logprob.is_none_or(|mean| mean < LOW_LOGPROB);
    let beyond = mean_logprob.zip(sure_logprob).is_some_and(|(mean, sure)| mean < sure);
    if !has_words(text) || (no_speech_prob > NO_SPEECH && unlikely) {
        Some(Uncertainty::NoSpeech)
    } else if beyond {
        Some(Uncertainty::BeyondModel)
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

fn repeats(text: &str) -> bool {
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
    fn check(text: &str, no_speech: f32, logprob: f32, expected: Option<Uncertainty>) {
        assert_eq!(judge(text, no_speech, Some(logprob), None), expected, "{text}");
    }

    #[test]
    fn a_model_for_certain_voices_says_when_it_hears_others() {
        let judge = |text: &str, logprob| judge(text, 0.0, Some(logprob), Some(-0.25));
        assert_eq!(judge("When do you open?", -0.2), None);
        assert_eq!(judge("Is the London?", -0.3), Some(Uncertainty::BeyondModel));
        assert_eq!(judge(&"no ".repeat(9), -2.0), Some(Uncertainty::BeyondModel));
        assert_eq!(judge("...", -2.0), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn sure_words_are_trusted_and_doubtful_ones_marked() {
        check("Hello, can I book a table?", 0.05, -0.3, None);
        check("Hello, can I book a table?", 0.9, -0.3, None);
        check("Thanks for watching!", 0.7, -1.2, Some(Uncertainty::NoSpeech));
        check("Hello, can I book a table?", 0.1, -1.2, Some(Uncertainty::LowProbability));
    }

    #[test]
    fn sound_marks_are_not_words() {
        for text in ["", " ", "[BLANK_AUDIO]", "(soft music)", "*sighs*", "♪ ♪", "...", "[open"]
        {
            check(text, 0.0, -0.1, Some(Uncertainty::NoSpeech));
        }
        check("(laughs) yes", 0.0, -0.1, None);
        assert_eq!(judge("", 1.0, None, None), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn loops_are_found_and_emphasis_is_not() {
        let loops = |text: &str| check(text, 0.0, -0.1, Some(Uncertainty::Repetition));
        loops(&"thank you. ".repeat(4));
        loops(&"No, ".repeat(8));
        loops(&format!("So I said {}", "that we should go home now, ".repeat(4)));
        loops(&"谢谢大家".repeat(6));
        loops(&"the a b the a c the a b the c a ".repeat(8));
        check("no, no, no, no, that is wrong", 0.0, -0.1, None);
        check("one two one two one two three", 0.0, -0.1, None);
        check("我想明天下午三点预约一下可以吗谢谢", 0.0, -0.1, None);
    }
}
