//! Words that models are taught to think between, where others write tags.
//!
//! They count only at the beginning of an answer, and only if the words that end the thought follow:
//! a person may ask for a thought process.

use super::marks::FoundMark;

/// Ends the thoughts of "harmony" whose marks a server has left out: `analysisThey ask
/// ...assistantfinalWe open`.
pub(super) const HARMONY: &str = "assistantfinal";

/// What begins a thought, and what ends it.
const PHRASES: &[(&str, &str)] = &[
    ("here is my thought process:", "here is my response:"),
    ("here's my thought process:", "here's my response:"),
    ("## thinking\n", "## final response\n"),
];

/// Returns what ends the thought that `text` begins with, and the bytes that open it.
pub(super) fn opening(text: &str) -> FoundMark<&'static str> {
    let harmony = match text.strip_prefix("analysis") {
        Some(rest) if rest.starts_with(char::is_uppercase) => {
            return FoundMark::Whole(HARMONY, "analysis".len());
        }
        Some("") => true,
        _ => "analysis".starts_with(text),
    };
    let mut found = if harmony { FoundMark::Perhaps } else { FoundMark::No };
    for (begins, ends) in PHRASES {
        match at(text, begins) {
            FoundMark::Whole((), length) => return FoundMark::Whole(ends, length),
            FoundMark::Perhaps => found = FoundMark::Perhaps,
            FoundMark::No => {}
        }
    }
    found
}

/// Looks for a phrase at the beginning of `text`, in capitals or not.
pub(super) fn at(text: &str, phrase: &str) -> FoundMark<()> {
    let length = text.len().min(phrase.len());
    match text.get(..length) {
        Some(start) if start.eq_ignore_ascii_case(&phrase[..length]) => {
            if length == phrase.len() {
                FoundMark::Whole((), length)
            } else {
                FoundMark::Perhaps
            }
        }
        _ => FoundMark::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_counts_whole_and_in_any_case() {
        let granite = "Here is my thought process: hm";
        assert_eq!(opening(granite), FoundMark::Whole("here is my response:", 27));
        assert_eq!(opening("Here is my"), FoundMark::Perhaps);
        assert_eq!(opening("Here is my address"), FoundMark::No);
        assert_eq!(opening("analysisThey"), FoundMark::Whole(HARMONY, 8));
        assert_eq!(opening("analysis"), FoundMark::Perhaps);
        for text in ["analysis of it", "Analysis", "über", "hello"] {
            assert_eq!(opening(text), FoundMark::No, "{text}");
        }
        assert_eq!(opening("## Thinking\nx"), FoundMark::Whole("## final response\n", 12));
    }
}
