//! Names languages in English, which models understand better than codes.
//!
//! The table covers what may be heard and read, with or without a file in `speech_text::lang`.

use crate::turn::LanguageCode;

/// Lists codes (ISO 639-1) and names of the languages that are heard or told by their letters.
const NAMES: &str = "\
    af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, be Belarusian, bg Bulgarian, \
    bn Bengali, bo Tibetan, bs Bosnian, ca Catalan, cs Czech, cy Welsh, da Danish, de German, dv \
    Dhivehi, el Greek, en English, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fr \
    French, gl Galician, gu Gujarati, ha Hausa, he Hebrew, hi Hindi, hr Croatian, ht Haitian \
    Creole, hu Hungarian, hy Armenian, id Indonesian, is Icelandic, it Italian, ja Japanese, jw \
    Javanese, ka Georgian, kk Kazakh, km Khmer, kn Kannada, ko Korean, la Latin, lo Lao, lt \
    Lithuanian, lv Latvian, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms \
    Malay, my Burmese, ne Nepali, nl Dutch, nn Norwegian, no Norwegian, or Odia, pa Punjabi, pl \
    Polish, ps Pashto, pt Portuguese, ro Romanian, ru Russian, si Sinhala, sk Slovak, sl \
    Slovenian, sn Shona, so Somali, sq Albanian, sr Serbian, su Sundanese, sv Swedish, sw Swahili, \
    ta Tamil, te Telugu, tg Tajik, th Thai, ti Tigrinya, tl Tagalog, tr Turkish, uk Ukrainian, ur \
    Urdu, uz Uzbek, vi Vietnamese, xh Xhosa, yi Yiddish, yo Yoruba, yue Cantonese, zh Chinese, zu \
    Zulu";

/// Returns the name of a language without its region; the unknown one is the person's.
pub(super) fn name(code: &LanguageCode) -> String {
    if code.is_unknown() {
        return "the person's own language, that of their last message".to_owned();
    }
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
        assert_eq!(
            name(&LanguageCode::UNKNOWN),
            "the person's own language, that of their last message"
        );
        assert!(NAMES.split(", ").is_sorted());
    }
}
