//! Makes JSON of what is nearly JSON: one odd token must not cost a whole batch.
//!
//! Half a surrogate pair, a control character in a string, a byte order mark, `NaN`, `1e999`: each is
//! replaced where it stands. What the brackets say is left as it is, and wrong ones stay wrong.

use serde_json::Value;

/// Replaces the odd tokens of a text.
pub(super) fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string(rest, &mut mended),
            '\u{feff}' => first.len_utf8(),
            c if structural(c) => {
                mended.push(c);
                c.len_utf8()
            }
            _ => {
                let end = rest.find(|c| structural(c) || c == '"').unwrap_or(rest.len());
                let token = &rest[..end];
                let known = serde_json::from_str::<Value>(token).is_ok();
                mended.push_str(if known { token } else { "null" });
                end
            }
        };
        rest = &rest[length..];
    }
    mended
}

fn structural(c: char) -> bool {
    c.is_ascii_whitespace() || "{}[],:\u{feff}".contains(c)
}

/// Writes the string that `rest` begins with; returns how much of `rest` it is.
fn string(rest: &str, mended: &mut String) -> usize {
    let mut escaped = false;
    let end = rest[1..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let Some(end) = end else {
        mended.push_str(rest);
        return rest.len();
    };
    let whole = &rest[..end + 2];
    if serde_json::from_str::<&serde_json::value::RawValue>(whole).is_ok()
        && serde_json::from_str::<String>(whole).is_ok()
    {
        mended.push_str(whole);
    } else {
        mended.push_str(&Value::String(unescaped(&whole[1..=end])).to_string());
    }
    whole.len()
}

/// Reads the content of a string as far as it says something.
fn unescaped(content: &str) -> String {
    let (mut units, mut rest): (Vec<u16>, _) = (Vec::new(), content);
    while let Some(first) = rest.chars().next() {
        let unit = rest.strip_prefix("\\u").and_then(|digits| digits.get(..4));
        if let Some(unit) = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            units.push(unit);
            rest = &rest[6..];
            continue;
        }
        let (c, length) = match (first, rest.chars().nth(1)) {
            ('\\', Some('n')) => ('\n', 2),
            ('\\', Some('t')) => ('\t', 2),
            ('\\', Some('r')) => ('\r', 2),
            ('\\', Some('b' | 'f')) => (' ', 2),
            ('\\', Some(c)) => (c, 1 + c.len_utf8()),
            (c, _) => (c, c.len_utf8()),
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        rest = &rest[length..];
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::turn::{Body, Personal};

    fn text(words: &str) -> Body {
        Body::Text { text: Personal(words.to_owned()) }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(mended(text), expected, "{text}");
    }

    #[test]
    fn odd_tokens_are_replaced_and_the_rest_stays() {
        check("\u{feff}{\"a\": 1}", "{\"a\": 1}");
        check(
            "[1e999, -1.5e3, NaN, 01, .5, True, true]",
            "[null, -1.5e3, null, null, null, null, true]",
        );
        check(
            r#"["\ud83d", "\ud83d\ude00 \n", "a\x"]"#,
            "[\"\u{fffd}\", \"\\ud83d\\ude00 \\n\", \"ax\"]",
        );
        check("[\"a\tb\u{1}é\"]", "[\"a\\tb\\u0001é\"]");
        check(r#"{"a": "\\", "b": "\""}"#, r#"{"a": "\\", "b": "\""}"#);
        check(r#"{"a": "#, r#"{"a": "#);
        check(r#"["unended \"#, r#"["unended \"#);
        check("[\u{feff}1\u{feff}, é]", "[1, null]");
    }

    /// Puts an odd token into the second of three messages; the others must be read.
    #[track_caller]
    fn check_odd(message: &str, body_of_second: Option<&str>) {
        let good =
            |id: &str| format!(r#"{{"id": "{id}", "type": "text", "text": {{"body": "hi"}}}}"#);
        let body = format!(
            r#"{{"entry": [{{"changes": [{{"field": "messages", "value": {{
            "metadata": {{"phone_number_id": "106"}}, "messages": [{}, {message}, {}]}}}}]}}]}}"#,
            good("1"),
            good("3")
        );
        let updates = parse(body.as_bytes()).unwrap();
        let found = |id: &str| updates.messages.iter().find(|message| message.id.0 == id);
        assert!(found("1").is_some() && found("3").is_some(), "{message}");
        let second = found("2").map(|message| message.body.clone());
        assert_eq!(second, body_of_second.map(text), "{message}");
    }

    #[test]
    fn an_odd_token_costs_no_more_than_its_element() {
        let with =
            |body: &str| format!(r#"{{"id": "2", "type": "text", "text": {{"body": {body}}}}}"#);
        check_odd(&with(r#""half \ud83d of a pair""#), Some("half \u{fffd} of a pair"));
        check_odd(&with(r#""\ude00 and \ud83d\ude00""#), Some("\u{fffd} and \u{1f600}"));
        check_odd(&with("\"a\tb\u{1}\""), Some("a\tb\u{1}"));
        check_odd(&with(r#""hi", "more": 1e999"#), Some("hi"));
        check_odd(&with(r#""hi", "more": NaN"#), Some("hi"));
        check_odd(&with("\u{feff}\"hi\""), Some("hi"));
        check_odd("1e999", None);
        check_odd("nonsense", None);
        check_odd(&with(&format!("{}{}", "[".repeat(200), "]".repeat(200))), None);
        check_odd(&with(&format!("\"hi\", \"more\": [{}0]", "0,".repeat(200_000))), None);
    }

    #[test]
    fn bodies_with_a_mark_before_them_or_other_bytes_in_them_are_read() {
        let body = r#"{"entry": [{"changes": [{"field": "messages", "value": {
            "metadata": {"phone_number_id": "106"},
            "messages": [{"id": "1", "type": "text", "text": {"body": "hi"}}]}}]}]}"#;
        let marked = format!("\u{feff}{body}");
        assert_eq!(parse(marked.as_bytes()).unwrap().messages.len(), 1);
        let latin: Vec<u8> = body.replace("hi", "h~").bytes().collect();
        let latin: Vec<u8> = latin.into_iter().map(|b| if b == b'~' { 0xe9 } else { b }).collect();
        assert_eq!(parse(&latin).unwrap().messages[0].body, text("h\u{fffd}"));
    }
}
