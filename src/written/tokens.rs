//! Splits a message into the words that may tell its language.

use super::words::WORDS;

/// Returns the words of `text` in lower case, without addresses, numbers, names and what everybody
/// writes.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let pieces = text.split_whitespace().filter(|piece| !is_address(piece));
    for (at, piece) in pieces.enumerate() {
        for word in piece.split(|c: char| !is_of_word(c)) {
            let word = word.trim_matches(['\'', '’', '-', '·']);
            // Turkish "İ" in lower case is an "i" with a dot of its own.
            let token = word.to_lowercase().replace('’', "'").replace("i\u{307}", "i");
            let numbered = token.contains(char::is_numeric);
            if token.is_empty() || numbered || WORDS.is_everywhere(&token) {
                continue;
            }
            let named = at > 0 && word.starts_with(char::is_uppercase) && token != word;
            let shouted = word.chars().all(|c| !c.is_lowercase());
            if named && !shouted && WORDS.with_word(&token).is_empty() {
                continue;
            }
            tokens.push(token);
        }
    }
    tokens
}

/// Returns whether a word is an address on the web, one of mail, or somebody's or a topic's name.
fn is_address(piece: &str) -> bool {
    piece.contains(['@', '#']) || piece.contains("://") || piece.starts_with("www.")
}

/// Returns whether words contain `c`: letters, the marks that join them in Arabic and Devanagari,
/// and what stands within "aujourd'hui", "cancel·lar" and "e-mail".
fn is_of_word(c: char) -> bool {
    let mark = matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{963}');
    c.is_alphanumeric() || mark || matches!(c, '\'' | '’' | '-' | '·' | '\u{200c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_writes_is_no_word() {
        for (text, words) in [
            ("OK, hotel 42!", &[][..]),
            ("ana@example.com https://example.com/a #sale", &[]),
            ("Berapa ongkir ke Bandung?", &["berapa", "ongkir", "ke"]),
            ("İADE İstiyorum", &["iade", "istiyorum"]),
            ("Aujourd’hui c'est ouvert", &["aujourd'hui", "c'est", "ouvert"]),
            ("QUANTO CUSTA", &["quanto", "custa"]),
            ("नमस्ते, कब?", &["नमस्ते", "कब"]),
        ] {
            assert_eq!(of(text), words, "{text}");
        }
    }
}
