//! Holds the languages: each file has everything that is particular to one of them.
//!
//! Every part that handles people's words may ask here. To add a language, write its file, its
//! numerals, its cues and its wishes, add its two lines below, its cases to `cases.tsv` and its
//! sentences to `default.toml`; tests fail until all are complete.

mod cues;
mod de;
mod en;
mod es;
mod fr;
mod numerals;
mod pt;
mod regions;
mod wishes;

pub(super) use cues::{Cues, cues};

use super::language::Language;
use crate::turn::LanguageCode;

/// Lists every language that has a file.
pub static ALL: &[&Language] =
    &[&en::ENGLISH, &es::SPANISH, &pt::PORTUGUESE, &de::GERMAN, &fr::FRENCH];

/// Finds a language as its region writes it; `None` if it has no file.
pub fn find(code: &LanguageCode) -> Option<&'static Language> {
    if let Some(region) = regions::find(code) {
        return Some(region);
    }
    ALL.iter().copied().find(|language| code.primary().eq_ignore_ascii_case(language.code))
}

/// Finds a language whatever its region, else English.
pub fn or_english(code: &LanguageCode) -> &'static Language {
    find(code).unwrap_or(&en::ENGLISH)
}

/// Returns the entries of a list, which has commas between them.
pub fn entries(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').map(str::trim_start).filter(|entry| !entry.is_empty())
}

/// Returns whether a list contains `entry`.
pub fn has(list: &'static str, entry: &str) -> bool {
    entries(list).any(|known| known == entry)
}

/// Returns the entries of one list in every language, for words whose language is not known.
pub fn everywhere(
    list: impl Fn(&'static Language) -> &'static str,
) -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(move |language| entries(list(language)))
}

/// Returns whether a list of any language contains `entry`.
pub fn anywhere(list: impl Fn(&'static Language) -> &'static str, entry: &str) -> bool {
    everywhere(list).any(|known| known == entry)
}

/// Equals a thousand millions, which some languages have a word for.
const BILLION: u64 = 1_000_000_000;

/// Splits a number into millions, thousands and the rest.
fn triples(n: u64) -> (u64, u64, u64) {
    (n / 1_000_000, n / 1000 % 1000, n % 1000)
}

/// Says how many millions or more there are: `one`, or their `count` and `many`; `None` for zero.
fn large(n: u64, one: &str, many: &str, count: impl Fn(u64) -> String) -> Option<String> {
    match n {
        0 => None,
        1 => Some(one.to_owned()),
        _ => Some(format!("{} {many}", count(n))),
    }
}

/// Returns the entry of a list for a number in its range; a `-` keeps the place of one without.
fn entry(list: &'static str, n: u64) -> &'static str {
    usize::try_from(n).ok().and_then(|at| entries(list).nth(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_its_lists() {
        for language in ALL {
            let Language { code, wishes, person, answers, search, stops, .. } = language;
            assert_eq!(ALL.iter().filter(|other| other.code == *code).count(), 1, "{code}");
            for (list, name) in [
                (wishes.text, "wishes.text"),
                (wishes.voice, "wishes.voice"),
                (wishes.busy, "wishes.busy"),
                (wishes.not, "wishes.not"),
                (wishes.around, "wishes.around"),
                (person.requests, "person.requests"),
                (person.people, "person.people"),
                (person.alone, "person.alone"),
                (person.before, "person.before"),
                (person.around, "person.around"),
                (person.not, "person.not"),
                (answers.yes, "answers.yes"),
                (answers.no, "answers.no"),
                (search.common, "search.common"),
                (search.courtesies, "search.courtesies"),
                (search.titles, "search.titles"),
                (search.capitals, "search.capitals"),
                (stops.never_end, "stops.never_end"),
                (stops.may_end, "stops.may_end"),
            ] {
                assert!(entries(list).next().is_some(), "{code} has no {name}");
                let plain = |c: char| c.is_alphabetic() || "'*/^$.@ -".contains(c);
                for entry in entries(list) {
                    let ready = entry == entry.trim().to_lowercase() && entry.chars().all(plain);
                    assert!(ready, "{code}, {name}: {entry:?} is compared with lower case words");
                }
            }
            assert_eq!(entries(language.list).count(), 10, "{code}, list");
            assert_eq!(entries(language.cues.callouts).count(), 5, "{code}, callouts");
            let Cues { codes, named, calls, links, is, choices, sources, versions, .. } =
                *language.cues;
            let Cues {
                clock, lasts, long, hours, until, chapters, centuries, kings, queens, ..
            } = *language.cues;
            for list in [
                codes, named, calls, links, is, choices, sources, versions, clock, lasts, long,
                hours, until, chapters, centuries, kings, queens,
            ] {
                let ready = |entry: &str| entry == entry.to_lowercase();
                assert!(
                    entries(list).next().is_some() && entries(list).all(ready),
                    "{code}: {list}"
                );
            }
        }
    }

    #[test]
    fn a_language_is_found_whatever_its_region() {
        for code in ["pt", "pt-BR", "PT_pt"] {
            assert_eq!(find(&code.into()).map(|language| language.code), Some("pt"), "{code}");
        }
        assert!(find(&"tlh".into()).is_none() && find(&LanguageCode::UNKNOWN).is_none());
        assert_eq!(or_english(&"tlh".into()).code, "en");
    }
}
