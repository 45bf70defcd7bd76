//! Finds a person's request to be answered in text or by voice: "answer in text", "I'm deaf".
//!
//! Runs between hearing and answering. Looks for a request of any language and for a word before it
//! that negates it; the words around it decide whether the message asks something else too.

mod languages;

use std::ops::ControlFlow;
use std::sync::LazyLock;

use super::doors::{Say, Visit};
use crate::speech_text::lang::everywhere;
use crate::turn::ReplyMode;
use crate::written::without_accents;

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

/// Limits the words that a `*` stands for.
const FREE: usize = 2;

/// Remembers which language somebody asks to be answered in, if the agent has it, and answers in it.
pub(super) fn language_door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    let asked = languages::language_in(visit.question.heard.reveal());
    if let Some(offered) = asked.and_then(|asked| visit.agent.languages.offered(&asked)) {
        visit.question.language = offered.clone();
        visit.asked_language = Some(offered);
    }
    ControlFlow::Continue(())
}

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
    let text = agreed.in_language(&visit.question.language).to_owned();
    ControlFlow::Break(Say { text, asks_back: None, instead: None })
}

impl Wish {
    /// Finds the request in `text`, the last one if there are several.
    pub(super) fn find_in(text: &str) -> Option<Self> {
        let clauses = clauses(text);
        let mut last: Option<(usize, ReplyMode, Match)> = None;
        for (at, words) in clauses.iter().enumerate() {
            let matches = WISHES.requests.iter();
            let matches = matches.filter_map(|(mode, request)| Some((*mode, request.find(words)?)));
            for (mode, found) in matches.filter(|(_, found)| !negated(&words[..found.from])) {
                // Of two that end together the longer one counts: it includes the "don't".
                let later = last.as_ref().is_none_or(|(before, _, best)| {
                    (at, found.to, best.from) > (*before, best.to, found.from)
                });
                if later {
                    last = Some((at, mode, found));
                }
            }
        }
        let alone = clauses.iter().all(|words| says_nothing_else(words));
        let is_busy =
            |words: &Vec<String>| WISHES.busy.iter().any(|place| place.find(words).is_some());
        match last {
            Some((_, mode, _)) => Some(Self { mode, alone }),
            None if alone && clauses.iter().any(is_busy) => {
                Some(Self { mode: ReplyMode::Text, alone })
            }
            None => None,
        }
    }
}

/// Splits a text into clauses and those into words, in lower case and without accents.
fn clauses(text: &str) -> Vec<Vec<String>> {
    let text = without_accents(&text.replace(['’', '`'], "'").to_lowercase());
    let ends = ['.', ',', ';', ':', '!', '?', '…', '\n', '¿', '¡', '(', ')', '—', '–'];
    let clauses = text.split(ends).map(|clause| {
        let words = clause.split(|c: char| !c.is_alphanumeric() && c != '\'');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    clauses.filter(|words| !words.is_empty()).collect()
}

/// Holds what is listed in every language's [`crate::speech_text::Wishes`], ready to be compared.
struct Listed {
    requests: Vec<(ReplyMode, Asking)>,
    busy: Vec<Asking>,
    not: Vec<Asking>,
    around: Vec<String>,
}

static WISHES: LazyLock<Listed> = LazyLock::new(|| {
    let text = |request| (ReplyMode::Text, Asking::read(request));
    let voice = |request| (ReplyMode::Voice, Asking::read(request));
    Listed {
        requests: everywhere(|language| language.wishes.text)
            .map(text)
            .chain(everywhere(|language| language.wishes.voice).map(voice))
            .collect(),
        busy: everywhere(|language| language.wishes.busy).map(Asking::read).collect(),
        not: everywhere(|language| language.wishes.not).map(Asking::read).collect(),
        around: everywhere(|language| language.wishes.around).map(without_accents).collect(),
    }
});

/// Holds the words of one request.
struct Asking {
    /// Whether nothing else may stand before it in its clause.
    from_start: bool,
    /// Whether nothing else may stand after it in its clause.
    to_end: bool,
    /// Each place with its words, and how many others may come before them.
    places: Vec<(usize, Vec<String>)>,
}

/// Holds where a request stands in a clause: its first word and the one after its last.
struct Match {
    from: usize,
    to: usize,
}

impl Asking {
    fn read(request: &str) -> Self {
        let mut read = Self { from_start: false, to_end: false, places: Vec::new() };
        let mut free = 0;
        for place in without_accents(request).split(' ') {
            match place {
                "^" => read.from_start = true,
                "$" => read.to_end = true,
                "*" => free = FREE,
                words => {
                    let words = words.split('/').map(str::to_owned).collect();
                    read.places.push((std::mem::take(&mut free), words));
                }
            }
        }
        read
    }

    /// Finds the request in a clause, the last one if there are several.
    fn find(&self, words: &[String]) -> Option<Match> {
        (0..words.len()).rev().find_map(|from| {
            let mut to = from;
            for (free, wanted) in &self.places {
                let mut next = words[to..].iter().take(free + 1);
                to += next.position(|word| wanted.contains(word))? + 1;
            }
            let starts = !self.from_start || words[..from].iter().all(is_around);
            let ends = !self.to_end || words[to..].iter().all(is_around);
            (starts && ends).then_some(Match { from, to })
        })
    }
}

/// Returns whether a word beside a request is no question of its own.
fn is_around(word: &String) -> bool {
    WISHES.around.contains(word)
}

/// Returns whether the words before a request turn it round.
fn negated(before: &[String]) -> bool {
    let close = &before[before.len().saturating_sub(CLOSE)..];
    WISHES.not.iter().any(|not| not.find(close).is_some())
}

/// Returns whether a clause has only requests, places where nobody listens, and words around them.
fn says_nothing_else(words: &[String]) -> bool {
    let mut else_said: Vec<bool> = words.iter().map(|word| !is_around(word)).collect();
    let requests = WISHES.requests.iter().map(|(_, request)| request);
    let listed = requests.chain(&WISHES.busy);
    for found in listed.filter_map(|request| request.find(words)) {
        else_said[found.from..found.to].fill(false);
    }
    !else_said.contains(&true)
}

#[cfg(test)]
mod tests;
