//! What people are told when a message cannot be answered with words of the agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::turn::LanguageCode;

/// Holds one sentence by language. A text alone is read as the English one, where every language
/// without its own ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "PhraseForm")]
pub struct Phrase(pub BTreeMap<LanguageCode, String>);

/// Reads the two ways to write a sentence.
#[derive(Deserialize)]
#[serde(untagged)]
enum PhraseForm {
    One(String),
    ByLanguage(BTreeMap<LanguageCode, String>),
}

impl From<PhraseForm> for Phrase {
    fn from(form: PhraseForm) -> Self {
        match form {
            PhraseForm::One(text) => Self(BTreeMap::from([(LanguageCode::english(), text)])),
            PhraseForm::ByLanguage(texts) => Self(texts),
        }
    }
}

impl Phrase {
    /// Returns the sentence in `language`, with or without its region, else in English, else in any.
    pub fn in_language(&self, language: &LanguageCode) -> &str {
        self.find(language).map_or("", |(_, text)| text)
    }

    /// Returns the same and the language that it is in; `None` if there is no text at all.
    pub fn find(&self, language: &LanguageCode) -> Option<(LanguageCode, &str)> {
        let texts = &self.0;
        if let Some(own) = texts.get(language).or_else(|| texts.get(language.primary())) {
            return Some((language.clone(), own));
        }
        let (other, text) = texts.get_key_value("en").or_else(|| texts.iter().next())?;
        Some((other.clone(), text))
    }

    /// Returns the languages that have a text.
    pub fn languages(&self) -> impl Iterator<Item = &LanguageCode> {
        self.0.keys()
    }
}

/// Holds the sentences of `[messages]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Phrases {
    pub disclosure: Phrase,
    pub fallback: Phrase,
    pub no_speech: Phrase,
    pub too_long: Phrase,
    pub unsupported: Phrase,
    pub unreadable: Phrase,
    pub media_gone: Phrase,
    pub confirm: Phrase,
    pub repeat: Phrase,
    pub beyond_model: Phrase,
    pub broke_off: Phrase,
    pub text_mode: Phrase,
    pub voice_mode: Phrase,
    pub dont_know: Phrase,
    pub person_coming: Phrase,
    pub nobody_there: Phrase,
    pub no_credits: Phrase,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_the_sentence_of_its_language() {
        let texts = [("en", "Sorry"), ("pt", "Desculpe"), ("pt-PT", "Desculpa")];
        let phrase = Phrase(texts.map(|(code, text)| (code.into(), text.to_owned())).into());
        for (code, text) in
            [("pt-BR", "Desculpe"), ("pt-PT", "Desculpa"), ("pt", "Desculpe"), ("la", "Sorry")]
        {
            assert_eq!(phrase.in_language(&code.into()), text, "{code}");
        }
        assert_eq!(phrase.find(&"pt-BR".into()), Some(("pt-BR".into(), "Desculpe")));
        assert_eq!(phrase.find(&"la".into()), Some(("en".into(), "Sorry")));
        assert_eq!(Phrase::default().find(&"en".into()), None);
    }
}
