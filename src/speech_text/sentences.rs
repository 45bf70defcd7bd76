//! Cuts a stream of text into sentences as early as that is safe.
//!
//! Invariants: the sentences joined are the input, whitespace aside; where the cuts fall does not
//! depend on how the stream was chunked; what is kept back is at most [`MAX_CHARS`] characters
//! plus the piece just pushed.

/// A sentence lighter than this joins the next one: "Hi." alone sounds chopped. Counted in
/// characters, a CJK character as [`CJK_WEIGHT`].
const MIN_WEIGHT: usize = 12;

/// A CJK character says about as much as three letters.
const CJK_WEIGHT: usize = 3;

/// Text without an end in sight is cut here (about 25 s of speech), at a space if there is one.
const MAX_CHARS: usize = 400;

/// At most this many quotes and brackets are read after a stop, so that waiting is bounded.
const MAX_CLOSERS: usize = 4;

/// Words that carry a full stop without ending a sentence; lower case, without the stop.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "approx", "jr", "sr", "sra", "srta",
    "dra", "ud", "uds", "p.ej", "ej", "av", "núm", "z.b", "bzw", "ca", "usw", "nr", "mme", "mlle",
    "env",
];

/// Splits text that arrives in pieces into sentences.
///
/// A sentence ends at `.`, `?`, `!`, `…` or a line break, and only once the whitespace behind it
/// has been seen, so that "3." and "5" in two pieces stay one number. CJK stops need no space.
#[derive(Debug, Default)]
pub struct SentenceSplitter {
    rest: String,
}

impl SentenceSplitter {
    /// Starts with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece and returns the sentences that are complete now, trimmed.
    pub fn push(&mut self, piece: &str) -> Vec<String> {
        self.rest.push_str(piece);
        let mut sentences = Vec::new();
        let mut from = 0;
        while let Some(length) = first_end(&self.rest[from..]) {
            let sentence = self.rest[from..from + length].trim();
            if !sentence.is_empty() {
                sentences.push(sentence.to_owned());
            }
            from += length;
        }
        // Blank space in front belongs to no sentence, and a model may send a lot of it.
        let blank = self.rest[from..].len() - self.rest[from..].trim_start().len();
        self.rest.drain(..from + blank);
        sentences
    }

    /// Returns what is left at the end of the stream, trimmed; `None` if that is nothing.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        let rest = rest.trim();
        (!rest.is_empty()).then(|| rest.to_owned())
    }
}

/// Finds the first sentence of `text`: its length in bytes, `None` while it may still go on.
fn first_end(text: &str) -> Option<usize> {
    let mut weight = 0;
    let mut last_space = None;
    // Leading whitespace belongs to no sentence and does not count towards the limit.
    let start = text.len() - text.trim_start().len();
    for (count, (at, c)) in text[start..].char_indices().enumerate() {
        let at = start + at;
        if count >= MAX_CHARS {
            return Some(last_space.unwrap_or(at));
        }
        weight += if is_cjk(c) { CJK_WEIGHT } else { 1 };
        let after = at + c.len_utf8();
        if c.is_whitespace() {
            last_space = Some(at);
        }
        let end = match c {
            '\n' => End::At(after),
            '。' | '！' | '？' | '｡' => past_closers(text, after, false),
            '.' if is_inside(&text[start..at]) => End::No,
            '.' | '?' | '!' | '…' | '؟' | '۔' | '।' => past_closers(text, after, true),
            _ => End::No,
        };
        match end {
            End::At(end) if weight >= MIN_WEIGHT => return Some(end),
            End::Unknown => return None,
            End::At(_) | End::No => {}
        }
    }
    None
}

/// Whether a stop ends the sentence.
enum End {
    /// Yes; the sentence is this many bytes long.
    At(usize),
    /// No.
    No,
    /// The text that decides has not arrived.
    Unknown,
}

/// Reads closing quotes and brackets from `after` on; then there must be a space, if needed.
fn past_closers(text: &str, after: usize, needs_space: bool) -> End {
    let mut end = after;
    for (count, c) in text[after..].chars().enumerate() {
        if count < MAX_CLOSERS
            && matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '*')
        {
            end += c.len_utf8();
        } else if c.is_whitespace() || !needs_space {
            return End::At(end);
        } else {
            return End::No;
        }
    }
    End::Unknown
}

/// Whether a full stop after `before` belongs to the word: abbreviation, initial or list number.
fn is_inside(before: &str) -> bool {
    let word_at = before
        .rfind(|c: char| c.is_whitespace() || c == '(')
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let word = &before[word_at..];
    let line_start = before[..word_at].trim_end_matches([' ', '\t']);
    let mut letters = word.chars().rev();
    let last = letters.next();
    let initial =
        last.is_some_and(char::is_uppercase) && letters.next().is_none_or(|before| before == '.');
    let numbered = !word.is_empty()
        && word.chars().all(|c| c.is_ascii_digit())
        && (line_start.is_empty() || line_start.ends_with('\n'));
    initial || numbered || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

/// Whether `c` is written without spaces: Chinese, Japanese, and their full-width marks.
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split_in<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut splitter = SentenceSplitter::new();
        let mut all: Vec<String> = pieces.into_iter().flat_map(|p| splitter.push(p)).collect();
        all.extend(splitter.finish());
        all
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split_in([text]), expected);
    }

    #[test]
    fn sentences_end_at_stops_followed_by_space() {
        check(
            "We open at nine. Do you want to come? Please do!",
            &["We open at nine.", "Do you want to come?", "Please do!"],
        );
        check(
            "He said \"come on in.\" Then he left.",
            &["He said \"come on in.\"", "Then he left."],
        );
        check(
            "Opening hours today\nNine to six every day",
            &["Opening hours today", "Nine to six every day"],
        );
    }

    #[test]
    fn short_sentences_join_the_next() {
        check("Hi. We open at nine.", &["Hi. We open at nine."]);
        check("好。我们九点开门。请再来。", &["好。我们九点开门。", "请再来。"]);
    }

    #[test]
    fn stops_inside_words_end_nothing() {
        check("The price is 3.50 euros today.", &["The price is 3.50 euros today."]);
        check("Please ask Dr. Meyer or J. Smith.", &["Please ask Dr. Meyer or J. Smith."]);
        check("1. Open the box carefully.", &["1. Open the box carefully."]);
        check("It works in the U.S. and in France.", &["It works in the U.S. and in France."]);
    }

    #[test]
    fn a_sentence_waits_for_the_space_behind_it() {
        let mut splitter = SentenceSplitter::new();
        assert!(splitter.push("The price is 3.").is_empty());
        assert!(splitter.push("5 euros today.").is_empty());
        assert_eq!(splitter.push(" "), ["The price is 3.5 euros today."]);
        assert_eq!(splitter.finish(), None);
    }

    #[test]
    fn endless_text_is_cut_at_a_space() {
        let words = "word ".repeat(200);
        let sentences = split_in([words.as_str()]);
        assert!(sentences.iter().all(|s| s.len() <= MAX_CHARS && s.ends_with("word")));
        assert_eq!(split_in(["x".repeat(1000).as_str()]).len(), 3);
    }

    proptest! {
        #[test]
        fn no_chunking_loses_text_or_moves_a_cut(
            text in "([a-zA-Z0-9é。！ .?!…\"\\n]|Dr\\. |[ ]{1,3}|\\PC){0,900}",
            cuts in prop::collection::vec(1usize..40, 1..30),
        ) {
            let mut pieces = Vec::new();
            let mut rest = text.as_str();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let mut at = cuts.next().unwrap_or(1).min(rest.len());
                while !rest.is_char_boundary(at) {
                    at += 1;
                }
                let (piece, tail) = rest.split_at(at);
                pieces.push(piece);
                rest = tail;
            }
            let streamed = split_in(pieces);
            let bare = |s: &str| s.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&streamed.concat()), bare(&text));
            prop_assert_eq!(streamed, split_in([text.as_str()]));
        }
    }
}
