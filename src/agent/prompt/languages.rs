//! Names languages in words, which models understand better than codes.

use crate::turn::LanguageCode;

/// Returns the name of a language without its region; the unknown one is the person's.
pub(super) fn name(code: &LanguageCode) -> String {
    if code.is_unknown() {
        return "the person's own language, that of their last message".to_owned();
    }
    let unnamed = || format!("the one with the code {}", code.primary().to_ascii_lowercase());
    code.english_name().map_or_else(unnamed, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names() {
        assert_eq!(
            (name(&"es".into()).as_str(), name(&"pt-BR".into()).as_str()),
            ("Spanish", "Portuguese")
        );
        assert_eq!(name(&"xx".into()), "the one with the code xx");
        assert_eq!(
            name(&LanguageCode::UNKNOWN),
            "the person's own language, that of their last message"
        );
    }
}
