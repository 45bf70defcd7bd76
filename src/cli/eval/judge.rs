//! Holds an answer to what is expected of it.
//!
//! Pure. Words are compared without capitals and punctuation, as sequences of whole words; in scripts
//! without spaces as they stand.

use super::table::EvalTurn;
use crate::stt::wer::normalise;
use crate::turn::{LanguageCode, TurnReport};
use crate::written;

/// Returns what is wrong with an answer; nothing if it passes.
pub(super) fn judge(turn: &EvalTurn, report: &TurnReport) -> Vec<String> {
    let words = report.reply.text.reveal();
    let mut wrong = Vec::new();
    for expected in &turn.must {
        if !says(words, expected) {
            wrong.push(format!("does not say \"{expected}\""));
        }
    }
    for unwanted in &turn.must_not {
        if says(words, unwanted) {
            wrong.push(format!("says \"{unwanted}\""));
        }
    }
    if let Some(expected) = &turn.language {
        let told = written::language(words, |_| true).told().map(LanguageCode::from);
        match told {
            Some(told) if told.primary() == expected.primary() => {}
            Some(told) => wrong.push(format!("is in {told}, not in {expected}")),
            None => wrong.push(format!("does not show that it is in {expected}")),
        }
    }
    for kind in &turn.gives {
        if !report.reply.extras.iter().any(|extra| extra.kind() == kind) {
            wrong.push(format!("gives no {kind}"));
        }
    }
    for name in &turn.tools {
        if !report.tools.iter().any(|used| used.name == *name) {
            wrong.push(format!("does not call {name}"));
        }
    }
    match (turn.ticket, report.reply.open_ticket.is_some()) {
        (Some(true), false) => wrong.push("asks for no person".to_owned()),
        (Some(false), true) => wrong.push("asks for a person".to_owned()),
        _ => {}
    }
    wrong
}

/// Returns whether a text says one of several ways to say something, `nine|9`.
fn says(text: &str, ways: &str) -> bool {
    let text = normalise(text).join(" ");
    let spaced = format!(" {text} ");
    ways.split('|').map(|way| normalise(way).join(" ")).any(|way| {
        // Chinese, Japanese and the like.
        let whole = way.chars().all(|c| c < '\u{2e80}');
        !way.is_empty()
            && if whole { spaced.contains(&format!(" {way} ")) } else { text.contains(&way) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_without_capitals() {
        let text = "We open at nine, don't worry: 9:30 on Sundays.";
        for way in ["NINE", "at nine", "ten|nine", "dont worry", "9 30"] {
            assert!(says(text, way), "{way}");
        }
        for way in ["nin", "nine at", "ten|eleven", "", "|", "sunday"] {
            assert!(!says(text, way), "{way}");
        }
        assert!(says("我们九点开门。", "九点"));
    }
}
