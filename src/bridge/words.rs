//! What the desk reads in Chatwoot that nobody wrote there, and what of its own form WhatsApp does not have.

use std::fmt::Write as _;

use serde_json::Value;

use super::links::BridgedConversation;
use crate::turn::Personal;

/// Who answers for the desk, as hark's events have it, behind the name of the person.
pub(super) const DESK: &str = "Chatwoot";
/// Longest name of a person, in characters: hark takes a hundred with the desk's behind it.
const NAME: usize = 80;
/// Longest history, in characters: Chatwoot takes 150,000.
const HISTORY: usize = 100_000;

/// Names a person of the desk as hark's operator.
pub(super) fn operator(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let name = name.trim();
    if name.is_empty() { DESK.to_owned() } else { format!("{name} ({DESK})") }
}

/// Returns whether an operator is of this desk.
pub(super) fn is_ours(operator: &str) -> bool {
    operator == DESK || operator.ends_with(&format!(" ({DESK})"))
}

/// Writes what was said so far, with why there is a ticket.
pub(super) fn history(of: &BridgedConversation, messages: &Value) -> String {
    let mut head = String::from("hark: a person is wanted");
    if let Some(reason) = &of.reason {
        write!(head, " ({reason})").expect("a String takes all");
    }
    if let Some(summary) = &of.summary {
        write!(head, ": {}", summary.reveal()).expect("a String takes all");
    }
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut lines, mut room) = (Vec::new(), HISTORY);
    for message in messages.iter().rev() {
        let line = said(message);
        let chars = line.chars().count();
        if chars > room {
            lines.push("(what was said before is in hark)".to_owned());
            break;
        }
        room -= chars;
        lines.push(line);
    }
    lines.reverse();
    format!("{head}\n\nWhat was said so far:\n{}", lines.join("\n"))
}

fn said(message: &Value) -> String {
    let word = |key: &str| message[key].as_str().unwrap_or_default();
    let who = match (word("from"), word("by")) {
        ("contact", _) => "Person".to_owned(),
        (from, "") => from.to_owned(),
        (_, by) => by.to_owned(),
    };
    // Date and minutes, as RFC 3339 has them.
    let at = word("at").get(..16).unwrap_or_default().replace('T', " ");
    let words = match word("text") {
        "" => "(no words)",
        words => words,
    };
    format!("{at} {who} ({}): {words}", word("kind"))
}

/// Writes what a person sent that is no voice note.
pub(super) fn received(data: &Value) -> String {
    let kind = data["message"]["kind"].as_str().unwrap_or("text");
    match (kind, data["text"].as_str().unwrap_or_default()) {
        (kind, "") => format!("({kind}, which only WhatsApp shows)"),
        ("text" | "button" | "interactive", words) => words.to_owned(),
        (kind, words) => format!("({kind}, which only WhatsApp shows) {words}"),
    }
}

/// Writes what was heard of a voice note.
pub(super) fn voice(words: Option<&str>, problem: Option<&str>) -> String {
    let heard = match words.filter(|words| !words.is_empty()) {
        Some(words) => format!("Voice note: {words}"),
        None => "Voice note, of which no words were understood".to_owned(),
    };
    match problem {
        Some(problem) => format!("{heard} ({problem})"),
        None => heard,
    }
}

/// Writes that something of ours did not reach the person.
pub(super) fn failed(data: &Value) -> String {
    let kind = data["kind"].as_str().unwrap_or("message");
    let mut words = format!("Not delivered: the {kind} message did not reach the person");
    if let Some(error) = data["error"].as_str() {
        write!(words, ": {error}").expect("a String takes all");
    }
    if let Some(code) = data["code"].as_i64() {
        write!(words, " (WhatsApp's code {code})").expect("a String takes all");
    }
    words
}

/// Takes out of a text what Chatwoot's editor writes and WhatsApp does not read: breaks with a backslash,
/// bold with two stars.
pub(super) fn plain(content: &str) -> Personal {
    let text = content.replace("\\\r\n", "\n").replace("\\\n", "\n");
    Personal(text.replace("**", "*").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_are_named_and_known_again() {
        for (name, expected) in
            [("Ann", "Ann (Chatwoot)"), (" ", "Chatwoot"), ("A\u{7}b", "Ab (Chatwoot)")]
        {
            assert_eq!(operator(name), expected);
            assert!(is_ours(expected));
        }
        assert!(!is_ours("Ann") && !is_ours("phone"));
        assert!(operator(&"x".repeat(500)).chars().count() <= 100);
    }

    #[test]
    fn a_history_is_shortened_at_its_beginning() {
        let of = BridgedConversation {
            hark: "1".into(),
            chatwoot: 2,
            ticket: None,
            reason: Some("two_doubts".into()),
            summary: Some("a refund".into()),
            documented: None,
        };
        let line = |text: &str| {
            json!({ "from": "agent", "by": "shop", "kind": "voice", "text": text,
                    "at": "2026-11-27T10:00:00Z" })
        };
        let whole = history(&of, &json!([line("Hello"), line("Bye")]));
        let expected = "hark: a person is wanted (two_doubts): a refund\n\nWhat was said so far:\n\
                        2026-11-27 10:00 shop (voice): Hello\n2026-11-27 10:00 shop (voice): Bye";
        assert_eq!(whole, expected);
        let long = "x".repeat(HISTORY - 10);
        let short = history(&of, &json!([line(&long), line("Bye")]));
        assert!(
            short.contains("before is in hark") && short.ends_with(": Bye") && short.len() < 300
        );
    }

    #[test]
    fn what_an_editor_writes_becomes_what_people_read() {
        assert_eq!(plain("**Ten** o'clock\\\nsharp\n"), "*Ten* o'clock\nsharp");
        let failed = failed(&json!({ "kind": "text", "error": "too late", "code": 131_047 }));
        assert_eq!(
            failed,
            "Not delivered: the text message did not reach the person: too late (WhatsApp's code 131047)"
        );
        assert_eq!(
            voice(Some(""), Some("no sound")),
            "Voice note, of which no words were understood (no sound)"
        );
        let picture = json!({ "message": { "kind": "image" }, "text": "this one" });
        assert_eq!(received(&picture), "(image, which only WhatsApp shows) this one");
    }
}
