//! Reads web pages: their text, below its headings, without scripts, styles and menus.
//!
//! Follows tags without building a tree, so that no nesting is too deep. What is not closed ends with
//! the page.

use html5gum::{Token, Tokenizer};

use super::sections::Sections;
use super::source::Passage;

/// Elements whose text nobody reads.
const SKIPPED: [&str; 8] =
    ["script", "style", "template", "noscript", "nav", "svg", "select", "iframe"];
/// Elements that stand within a line.
const INLINE: [&str; 22] = [
    "a", "abbr", "b", "bdi", "cite", "code", "data", "em", "font", "i", "kbd", "label", "mark",
    "q", "s", "small", "span", "strong", "sub", "sup", "time", "u",
];

/// Elements that are lines of the paragraph around them.
const LINES: [&str; 5] = ["br", "li", "tr", "dt", "dd"];

/// Reads a page.
pub(super) fn passages(page: &str) -> Vec<Passage> {
    let mut reader = WebPage::default();
    for Ok(token) in Tokenizer::new(page) {
        match token {
            Token::StartTag(tag) => {
                reader.open(&String::from_utf8_lossy(&tag.name), tag.self_closing);
            }
            Token::EndTag(tag) => reader.close(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) if reader.skipped.is_none() => {
                reader.line.push_str(&String::from_utf8_lossy(&text));
            }
            _ => {}
        }
    }
    reader.end_line();
    reader.sections.finish()
}

#[derive(Debug, Default)]
struct WebPage {
    sections: Sections,
    line: String,
    /// The level of the heading that is open.
    heading: Option<u8>,
    /// Whether the line is one of its own.
    own_line: bool,
    /// The element that is skipped, and how often it is open.
    skipped: Option<(String, usize)>,
}

impl WebPage {
    fn open(&mut self, name: &str, self_closing: bool) {
        match &mut self.skipped {
            Some((open, depth)) => *depth += usize::from(open == name),
            None if SKIPPED.contains(&name) && !self_closing => {
                self.skipped = Some((name.to_owned(), 1));
            }
            None if INLINE.contains(&name) || matches!(name, "td" | "th") => {}
            None => {
                self.end_line();
                self.own_line = LINES.contains(&name);
                if !self.own_line {
                    self.sections.end_paragraph();
                }
                self.heading = level(name);
            }
        }
    }

    fn close(&mut self, name: &str) {
        match &mut self.skipped {
            Some((open, depth)) => {
                *depth -= usize::from(open == name);
                if *depth == 0 {
                    self.skipped = None;
                }
            }
            None if INLINE.contains(&name) => {}
            // A cell's words and the next one's are one line.
            None if matches!(name, "td" | "th") => self.line.push_str("; "),
            None => {
                self.end_line();
                if !LINES.contains(&name) {
                    self.sections.end_paragraph();
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let words = line.trim().trim_end_matches(';');
        match self.heading.take() {
            Some(level) => self.sections.heading(level, words),
            None => self.sections.line(words, self.own_line),
        }
    }
}

/// Returns the level of a heading; a page's title is above all.
fn level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        b"title" => Some(0),
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(page: &str) -> Vec<(String, String)> {
        passages(page).into_iter().map(|p| (p.place, p.answer)).collect()
    }

    #[test]
    fn a_page_is_read_below_its_headings() {
        let page = "<!doctype html><title>Shop &amp; Co</title><style>p{}</style><nav><a>Home</a></nav>\
            <h1>Open</h1><p>We <b>open</b> at\n nine.</p><script>if (a < b) {}</script>\
            <h2>Pets</h2><ul><li>dogs<li>cats</ul><table><tr><td>Tea</td><td>2 €</td></tr><tr><td>Cake</td>\
            <td>3 &euro;</td></tr></table><p>Bye";
        let expected = [
            ("Shop & Co > Open", "We open at nine."),
            ("Shop & Co > Open > Pets", "dogs\ncats"),
            ("Shop & Co > Open > Pets", "Tea; 2 €\nCake; 3 €"),
            ("Shop & Co > Open > Pets", "Bye"),
        ];
        let expected = expected.map(|(place, answer)| (place.to_owned(), answer.to_owned()));
        assert_eq!(read(page), expected);
    }

    #[test]
    fn deep_nesting_and_what_is_never_closed_are_read() {
        let deep = format!("{}x", "<div>".repeat(200_000));
        assert_eq!(read(&deep), [(String::new(), "x".to_owned())]);
        assert_eq!(read("<script>never closed"), []);
        assert_eq!(read("<h1>Only a heading"), []);
    }

    proptest! {
        #[test]
        fn no_page_breaks_it(page in "(<|>|/|[a-z]{1,6}|\"|=| |&[a-z]{2,4};|<!--|-->){0,60}") {
            read(&page);
        }
    }
}
