//! Follows a JSON object while it is written: its words are handed on letter by letter, every other
//! member once it is complete.
//!
//! Pure. Models write JSON that is not quite: a comma too many, line ends within strings, an end
//! that never comes. Invariant: a member that cannot be read costs no other, and memory is bounded.

use std::mem;
use std::ops::ControlFlow;

use serde_json::Value;

/// Longest member in bytes; a longer one is left out.
const MEMBER_BYTES: usize = 64 << 10;
/// Deepest nesting that is followed.
const DEEPEST: usize = 32;

/// Holds what a piece of an object tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReplyMember {
    /// More of the words under the key that is streamed.
    Words(String),
    /// A member that is complete; `None` if its value is not JSON or is too long.
    Whole { key: String, value: Option<Value> },
}

/// Follows one object from after its opening brace.
#[derive(Debug)]
pub(super) struct ObjectScan {
    /// The key whose text is handed on as it comes.
    streamed: &'static str,
    place: ScanPlace,
    key: String,
    /// The value so far, as JSON.
    raw: String,
    /// What ends the value: brackets that are open in it.
    open: Vec<char>,
    string: Option<QuotedText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanPlace {
    /// Before a key or the end.
    Key,
    /// Between a key and its value.
    Colon,
    Value,
    Ended,
}

/// Follows one string.
#[derive(Debug, Default)]
struct QuotedText {
    /// An escape so far, with its backslash.
    escape: String,
    /// The first half of a character that is written in two.
    high: Option<u16>,
}

impl QuotedText {
    /// Takes one character; continues with what it stands for, and breaks at the string's end.
    fn take(&mut self, c: char) -> ControlFlow<(), Option<char>> {
        if self.escape.is_empty() {
            match c {
                '"' => return ControlFlow::Break(()),
                '\\' => self.escape.push(c),
                _ => return ControlFlow::Continue(Some(c)),
            }
            return ControlFlow::Continue(None);
        }
        self.escape.push(c);
        let hex = match self.escape.as_bytes() {
            [_, b'u', digits @ ..] if digits.len() < 4 && c != '"' => {
                return ControlFlow::Continue(None);
            }
            [_, b'u', ..] => u16::from_str_radix(&self.escape[2..], 16).ok(),
            _ => None,
        };
        let unicode = self.escape.as_bytes()[1] == b'u';
        self.escape.clear();
        if !unicode {
            return ControlFlow::Continue(Some(match c {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' | 'f' => ' ',
                other => other,
            }));
        }
        let Some(unit) = hex else {
            return ControlFlow::Continue(Some(char::REPLACEMENT_CHARACTER));
        };
        let units = match self.high.take() {
            Some(high) => vec![high, unit],
            None if (0xD800..0xDC00).contains(&unit) => {
                self.high = Some(unit);
                return ControlFlow::Continue(None);
            }
            None => vec![unit],
        };
        let decoded = char::decode_utf16(units).next();
        ControlFlow::Continue(Some(
            decoded.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER),
        ))
    }
}

impl ObjectScan {
    /// Begins after an opening brace; the text under `streamed` is handed on as it comes.
    pub(super) fn new(streamed: &'static str) -> Self {
        Self {
            streamed,
            place: ScanPlace::Key,
            key: String::new(),
            raw: String::new(),
            open: Vec::new(),
            string: None,
        }
    }

    /// Returns whether its closing brace was there.
    pub(super) fn has_ended(&self) -> bool {
        self.place == ScanPlace::Ended
    }

    /// Takes the next character of an object that has not ended.
    pub(super) fn take(&mut self, c: char, members: &mut Vec<ReplyMember>) {
        match self.place {
            ScanPlace::Key => self.take_key(c),
            ScanPlace::Colon if c == ':' => self.place = ScanPlace::Value,
            ScanPlace::Colon | ScanPlace::Ended => {}
            ScanPlace::Value => self.take_value(c, members),
        }
    }

    /// Ends an object that broke off: what is incomplete is left out.
    pub(super) fn break_off(&mut self, members: &mut Vec<ReplyMember>) {
        let begun = !self.raw.trim().is_empty();
        if self.place == ScanPlace::Value && !self.is_streaming() && begun {
            self.finish_value(members);
        }
        self.place = ScanPlace::Ended;
    }

    fn take_key(&mut self, c: char) {
        match &mut self.string {
            Some(text) => match text.take(c) {
                ControlFlow::Continue(Some(c)) if self.key.len() < MEMBER_BYTES => {
                    self.key.push(c);
                }
                ControlFlow::Continue(_) => {}
                ControlFlow::Break(()) => {
                    self.string = None;
                    self.place = ScanPlace::Colon;
                }
            },
            None if c == '"' => {
                self.key.clear();
                self.string = Some(QuotedText::default());
            }
            None if c == '}' => self.place = ScanPlace::Ended,
            None => {}
        }
    }

    fn is_streaming(&self) -> bool {
        self.key == self.streamed && self.string.is_some() && self.open.is_empty()
    }

    fn take_value(&mut self, c: char, members: &mut Vec<ReplyMember>) {
        let streams = self.is_streaming();
        if let Some(text) = &mut self.string {
            let meant = text.take(c);
            if streams {
                match (meant, members.last_mut()) {
                    (ControlFlow::Break(()), _) => self.string = None,
                    (ControlFlow::Continue(None), _) => {}
                    (ControlFlow::Continue(Some(c)), Some(ReplyMember::Words(words))) => {
                        words.push(c);
                    }
                    (ControlFlow::Continue(Some(c)), _) => {
                        members.push(ReplyMember::Words(c.into()));
                    }
                }
                return;
            }
            // JSON has no bare line ends within strings; models do.
            match c {
                '\n' => self.push("\\n"),
                c if c < ' ' => self.push(" "),
                c => self.push(c.encode_utf8(&mut [0; 4])),
            }
            if meant.is_break() {
                self.string = None;
            }
            return;
        }
        match c {
            '"' => {
                self.string = Some(QuotedText::default());
                if !self.is_streaming() || !self.raw.trim().is_empty() {
                    self.push("\"");
                }
            }
            '{' | '[' => {
                self.open.push(if c == '{' { '}' } else { ']' });
                self.push(c.encode_utf8(&mut [0; 4]));
            }
            '}' | ']' if !self.open.is_empty() => {
                self.open.pop();
                self.push(c.encode_utf8(&mut [0; 4]));
            }
            '}' => {
                self.finish_value(members);
                self.place = ScanPlace::Ended;
            }
            ',' if self.open.is_empty() => {
                self.finish_value(members);
                self.place = ScanPlace::Key;
            }
            c => self.push(c.encode_utf8(&mut [0; 4])),
        }
    }

    /// Adds to the value; one that is too long or too deep is not JSON any more.
    fn push(&mut self, piece: &str) {
        if self.raw.len() < MEMBER_BYTES && self.open.len() < DEEPEST {
            self.raw.push_str(piece);
        }
    }

    fn finish_value(&mut self, members: &mut Vec<ReplyMember>) {
        let raw = mem::take(&mut self.raw);
        let key = mem::take(&mut self.key);
        self.open.clear();
        self.string = None;
        // Of streamed words nothing is left.
        if key == self.streamed && raw.trim().is_empty() {
            return;
        }
        members.push(ReplyMember::Whole { key, value: read(&raw) });
    }
}

/// Reads a value, of which a comma before a closing bracket is forgiven.
fn read(raw: &str) -> Option<Value> {
    serde_json::from_str(raw).ok().or_else(|| serde_json::from_str(&without_commas(raw)).ok())
}

/// Returns JSON without commas that stand before a closing bracket.
fn without_commas(raw: &str) -> String {
    let (mut kept, mut quoted, mut escaped) = (String::with_capacity(raw.len()), false, false);
    for c in raw.chars() {
        if !quoted && matches!(c, '}' | ']') {
            kept.truncate(kept.trim_end().trim_end_matches(',').len());
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scan(text: &str) -> (String, Vec<(String, Option<Value>)>, bool) {
        let mut scan = ObjectScan::new("say");
        let mut members = Vec::new();
        for c in text.chars() {
            if !scan.has_ended() {
                scan.take(c, &mut members);
            }
        }
        let ended = scan.has_ended();
        scan.break_off(&mut members);
        let (mut words, mut whole) = (String::new(), Vec::new());
        for member in members {
            match member {
                ReplyMember::Words(more) => words += &more,
                ReplyMember::Whole { key, value } => whole.push((key, value)),
            }
        }
        (words, whole, ended)
    }

    #[test]
    fn words_are_unescaped_and_members_are_whole() {
        let (words, whole, ended) = scan(
            r#" "say": "Tea \"or\" caf\u00e9?\n\ud83d\ude00 \/", "buttons": [{"id": "a}", "title": "T"}], "x": 1 } "#,
        );
        assert_eq!(words, "Tea \"or\" café?\n😀 /");
        let buttons = json!([{ "id": "a}", "title": "T" }]);
        assert_eq!(whole, [("buttons".into(), Some(buttons)), ("x".into(), Some(json!(1)))]);
        assert!(ended);
    }

    #[test]
    fn what_is_not_quite_json_costs_only_itself() {
        let (words, whole, ended) = scan(
            "\"say\": \"two\nlines\", \"a\": [1, 2,], \"b\": nonsense, \"c\": {\"d\": \"x\ty\",}, }",
        );
        assert_eq!((words.as_str(), ended), ("two\nlines", true));
        let expected =
            [("a", Some(json!([1, 2]))), ("b", None), ("c", Some(json!({ "d": "x y" })))];
        assert_eq!(whole, expected.map(|(key, value)| (key.to_owned(), value)));
    }

    #[test]
    fn what_breaks_off_leaves_what_was_said() {
        let (words, whole, ended) = scan(r#""link": {"url": "u"}, "say": "We open at ni"#);
        assert_eq!((words.as_str(), whole.len(), ended), ("We open at ni", 1, false));
        let (words, whole, _) = scan(r#""say": "Yes", "buttons": [{"id": "a", "ti"#);
        assert_eq!((words.as_str(), &whole[..]), ("Yes", &[("buttons".to_owned(), None)][..]));
    }

    #[test]
    fn words_that_are_no_text_come_as_a_member() {
        let (words, whole, _) = scan(r#""say": 5, "say": ["a"]}"#);
        assert_eq!(words, "");
        assert_eq!(whole.len(), 2);
    }

    proptest! {
        #[test]
        fn any_object_is_read_as_serde_reads_it(words in ".{0,30}", title in ".{0,30}") {
            let object = json!({ "z": { "t": [title, null] }, "say": words, "n": 1.5 });
            let (said, whole, ended) = scan(&object.to_string()[1..]);
            prop_assert!(ended);
            // Controls of terminals are nothing to say.
            prop_assert_eq!(said, words.replace(['\u{8}', '\u{c}'], " "));
            let kept: Vec<_> = whole.into_iter().map(|(key, value)| (key, value.unwrap())).collect();
            let expected = [("n".to_owned(), object["n"].clone()), ("z".to_owned(), object["z"].clone())];
            prop_assert_eq!(kept, expected);
        }

        #[test]
        fn no_text_breaks_it(text in r#"["\\{}\[\],:a-z0-9 \n]{0,80}"#) {
            scan(&text);
        }
    }
}
