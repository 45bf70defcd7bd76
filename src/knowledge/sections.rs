//! Cuts running text into passages: at blank lines and at headings, which stay with what is below.

use super::source::Passage;

/// Longest passage in characters that stays whole; a longer one is cut between its sentences.
const LONGEST: usize = 1_500;
/// Longest heading, in characters.
const LONGEST_HEADING: usize = 200;

/// Cuts one text, line by line.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// The headings that the next line stands below, with their levels.
    headings: Vec<(u8, String)>,
    /// Where the text is from, if no heading says it.
    place: String,
    paragraph: String,
    passages: Vec<Passage>,
}

impl Sections {
    /// Begins a part of the text that is called so, for instance a page.
    pub(super) fn begin(&mut self, place: String) {
        self.end_paragraph();
        self.headings.clear();
        self.place = place;
    }

    /// Takes a heading of a level, 1 the highest.
    pub(super) fn heading(&mut self, level: u8, words: &str) {
        self.end_paragraph();
        self.headings.retain(|(other, _)| *other < level);
        let words: String = one_line(words).chars().take(LONGEST_HEADING).collect();
        if !words.is_empty() {
            self.headings.push((level, words));
        }
    }

    /// Takes a line; one of its own stays one, any other goes on with the line before.
    pub(super) fn line(&mut self, line: &str, own_line: bool) {
        let line = one_line(line);
        if line.is_empty() {
            return;
        }
        if own_line && !self.paragraph.is_empty() {
            self.paragraph.push('\n');
        } else if self.paragraph.ends_with('-') && line.starts_with(char::is_lowercase) {
            // A word that was divided at the end of a line.
            self.paragraph.pop();
        } else if !self.paragraph.is_empty() {
            self.paragraph.push(' ');
        }
        self.paragraph.push_str(&line);
    }

    /// Ends a paragraph.
    pub(super) fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let headings: Vec<&str> = self.headings.iter().map(|(_, words)| words.as_str()).collect();
        let also = headings.join(" ");
        let place = if headings.is_empty() { self.place.clone() } else { headings.join(" > ") };
        for answer in pieces(&paragraph) {
            self.passages.push(Passage {
                question: None,
                answer,
                also: also.clone(),
                place: place.clone(),
            });
        }
    }

    /// Returns all passages.
    pub(super) fn finish(mut self) -> Vec<Passage> {
        self.end_paragraph();
        self.passages
    }
}

/// Reads plain text or Markdown. Wrapped lines are joined again, since a line break would end a
/// sentence; items of a list keep their line.
pub(super) fn of_text(contents: &str, markdown: bool) -> Vec<Passage> {
    let mut sections = Sections::default();
    for line in contents.lines().map(str::trim) {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading = line.get(level..).filter(|rest| rest.starts_with(' '));
        match heading.filter(|_| markdown && (1..=6).contains(&level)) {
            _ if line.is_empty() => sections.end_paragraph(),
            Some(words) => {
                let words = words.trim().trim_end_matches('#');
                sections.heading(u8::try_from(level).unwrap_or(6), words);
            }
            None => sections.line(line, line.starts_with(['-', '*', '+', '#', '•'])),
        }
    }
    sections.finish()
}

/// Cuts a paragraph that is too long between sentences, or where it must.
fn pieces(paragraph: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut length = 0;
    for sentence in paragraph.split_inclusive(['\n', '.', '!', '?', '。', '！', '？']) {
        let mut rest = sentence;
        while !rest.is_empty() {
            let end = rest.char_indices().nth(LONGEST).map_or(rest.len(), |(end, _)| end);
            let (piece, after) = rest.split_at(end);
            let chars = piece.chars().count();
            match pieces.last_mut() {
                Some(last) if length + chars <= LONGEST => {
                    last.push_str(piece);
                    length += chars;
                }
                _ => {
                    pieces.push(piece.to_owned());
                    length = chars;
                }
            }
            rest = after;
        }
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim().to_owned())
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Joins words that any white space separates.
fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<(String, String)> {
        of_text(text, true).into_iter().map(|p| (p.place, p.answer)).collect()
    }

    #[test]
    fn what_is_below_a_heading_is_told_with_it_and_nothing_above_it() {
        let text = "Hi.\n# Shop\nWe open\nat nine.\n## Pets ##\n- dogs\n- cats\n\n# Pay\nBy card.\n#1 here\n";
        let expected = [
            ("", "Hi."),
            ("Shop", "We open at nine."),
            ("Shop > Pets", "- dogs\n- cats"),
            ("Pay", "By card.\n#1 here"),
        ];
        let expected = expected.map(|(place, answer)| (place.to_owned(), answer.to_owned()));
        assert_eq!(cut(text), expected);
        assert_eq!(of_text("# Shop\nOpen.", false)[0].answer, "# Shop Open.");
    }

    #[test]
    fn a_long_paragraph_is_cut_between_sentences() {
        let sentence = format!("{} end. ", "word ".repeat(50));
        let all = cut(&sentence.repeat(20));
        assert!(all.len() > 3);
        assert!(all.iter().all(|(_, answer)| answer.chars().count() <= LONGEST));
        assert!(all.iter().all(|(_, answer)| answer.ends_with("end.")));
        assert_eq!(cut(&"x".repeat(LONGEST * 2 + 1)).len(), 3);
    }

    #[test]
    fn divided_words_are_joined() {
        assert_eq!(cut("deliv-\nery is free, e-\nMail too")[0].1, "delivery is free, e- Mail too");
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(text in "([a-z]{1,9}[ .\n]){0,60}") {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            let kept: String = cut(&text).into_iter().map(|(_, answer)| answer).collect();
            prop_assert_eq!(letters(&kept), letters(&text));
        }
    }
}
