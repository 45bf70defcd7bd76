//! Which language a person is answered in.
//!
//! Between hearing and answering. An agent has one language, a few, or follows whatever it hears;
//! the language of written words is told by them (`written`), of spoken ones by the transcriber.

use crate::turn::LanguageCode;
use crate::written::{self, Written};

/// Letters below which words of no known language may be a name, or noise in a conversation.
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

    /// Returns the language to answer in after `text` was written; the unknown one means "that of
    /// the text, whatever it is".
    pub fn of_text(&self, text: &str, last: Option<&LanguageCode>) -> LanguageCode {
        let written = self.written_in(text);
        if let Some(told) = self.choose(&written, last) {
            return told;
        }
        let few = text.chars().filter(|c| c.is_alphabetic()).count() < FEW_LETTERS;
        match (self, written) {
            (Self::Any, Written::OneOf(_)) => LanguageCode::UNKNOWN,
            (Self::Any, Written::Unknown) if last.is_none() || !few => LanguageCode::UNKNOWN,
            _ => self.without_words(last),
        }
    }

    /// Returns whether `text` shows by itself in which of the languages its writer is answered.
    pub fn are_told_by(&self, text: &str) -> bool {
        self.choose(&self.written_in(text), None).is_some()
    }

    /// Returns what `text` tells of its language, as far as there is a choice.
    fn written_in(&self, text: &str) -> Written {
        match self {
            Self::Fixed(_) => Written::Nothing,
            Self::Among(languages) => {
                written::language(text, |code| find(languages, &code.into()).is_some())
            }
            Self::Any => written::language(text, |_| true),
        }
    }

    /// Returns the language that words tell alone; else the last one, if they may be in it, else
    /// the agent's first of those.
    fn choose(&self, written: &Written, last: Option<&LanguageCode>) -> Option<LanguageCode> {
        let Written::OneOf(codes) = written else { return None };
        let may_be =
            |language: &LanguageCode| codes.iter().any(|code| language.is(&(*code).into()));
        let last = last.filter(|last| may_be(last));
        match self {
            Self::Among(languages) => match last.and_then(|last| find(languages, last)) {
                Some(last) => Some(last.clone()),
                None => languages.iter().find(|language| may_be(language)).cloned(),
            },
            _ => last.cloned().or_else(|| written.told().map(LanguageCode::from)),
        }
    }

    /// Returns the language in which somebody who asks for `wanted` can be answered, if they can.
    pub fn offered(&self, wanted: &LanguageCode) -> Option<LanguageCode> {
        match self {
            Self::Fixed(language) => Some(language).filter(|fixed| fixed.is(wanted)).cloned(),
            Self::Among(languages) => find(languages, wanted).cloned(),
            Self::Any => Some(wanted.clone()),
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

/// Returns the one of `languages` that is `heard`, whatever its region.
fn find<'a>(languages: &'a [LanguageCode], heard: &LanguageCode) -> Option<&'a LanguageCode> {
    let exact =
        languages.iter().find(|language| language.as_str().eq_ignore_ascii_case(heard.as_str()));
    exact.or_else(|| languages.iter().find(|language| language.is(heard)))
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
            assert_eq!(languages.of_text("Hola", Some(&"en".into())), "es");
        }
        assert_eq!(any.of_text("कीमत?", None), "hi");
        assert_eq!(two.of_text("Responde por escrito, por favor", Some(&"en".into())), "es");
        assert_eq!(two.of_text("Wann machen Sie morgen auf?", None), "en");
        assert_eq!(any.of_text("Wann machen Sie morgen auf?", None), "de");
        assert_eq!(Languages::Fixed("fr".into()).of_text(spanish, None), "fr");
        assert_eq!(among(&["en", "pt-BR"]).of_text("Bom dia", None), "pt-BR");
    }

    #[test]
    fn a_language_that_is_not_known_is_the_persons_or_one_of_the_agents() {
        let (two, any) = (among(&["en", "es"]), Languages::Any);
        for text in ["Cén uair a osclaíonn sibh?", "Kitne ka hai bhai, delivery kab tak?"] {
            assert!(any.of_text(text, None).is_unknown() && !any.are_told_by(text), "{text}");
            assert!(any.of_text(text, Some(&"de".into())).is_unknown(), "{text}");
            assert_eq!(two.of_text(text, None), "en");
            assert_eq!(two.of_text(text, Some(&"es".into())), "es");
        }
        // A name, in the middle of a conversation.
        assert_eq!(any.of_text("Xiomara", Some(&"de".into())), "de");
        assert!(any.of_text("Xiomara", None).is_unknown());
    }

    #[test]
    fn what_several_languages_say_goes_on_in_the_last_one() {
        let (sisters, any) = (among(&["sv", "da", "nb"]), Languages::Any);
        assert_eq!(any.of_text("Terima kasih", Some(&"ms".into())), "ms");
        assert!(any.of_text("Terima kasih", None).is_unknown());
        assert_eq!(sisters.of_text("Hej", Some(&"da".into())), "da");
        assert_eq!(sisters.of_text("Hej", None), "sv");
        assert_eq!(among(&["en", "es"]).of_text("no", Some(&"es".into())), "es");
    }
}
