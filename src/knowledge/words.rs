//! Picks the words of a question that tell what it is about.
//!
//! In front of the index. Invariant: a term is letters and digits only, and there are at most
//! [`MAX_TERMS`], whatever a person says.

use crate::turn::LanguageCode;

/// More words than this add nothing to a search.
const MAX_TERMS: usize = 32;

/// Words that are in most questions, by language.
const STOP_WORDS: &[(&str, &str)] = &[
    (
        "en",
        "a about again all also am an and any anyone anything are as at be been but by can could d did do does \
         doing don for from get give got had has have he her here him his how i if in into is it its just kind \
         know let like ll m many may me might more much my need no not now of on one or our please re s \
         shall she should so some something sort t tell than that the their them then there these they this \
         those to today too tomorrow up us ve very want was we were what when where which who why will with \
         would yes you your",
    ),
    (
        "es",
        "a al algo como cómo con cual cuál cuando cuándo cuanto cuánto de del donde dónde el ella en eres es \
         esta está estan están este esto favor ha hay hola hoy la las le lo los me mi muy nos o para pero por \
         porque puede pueden puedo que qué quien quién quiero se ser si sí son soy su sus te tiene tienen tu \
         un una unos usted ustedes y ya yo",
    ),
    (
        "pt",
        "a ao aos as com como da das de do dos e é ela ele em essa esse esta está estão eu favor foi há hoje \
         isso já lhe mais mas me meu minha muito na não nas no nos o onde os ou para pela pelo por posso \
         pode qual quando quanto que quem quero se seu seus são sua tem têm um uma vocês você",
    ),
    (
        "de",
        "aber als am an auch auf aus bei bin bis bitte da das dass dem den der des die dir du ein eine einem \
         einen einer er es für gibt haben hat heute ich ihr ihre im in ist ja kann können man mein mich mir \
         mit möchte nach nicht noch oder sein sich sie sind so und uns von wann warum was welche wer wie wir \
         wird wo zu zum zur",
    ),
    (
        "fr",
        "a à ai au aux avec avez c ce ces cette combien comment d dans de des du elle en es est et être fait \
         faire il ils j je l la le les leur ma mais me mes moi mon n ne nos notre nous on où ou par pas peut \
         plaît pour pouvez puis qu quand que quel quelle quels qui s sa se ses si son sont sur te tu un une \
         veux vos votre vous y",
    ),
];

/// Words of courtesy: what a message is about only when nothing else is in it.
const COURTESIES: &[&str] = &[
    "hello",
    "hi",
    "hey",
    "thanks",
    "thank",
    "good",
    "morning",
    "afternoon",
    "evening",
    "sorry",
    "bye",
    "goodbye",
    "ok",
    "okay",
    "excuse",
    "buenos",
    "buenas",
    "días",
    "dias",
    "tardes",
    "gracias",
    "olá",
    "oi",
    "bom",
    "boa",
    "dia",
    "tarde",
    "obrigado",
    "obrigada",
    "hallo",
    "guten",
    "tag",
    "danke",
    "bonjour",
    "salut",
    "merci",
];

/// The words to search for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// There was no word at all.
    None,
    /// Only words that are in most questions.
    Common(Vec<String>),
    /// Words that tell what the question is about.
    Informative(Vec<String>),
}

/// Picks the terms of `question`, lower case, each once, in order.
pub(super) fn terms(question: &str, language: &LanguageCode) -> Terms {
    let language = language.primary();
    let stop_words =
        STOP_WORDS.iter().find(|(code, _)| *code == language).unwrap_or(&STOP_WORDS[0]).1;
    let mut common = Vec::new();
    let mut courtesies = Vec::new();
    let mut informative = Vec::new();
    for word in question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        let list = if stop_words.split_whitespace().any(|stop| stop == word) {
            &mut common
        } else if COURTESIES.contains(&word.as_str()) {
            &mut courtesies
        } else {
            &mut informative
        };
        if list.len() < MAX_TERMS && !list.contains(&word) {
            list.push(word);
        }
    }
    match (informative.is_empty(), courtesies.is_empty(), common.is_empty()) {
        (false, _, _) => Terms::Informative(informative),
        (true, false, _) => Terms::Informative(courtesies),
        (true, true, false) => Terms::Common(common),
        (true, true, true) => Terms::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn only_telling_words_remain() {
        let informative = |words| Terms::Informative(owned(words));
        assert_eq!(terms("Hello, when do you OPEN? Open!", &"en".into()), informative(&["open"]));
        assert_eq!(terms("Hello there", &"en".into()), informative(&["hello"]));
        for language in ["es", "es-419"] {
            assert_eq!(terms("¿Cuándo abren ustedes?", &language.into()), informative(&["abren"]));
        }
        assert_eq!(
            terms("How are you?", &"en".into()),
            Terms::Common(owned(&["how", "are", "you"]))
        );
        assert_eq!(terms("\"*\" -- !", &"en".into()), Terms::None);
    }

    #[test]
    fn terms_are_bounded() {
        let question = (0..1000).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        let Terms::Informative(terms) = terms(&question, &"en".into()) else { panic!("no terms") };
        assert_eq!(terms.len(), MAX_TERMS);
    }
}
