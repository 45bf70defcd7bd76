//! Names languages by their codes.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Names a language by its code: ISO 639-1, perhaps with a region (`pt`, `pt-BR`, `es_mx`).
///
/// The empty code is the unknown language, in JSON and in the store too; it is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LanguageCode(String);

impl LanguageCode {
    /// Marks a language that is not known.
    pub const UNKNOWN: Self = Self(String::new());

    /// Returns English, the default where no language is known.
    pub fn english() -> Self {
        Self::from("en")
    }

    /// Returns whether the language is not known.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the code as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the code without its region: `pt` of `pt-BR`.
    pub fn primary(&self) -> &str {
        self.0.split(['-', '_']).next().unwrap_or(&self.0)
    }

    /// Returns whether it has the shape of a code: `en`, `tlh`, `pt-BR`.
    pub fn is_code(&self) -> bool {
        let primary = self.primary();
        (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase())
    }

    /// Returns whether both codes name the same language, whatever the region and the case.
    pub fn is(&self, other: &Self) -> bool {
        self.primary().eq_ignore_ascii_case(other.primary())
    }
}

impl fmt::Display for LanguageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for LanguageCode {
    fn from(code: &str) -> Self {
        Self(code.to_owned())
    }
}

impl From<String> for LanguageCode {
    fn from(code: String) -> Self {
        Self(code)
    }
}

/// Lets a map with these keys be searched by a plain string, such as a primary code.
impl Borrow<str> for LanguageCode {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for LanguageCode {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for LanguageCode {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_and_the_case_do_not_make_another_language() {
        let code = LanguageCode::from;
        for (written, primary) in [("pt", "pt"), ("pt-BR", "pt"), ("es_mx", "es"), ("", "")] {
            assert_eq!(code(written).primary(), primary, "{written}");
        }
        assert!(code("pt-BR").is(&code("PT_pt")) && !code("pt").is(&code("es")));
        assert_ne!(code("pt-BR"), code("pt"));
    }

    #[test]
    fn a_code_is_a_plain_string_in_json_and_the_unknown_one_is_empty() {
        assert_eq!(serde_json::to_string(&LanguageCode::from("pt-BR")).unwrap(), "\"pt-BR\"");
        let unknown: LanguageCode = serde_json::from_str("\"\"").unwrap();
        assert!(unknown.is_unknown() && unknown == LanguageCode::UNKNOWN);
        assert!(!unknown.is(&LanguageCode::english()));
    }
}
