//! Holds the words that tell what a number is: a code, a duration, a king. One file a language.

mod de;
mod en;
mod es;
mod fr;
mod pt;

pub(super) use de::GERMAN;
pub(super) use en::ENGLISH;
pub(super) use es::SPANISH;
pub(super) use fr::FRENCH;
pub(super) use pt::PORTUGUESE;

use super::entries;

/// Lists the words around a number, in lower case. `*` at the start of an entry stands for any
/// start of a word.
#[derive(Debug)]
pub(in crate::speech_text) struct Cues {
    /// Before a code or a document: three digits are said one by one.
    pub(in crate::speech_text) codes: &'static str,
    /// Before what is named by a number but may be counted, too: four digits are said one by one.
    pub(in crate::speech_text) named: &'static str,
    /// Before a telephone number.
    pub(in crate::speech_text) calls: &'static str,
    /// Between one of those and its number; also between a number and the code that it is.
    pub(in crate::speech_text) links: &'static str,
    /// Those of `links` that only a name is behind: "is", "number".
    pub(in crate::speech_text) is: &'static str,
    /// What may be counted but does not look like a plural.
    pub(in crate::speech_text) counted: &'static str,
    /// Before a number in brackets that is a choice and no source.
    pub(in crate::speech_text) choices: &'static str,
    /// What sources are called.
    pub(in crate::speech_text) sources: &'static str,
    /// Before a version.
    pub(in crate::speech_text) versions: &'static str,
    /// Before a year.
    pub(in crate::speech_text) years: &'static str,
    /// Before a day such as 3/5, and rarely before a fraction.
    pub(in crate::speech_text) days: &'static str,
    /// Before a decade of two digits.
    pub(in crate::speech_text) decades: &'static str,
    /// Before a time of day.
    pub(in crate::speech_text) clock: &'static str,
    /// Before a duration.
    pub(in crate::speech_text) lasts: &'static str,
    /// After a duration.
    pub(in crate::speech_text) long: &'static str,
    /// Before opening hours.
    pub(in crate::speech_text) hours: &'static str,
    /// Between two weekdays.
    pub(in crate::speech_text) until: &'static str,
    /// Before a Roman number that counts.
    pub(in crate::speech_text) chapters: &'static str,
    /// Before or after the Roman number of a century.
    pub(in crate::speech_text) centuries: &'static str,
    /// Names of monarchs and popes that a number follows.
    pub(in crate::speech_text) kings: &'static str,
    /// The same of women.
    pub(in crate::speech_text) queens: &'static str,
    /// The five callouts of Markdown: note, tip, important, warning, caution.
    pub(in crate::speech_text) callouts: &'static str,
    /// Short forms after the slash of a price, and what is said.
    pub(in crate::speech_text) per: &'static [(&'static str, &'static str)],
}

/// Returns whether a list of cues contains a word in lower case.
pub(in crate::speech_text) fn cues(list: &'static str, word: &str) -> bool {
    entries(list).any(|known| match known.strip_prefix('*') {
        Some(end) => word.ends_with(end),
        None => known == word,
    })
}
