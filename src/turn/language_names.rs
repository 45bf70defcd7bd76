//! Names languages in English: language models understand names better than codes, and servers that
//! hear tell them.

use super::LanguageCode;

/// Lists codes (ISO 639-1, where there is one) and names of the languages that are heard or told by
/// their letters.
const NAMES: &str = "\
    af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be Belarusian, \
    bg Bulgarian, bn Bengali, bo Tibetan, br Breton, bs Bosnian, ca Catalan, cs Czech, cy Welsh, \
    da Danish, de German, dv Dhivehi, el Greek, en English, es Spanish, et Estonian, eu Basque, \
    fa Persian, fi Finnish, fo Faroese, fr French, gl Galician, gu Gujarati, ha Hausa, haw \
    Hawaiian, he Hebrew, hi Hindi, hr Croatian, ht Haitian Creole, hu Hungarian, hy Armenian, id \
    Indonesian, is Icelandic, it Italian, ja Japanese, jw Javanese, ka Georgian, kk Kazakh, km \
    Khmer, kn Kannada, ko Korean, la Latin, lb Luxembourgish, ln Lingala, lo Lao, lt Lithuanian, \
    lv Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms \
    Malay, mt Maltese, my Burmese, ne Nepali, nl Dutch, nn Nynorsk, no Norwegian, oc Occitan, or \
    Odia, pa Punjabi, pl Polish, ps Pashto, pt Portuguese, ro Romanian, ru Russian, sa Sanskrit, \
    sd Sindhi, si Sinhala, sk Slovak, sl Slovenian, sn Shona, so Somali, sq Albanian, sr \
    Serbian, su Sundanese, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, ti \
    Tigrinya, tk Turkmen, tl Tagalog, tr Turkish, tt Tatar, uk Ukrainian, ur Urdu, uz Uzbek, vi \
    Vietnamese, xh Xhosa, yi Yiddish, yo Yoruba, yue Cantonese, zh Chinese, zu Zulu";

/// Lists other names that servers use.
const OTHERS: &str = "\
    ca Valencian, es Castilian, ht Haitian, lb Letzeburgesch, my Myanmar, nl Flemish, nn Norwegian \
    Nynorsk, pa Panjabi, ps Pushto, ro Moldavian, ro Moldovan, si Sinhalese, zh Mandarin";

fn entries(names: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    names.split(", ").filter_map(|entry| entry.split_once(' '))
}

impl LanguageCode {
    /// Returns the English name of the language, without its region.
    pub fn english_name(&self) -> Option<&'static str> {
        let language = self.primary().to_ascii_lowercase();
        entries(NAMES).find(|(code, _)| *code == language).map(|(_, name)| name)
    }

    /// Returns the language that a server tells: a code, or an English name such as `german`.
    pub fn told(told: &str) -> Option<Self> {
        let told = told.trim();
        let code = Self::from(told.to_ascii_lowercase());
        if code.english_name().is_some() {
            return Some(code.primary().into());
        }
        let mut all = entries(NAMES).chain(entries(OTHERS));
        all.find(|(_, name)| name.eq_ignore_ascii_case(told)).map(|(code, _)| code.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_a_name_and_is_found_by_it() {
        let name = |code: &str| LanguageCode::from(code).english_name();
        assert_eq!(
            (name("es"), name("pt-BR"), name("xx")),
            (Some("Spanish"), Some("Portuguese"), None)
        );
        let told = |told: &str| LanguageCode::told(told).map(|code| code.to_string());
        for (words, code) in [
            ("english", Some("en")),
            ("en", Some("en")),
            ("pt-BR", Some("pt")),
            ("Norwegian", Some("no")),
            ("nynorsk", Some("nn")),
            ("haitian creole", Some("ht")),
            ("myanmar", Some("my")),
            ("flemish", Some("nl")),
            ("auto", None),
            ("", None),
        ] {
            assert_eq!(told(words).as_deref(), code, "{words}");
        }
        assert!(NAMES.split(", ").is_sorted() && OTHERS.split(", ").is_sorted());
    }
}
