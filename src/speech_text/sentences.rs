//! Cuts a stream of text into sentences, each as early as is safe.
//!
//! Invariants: the sentences joined are the input, whitespace aside; where the cuts fall does not
//! depend on how the stream was chunked; at most [`MAX_CHARS`] characters plus the latest piece are
//! kept back, or `MAX_BLOCK` bytes of a code block or a table, which stays in one piece so that
//! [`super::spoken`] sees all of it.

use std::ops::ControlFlow;

use super::blocks::{Block, bare_table, block, tag};
use super::stops::{End, full_stop, is_cjk, past_closers, past_ellipsis};

/// Sets the weight below which a sentence joins the next one: "Hi." alone sounds chopped. Counts
/// characters, a CJK character as [`CJK_WEIGHT`].
const MIN_WEIGHT: usize = 12;

/// Weighs a CJK character, which says about as much as three letters.
const CJK_WEIGHT: usize = 3;

/// Limits a sentence (about 25 s of speech); a longer one is cut, at a space if there is one.
const MAX_CHARS: usize = 400;

/// Splits text that arrives in pieces into sentences.
///
/// A sentence ends at `.`, `?`, `!`, `…` or a line break, and only once the whitespace after it has
/// arrived, so that "3." and "5" in two pieces stay one number. CJK stops need no space.
#[derive(Debug, Default)]
pub struct SentenceSplitter {
    rest: String,
}

impl SentenceSplitter {
    /// Creates a splitter that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece and returns the sentences that it completes, trimmed.
    pub fn push(&mut self, piece: &str) -> Vec<String> {
        self.rest.push_str(piece);
        let mut sentences = Vec::new();
        let mut from = 0;
        while let Some(Cut { length, .. }) = first_end(&self.rest[from..], MIN_WEIGHT) {
            let sentence = self.rest[from..from + length].trim();
            if !sentence.is_empty() {
                sentences.push(sentence.to_owned());
            }
            from += length;
        }
        // Leading whitespace belongs to no sentence, and a model may send a lot of it.
        let blank = self.rest[from..].len() - self.rest[from..].trim_start().len();
        self.rest.drain(..from + blank);
        sentences
    }

    /// Returns what is left at the end of the stream, trimmed; `None` if nothing is.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        let rest = rest.trim();
        (!rest.is_empty()).then(|| rest.to_owned())
    }
}

/// Splits a finished text into its sentences.
#[must_use]
pub fn sentences_of(text: &str) -> Vec<String> {
    let mut splitter = SentenceSplitter::new();
    let mut sentences = splitter.push(text);
    sentences.extend(splitter.finish());
    sentences
}

/// Returns `text` up to the end of its last complete sentence, trimmed; empty if it has none.
///
/// Used for an answer that broke off. A sentence ends where [`SentenceSplitter`] would end one,
/// however short it is; at the very end a stop is enough, unless it may belong to a number or a
/// word.
#[must_use]
pub fn complete_sentences(text: &str) -> &str {
    let complete = up_to_last_stop(text);
    let number = complete.len() == text.trim_end().len()
        && complete
            .strip_suffix('.')
            .is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    if number && text.ends_with('.') {
        let last = complete.rfind(char::is_whitespace).unwrap_or_default();
        return up_to_last_stop(&text[..last]);
    }
    complete
}

/// Returns `text` up to its last stop that ends a sentence, trimmed.
fn up_to_last_stop(text: &str) -> &str {
    // The space shows the splitter that the last word is over.
    let padded = format!("{text} ");
    let (mut from, mut complete) = (0, 0);
    while let Some(Cut { length, forced }) = first_end(&padded[from..], 0) {
        from += length;
        if !forced {
            complete = from;
        }
    }
    text[..complete.min(text.len())].trim_end()
}

/// Marks where a sentence ends, in bytes.
#[derive(Clone, Copy, Debug)]
struct Cut {
    length: usize,
    /// It had no end but grew too long.
    forced: bool,
}

/// Finds the first sentence of `text`; `None` while it may continue.
fn first_end(text: &str, min_weight: usize) -> Option<Cut> {
    // Leading whitespace belongs to no sentence and does not count towards the limit.
    let start = text.len() - text.trim_start().len();
    let (mut at_line_start, mut line) = (true, start);
    let mut weight = 0;
    let mut last_space = None;
    let mut skip_to = 0;
    for (count, (at, c)) in text[start..].char_indices().enumerate() {
        let at = start + at;
        if at_line_start && !c.is_whitespace() {
            (at_line_start, line) = (false, at);
            match past_block(block(&text[at..]), at, start) {
                ControlFlow::Break(cut) => return cut,
                ControlFlow::Continue(end) => skip_to = end,
            }
        }
        if c == '<' && at >= skip_to {
            match past_block(tag(&text[at..]), at, start) {
                ControlFlow::Break(cut) => return cut,
                ControlFlow::Continue(end) => skip_to = end,
            }
        }
        if count >= MAX_CHARS {
            return Some(Cut { length: last_space.unwrap_or(at), forced: true });
        }
        weight += if is_cjk(c) { CJK_WEIGHT } else { 1 };
        let after = at + c.len_utf8();
        if c.is_whitespace() {
            last_space = Some(at);
        }
        let end = match c {
            '\n' => {
                if let ControlFlow::Break(cut) = past_block(bare_table(&text[line..]), line, start)
                {
                    return cut;
                }
                at_line_start = true;
                End::At(after)
            }
            _ if at < skip_to => End::No,
            '。' | '！' | '？' | '｡' => past_closers(text, after, false),
            '…' => past_ellipsis(text, after),
            '.' if text[start..at].ends_with('.') => past_ellipsis(text, after),
            '.' => full_stop(&text[start..at], text, after),
            '?' | '!' | '؟' | '۔' | '।' | '॥' => past_closers(text, after, true),
            _ => End::No,
        };
        match end {
            End::At(length) if weight >= min_weight => return Some(Cut { length, forced: false }),
            End::Unknown => return None,
            End::At(_) | End::No => {}
        }
    }
    None
}

/// Breaks with the cut that a block at `at` makes, or with none while its end has not arrived; else
/// returns up to where no stop counts.
fn past_block(found: Block, at: usize, start: usize) -> ControlFlow<Option<Cut>, usize> {
    match found {
        Block::No => ControlFlow::Continue(0),
        Block::Inline(length) => ControlFlow::Continue(at + length),
        Block::Open => ControlFlow::Break(None),
        // The text before it ends here, however light it is.
        Block::Whole(_) | Block::Cut(_) if at > start => {
            ControlFlow::Break(Some(Cut { length: at, forced: false }))
        }
        Block::Whole(length) => {
            ControlFlow::Break(Some(Cut { length: at + length, forced: false }))
        }
        Block::Cut(length) => ControlFlow::Break(Some(Cut { length: at + length, forced: true })),
    }
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
        check("We are open Mon.–Fri. 8–5 again.", &["We are open Mon.–Fri. 8–5 again."]);
        check("Wir öffnen von Mo.-Fr. um acht.", &["Wir öffnen von Mo.-Fr. um acht."]);
        check("It works in the U.S. and in France.", &["It works in the U.S. and in France."]);
    }

    #[test]
    fn words_numbers_and_addresses_stay_whole() {
        check(
            "Das geht z. B. am 3. Mai um 9 Uhr. Danke sehr!",
            &["Das geht z. B. am 3. Mai um 9 Uhr.", "Danke sehr!"],
        );
        check(
            "It costs 1,234.56 or 1.234,56 here. Come in.",
            &["It costs 1,234.56 or 1.234,56 here.", "Come in."],
        );
        check(
            "Abrimos a las 9 a. m. y listo. ¡Hasta luego!",
            &["Abrimos a las 9 a. m. y listo.", "¡Hasta luego!"],
        );
        check(
            "See you at 3 p.m. tomorrow. Bye for now.",
            &["See you at 3 p.m. tomorrow.", "Bye for now."],
        );
        check("We open at 3 p.m. Please come early.", &["We open at 3 p.m.", "Please come early."]);
        check(
            "Mail info@example.com. Or see example.com/a?b=1.5 today.",
            &["Mail info@example.com.", "Or see example.com/a?b=1.5 today."],
        );
        check(
            "Well ... maybe not today... Let me see.",
            &["Well ... maybe not today...", "Let me see."],
        );
        check("Wait… what is that? Nothing at all.", &["Wait… what is that?", "Nothing at all."]);
        check("Hola a todos.¿Qué tal estáis?", &["Hola a todos.", "¿Qué tal estáis?"]);
    }

    #[test]
    fn other_scripts_have_their_own_stops() {
        check("हम नौ बजे खुलते हैं। आप आइए॥ ठीक है।", &["हम नौ बजे खुलते हैं।", "आप आइए॥ ठीक है।"]);
        check(
            "ما هو وقت العمل؟ نفتح الساعة التاسعة.",
            &["ما هو وقت العمل؟", "نفتح الساعة التاسعة."],
        );
        check(
            "「開いていますか？」はい、開いています！",
            &["「開いていますか？」", "はい、開いています！"],
        );
    }

    #[test]
    fn code_and_tables_stay_whole() {
        let code = "```py\nprint(1.5). Yes! No?\n\nx = 2\n```";
        check(&format!("Look:\n{code}\nThat was it."), &["Look:", code, "That was it."]);
        let table = "| tea | price |\n|---|---|\n| Green. Nice! | 3 € |";
        check(&format!("Our list:\n{table}\n\nBye then."), &["Our list:", table, "Bye then."]);
        let bare = "Tea | price\n--- | ---\nGreen. Nice! | 3 €\n";
        check(
            &format!("Our list is here:\n{bare}\nBye then."),
            &["Our list is here:", bare.trim(), "Bye then."],
        );
        check("Tea | milk is here.\nAnd more of it.", &["Tea | milk is here.", "And more of it."]);
        check(
            "<img alt=\"We are open. Come!\"> is a picture. It is nice.",
            &["<img alt=\"We are open. Come!\"> is a picture.", "It is nice."],
        );
        check("Is it < 5 euros? Then I take it.", &["Is it < 5 euros?", "Then I take it."]);
        check(
            "```ls. No! a```is a word. This is next.",
            &["```ls. No! a```is a word.", "This is next."],
        );
    }

    #[test]
    fn what_broke_off_is_cut_at_the_last_sentence() {
        let words = "word ".repeat(200);
        let check = |text, expected| assert_eq!(complete_sentences(text), expected);
        check("We open at nine. Yes. And on Sun", "We open at nine. Yes.");
        check("We open at nine. It costs 3.", "We open at nine.");
        check("We open at nine. Ask Dr.", "We open at nine.");
        check("We open at nine.", "We open at nine.");
        check("Opening hours\nNine to", "Opening hours");
        check("Is it?", "Is it?");
        check(&words, "");
        check("nothing yet", "");
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
            text in "([a-zA-Z0-9é。！ .?!…\"\\n]|Dr\\. |```|\\||\n--- \\| --\n|<b|>|am 3\\. Mai |[ ]{1,3}|\\PC){0,900}",
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
