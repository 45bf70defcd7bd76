//! Names languages in English, which models understand better than codes.
//!
//! The table covers what the transcriber may hear, with or without a file in `speech_text::lang`.

use crate::turn::LanguageCode;

/// Lists codes (ISO 639-1) and names of the most spoken languages among those that whisper hears.
const NAMES: &str = "\
    af Afrikaans, ar Arabic, bg Bulgarian, bn Bengali, ca Catalan, cs Czech, da Danish, \
    de German, el Greek, en English, es Spanish, et Estonian, eu Basque, fa Persian, \
    fi Finnish, fr French, gl Galician, gu Gujarati, ha Hausa, he Hebrew, hi Hindi, \
    hr Croatian, hu Hungarian, id Indonesian, it Italian, ja Japanese, ko Korean, \
    lt Lithuanian, lv Latvian, ml Malayalam, mr Marathi, ms Malay, nl Dutch, no Norwegian, \
    pa Punjabi, pl Polish, pt Portuguese, ro Romanian, ru Russian, sk Slovak, sl Slovenian, \
    sr Serbian, sv Swedish, sw Swahili, ta Tamil, te Telugu, th Thai, tl Tagalog, tr Turkish, \
    uk Ukrainian, ur Urdu, vi Vietnamese, yo Yoruba, zh Chinese, zu Zulu";

/// Returns the name of a language without its region.
pub(super) fn name(code: &LanguageCode) -> String {
    let language = code.primary().to_ascii_lowercase();
    let mut names = NAMES.split(", ").filter_map(|entry| entry.split_once(' '));
    match names.find(|(known, _)| *known == language) {
        Some((_, name)) => name.to_owned(),
        None => format!("the one with the code {language}"),
    }
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
        assert!(NAMES.split(", ").is_sorted());
    }
}
