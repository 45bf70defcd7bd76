//! Finds a person's request to be answered in text or by voice: "answer in text".
//!
//! Runs between hearing and answering. Looks for a request of any language and for a word before it
//! that negates it; the words around it decide whether the message asks something else too.

use std::ops::ControlFlow;

use super::doors::{Say, Visit};
use crate::speech_text::lang::{anywhere, everywhere};
use crate::turn::ReplyMode;

/// Holds a person's request for one form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) mode: ReplyMode,
    /// Whether the message says nothing else.
    pub(super) alone: bool,
}

/// Limits how far before a request, in its own clause, a word may negate it: "you don't have to
/// answer in text", but not "I can't listen, answer in text".
const CLOSE: usize = 4;

/// Remembers a request; where the message says nothing else, agrees to it.
pub(super) fn door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    let Some(Wish { mode, alone }) = Wish::find_in(visit.question.heard.reveal()) else {
        return ControlFlow::Continue(());
    };
    visit.wish = Some(mode);
    visit.question.aloud = visit.is_aloud(Some(mode));
    // An agent that never speaks cannot promise to speak again.
    if !alone || (mode == ReplyMode::Voice && !visit.question.aloud) {
        return ControlFlow::Continue(());
    }
    let agreed = match mode {
        ReplyMode::Text => &visit.agent.phrases.text_mode,
        ReplyMode::Voice => &visit.agent.phrases.voice_mode,
    };
    let text = agreed.in_language(&visit.heard.language).to_owned();
    ControlFlow::Break(Say { text, asks_back: None })
}

impl Wish {
    /// Finds the request in `text`, the last one if there are several.
    pub(super) fn find_in(text: &str) -> Option<Self> {
        let text = text.replace('’', "'").to_lowercase();
        let (mut words, mut clauses) = (Vec::new(), Vec::new());
        for clause in text.split(['.', ',', ';', ':', '!', '?', '…', '\n']) {
            clauses.push(words.len());
            let split = clause.split(|c: char| !c.is_alphanumeric() && c != '\'');
            words.extend(split.filter(|word| !word.is_empty()));
        }
        let text = everywhere(|language| language.wishes.text).map(|wish| (ReplyMode::Text, wish));
        let voice = everywhere(|language| language.wishes.voice);
        let requests = text.chain(voice.map(|wish| (ReplyMode::Voice, wish)));
        let mut last: Option<(usize, usize, ReplyMode)> = None;
        for (mode, request) in requests {
            let Some((from, to)) = find(&words, request) else { continue };
            // Of two that end together the longer one counts: it includes the "don't".
            if last.is_none_or(|(first, end, _)| to > end || (to == end && from < first)) {
                last = Some((from, to, mode));
            }
        }
        let (from, to, mode) = last?;
        let clause = clauses.into_iter().rfind(|start| *start <= from).unwrap_or_default();
        let mut before = words[clause.max(from.saturating_sub(CLOSE))..from].iter();
        if before.any(|word| anywhere(|language| language.wishes.not, word)) {
            return None;
        }
        let mut rest = words[..from].iter().chain(&words[to..]);
        let alone = rest.all(|word| anywhere(|language| language.wishes.around, word));
        Some(Self { mode, alone })
    }
}

/// Finds `request` in `words`: its first word and the one after its last.
fn find(words: &[&str], request: &str) -> Option<(usize, usize)> {
    (0..words.len()).rev().find_map(|from| {
        let mut at = from;
        let mut free = 0;
        for wanted in request.split(' ') {
            if wanted == "*" {
                free = 2;
                continue;
            }
            let gap = words[at..].iter().take(free + 1).position(|word| *word == wanted)?;
            at += gap + 1;
            free = 0;
        }
        Some((from, at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(ReplyMode, bool)>) {
        let found = Wish::find_in(text).map(|wish| (wish.mode, wish.alone));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_request_is_understood_in_five_languages() {
        let text = Some((ReplyMode::Text, true));
        check("Answer in text, please.", text);
        check("Could you answer me in text from now on?", text);
        check("Please reply in writing", text);
        check("No voice messages please!", text);
        check("Respóndeme por escrito, por favor", text);
        check("Responda por texto, por favor.", text);
        check("Bitte antworten Sie mir schriftlich.", text);
        check("Réponds-moi par écrit, s’il te plaît.", text);
        let voice = Some((ReplyMode::Voice, true));
        check("Answer by voice again", voice);
        check("Responde con voz", voice);
        check("Responda por áudio, por favor", voice);
        check("Antworte mit Sprache", voice);
        check("Réponds à l'oral", voice);
    }

    #[test]
    fn every_request_of_every_language_is_understood() {
        for wish in everywhere(|language| language.wishes.text) {
            check(&wish.replace('*', "me"), Some((ReplyMode::Text, true)));
        }
        for wish in everywhere(|language| language.wishes.voice) {
            check(&wish.replace('*', "me"), Some((ReplyMode::Voice, true)));
        }
    }

    #[test]
    fn a_question_beside_the_request_is_still_a_question() {
        check("Answer in text: when do you open?", Some((ReplyMode::Text, false)));
        check("How much is it? Please answer by text.", Some((ReplyMode::Text, false)));
        check("I said reply in text, no, answer by voice.", Some((ReplyMode::Voice, false)));
    }

    #[test]
    fn no_voice_is_a_request_for_text() {
        let text = Some((ReplyMode::Text, true));
        check("Don't send me voice messages", text);
        check("Não mande áudios, por favor", text);
        check("Por favor, não responda por áudio", text);
        check("No responda con audio", text);
        check("No responda por texto", None);
        check("Não responda por texto", None);
    }

    #[test]
    fn a_reason_before_the_request_does_not_turn_it_round() {
        let text = Some((ReplyMode::Text, false));
        check("I can't listen right now, please answer in text", text);
        check("I can't listen to it right now please answer in text", text);
        check("I don't have headphones. Reply by text!", text);
        check("Ich kann dich nicht hören, antworte schriftlich.", text);
        check("Não posso ouvir, responda por texto", text);
        check("No puedo oírte: responde por escrito", text);
        check("No, answer by voice", Some((ReplyMode::Voice, false)));
    }

    #[test]
    fn other_words_about_texts_and_voices_are_no_request() {
        for other in [
            "Can I text you the address?",
            "I like your voice",
            "You don't have to answer in text",
            "Why do you reply by voice?",
            "How do I answer by text?",
            "The answer in the text book is wrong",
            "",
        ] {
            check(other, None);
        }
    }
}
