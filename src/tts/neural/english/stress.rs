//! Moves the stress of a word: up where it is written in capitals, down where it is a part of a
//! longer word.

const PRIMARY: char = 'ˈ';
const SECONDARY: char = 'ˌ';
const BOTH: [char; 2] = [PRIMARY, SECONDARY];

/// Says how a word's stress differs from the lexicon's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stress {
    /// It has none.
    Without,
    /// Its primary stress becomes secondary.
    Weaker,
    /// The same, and it gets a secondary one if it has none.
    Secondary,
    /// It gets a secondary stress if it has none.
    SomeAtLeast,
    /// It gets a primary stress if it has none.
    PrimaryAtLeast,
}

impl Stress {
    /// Changes the stress of a word.
    pub(super) fn apply(self, sound: &str) -> String {
        let has_primary = sound.contains(PRIMARY);
        let has_none = !sound.contains(BOTH);
        match self {
            Self::Without => sound.replace(BOTH, ""),
            Self::Weaker | Self::Secondary if has_primary => {
                sound.replace(SECONDARY, "").replace(PRIMARY, "ˌ")
            }
            Self::Secondary | Self::SomeAtLeast if has_none => before_vowel(SECONDARY, sound),
            Self::PrimaryAtLeast if has_none => before_vowel(PRIMARY, sound),
            Self::PrimaryAtLeast if !has_primary => sound.replace(SECONDARY, "ˈ"),
            _ => sound.to_owned(),
        }
    }
}

/// Puts a stress before the first vowel, if there is one.
fn before_vowel(stress: char, sound: &str) -> String {
    let mut stressed = sound.to_owned();
    if let Some(at) = sound.find(is_vowel) {
        stressed.insert(at, stress);
    }
    stressed
}

/// Stresses the last letter of letters that are spelled out.
pub(super) fn spelled(letters: &str) -> String {
    let even = Stress::Secondary.apply(letters);
    match even.rsplit_once(SECONDARY) {
        Some((before, behind)) => format!("{before}{PRIMARY}{behind}"),
        None => even,
    }
}

/// Returns whether a word has a primary stress.
pub(super) fn is_stressed(sound: &str) -> bool {
    sound.contains(PRIMARY)
}

/// Returns how long a word sounds, in short sounds.
pub(super) fn weight(sound: &str) -> usize {
    sound.chars().map(|c| if "AIOQWYʤʧ".contains(c) { 2 } else { 1 }).sum()
}

/// Returns whether a sound is a vowel.
pub(super) fn is_vowel(sound: char) -> bool {
    "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ".contains(sound)
}

/// Returns whether a sound is a consonant.
pub(super) fn is_consonant(sound: char) -> bool {
    "bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ".contains(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stress_goes_up_and_down() {
        let check = |stress: Stress, sound, expected| assert_eq!(stress.apply(sound), expected);
        check(Stress::Without, "ˌɛkspɹˈɛs", "ɛkspɹɛs");
        check(Stress::Weaker, "ˌɛkspɹˈɛs", "ɛkspɹˌɛs");
        check(Stress::Weaker, "ðə", "ðə");
        check(Stress::Secondary, "ðə", "ðˌə");
        check(Stress::SomeAtLeast, "kˈæt", "kˈæt");
        check(Stress::SomeAtLeast, "ðə", "ðˌə");
        check(Stress::PrimaryAtLeast, "ðə", "ðˈə");
        check(Stress::PrimaryAtLeast, "bˌɪn", "bˈɪn");
        check(Stress::PrimaryAtLeast, "s", "s");
    }

    #[test]
    fn the_last_letter_is_stressed() {
        assert_eq!(spelled("ˈAˈAˈA"), "ˌAˌAˈA");
        assert_eq!(spelled(""), "");
    }
}
