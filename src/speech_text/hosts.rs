//! Tells hosts from words: "example.com" is one, "nine.We" lacks a space, "menu.zip" is a file.

/// Limits a host, in bytes. Source: RFC 1035, section 2.3.4.
const MAX_HOST: usize = 253;

/// Lists ends of hosts that are words or endings of files, too: only a path shows that it is one.
const ALSO_WORDS: &str = " ad am an as bar best bid bo by call can care cat cc come data day do dog eat et \
    fail fan fast fit foo food fun fyi gal gift here how il is la law life like link live loan ly ma \
    man mba md med men mil ml moe mov mu my name ne new ng no now off om one open ooo page pet pin pl pm \
    pro ps pub py qa read red ren rest rip rs run sa safe sale save se send sh si so su sy talk tel \
    tips to today ty va vet vote win work yes you zip zone ";

/// Lists ends that nobody takes for a word, however they are written.
const PLAIN: [&str; 4] = ["com", "net", "org", "example"];

/// Counts the bytes at the start of `text` that a host may contain; `None` if they are too many.
pub(super) fn host_run(text: &str) -> Option<usize> {
    let mut length = 0;
    for c in text.chars().take_while(|c| is_of_host(*c) || *c == '.') {
        length += c.len_utf8();
        if length > MAX_HOST {
            return None;
        }
    }
    Some(length)
}

/// Returns whether `c` may be part of a label; Latin letters with accents are, other scripts are
/// written without a space before an address.
pub(super) fn is_of_host(c: char) -> bool {
    c == '-' || (c.is_alphanumeric() && c < '\u{250}')
}

/// Returns whether `host` is labels with an end that exists, as in "my-shop.example.com".
pub(super) fn is_host(host: &str) -> bool {
    let Some((labels, end)) = host.rsplit_once('.') else { return false };
    host.len() >= 4
        && host.len() <= MAX_HOST
        && host.contains(|c: char| c.is_ascii_alphabetic())
        && (tld::exist_case_insensitive(end) || end.eq_ignore_ascii_case("example"))
        && labels.split('.').all(|label| !label.is_empty() && label.chars().all(is_of_host))
}

/// Returns whether an address in a sentence begins with `host`; `behind` is what follows it.
///
/// A capital after the stop begins a sentence ("open at nine.In the evening ..."), unless a path
/// follows ("Example.COM/Path").
pub(super) fn begins_address(host: &str, behind: &str) -> bool {
    let (labels, end) = host.rsplit_once('.').unwrap_or_default();
    let lower = end.to_ascii_lowercase();
    let shouted = end.len() > 1 && end.chars().all(char::is_uppercase);
    let path = ['/', '?', '#', ':'].iter().any(|mark| {
        behind.strip_prefix(*mark).is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    });
    let word = ALSO_WORDS.split_whitespace().any(|word| word == lower);
    is_host(host)
        && match end {
            _ if PLAIN.contains(&lower.as_str()) => true,
            _ if path => end == lower || shouted,
            // "example.com.ve" has two ends, "dr.med" is none.
            _ => end == lower && (labels.contains('.') || (!word && labels.len() > 2)),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let host = &text[..host_run(text).unwrap()];
        let host = host.trim_end_matches(['.', '-']);
        assert_eq!(begins_address(host, &text[host.len()..]), expected, "{text}");
    }

    #[test]
    fn an_address_has_an_end_that_exists() {
        for address in [
            "bit.ly/3xYz",
            "maps.app.goo.gl/AbC",
            "wa.me/34600123456",
            "t.me/shop",
            "youtu.be/x",
            "Example.COM",
            "EXAMPLE.COM/Path",
            "example.shop",
            "tienda.coffee.",
            "mi-tienda.com.ve",
            "müller.de",
            "forms.gle/x",
            "example.com:8080/a",
            "example.co?b=c",
            "lnkd.in/a",
            "BIT.LY/3xYz",
        ] {
            check(address, true);
        }
    }

    #[test]
    fn a_stop_without_a_space_after_it_is_no_address() {
        for words in [
            "nine.We close",
            "nine.In the evening",
            "menu.pdf",
            "menu.zip",
            "README.md",
            "main.rs",
            "Node.js",
            "e.g.",
            "a.m./p.m.",
            "U.S.A",
            "9.30/10.30",
            "v1.2.3",
            "z.B.",
            "dr.med",
            "Nr.3/4",
            "km.h",
            "S.p.A",
            "gut.Das/dies",
            "so.no",
        ] {
            check(words, false);
        }
    }
}
