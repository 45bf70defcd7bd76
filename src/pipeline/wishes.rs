//! "Answer in text": how a person says in which form they want the answers.
//!
//! Between hearing and answering. Looks for a request, a word for the form and nothing that turns
//! it round; what is left decides whether there is a question beside it.

use super::doors::{Passage, Say, Visit};
use crate::turn::ReplyMode;

/// A person's request for one form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The form.
    pub(super) mode: ReplyMode,
    /// Whether the message says nothing else.
    pub(super) alone: bool,
}

/// Requests in lower case and without punctuation. `*` stands for up to two words.
const TEXT: &[&str] = &[
    "answer in text",
    "answer * in text",
    "answer by text",
    "answer * by text",
    "reply in text",
    "reply * in text",
    "reply by text",
    "reply * by text",
    "respond in text",
    "respond * in text",
    "answer in writing",
    "answer * in writing",
    "reply in writing",
    "reply * in writing",
    "write to me instead",
    "write me instead",
    "text me instead",
    "text only please",
    "only text please",
    "no voice messages",
    "no voice notes",
    "no more voice messages",
    "no more voice notes",
    "don't send voice messages",
    "don't send voice notes",
    "don't send me voice messages",
    "don't send me voice notes",
    "don't answer by voice",
    "stop sending voice messages",
    "stop sending voice notes",
    "responde con texto",
    "responde por texto",
    "responde en texto",
    "responde por escrito",
    "respóndeme con texto",
    "respóndeme por texto",
    "respóndeme en texto",
    "respóndeme por escrito",
    "responda por escrito",
    "respóndame por escrito",
    "responda con texto",
    "contesta por escrito",
    "contéstame por escrito",
    "contéstame por texto",
    "no me mandes audios",
    "no me envíes audios",
    "no mandes audios",
    "no responda con audio",
    "no respondas con audio",
    "no me respondas con audio",
    "sin audios por favor",
    "solo texto por favor",
    "responda por texto",
    "responda em texto",
    "responde em texto",
    "responda por escrito",
    "me responda por texto",
    "responda me por texto",
    "não mande áudio",
    "não mande áudios",
    "não me mande áudio",
    "não me mande áudios",
    "não envie áudios",
    "não responda por áudio",
    "não responda com áudio",
    "sem áudio por favor",
    "só texto por favor",
    "escreva para mim",
    "antworte schriftlich",
    "antworten sie schriftlich",
    "antworte mir schriftlich",
    "antworten sie mir schriftlich",
    "antworte als text",
    "antworte mit text",
    "antworten sie als text",
    "schreib mir lieber",
    "schreiben sie mir lieber",
    "bitte keine sprachnachrichten",
    "keine sprachnachrichten mehr",
    "nur text bitte",
    "réponds par écrit",
    "répondez par écrit",
    "réponds moi par écrit",
    "répondez moi par écrit",
    "réponds en texte",
    "répondez en texte",
    "réponds par texte",
    "répondez par texte",
    "pas de messages vocaux",
    "plus de messages vocaux",
    "plus de vocaux",
    "pas de vocaux",
];
const VOICE: &[&str] = &[
    "answer by voice",
    "answer * by voice",
    "answer with voice",
    "answer in voice",
    "answer aloud",
    "reply by voice",
    "reply * by voice",
    "reply with voice",
    "reply in voice",
    "respond by voice",
    "respond * by voice",
    "voice messages again",
    "voice notes again",
    "voice again please",
    "send voice notes",
    "send voice messages",
    "send me voice notes",
    "send me voice messages",
    "speak to me again",
    "talk to me again",
    "responde con voz",
    "responde por voz",
    "responde con audio",
    "responde con audios",
    "respóndeme con voz",
    "respóndeme por voz",
    "respóndeme con audio",
    "responda con voz",
    "responda con audio",
    "responda por voz",
    "mándame audios",
    "envíame audios",
    "háblame otra vez",
    "responda por áudio",
    "responda com áudio",
    "responda com voz",
    "responde por áudio",
    "me responda por áudio",
    "mande áudios",
    "pode mandar áudio",
    "antworte mit sprache",
    "antworten sie mit sprache",
    "antworte mit stimme",
    "antworte als sprachnachricht",
    "antworten sie als sprachnachricht",
    "antworte per sprachnachricht",
    "antworten sie per sprachnachricht",
    "sprich wieder",
    "sprechen sie wieder",
    "wieder sprachnachrichten",
    "réponds à l'oral",
    "répondez à l'oral",
    "réponds par vocal",
    "répondez par vocal",
    "réponds en vocal",
    "répondez en vocal",
    "réponds à voix haute",
    "répondez à voix haute",
    "réponds par la voix",
    "reparle moi",
    "parle moi de nouveau",
    "envoie moi des vocaux",
];

/// Words close before a request, with no sign between, that turn it round: "you don't have to
/// answer in text", but not "I can't listen, answer in text".
const NOT: &[&str] = &[
    "don't", "dont", "not", "never", "didn't", "why", "can't", "no", "não", "nunca", "nicht",
    "warum", "pourquoi", "how", "what", "cómo", "wie", "comment",
];

/// How far before a request they count.
const CLOSE: usize = 4;

/// Words that may stand around a request without being a question of their own.
const AROUND: &[&str] = &[
    "please",
    "can",
    "could",
    "you",
    "would",
    "just",
    "from",
    "now",
    "on",
    "instead",
    "hi",
    "hello",
    "hey",
    "ok",
    "okay",
    "thanks",
    "thank",
    "and",
    "i",
    "want",
    "like",
    "to",
    "me",
    "por",
    "favor",
    "puedes",
    "puede",
    "a",
    "partir",
    "de",
    "ahora",
    "hola",
    "gracias",
    "pode",
    "agora",
    "obrigado",
    "obrigada",
    "olá",
    "oi",
    "bitte",
    "ab",
    "jetzt",
    "kannst",
    "können",
    "du",
    "sie",
    "mir",
    "danke",
    "hallo",
    "s'il",
    "vous",
    "te",
    "plaît",
    "peux",
    "tu",
    "pouvez",
    "désormais",
    "merci",
    "bonjour",
    "salut",
    "maintenant",
    "again",
    "otra",
    "vez",
    "wieder",
    "sim",
    "yes",
];

/// Remembers a request; where the message says nothing else, agrees to it.
pub(super) fn door(visit: &mut Visit<'_>) -> Passage {
    let Some(Wish { mode, alone }) = Wish::of(visit.question.heard.reveal()) else {
        return Passage::Through;
    };
    visit.wish = Some(mode);
    visit.question.aloud = visit.is_aloud(Some(mode));
    // An agent that never speaks cannot promise to speak again.
    if !alone || (mode == ReplyMode::Voice && !visit.question.aloud) {
        return Passage::Through;
    }
    let agreed = match mode {
        ReplyMode::Text => &visit.phrases.text_mode,
        ReplyMode::Voice => &visit.phrases.voice_mode,
    };
    let text = agreed.in_language(&visit.heard.language).to_owned();
    Passage::Answered(Say { text, asks_back: None })
}

impl Wish {
    /// The request in `text`, the last one if there are several.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.replace('’', "'").to_lowercase();
        let (mut words, mut clauses) = (Vec::new(), Vec::new());
        for clause in text.split(['.', ',', ';', ':', '!', '?', '…', '\n']) {
            clauses.push(words.len());
            let split = clause.split(|c: char| !c.is_alphanumeric() && c != '\'');
            words.extend(split.filter(|word| !word.is_empty()));
        }
        let tables = [(ReplyMode::Text, TEXT), (ReplyMode::Voice, VOICE)];
        let mut last: Option<(usize, usize, ReplyMode)> = None;
        for (mode, table) in tables {
            for request in table {
                let Some((from, to)) = find(&words, request) else { continue };
                // Of two that end together the longer one counts: it has the "don't".
                if last.is_none_or(|(first, end, _)| to > end || (to == end && from < first)) {
                    last = Some((from, to, mode));
                }
            }
        }
        let (from, to, mode) = last?;
        let clause = clauses.into_iter().rfind(|start| *start <= from).unwrap_or_default();
        if words[clause.max(from.saturating_sub(CLOSE))..from].iter().any(|word| NOT.contains(word))
        {
            return None;
        }
        let mut rest = words[..from].iter().chain(&words[to..]);
        Some(Self { mode, alone: rest.all(|word| AROUND.contains(word)) })
    }
}

/// Where `request` stands in `words`: first word and the one behind its last.
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
        let found = Wish::of(text).map(|wish| (wish.mode, wish.alone));
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
