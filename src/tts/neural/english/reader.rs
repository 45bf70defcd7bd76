//! Reads one word: of the lexicons, of one of their words and an ending, or letter by letter.
//!
//! The rules are those of misaki's English, with which the voice was taught.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;

use super::Accent;
use super::figures::is_number;
use super::lexicon::{Lexicon, WordSounds};
use super::stress::{Stress, is_consonant, is_stressed, is_vowel, spelled};
use super::tagger::Tag;

/// Says what is heard first behind a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onset {
    Pause,
    Vowel,
    Consonant,
}

/// Says how a sentence goes on behind a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    pub(super) onset: Onset,
    /// The next word is "to".
    pub(super) to: bool,
}

impl Ahead {
    /// Is the end of a sentence.
    pub(super) const END: Self = Self { onset: Onset::Pause, to: false };

    /// Returns how a sentence goes on before a word, if behind it it goes on as `self` says.
    pub(super) fn before(self, word: &str, tag: Tag, sound: &str) -> Self {
        let onset = sound.chars().find_map(|c| match c {
            ';' | ':' | ',' | '.' | '!' | '?' | '—' | '…' => Some(Onset::Pause),
            _ if is_vowel(c) => Some(Onset::Vowel),
            _ if is_consonant(c) => Some(Onset::Consonant),
            _ => None,
        });
        let to = matches!(word, "to" | "To") || (word == "TO" && matches!(tag.0, "TO" | "IN"));
        Self { onset: onset.unwrap_or(self.onset), to }
    }
}

/// Holds what decides how a word sounds besides its letters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) tag: Tag,
    pub(super) stress: Option<Stress>,
    pub(super) ahead: Ahead,
}

impl Setting {
    /// Is that of a word which sounds the same everywhere.
    pub(super) const ANY: Self =
        Self { tag: Tag::NONE, stress: None, ahead: Ahead { onset: Onset::Consonant, to: false } };

    /// Asks for another stress.
    pub(super) fn stressed(self, stress: Stress) -> Self {
        Self { stress: Some(stress), ..self }
    }
}

/// Reads words.
pub(super) struct WordReader {
    pub(super) gold: Lexicon,
    pub(super) silver: Lexicon,
    pub(super) accent: Accent,
}

/// Is an amount's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MoneyUnit {
    Dollar,
    Pound,
    Euro,
}

impl MoneyUnit {
    /// Returns the currency of a sign.
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "$" => Self::Dollar,
            "£" => Self::Pound,
            "€" => Self::Euro,
            _ => return None,
        })
    }

    /// Returns its name, and that of its hundredth.
    pub(super) fn names(self) -> [&'static str; 2] {
        match self {
            Self::Dollar => ["dollar", "cent"],
            Self::Pound => ["pound", "pence"],
            Self::Euro => ["euro", "cent"],
        }
    }
}

impl WordReader {
    /// Reads a word or a number; `None` if no rule reads it. `head`: a word begins here.
    pub(super) fn read(
        &self,
        text: &str,
        tag: Tag,
        ahead: Ahead,
        unit: Option<MoneyUnit>,
        head: bool,
    ) -> Option<String> {
        let word = plain(text);
        let lower = word.to_lowercase();
        let stress = match &*word {
            word if word == lower => None,
            word if word == word.to_uppercase() => Some(Stress::PrimaryAtLeast),
            _ => Some(Stress::SomeAtLeast),
        };
        let setting = Setting { tag, stress, ahead };
        if let Some(sound) = self.word(&word, &lower, setting) {
            let unit = unit.and_then(|unit| self.plural(unit.names()[0]));
            return Some(unit.map_or(sound.clone(), |unit| format!("{sound} {unit}")));
        }
        is_number(&word, head).then(|| self.number(&word, unit, head)).flatten()
    }

    fn word(&self, word: &str, lower: &str, setting: Setting) -> Option<String> {
        if let Some(sound) = self.special(word, setting) {
            return Some(sound);
        }
        let word = if self.is_in_capitals(word, lower, setting) { lower } else { word };
        if self.is_known(word) {
            return self.look_up(word, setting);
        }
        let known = |word: String| self.is_known(&word).then_some(word);
        let owned = word.strip_suffix("s'").and_then(|stem| known(format!("{stem}'s")));
        let owned = owned.or_else(|| known(word.strip_suffix('\'')?.to_owned()));
        match owned {
            Some(word) => self.look_up(&word, setting),
            None => self.with_ending(word, setting),
        }
    }

    /// Returns whether a word is written in capitals, but is one that is known without.
    fn is_in_capitals(&self, word: &str, lower: &str, setting: Setting) -> bool {
        let mut letters = word.chars().filter(|c| *c != '\'').peekable();
        let first = word.chars().next().map_or(0, char::len_utf8);
        let (rest, lower_rest) = (&word[first..], word[first..].to_lowercase());
        // A name of few letters is more likely an abbreviation.
        let named = setting.tag == Tag("NNP") && word.chars().nth(7).is_none();
        let candidate = !rest.is_empty()
            && letters.peek().is_some()
            && letters.all(char::is_alphabetic)
            && word != lower
            && !named
            && (rest == lower_rest || word == word.to_uppercase());
        candidate
            && !self.is_listed(word)
            && (self.is_listed(lower) || self.with_ending(lower, setting).is_some())
    }

    fn is_listed(&self, word: &str) -> bool {
        self.gold.has(word) || self.silver.has(word)
    }

    /// Returns whether [`Self::look_up`] reads the word, perhaps by its letters.
    pub(super) fn is_known(&self, word: &str) -> bool {
        if self.is_listed(word) {
            return true;
        }
        let letters = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
        letters && !word.bytes().skip(1).any(|b| b.is_ascii_lowercase())
    }

    /// Reads a word that is known.
    pub(super) fn look_up(&self, word: &str, setting: Setting) -> Option<String> {
        let mut word = Cow::from(word);
        let mut abbreviation = false;
        if !word.chars().any(char::is_lowercase) && !self.gold.has(&word) {
            word = word.to_lowercase().into();
            abbreviation = setting.tag == Tag("NNP");
        }
        let silver = || self.silver.get(&word).filter(|_| !abbreviation);
        let sound = match self.gold.get(&word).or_else(silver) {
            Some(WordSounds::Always(sound)) => Some(sound),
            Some(WordSounds::ByTag(homograph)) => {
                homograph.sound(setting.tag, setting.ahead.onset == Onset::Pause)
            }
            None => None,
        };
        match sound.filter(|sound| !abbreviation || is_stressed(sound)) {
            Some(known) => Some(setting.stress.map_or(known.to_owned(), |it| it.apply(known))),
            None => self.letters(&word).or_else(|| sound.map(str::to_owned)),
        }
    }

    /// Spells a word.
    pub(super) fn letters(&self, word: &str) -> Option<String> {
        let letters = word.chars().filter(|c| c.is_alphabetic());
        let names = letters.map(|c| self.gold.usual(&c.to_uppercase().to_string()));
        Some(spelled(&names.collect::<Option<String>>()?))
    }
}

/// Writes what looks alike in one way: "ﬁ" as "fi", "１" as "1".
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let straight = text.replace(['‘', '’'], "'");
    ComposingNormalizer::new_nfkc().normalize(&straight).into_owned().into()
}
