//! Reads an answer in the reply format while it is written.
//!
//! Pure. Plain text is what is said; an object of the format, with or without a fence of Markdown
//! around it, gives its words as they come and the rest as it is complete. Invariant: no answer
//! that has words is silent, and no JSON is said.

use serde_json::Value;

use super::scan::{ObjectScan, ReplyMember};
use super::value;
use crate::agent::Delta;
use crate::remote::is_web_address;
use crate::turn::{Extra, Personal};

/// Begins and ends a block of code in Markdown.
const FENCE: &str = "```";
/// The key whose words are said.
const SAY: &str = "say";
/// The key that asks for a person.
const TICKET: &str = "open_ticket";
/// Most extras of one answer: each is a message to the person.
const MOST_EXTRAS: usize = 10;

/// Reads one answer.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    place: ReaderPlace,
    /// What may be the beginning of an object, from the line's beginning.
    held: String,
    /// Whether the answer was plain text or an object so far.
    said: bool,
    extras: usize,
    gave: bool,
    /// What is said if an object has nothing of the format.
    otherwise: Option<String>,
}

#[derive(Debug, Default)]
enum ReaderPlace {
    /// At the beginning of a line: it shows what follows.
    #[default]
    LineStart,
    /// In a line of plain text.
    Words,
    Object(ObjectScan),
    /// After an object: its fence is skipped.
    AfterObject,
}

/// Says what a line begins with.
enum Begins {
    /// Not known yet.
    Unknown,
    Words,
    /// An object, of which this follows the opening brace.
    Object(usize),
}

impl ReplyReader {
    /// Takes the next piece; returns what it tells.
    pub(super) fn push(&mut self, piece: &str, names: &[String]) -> Vec<Delta> {
        let mut deltas = Vec::new();
        for c in piece.chars() {
            self.take(c, names, &mut deltas);
        }
        deltas
    }

    /// Ends the answer; returns what was held back.
    pub(super) fn finish(&mut self, names: &[String]) -> Vec<Delta> {
        let mut deltas = Vec::new();
        if let ReaderPlace::Object(scan) = &mut self.place {
            let mut members = Vec::new();
            scan.break_off(&mut members);
            tracing::warn!("an answer in the reply format broke off within its object");
            self.tell(members, names, &mut deltas);
        }
        let held = std::mem::take(&mut self.held);
        if !held.trim().trim_matches('`').is_empty() {
            self.say(&held, &mut deltas);
        }
        if !self.said
            && !self.gave
            && let Some(words) = self.otherwise.take()
        {
            self.say(&words, &mut deltas);
        }
        deltas
    }

    fn take(&mut self, c: char, names: &[String], deltas: &mut Vec<Delta>) {
        match &mut self.place {
            ReaderPlace::Object(scan) => {
                let mut members = Vec::new();
                scan.take(c, &mut members);
                if scan.has_ended() {
                    self.place = ReaderPlace::AfterObject;
                }
                self.tell(members, names, deltas);
            }
            ReaderPlace::AfterObject if c.is_whitespace() || c == '`' => {}
            ReaderPlace::AfterObject => {
                if self.said {
                    self.say("\n", deltas);
                }
                self.place = ReaderPlace::LineStart;
                self.take(c, names, deltas);
            }
            ReaderPlace::Words => {
                self.say(c.encode_utf8(&mut [0; 4]), deltas);
                if c == '\n' {
                    self.place = ReaderPlace::LineStart;
                }
            }
            ReaderPlace::LineStart => {
                self.held.push(c);
                match begins(&self.held) {
                    Begins::Unknown => {}
                    Begins::Words => {
                        let held = std::mem::take(&mut self.held);
                        self.place =
                            if c == '\n' { ReaderPlace::LineStart } else { ReaderPlace::Words };
                        self.say(&held, deltas);
                    }
                    Begins::Object(at) => {
                        let held = std::mem::take(&mut self.held);
                        self.place = ReaderPlace::Object(ObjectScan::new(SAY));
                        for c in held[at..].chars() {
                            self.take(c, names, deltas);
                        }
                    }
                }
            }
        }
    }

    fn say(&mut self, words: &str, deltas: &mut Vec<Delta>) {
        self.said |= !words.trim().is_empty();
        match deltas.last_mut() {
            Some(Delta::Text(text)) => text.push_str(words),
            _ if words.is_empty() => {}
            _ => deltas.push(Delta::Text(words.to_owned())),
        }
    }

    fn tell(&mut self, members: Vec<ReplyMember>, names: &[String], deltas: &mut Vec<Delta>) {
        for member in members {
            match member {
                ReplyMember::Words(words) => self.say(&words, deltas),
                ReplyMember::Whole { key, value: None } => {
                    leave_out(&key, "is not JSON or is too long");
                }
                ReplyMember::Whole { key, value: Some(value) } => {
                    self.give(&key, &value, names, deltas);
                }
            }
        }
    }

    /// Gives a whole member on.
    fn give(&mut self, key: &str, value: &Value, names: &[String], deltas: &mut Vec<Delta>) {
        match key {
            SAY => self.say(&words_of(value), deltas),
            TICKET => {
                let reason = value::ticket(value);
                self.gave |= reason.is_some();
                deltas.extend(reason.map(Delta::Ticket));
            }
            _ => match value::extras(key, value) {
                Ok(extras) => {
                    for extra in extras {
                        match self.checked(extra, names) {
                            Ok(extra) => deltas.push(Delta::Extra(extra)),
                            Err(problem) => leave_out(key, problem),
                        }
                    }
                }
                Err(problem) => {
                    if let Value::String(words) = value
                        && !value::KEYS.contains(&key)
                    {
                        self.otherwise.get_or_insert(words.clone());
                    }
                    leave_out(key, problem);
                }
            },
        }
    }

    /// Checks what the format alone cannot say: how many there are, and whether a file is there.
    fn checked(&mut self, extra: Extra, names: &[String]) -> Result<Extra, &'static str> {
        let extra = match extra {
            Extra::Media { kind, url, caption } => {
                let url = file(&url, names)
                    .ok_or("is neither a web address nor one of the agent's `files`")?;
                Extra::Media { kind, url, caption }
            }
            extra => extra,
        };
        if self.extras == MOST_EXTRAS {
            return Err("is one too many: an answer has ten at most");
        }
        self.extras += 1;
        self.gave = true;
        Ok(extra)
    }
}

/// Finds where a file is: at a web address, or among the agent's own, by its name.
fn file(url: &Personal, names: &[String]) -> Option<Personal> {
    if is_web_address(url.reveal()) {
        return Some(url.clone());
    }
    let name = url.reveal().rsplit(['/', '\\']).next().unwrap_or_default();
    names.iter().find(|known| known.eq_ignore_ascii_case(name)).map(|name| Personal(name.clone()))
}

/// Says what a line begins with, as far as `held` shows it.
fn begins(held: &str) -> Begins {
    let trimmed = held.trim_start();
    let (inner, fenced) = match trimmed.strip_prefix(FENCE) {
        Some(rest) => match rest.split_once('\n') {
            Some((_language, inner)) => (inner.trim_start(), true),
            None if rest.len() > 20 => return Begins::Words,
            None => return Begins::Unknown,
        },
        None if FENCE.starts_with(trimmed) => return Begins::Unknown,
        None => (trimmed, false),
    };
    let Some(after) = inner.strip_prefix('{') else {
        return if inner.is_empty() && fenced { Begins::Unknown } else { Begins::Words };
    };
    match after.trim_start().chars().next() {
        None => Begins::Unknown,
        Some('"' | '}') => Begins::Object(held.len() - after.len()),
        Some(_) => Begins::Words,
    }
}

/// Returns the words of a `say` that is no text.
fn words_of(value: &Value) -> String {
    match value {
        Value::String(words) => words.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => values.iter().map(words_of).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

fn leave_out(key: &str, problem: &str) {
    // A key is the model's word: one that is not of the format stays unnamed.
    let known = value::KEYS.iter().chain([&SAY, &TICKET]).find(|known| **known == key);
    let key = known.unwrap_or(&"another");
    tracing::warn!(reply.key = key, problem, "a part of an answer is left out");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads an answer in pieces of `size` characters: words, kinds of extras, ticket.
    fn read(answer: &str, size: usize) -> (String, Vec<&'static str>, Option<String>) {
        let names = ["Menu.pdf".to_owned()];
        let mut reader = ReplyReader::default();
        let chars: Vec<char> = answer.chars().collect();
        let mut deltas = Vec::new();
        for piece in chars.chunks(size) {
            deltas.extend(reader.push(&piece.iter().collect::<String>(), &names));
        }
        deltas.extend(reader.finish(&names));
        let (mut words, mut kinds, mut ticket) = (String::new(), Vec::new(), None);
        for delta in deltas {
            match delta {
                Delta::Text(text) => words += &text,
                Delta::Extra(extra) => kinds.push(extra.kind()),
                Delta::Ticket(reason) => ticket = Some(reason.0),
                other => panic!("{other:?}"),
            }
        }
        (words, kinds, ticket)
    }

    #[track_caller]
    fn check(answer: &str, words: &str, kinds: &[&str]) {
        for size in [1, 3, 1000] {
            let (said, given, _) = read(answer, size);
            assert_eq!((said.trim(), &given[..]), (words, kinds), "{answer}");
        }
    }

    #[test]
    fn plain_words_are_said_as_they_are() {
        for words in
            ["Hello.", "a\n\n- b\n- c", "{smile} yes", "`code`", "1 {\"say\": 2}", "{", "\u{1F600}"]
        {
            check(words, words, &[]);
        }
    }

    #[test]
    fn an_object_gives_its_words_and_the_rest_in_order() {
        let object = r#"{"say": "Tea or coffee?", "location": {"latitude": 1, "longitude": 2},
            "buttons": ["Tea", "Coffee"], "media": {"url": "menu.pdf"}, "reaction": null}"#;
        let kinds = ["location", "buttons", "document"];
        check(object, "Tea or coffee?", &kinds);
        check(&format!("```json\n{object}\n```\n"), "Tea or coffee?", &kinds);
        check(&format!("\n  {object}"), "Tea or coffee?", &kinds);
        check(&format!("Sure!\n{object}\nBye."), "Sure!\nTea or coffee?\nBye.", &kinds);
        let (_, _, ticket) = read(r#"{"say": "", "open_ticket": {"reason": "angry"}}"#, 7);
        assert_eq!(ticket.as_deref(), Some("angry"));
    }

    #[test]
    fn words_come_before_the_object_is_complete() {
        let mut reader = ReplyReader::default();
        let deltas = reader.push(r#"{"say": "We open at nine. And"#, &[]);
        assert_eq!(deltas, [Delta::Text("We open at nine. And".to_owned())]);
    }

    #[test]
    fn what_cannot_be_sent_is_left_out_and_words_are_never_lost() {
        check(r#"{"say": "Here.", "media": [{"url": "/etc/passwd"}], "buttons": 5}"#, "Here.", &[]);
        check(r#"{"answer": "At nine.", "mood": "good"}"#, "At nine.", &[]);
        check(r#"{"say": ["At", "nine."]}"#, "At nine.", &[]);
        check(r#"{"say": "At ni"#, "At ni", &[]);
        check(r#"{"reaction": "👍"}"#, "", &["reaction"]);
        let many = format!(r#"{{"media": [{}]}}"#, vec![r#""menu.pdf""#; 15].join(","));
        check(&many, "", &["document"; 10]);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(answer in r#"[a`{}"\[\]:, \n]{0,60}"#, size in 1_usize..5) {
            prop_assert_eq!(read(&answer, size), read(&answer, 1000));
        }
    }
}
