//! The sentence that comes before a reply where the law wants it: that a machine speaks.
//!
//! Goes before an answer, a question back and a word about a problem, spoken or written as they
//! are. The fallback sentence stays alone: the next reply then begins with this one.

use super::Route;
use crate::turn::LanguageCode;

/// Holds what is said before the first words of a reply.
pub(super) struct Opening {
    pub(super) text: String,
    /// The language it is in, where the person's has no such sentence.
    pub(super) language: LanguageCode,
}

impl Opening {
    /// Makes it in `language` if the person is to be told; `told_ms` is when they last were.
    pub(super) fn due(
        route: &Route,
        language: &LanguageCode,
        told_ms: Option<i64>,
        now_ms: i64,
    ) -> Option<Self> {
        if !route.disclosure.is_due(told_ms, now_ms) {
            return None;
        }
        let (language, text) = route.agent.phrases.disclosure.find(language)?;
        let text = text.trim();
        (!text.is_empty()).then(|| Self { text: text.to_owned(), language })
    }
}
