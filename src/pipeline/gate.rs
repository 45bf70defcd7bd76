//! The gate: words that may have been misheard are confirmed or asked for again, not answered.
//!
//! Between hearing and answering. Pure: what was heard and the agent's rules in, a verdict out.
//! The words to confirm stand in the record, so a "yes" after a restart still counts.

use super::hear::Heard;
use crate::registry::{Gate, GateAction};
use crate::turn::{Personal, Uncertainty};

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

/// What becomes of a message.
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

/// Whole answers to "Did you say ...?", in lower case and without punctuation.
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "yes please",
    "yes i did",
    "i did",
    "correct",
    "right",
    "sure",
    "exactly",
    "yes exactly",
    "that is right",
    "that's right",
    "yes that's right",
    "yes that's it",
    "yes correct",
    "sí",
    "si",
    "sí por favor",
    "sí eso",
    "sí eso es",
    "eso es",
    "correcto",
    "exacto",
    "sí correcto",
    "claro",
    "así es",
    "sim",
    "sim por favor",
    "isso",
    "isso mesmo",
    "sim isso mesmo",
    "certo",
    "correto",
    "exato",
    "exatamente",
    "ja",
    "ja bitte",
    "ja genau",
    "genau",
    "richtig",
    "ja richtig",
    "stimmt",
    "das stimmt",
    "ja das stimmt",
    "korrekt",
    "jawohl",
    "oui",
    "ouais",
    "oui s'il vous plaît",
    "oui c'est ça",
    "c'est ça",
    "exact",
    "exactement",
    "tout à fait",
    "oui tout à fait",
    "c'est exact",
    "d'accord",
];
const NO: &[&str] = &[
    "no",
    "nope",
    "nah",
    "no i didn't",
    "no i did not",
    "i didn't",
    "wrong",
    "that's wrong",
    "that is wrong",
    "no that's wrong",
    "no that's not it",
    "not that",
    "incorrect",
    "no incorrecto",
    "incorrecto",
    "no eso no",
    "eso no",
    "no es eso",
    "no no es eso",
    "não",
    "não não",
    "errado",
    "não é isso",
    "isso não",
    "incorreto",
    "nein",
    "nee",
    "nein falsch",
    "falsch",
    "stimmt nicht",
    "das stimmt nicht",
    "nein das stimmt nicht",
    "non",
    "pas du tout",
    "non pas du tout",
    "faux",
    "c'est faux",
    "ce n'est pas ça",
    "non ce n'est pas ça",
];

/// Whether words are a yes or a no and nothing else.
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
    match (YES.contains(&said.as_str()), NO.contains(&said.as_str())) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Transcript;

    fn heard(text: &str, uncertain: Option<Uncertainty>) -> Heard {
        let transcript = Transcript { text: text.to_owned(), uncertain, ..Transcript::default() };
        Heard { text: text.into(), language: "en".into(), transcript: Some(transcript) }
    }

    #[test]
    fn each_doubt_has_its_rule() {
        let gate = Gate {
            no_speech: GateAction::Repeat,
            low_probability: GateAction::Confirm,
            repetition: GateAction::Answer,
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
}
