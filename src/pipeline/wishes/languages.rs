//! Finds a person's request for a language: "please answer in Spanish", "en español, por favor".
//!
//! Beside the request for a form of answers, by the same patterns. Names of languages are those of the
//! five languages that hark reads itself, and each language's own.

use std::sync::LazyLock;

use super::{Asking, clauses, negated};
use crate::turn::LanguageCode;
use crate::written::without_accents;

/// Each language and what it is called in English, Spanish, Portuguese, German and French, and by
/// those who speak it; without accents.
const NAMES: &[(&str, &str)] = &[
    ("en", "english ingles englisch anglais"),
    ("es", "spanish espanol castellano castilian castelhano espanhol spanisch espagnol"),
    ("pt", "portuguese portugues portugiesisch portugais"),
    ("de", "german aleman alemao deutsch allemand"),
    ("fr", "french frances franzosisch francais"),
    ("it", "italian italiano italienisch italien"),
    ("nl", "dutch holandes neerlandes niederlandisch hollandisch neerlandais nederlands"),
    ("ca", "catalan catalao katalanisch"),
    ("gl", "galician gallego galego galicisch galicien"),
    ("eu", "basque euskera basco baskisch euskara"),
    ("pl", "polish polaco polones polnisch polonais polski"),
    ("ru", "russian ruso russo russisch russe русский русски"),
    ("uk", "ukrainian ucraniano ukrainisch ukrainien українська українською"),
    ("tr", "turkish turco turkisch turc turkce"),
    ("ar", "arabic arabe arabisch العربية"),
    ("he", "hebrew hebreo hebraico hebraisch hebreu עברית"),
    ("hi", "hindi हिन्दी हिंदी"),
    ("id", "indonesian indonesio indonesisch indonesien indonesia"),
    ("ja", "japanese japones japanisch japonais 日本語"),
    ("ko", "korean coreano koreanisch coreen 한국어"),
    ("zh", "chinese chino chines mandarin chinesisch chinois 中文"),
    ("sv", "swedish sueco schwedisch suedois svenska"),
    ("da", "danish danes dinamarques danisch danois dansk"),
    ("no", "norwegian noruego noruegues norwegisch norvegien norsk"),
    ("fi", "finnish finlandes finnisch finnois suomi suomeksi"),
    ("cs", "czech checo tcheco tschechisch tcheque cestina cesky"),
    ("ro", "romanian rumano romeno rumanisch roumain romana"),
    ("hu", "hungarian hungaro ungarisch hongrois magyar magyarul"),
    ("el", "greek griego grego griechisch grec ελληνικα"),
    ("vi", "vietnamese vietnamita vietnamesisch vietnamien"),
    ("th", "thai tailandes thailandisch thailandais"),
    ("sw", "swahili suajili kiswahili"),
];

/// How a language is asked for: as [`Wishes`](crate::speech_text::Wishes) has it, and `@` is its name.
const REQUESTS: &[&str] = &[
    "answer/reply/respond/speak/talk/write/continue/text/message * in @",
    "switch/change/continue to @",
    "^ in @ $",
    "^ speak/talk @",
    "i prefer @ $",
    "i'd/i would prefer @ $",
    "responde/responda/respondeme/respondame/respondes/responder/contesta/conteste/contestame/\
     contesteme/contestar/habla/hable/hablame/hableme/hablar/hablas/escribe/escriba/escribeme/\
     escribir/sigue/siga/continua * en @",
    "cambia/cambie a @",
    "^ en @ $",
    "^ habla/hable @",
    "prefiero * @ $",
    "responda/responde/responder/fale/fala/falar/escreva/escreve/escrever/continue * em @",
    "mude/muda para @",
    "^ em @ $",
    "prefiro * @ $",
    "antworte/antworten/antwortest/sprich/spreche/sprechen/rede/reden/schreib/schreibe/\
     schreiben * auf @",
    "^ auf @ $",
    "^ @ bitte $",
    "reponds/repondez/repondre/parle/parlez/parler/ecris/ecrivez/ecrire/continuez/continue * en @",
    "passez/passe au @",
    "je prefere * @ $",
];

static ASKED: LazyLock<Vec<Asking>> = LazyLock::new(|| {
    let names: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.split(' ')).collect();
    let names = names.join("/");
    REQUESTS.iter().map(|request| Asking::read(&request.replace('@', &names))).collect()
});

/// Returns the language that somebody asks to be answered in, the last one if there are several.
pub(in crate::pipeline) fn language_in(text: &str) -> Option<LanguageCode> {
    let mut last = None;
    for words in clauses(text) {
        let found = ASKED.iter().filter_map(|request| request.find(&words));
        let found = found.filter(|found| !negated(&words[..found.from]));
        let Some(found) = found.max_by_key(|found| found.to) else { continue };
        let named = words[found.from..found.to].iter().rev().find_map(|word| {
            let is_it = |names: &str| names.split(' ').any(|name| without_accents(name) == *word);
            NAMES.iter().find(|(_, names)| is_it(names)).map(|(code, _)| *code)
        });
        last = named.map(LanguageCode::from).or(last);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Option<&str>, texts: &str) {
        for text in texts.split(" / ") {
            let found = language_in(text);
            assert_eq!(found.as_ref().map(LanguageCode::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_language_is_asked_for_in_five_languages() {
        check(
            Some("es"),
            "Please answer in Spanish / Could you reply to me in Spanish, please? / in Spanish please / \
             speak Spanish / Can you switch to Spanish / Respóndeme en español / en español, por favor / \
             ¿Puedes hablar en castellano? / Responda em espanhol, por favor / Antworten Sie bitte auf \
             Spanisch / auf Spanisch bitte / Spanisch bitte / Répondez-moi en espagnol, s'il vous plaît / \
             don't answer in English, answer in Spanish",
        );
        check(
            Some("de"),
            "Bitte antworte mir auf Deutsch / Deutsch bitte / reply in German from now on",
        );
        check(Some("fr"), "parlez en français / je préfère le français / prefiero francés");
    }

    #[test]
    fn other_words_about_languages_are_no_request() {
        check(
            None,
            "Do you speak Spanish? / I don't speak Spanish / Is the menu in English? / My wife is French / \
             don't answer in English / Do you have Spanish wine? / ¿Tienes el libro en inglés? / Kann \
             jemand Englisch sprechen? / Is the Italian restaurant open? / answer the question",
        );
    }
}
