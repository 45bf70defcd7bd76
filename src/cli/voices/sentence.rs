//! The sentence that all voices say.

use crate::turn::LanguageCode;

/// Says the same in languages that neural voices speak; the first where none of them is meant.
const SENTENCES: [(&str, &str); 7] = [
    ("en", "Your table for four is booked for Friday at half past seven."),
    ("es", "Su mesa para cuatro está reservada para el viernes a las siete y media."),
    ("pt", "Sua mesa para quatro está reservada para sexta-feira às sete e meia."),
    ("de", "Ihr Tisch für vier Personen ist für Freitag um halb acht reserviert."),
    ("fr", "Votre table pour quatre est réservée pour vendredi à sept heures et demie."),
    ("it", "Il vostro tavolo per quattro è prenotato per venerdì alle sette e mezza."),
    ("nl", "Uw tafel voor vier is gereserveerd voor vrijdag om half acht."),
];

/// Returns the sentence in `language`, else in English.
pub(super) fn sentence_in(language: &LanguageCode) -> &'static str {
    let found = SENTENCES.iter().find(|(code, _)| LanguageCode::from(*code).is(language));
    found.unwrap_or(&SENTENCES[0]).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_sentence_and_others_the_english_one() {
        for (language, begins) in [
            ("es-419", "Su mesa"),
            ("pt-br", "Sua mesa"),
            ("DE", "Ihr Tisch"),
            ("cy", "Your table"),
        ] {
            assert!(sentence_in(&language.into()).starts_with(begins), "{language}");
        }
    }
}
