//! Reads the words whose sound depends on what stands around them: "the", "a", "to", "used".

use super::lexicon::WordSounds;
use super::reader::{Ahead, Onset, Setting, WordReader};
use super::stress::Stress;
use super::tagger::Tag;

impl WordReader {
    /// Reads a word if it is such a word, a sign or letters with stops.
    pub(super) fn special(&self, word: &str, setting: Setting) -> Option<String> {
        let Setting { tag, stress, ahead: Ahead { onset, .. } } = setting;
        let plain = Setting { tag: Tag::NONE, stress: None, ..setting };
        let always = |sound: &str| Some(sound.to_owned());
        match word {
            "." if tag == Tag("ADD") => self.look_up("dot", plain.stressed(Stress::Weaker)),
            "/" if tag == Tag("ADD") => self.look_up("slash", plain.stressed(Stress::Weaker)),
            "%" => self.look_up("percent", plain),
            "&" => self.look_up("and", plain),
            "+" => self.look_up("plus", plain),
            "@" => self.look_up("at", plain),
            _ if is_dotted(word) => self.letters(word),
            "a" | "A" => always(if tag == Tag("DT") { "ɐ" } else { "ˈA" }),
            "am" | "Am" | "AM" | "AN" if tag.is_noun() => self.letters(word),
            "am" if onset != Onset::Pause && !raises(stress) => always("ɐm"),
            "am" | "Am" | "AM" => self.gold.usual("am").map(str::to_owned),
            "an" | "An" | "AN" => always("ɐn"),
            "I" if tag == Tag("PRP") => always("ˌI"),
            "by" | "By" | "BY" if tag.family() == "ADV" => always("bˈI"),
            "TO" if !matches!(tag.0, "TO" | "IN") => None,
            "to" | "To" | "TO" => match onset {
                Onset::Pause => self.gold.usual("to").map(str::to_owned),
                Onset::Vowel => always("tʊ"),
                Onset::Consonant => always("tə"),
            },
            "IN" if tag == Tag("NNP") => None,
            "in" | "In" | "IN" if onset == Onset::Pause || tag != Tag("IN") => always("ˈɪn"),
            "in" | "In" | "IN" => always("ɪn"),
            "THE" if tag != Tag("DT") => None,
            "the" | "The" | "THE" => always(if onset == Onset::Vowel { "ði" } else { "ðə" }),
            "used" | "Used" | "USED" => self.used(setting),
            _ if tag == Tag("IN") && is_versus(word) => self.look_up("versus", plain),
            _ => None,
        }
    }

    /// Reads "used", of which "used to" sounds otherwise.
    fn used(&self, setting: Setting) -> Option<String> {
        let habit = matches!(setting.tag.0, "VBD" | "JJ") && setting.ahead.to;
        match self.gold.get("used")? {
            WordSounds::Always(sound) => Some(sound.to_owned()),
            WordSounds::ByTag(used) => {
                used.sound(Tag(if habit { "VBD" } else { "" }), false).map(str::to_owned)
            }
        }
    }
}

/// Returns whether a word gets more stress than it has.
fn raises(stress: Option<Stress>) -> bool {
    matches!(stress, Some(Stress::SomeAtLeast | Stress::PrimaryAtLeast))
}

/// Returns whether these are letters with stops between: "U.S.", "p.m".
fn is_dotted(word: &str) -> bool {
    let is_letter = |c: char| c == '.' || c.is_alphabetic();
    word.trim_matches('.').contains('.')
        && word.chars().all(is_letter)
        && word.split('.').all(|letters| letters.chars().nth(2).is_none())
}

fn is_versus(word: &str) -> bool {
    let word = word.strip_suffix('.').unwrap_or(word);
    word.eq_ignore_ascii_case("vs")
}
