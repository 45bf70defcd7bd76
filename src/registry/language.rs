//! Which language a person is answered in.
//!
//! Between hearing and answering. An agent has one language, a few, or follows whatever it hears;
//! the language of written words is known by their letters, of spoken ones by the transcriber.

use crate::turn::LanguageCode;

/// Letters below which written words say too little about their language: "ok" is everywhere.
const FEW_LETTERS: usize = 12;

/// Names the languages that an agent answers in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Languages {
    /// This one, whatever is heard.
    Fixed(LanguageCode),
    /// That of the person if it is one of these, else the first. Never empty.
    Among(Vec<LanguageCode>),
    /// That of the person.
    Any,
}

impl Languages {
    /// Returns the language to answer in after `heard` was spoken.
    pub fn of_speech(&self, heard: &LanguageCode, last: Option<&LanguageCode>) -> LanguageCode {
        match self {
            Self::Any if !heard.is_unknown() => heard.clone(),
            Self::Among(languages) => match find(languages, heard) {
                Some(language) => language.clone(),
                None => self.without_words(last),
            },
            Self::Fixed(_) | Self::Any => self.without_words(last),
        }
    }

    /// Returns the language to answer in after `text` was written.
    pub fn of_text(&self, text: &str, last: Option<&LanguageCode>) -> LanguageCode {
        // Where nothing else is known, a guess from little is better than none; but only letters of
        // its own tell a language then: "hola" would be Italian and "OK" Dutch.
        let little = !says_enough(text);
        let latin = text.chars().filter(|c| c.is_alphabetic()).all(|c| c < '\u{250}');
        if matches!(self, Self::Fixed(_)) || (little && (last.is_some() || latin)) {
            return self.without_words(last);
        }
        match (written_in(text), self) {
            // A line of Spanish often looks like Portuguese, and the other way round.
            (Some(like @ ("es" | "pt")), Self::Among(languages)) => {
                let sister = if like == "es" { "pt" } else { "es" };
                let known =
                    find(languages, &like.into()).or_else(|| find(languages, &sister.into()));
                known.cloned().unwrap_or_else(|| self.without_words(last))
            }
            (Some(language), _) => self.of_speech(&language.into(), last),
            (None, _) => self.without_words(last),
        }
    }

    /// Returns the language to answer in where no words are at hand.
    pub fn without_words(&self, last: Option<&LanguageCode>) -> LanguageCode {
        match self {
            Self::Fixed(language) => language.clone(),
            Self::Among(languages) => {
                last.and_then(|last| find(languages, last)).unwrap_or(&languages[0]).clone()
            }
            Self::Any => last.cloned().unwrap_or_else(LanguageCode::english),
        }
    }
}

/// Returns whether written words are enough to tell their language.
pub fn says_enough(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphabetic()).count() >= FEW_LETTERS
}

/// Returns the one of `languages` that is `heard`, whatever its region.
fn find<'a>(languages: &'a [LanguageCode], heard: &LanguageCode) -> Option<&'a LanguageCode> {
    let exact =
        languages.iter().find(|language| language.as_str().eq_ignore_ascii_case(heard.as_str()));
    exact.or_else(|| languages.iter().find(|language| language.is(heard)))
}

/// Returns the language that words are written in, one of whichlang's sixteen; `None` without letters.
fn written_in(text: &str) -> Option<&'static str> {
    use whichlang::Lang;

    if !text.chars().any(char::is_alphabetic) {
        return None;
    }
    Some(match whichlang::detect_language(text) {
        Lang::Ara => "ar",
        Lang::Cmn => "zh",
        Lang::Deu => "de",
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Hin => "hi",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Nld => "nl",
        Lang::Por => "pt",
        Lang::Rus => "ru",
        Lang::Spa => "es",
        Lang::Swe => "sv",
        Lang::Tur => "tr",
        Lang::Vie => "vi",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(codes: &[&str]) -> Languages {
        Languages::Among(codes.iter().map(|&code| code.into()).collect())
    }

    #[test]
    fn speech_is_answered_in_its_language_if_the_agent_has_it() {
        let fixed = Languages::Fixed("de".into());
        assert_eq!(fixed.of_speech(&"es".into(), Some(&"fr".into())), "de");
        let two = among(&["en", "pt-BR"]);
        assert_eq!(two.of_speech(&"pt".into(), None), "pt-BR");
        assert_eq!(two.of_speech(&"la".into(), None), "en");
        assert_eq!(two.of_speech(&"la".into(), Some(&"pt".into())), "pt-BR");
        assert_eq!(Languages::Any.of_speech(&"sv".into(), Some(&"en".into())), "sv");
        assert_eq!(Languages::Any.of_speech(&"".into(), Some(&"es".into())), "es");
    }

    #[test]
    fn writing_is_answered_in_the_language_of_its_words() {
        let (two, any) = (among(&["en", "es"]), Languages::Any);
        let spanish = "¿A qué hora abren mañana por la tarde?";
        for languages in [&two, &any] {
            assert_eq!(languages.of_text(spanish, Some(&"en".into())), "es");
            assert_eq!(languages.of_text("When do you open tomorrow?", Some(&"es".into())), "en");
            assert_eq!(languages.of_text("ok", Some(&"es".into())), "es");
            assert_eq!(languages.of_text("👍 12", None), "en");
            assert_eq!(languages.of_text("price?", None), "en");
        }
        assert_eq!(any.of_text("कीमत?", None), "hi");
        assert_eq!(two.of_text("Responde por escrito, por favor", Some(&"en".into())), "es");
        assert_eq!(two.of_text("Wann machen Sie morgen auf?", None), "en");
        assert_eq!(any.of_text("Wann machen Sie morgen auf?", None), "de");
        assert_eq!(Languages::Fixed("fr".into()).of_text(spanish, None), "fr");
    }
}
