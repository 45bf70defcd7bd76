//! Decides whether the words of an utterance can be trusted.
//!
//! Pure: numbers and text in, a verdict out. What the numbers may be stands in the model's manifest.

#[cfg(feature = "stt-whisper")]
use std::collections::HashSet;

use super::cues::is_caption;
use super::loops;
use super::tags::without_sounds;
use crate::models::manifest::RunStyle;
use crate::turn::Uncertainty;

/// Part of the doubt that other words take, from which on a film's caption is believed to be noise.
const CAPTION: f32 = 0.5;

/// Probability of a language that may not be spoken, above which it was: whisper translates fluently
/// then, and its words look sure.
const ELSEWHERE: f32 = 0.9;

/// Holds what is known of the words of one utterance.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::stt) struct WordsHeard<'a> {
    /// As whisper wrote them.
    pub(in crate::stt) text: &'a str,
    /// Length of the sound.
    pub(in crate::stt) seconds: f64,
    /// Tokens of the text.
    pub(in crate::stt) tokens: usize,
    /// Chance that nobody spoke, 0 to 1.
    pub(in crate::stt) no_speech: f32,
    /// Mean log-probability of the tokens; `None` without any.
    pub(in crate::stt) logprob: Option<f32>,
    /// Probability of a language that may not be spoken, 0 to 1.
    pub(in crate::stt) elsewhere: f32,
}

/// Returns why the words may be wrong; `None` if no check failed.
pub(in crate::stt) fn judge(words: &WordsHeard<'_>, run: &RunStyle) -> Option<Uncertainty> {
    let below = |limit: f32| words.logprob.is_none_or(|mean| mean < limit);
    let perhaps_silent = run.no_speech.is_some_and(|most| words.no_speech > CAPTION * most);
    let doubtful = perhaps_silent || below(CAPTION * run.low_logprob);
    if without_sounds(words.text).is_empty() || (doubtful && is_caption(words.text)) {
        Some(Uncertainty::NoSpeech)
    } else if run.sure_logprob.is_some_and(below) {
        Some(Uncertainty::BeyondModel)
    } else if words.elsewhere > ELSEWHERE {
        Some(Uncertainty::OtherLanguage)
    } else if cannot_be(words) {
        // Before the log-probability: a loop is the cause, and models are sure of their loops.
        Some(Uncertainty::Repetition)
    } else if below(run.low_logprob) {
        Some(Uncertainty::LowProbability)
    } else {
        None
    }
}

/// Returns whether no one said that.
pub(in crate::stt) fn cannot_be(words: &WordsHeard<'_>) -> bool {
    loops::repeats(words.text, words.seconds, words.tokens)
}

/// Units of a phrase that is hardly ever said twice within 30 s.
#[cfg(feature = "stt-whisper")]
const PHRASE_TWICE: usize = 5;

/// Returns whether the words may be no transcript of what was said, whatever that was, so that
/// hearing it in another window is worth its time. People say a phrase twice, too: this alone is no
/// doubt.
#[cfg(feature = "stt-whisper")]
pub(in crate::stt) fn may_be_astray(words: &WordsHeard<'_>, run: &RunStyle) -> bool {
    let units = loops::units(words.text);
    let mut seen = HashSet::new();
    words.logprob.is_some_and(|mean| mean < run.low_logprob)
        || units.windows(PHRASE_TWICE).any(|phrase| !seen.insert(phrase))
        || cannot_be(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, logprob: f32) -> WordsHeard<'_> {
        WordsHeard { text, logprob: Some(logprob), seconds: 30.0, ..WordsHeard::default() }
    }

    #[track_caller]
    fn check(words: WordsHeard<'_>, expected: Option<Uncertainty>) {
        let run = RunStyle { no_speech: Some(0.6), ..RunStyle::default() };
        assert_eq!(judge(&words, &run), expected, "{words:?}");
    }

    #[test]
    fn a_model_for_certain_voices_says_when_it_hears_others() {
        let run = RunStyle { sure_logprob: Some(-0.25), ..RunStyle::default() };
        let judge = |text: &str, logprob| judge(&words(text, logprob), &run);
        assert_eq!(judge("When do you open?", -0.2), None);
        assert_eq!(judge("Is the London?", -0.3), Some(Uncertainty::BeyondModel));
        assert_eq!(judge(&"no ".repeat(9), -2.0), Some(Uncertainty::BeyondModel));
        assert_eq!(judge("...", -2.0), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn sure_words_are_trusted_and_doubtful_ones_marked() {
        check(words("Hello, can I book a table?", -0.3), None);
        check(words("Hello, can I book a table?", -1.2), Some(Uncertainty::LowProbability));
    }

    #[test]
    fn fluent_words_of_another_language_are_doubtful() {
        let elsewhere = |elsewhere| WordsHeard { elsewhere, ..words("Good day.", -0.1) };
        check(elsewhere(0.8), None);
        check(elsewhere(0.95), Some(Uncertainty::OtherLanguage));
    }

    #[test]
    fn sound_marks_are_not_words() {
        for text in ["", " ", "[BLANK_AUDIO]", "(soft music)", "*sighs*", "♪ ♪", "...", "[open"]
        {
            check(words(text, -0.1), Some(Uncertainty::NoSpeech));
        }
        check(words("(laughs) yes", -0.1), None);
        check(WordsHeard::default(), Some(Uncertainty::NoSpeech));
    }

    #[test]
    fn captions_of_films_take_less_doubt() {
        let said = |text, no_speech, logprob| WordsHeard { no_speech, ..words(text, logprob) };
        check(said("Thanks for watching!", 0.1, -0.2), None);
        check(said("Thanks for watching!", 0.4, -0.2), Some(Uncertainty::NoSpeech));
        check(said("Sous-titrage ST' 501", 0.1, -0.6), Some(Uncertainty::NoSpeech));
        check(said("Thank you.", 0.4, -0.6), None);
    }

    #[test]
    fn loops_are_found_and_emphasis_is_not() {
        check(words(&"No, ".repeat(8), -0.1), Some(Uncertainty::Repetition));
        check(words("no, no, no, no, that is wrong", -0.1), None);
    }

    #[test]
    fn what_is_said_twice_is_heard_again_and_not_doubted() {
        let twice = words("Where is the next station, please? Where is the next station?", -0.1);
        assert!(may_be_astray(&twice, &RunStyle::default()));
        check(twice, None);
        assert!(!may_be_astray(&words("No, no, no, no.", -0.1), &RunStyle::default()));
    }
}
