//! The gate: words that may have been misheard are confirmed or asked for again, not answered.
//!
//! Between hearing and answering. Pure: what was heard and the agent's rules in, a verdict out.
//! The words to confirm are in the record, so a "yes" after a restart still counts.

use std::ops::ControlFlow;

use super::doors::{Say, Visit};
use super::hear::Heard;
use crate::registry::{Gate, GateAction, Phrase};
use crate::speech_text::lang::anywhere;
use crate::turn::{Personal, Reason, TicketReason, Uncertainty};

/// Limits the characters of a transcript that are repeated in "Did you say ...?".
const MOST_REPEATED: usize = 300;

/// Decides about one message; `to_confirm` are the words that the last turn asked about.
pub(super) fn judge(gate: Gate, heard: &Heard, to_confirm: Option<&Personal>) -> Verdict {
    let text = heard.text.reveal();
    if let Some(words) = to_confirm {
        match yes_or_no(text) {
            Some(true) => return Verdict::Confirmed(words.clone()),
            Some(false) => return Verdict::Denied,
            // Other words: they said it again.
            None => {}
        }
    }
    let Some(why) = heard.transcript.as_ref().and_then(|transcript| transcript.uncertain) else {
        return Verdict::Answer;
    };
    match gate.action(why) {
        GateAction::Answer => Verdict::Answer,
        // Without words there is nothing to ask about.
        GateAction::Confirm if text.chars().any(char::is_alphanumeric) => Verdict::Confirm(why),
        GateAction::Confirm | GateAction::Repeat => Verdict::Repeat(why),
    }
}

/// Asks back about words that may have been misheard.
pub(super) fn door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    let (phrases, heard) = (&visit.agent.phrases, visit.heard);
    let ask_back = |phrase: &Phrase, reason: Reason| {
        let said = Say::sentence(phrase.in_language(&heard.language));
        ControlFlow::Break(Say { asks_back: Some(reason), ..said })
    };
    let verdict = judge(visit.agent.gate, heard, visit.around.history.to_confirm.as_ref());
    let doubts = !matches!(verdict, Verdict::Answer | Verdict::Confirmed(_));
    if doubts
        && visit.around.history.doubted
        && let Some(said) = visit.hand_over(TicketReason::Doubts)
    {
        return ControlFlow::Break(said);
    }
    match verdict {
        Verdict::Answer => ControlFlow::Continue(()),
        Verdict::Confirmed(words) => {
            // The words that were asked about are the question, not the past.
            visit.question.history.pop();
            visit.question.heard = words;
            visit.question.spoken = None;
            ControlFlow::Continue(())
        }
        Verdict::Denied => ask_back(&phrases.repeat, Reason::NotConfirmed),
        Verdict::Confirm(why) => ControlFlow::Break(Say {
            asks_back: Some(Reason::Confirm(why)),
            ..Say::sentence(did_you_say(&phrases.confirm, heard))
        }),
        Verdict::Repeat(why) => {
            let phrase = match why {
                Uncertainty::NoSpeech => &phrases.no_speech,
                Uncertainty::BeyondModel => &phrases.beyond_model,
                Uncertainty::LowProbability
                | Uncertainty::Repetition
                | Uncertainty::OtherLanguage => &phrases.repeat,
            };
            ask_back(phrase, Reason::Repeat(why))
        }
    }
}

/// Asks "Did you say ...?" with the words that were heard.
fn did_you_say(phrase: &Phrase, heard: &Heard) -> String {
    let words = heard.text.reveal().trim().trim_end_matches(['.', '?', '!', ',']);
    let mut repeated: String = words.chars().take(MOST_REPEATED).collect();
    if repeated.len() < words.len() {
        repeated.push_str(" ...");
    }
    phrase.in_language(&heard.language).replace("{text}", &repeated)
}

/// Says what becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The agent answers it.
    Answer,
    /// The person said yes: the agent answers the words they confirmed.
    Confirmed(Personal),
    /// The person said no: they are asked to say it again.
    Denied,
    /// The person is asked whether they said that.
    Confirm(Uncertainty),
    /// The person is asked to say it again.
    Repeat(Uncertainty),
}

/// Returns whether words are a yes (`true`) or a no, and nothing else.
fn yes_or_no(text: &str) -> Option<bool> {
    let mut words: Vec<String> = text
        .replace('’', "'")
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    // "No, no, no."
    words.dedup();
    let said = words.join(" ");
    if anywhere(|language| language.answers.yes, &said) {
        return Some(true);
    }
    anywhere(|language| language.answers.no, &said).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech_text::lang::everywhere;
    use crate::turn::Transcript;

    fn heard(text: &str, uncertain: Option<Uncertainty>) -> Heard {
        let transcript = Transcript { text: text.into(), uncertain, ..Transcript::default() };
        let (text, language) = (text.into(), "en".into());
        Heard { text, language, transcript: Some(transcript), audio_ms: 0.0 }
    }

    #[test]
    fn each_doubt_has_its_rule() {
        let gate = Gate {
            no_speech: GateAction::Repeat,
            low_probability: GateAction::Confirm,
            repetition: GateAction::Answer,
            beyond_model: GateAction::Repeat,
            other_language: GateAction::Repeat,
        };
        let judge = |text: &str, why| super::judge(gate, &heard(text, why), None);
        assert_eq!(judge("a table", None), Verdict::Answer);
        let low = Uncertainty::LowProbability;
        assert_eq!(judge("a table", Some(low)), Verdict::Confirm(low));
        assert_eq!(judge("...", Some(low)), Verdict::Repeat(low));
        let silent = Uncertainty::NoSpeech;
        assert_eq!(judge("thanks", Some(silent)), Verdict::Repeat(silent));
        assert_eq!(judge("a a a", Some(Uncertainty::Repetition)), Verdict::Answer);
    }

    #[test]
    fn a_yes_brings_the_words_back_and_a_no_asks_again() {
        let words = Personal::from("a table for two");
        let judge = |text: &str| {
            super::judge(Gate::default(), &heard(text, Some(Uncertainty::NoSpeech)), Some(&words))
        };
        for yes in ["Yes.", "yes, yes", "Sí, eso es.", "Ja, genau!", "Oui, c’est ça.", "Isso mesmo"]
        {
            assert_eq!(judge(yes), Verdict::Confirmed(words.clone()), "{yes}");
        }
        for no in ["No.", "No, no, no!", "Nein.", "Não é isso.", "Non, pas du tout", "eso no"] {
            assert_eq!(judge(no), Verdict::Denied, "{no}");
        }
        for other in ["Yes, a table for three", "no idea when", "a table for four", ""] {
            assert_eq!(judge(other), Verdict::Answer, "{other}");
        }
        assert_eq!(super::judge(Gate::default(), &heard("yes", None), None), Verdict::Answer);
    }

    #[test]
    fn every_answer_of_every_language_is_one() {
        for yes in everywhere(|language| language.answers.yes) {
            assert_eq!(yes_or_no(yes), Some(true), "{yes}");
        }
        for no in everywhere(|language| language.answers.no) {
            assert_eq!(yes_or_no(no), Some(false), "{no}");
        }
    }
}
