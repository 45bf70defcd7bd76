//! What may be repeated of a failure: an error's causes, and a server's own words.
//!
//! Used wherever a failed call becomes an error or a log line. Invariant: no address, and nothing
//! that [`Redactor`] knows or takes for a secret, gets into either.

use std::error::Error as _;

use super::names;

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
/// Bytes of a key that servers show to say which one they mean.
const KEY_BEGIN: usize = 6;
/// Characters of a line's error.
const LINE_CHARS: usize = 600;
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
    /// Shortens a server's words and removes the key, names, addresses, long numbers, what looks
    /// like a key, and any echo of the text.
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
        let begins_key = |word: &str| {
            let begin = self.key.get(..KEY_BEGIN).filter(|_| self.key.len() >= KEY_BYTES);
            begin.is_some_and(|begin| word.contains(begin))
        };
        let mut removed: Vec<bool> = words
            .iter()
            .zip(echoes)
            .zip(numbers(&words))
            .map(|((word, echo), number)| {
                echo || number || looks_secret(word) || is_address(word) || begins_key(word)
            })
            .collect();
        remove_quotations(&words, &mut removed);
        names::mark(&words, &mut removed);
        let clean = words.iter().zip(removed).map(|(word, gone)| if gone { REMOVED } else { word });
        let clean = plain(&clean.collect::<Vec<_>>().join(" "));
        let clean: String = clean.chars().take(QUOTE_CHARS).collect();
        if clean.is_empty() { "no message".to_owned() } else { clean }
    }
}

/// Makes words that came from outside fit for a log: one short line without control characters,
/// addresses, phone numbers and what looks like a key.
#[must_use]
pub fn outside(words: &str) -> String {
    Redactor::default().clean(words)
}

/// Makes an error's line fit for a log that may hold anybody's words among ours: as [`outside`], but
/// longer, and with the paths that ours name.
#[must_use]
pub fn screened(line: &str) -> String {
    if line.len() <= LINE_CHARS && line.bytes().all(|b| is_harmless(b.into())) {
        return line.to_owned();
    }
    let line: String = line.chars().take(LINE_CHARS).collect();
    let words: Vec<&str> = line.split(' ').collect();
    let clean = words
        .iter()
        .zip(numbers(&words))
        .map(|(word, number)| if number || is_address(word) { REMOVED } else { word });
    plain(&clean.collect::<Vec<_>>().join(" "))
}

/// Returns whether a character can be part of nothing that is removed or escaped.
fn is_harmless(c: char) -> bool {
    c == ' ' || (c.is_ascii_graphic() && !c.is_ascii_digit() && c != '@')
}

/// Escapes what would break a line, speak to a terminal, hide or turn around what follows.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().fold(String::new(), |mut plain, c| {
        if speaks(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
        plain
    })
}

/// Returns whether a character does something and is not seen: control characters, separators of
/// lines, directions and joints of text, tags.
#[must_use]
pub fn speaks(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Marks what a server quotes, if it is more than a word: words of one are names of keys and values.
fn remove_quotations(words: &[&str], removed: &mut [bool]) {
    const SIGNS: &str = "'\"`\u{2018}\u{2019}\u{201c}\u{201d}\u{201e}\u{ab}\u{bb}";
    let is_sign = |c: char| SIGNS.contains(c);
    let opens = |word: &str| word.trim_start_matches(['(', '[', '{', ':']).starts_with(is_sign);
    let closes = |word: &str| {
        word.trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '!', '?']).ends_with(is_sign)
    };
    let mut at = 0;
    while at < words.len() {
        let end = words[at..].iter().position(|word| closes(word)).map(|more| at + more);
        match end.filter(|end| opens(words[at]) && *end > at) {
            Some(end) => {
                removed[at..=end].fill(true);
                at = end + 1;
            }
            None => at += 1,
        }
    }
}

/// Returns whether a word holds an e-mail address.
pub(super) fn is_address(word: &str) -> bool {
    word.match_indices(['@', '\u{ff20}']).any(|(at, sign)| {
        let named =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "._+-\"'".contains(c));
        named(word[..at].chars().next_back()) && named(word[at + sign.len()..].chars().next())
    }) || word.to_ascii_lowercase().contains("%40")
}

/// Returns for each word whether it is part of a number as people write their telephone's: words of
/// digits and signs in a row that have [`NUMBER_DIGITS`] together.
fn numbers(words: &[&str]) -> Vec<bool> {
    let digits = |word: &str| word.chars().filter(|c| c.is_numeric()).count();
    let part = |word: &&str| {
        word.chars().all(|c| c.is_numeric() || "+()-./,:;'\"\u{2010}\u{2011}\u{2013}".contains(c))
    };
    // A word such as `from:+49` begins one.
    let begins = |word: &&str| {
        let end = word.trim_start_matches(|c: char| !c.is_numeric() && c != '+');
        !end.is_empty() && part(&end)
    };
    let mut marked = vec![false; words.len()];
    let mut at = 0;
    while at < words.len() {
        let more = words[at + 1..].iter().take_while(|word| part(word)).count();
        let count: usize = words[at..=at + more].iter().map(|word| digits(word)).sum();
        if begins(&words[at]) && count >= NUMBER_DIGITS && (more > 0 || words[at].contains('+')) {
            marked[at..=at + more].fill(true);
        }
        at += if begins(&words[at]) { more + 1 } else { 1 };
    }
    marked
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
        check("Hello.", "othello cannot be said", "othello cannot be said");
        check("Hello, Anna.", "cannot say hello anna", "cannot say [removed] [removed]");
    }

    #[test]
    fn personal_numbers_and_addresses_are_removed_however_they_are_written() {
        for (words, expected) in [
            (
                "call +49 170 123 45 67 now",
                "call [removed] [removed] [removed] [removed] [removed] now",
            ),
            ("(0170) 123-4567.", "[removed] [removed]"),
            ("to:+44 20 7946", "[removed] [removed] [removed]"),
            ("to anna.maria@example.org, please", "to [removed] please"),
            ("<mailto:a@b.example>", "[removed]"),
            ("code 131053 (HTTP 400) in 2026", "code 131053 (HTTP 400) in 2026"),
            ("an @ is no address", "an @ is no address"),
        ] {
            assert_eq!(outside(words), expected);
            if !words.starts_with('(') {
                assert_eq!(screened(words), expected);
            }
        }
        let key = "EAAGm0PX4ZCpsBAKZ";
        let clean = Redactor { key, text: "" }.clean("Malformed token EAAGm0PX...");
        assert_eq!(clean, "Malformed token [removed]");
    }

    #[test]
    fn quotations_and_the_names_of_addresses_are_removed() {
        for (words, expected) in [
            (
                "cannot say 'my order is late'.",
                "cannot say [removed] [removed] [removed] [removed]",
            ),
            ("value \"x\" of 'voice' is wrong", "value \"x\" of 'voice' is wrong"),
            ("audio['voice'] must be a boolean", "audio['voice'] must be a boolean"),
            ("for Anna Weber <anna@example.org>", "for [removed] [removed] [removed]"),
        ] {
            assert_eq!(outside(words), expected);
        }
    }

    #[test]
    fn nothing_that_speaks_to_a_terminal_passes() {
        let evil = "a\u{1b}[31mb\u{9b}0m\u{202e}c\u{200b}\nERROR d";
        for said in [outside(evil), screened(evil)] {
            assert!(!said.chars().any(speaks), "{said:?}");
        }
        assert_eq!(plain("a\tb\u{7f}"), "a\\tb\\u{7f}");
        assert!(screened(&"word ".repeat(1_000_000)).len() <= LINE_CHARS);
    }

    #[test]
    fn words_are_shortened_and_never_empty() {
        check("", &"word ".repeat(1000), &"word ".repeat(40));
        check("", &"é".repeat(39), "[removed]");
        check("", " \n ", "no message");
    }
}
