//! What may be repeated of a failure: an error's causes, and a server's own words.
//!
//! Used wherever a failed call becomes an error or a log line. Invariant: no address, and nothing
//! that [`Redactor`] knows or takes for a secret, gets into either.

use std::error::Error as _;

/// Replaces what must not be repeated.
const REMOVED: &str = "[removed]";
/// Longest quotation of a server, in characters: a line or two of a terminal.
const QUOTE_CHARS: usize = 200;
/// Characters of a server's words that are looked at, whatever it sends.
const READ_CHARS: usize = 8 * QUOTE_CHARS;

// A word is removed when it looks like one of these. Losing a harmless word costs the operator
// little, so each limit is the lowest that leaves ordinary messages alone.

/// Digits of a phone or account number. The shortest international phone numbers have 7; years,
/// ports, token counts and nearly all of Meta's error codes have fewer.
const NUMBER_DIGITS: usize = 7;
/// Bytes of a token or a signature. No ordinary word has 40, and no token is known that is shorter
/// and has none of [`MARKS`].
const TOKEN_BYTES: usize = 40;
/// Bytes of a key that is removed from within a word, too. Keys of real accounts have 20 and more.
const KEY_BYTES: usize = 12;
/// Marks of an address, and of the keys of `OpenAI` and Groq.
const MARKS: [&str; 3] = ["://", "sk-", "gsk_"];
/// Words in a row that are an echo of a text. Two happen by chance.
const ECHO_WORDS: usize = 3;

/// Joins an error and its causes to one line, without the address, which may hold a key or a
/// signature.
#[must_use]
pub fn error_chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain = format!("{chain}: {cause}");
        source = cause.source();
    }
    chain
}

/// Knows what must not be repeated of a server's words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redactor<'a> {
    /// The key or token of the call; empty if there is none.
    pub key: &'a str,
    /// What a person said or is to hear; empty if the call carries no such text.
    pub text: &'a str,
}

impl Redactor<'_> {
    /// Shortens a server's words and removes the key, addresses, long numbers, what looks like a
    /// key, and any echo of the text.
    #[must_use]
    pub fn clean(&self, words: &str) -> String {
        let mut words: String = words.chars().take(READ_CHARS).collect();
        let text = tokens(self.text);
        let whole = if text.len() < ECHO_WORDS { "" } else { self.text.trim() };
        for secret in [self.key, whole] {
            words = without(&words, secret);
        }
        let words: Vec<&str> = words.split_whitespace().collect();
        let echoes = echoes(&words, &text);
        let clean = words
            .iter()
            .zip(echoes)
            .map(|(word, echo)| if echo || looks_secret(word) { REMOVED } else { word });
        let clean: String = clean.collect::<Vec<_>>().join(" ").chars().take(QUOTE_CHARS).collect();
        if clean.is_empty() { "no message".to_owned() } else { clean }
    }
}

/// Removes a secret wherever it stands. A short one counts only as whole words: local servers are
/// given keys such as `x`, and what is left of a word without its letters helps nobody.
fn without(words: &str, secret: &str) -> String {
    if secret.is_empty() {
        return words.to_owned();
    }
    let (mut clean, mut rest) = (String::new(), words);
    while let Some(at) = rest.find(secret) {
        let end = at + secret.len();
        let ends_word = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        let before = rest[..at].chars().next_back().or_else(|| clean.chars().next_back());
        let whole = ends_word(before) && ends_word(rest[end..].chars().next());
        clean.push_str(&rest[..at]);
        clean.push_str(if whole || secret.len() >= KEY_BYTES { REMOVED } else { secret });
        rest = &rest[end..];
    }
    clean + rest
}

fn looks_secret(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    digits >= NUMBER_DIGITS
        || word.len() >= TOKEN_BYTES
        || MARKS.iter().any(|mark| word.contains(mark))
}

/// Returns for each of `words` whether it is part of an echo: some words of `text` in a row, or all
/// of a shorter one.
fn echoes(words: &[&str], text: &[String]) -> Vec<bool> {
    let mut echoes = vec![false; words.len()];
    let (places, said): (Vec<usize>, Vec<String>) = words
        .iter()
        .enumerate()
        .flat_map(|(place, word)| tokens(word).into_iter().map(move |token| (place, token)))
        .unzip();
    let row = ECHO_WORDS.min(text.len()).max(1);
    for (at, some) in said.windows(row).enumerate() {
        if text.windows(row).any(|few| few == some) {
            echoes[places[at]..=places[at + row - 1]].fill(true);
        }
    }
    echoes
}

/// Splits a text into words of letters and digits, in lower case.
fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str, expected: &str) {
        assert_eq!(Redactor { key: "k3y", text }.clean(words), expected);
    }

    #[test]
    fn keys_addresses_and_numbers_are_removed() {
        check(
            "",
            "Incorrect API key k3y for +4915550001 at https://a.example: sk-abc gsk_abc",
            "Incorrect API key [removed] for [removed] at [removed] [removed] [removed]",
        );
        check("", &format!("(#100) token {}", "x".repeat(40)), "(#100) token [removed]");
        check("", "(#130429) Rate limit hit", "(#130429) Rate limit hit");
        assert_eq!(Redactor::default().clean("k3y"), "k3y");
    }

    #[test]
    fn a_short_key_is_removed_as_a_word_and_a_long_one_anywhere() {
        let clean = |key: &str, words: &str| Redactor { key, text: "" }.clean(words);
        assert_eq!(clean("x", "exceeds the max, x=x"), "exceeds the max, [removed]=[removed]");
        assert_eq!(clean("none", "nonetheless 'none'"), "nonetheless '[removed]'");
        assert_eq!(clean("llama", "llama3 llama llama-2"), "llama3 [removed] [removed]-2");
        assert_eq!(clean("k3y-of-a-real-one", "ak3y-of-a-real-oneb"), "a[removed]b");
        assert_eq!(clean("a", "aaa a"), "aaa [removed]");
    }

    #[test]
    fn an_echo_of_the_text_is_removed() {
        let order = "My order, 4711, is still missing!";
        check(
            order,
            "bad input 'order 4711 IS still' in messages[1]",
            "bad input [removed] [removed] [removed] [removed] in messages[1]",
        );
        check(order, "filtered: 'My order, 4711, is still missing!'", "filtered: '[removed]'");
        check(order, r#"{"input":"My order: 4711"}"#, "[removed] [removed] [removed]");
        check(order, "order 4712 is still on its way", "order 4712 is still on its way");
        check("Hello.", "I cannot say: Hello!", "I cannot say: [removed]");
        check("Hello.", "Othello cannot be said", "Othello cannot be said");
        check("Hello, Anna.", "cannot say hello anna", "cannot say [removed] [removed]");
    }

    #[test]
    fn words_are_shortened_and_never_empty() {
        check("", &"word ".repeat(1000), &"word ".repeat(40));
        check("", &"é".repeat(39), "[removed]");
        check("", " \n ", "no message");
    }
}
