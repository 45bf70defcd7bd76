//! Chooses the voice of a sentence: the agent's, the configured one, or one for the language.
//!
//! Runs before the child is taken, since espeak-ng fixes the voice when it starts.

use std::collections::{HashMap, HashSet};
use std::sync::Once;

use tracing::warn;

use crate::turn::LanguageCode;

/// The voice for languages espeak-ng does not have.
pub(super) const FALLBACK: &str = "en-us";

/// Language codes whose voice has another name, or one accent of several.
const BY_LANGUAGE: &[(&str, &str)] =
    &[("en", "en-us"), ("fr", "fr-fr"), ("no", "nb"), ("pt", "pt-br"), ("zh", "cmn")];

/// Holds the languages that the installed engine speaks.
#[derive(Debug)]
pub(super) struct VoiceTable {
    languages: HashSet<String>,
    /// Every name of a voice (language, name, file and the file's last part), with the languages
    /// that it speaks, without their regions.
    names: HashMap<String, HashSet<String>>,
    warned: Once,
    doubted: Once,
}

impl VoiceTable {
    /// Reads the table that `espeak-ng --voices` prints: priority, language, age and gender, name,
    /// file, and in parentheses other languages with their priority.
    pub(super) fn parse(table: &str) -> Self {
        let mut languages = HashSet::new();
        let mut names: HashMap<String, HashSet<String>> = HashMap::new();
        for line in table.lines().skip(1).map(str::to_ascii_lowercase) {
            let Some((language, name, file)) = columns(&line) else { continue };
            languages.insert(language.to_owned());
            let others = line.split('(').skip(1).filter_map(|part| part.split(' ').next());
            let spoken: HashSet<String> =
                std::iter::once(language).chain(others).map(primary).collect();
            let last = file.and_then(|file| file.rsplit('/').next());
            for name in [Some(language), name, file, last].into_iter().flatten() {
                names.entry(name.to_owned()).or_default().extend(spoken.iter().cloned());
            }
        }
        Self { languages, names, warned: Once::new(), doubted: Once::new() }
    }

    /// Returns a voice that was requested by name. Warns once if it is not in the table: the engine
    /// accepts it silently and speaks with its default.
    pub(super) fn named(&self, voice: &str) -> String {
        if !self.has(voice) {
            self.doubted.call_once(|| {
                warn!(
                    tts.voice = voice,
                    "espeak-ng --voices has no such voice; the engine's default may be heard"
                );
            });
        }
        voice.to_owned()
    }

    /// Returns `voice` if it speaks `language`, or if no voice does; else the voice for the
    /// language, with the same variant (`+f3`).
    pub(super) fn named_for_language(&self, voice: &str, language: &LanguageCode) -> String {
        let (Some(spoken), Some(own)) = (self.spoken_by(voice), self.own_voice(language)) else {
            return self.named(voice);
        };
        // Norwegian is "no" to some and "nb" to espeak-ng.
        if spoken.contains(&primary(language.as_str())) || spoken.contains(&primary(&own)) {
            return voice.to_owned();
        }
        match voice.split_once('+') {
            Some((_, variant)) => format!("{own}+{variant}"),
            None => own,
        }
    }

    /// Returns the voice for `language`; warns once if it has to be the fallback.
    pub(super) fn for_language(&self, language: &LanguageCode) -> String {
        if let Some(own) = self.own_voice(language) {
            return own;
        }
        if !language.is_unknown() {
            self.warned.call_once(|| {
                warn!(tts.language = %language, "espeak-ng has no voice for a language; using {FALLBACK}");
            });
        }
        FALLBACK.to_owned()
    }

    /// Returns a voice that speaks `language`, if there is one: of its region, the usual one, or
    /// any.
    pub(super) fn own_voice(&self, language: &LanguageCode) -> Option<String> {
        let language = language.as_str().trim().to_ascii_lowercase().replace('_', "-");
        let primary = primary(&language);
        let preferred =
            BY_LANGUAGE.iter().find(|(code, _)| *code == primary).map(|(_, voice)| *voice);
        let region = Some(language.as_str()).filter(|language| language.contains('-'));
        let wanted = [region, preferred, Some(primary.as_str())];
        let found = wanted.into_iter().flatten().find(|voice| self.languages.contains(*voice));
        found.map(str::to_owned)
    }

    /// Returns whether there is no voice at all.
    pub(super) fn is_empty(&self) -> bool {
        self.languages.is_empty()
    }

    /// Returns whether `voice` is in the table, whatever its variant (`+f3`).
    pub(super) fn has(&self, voice: &str) -> bool {
        self.spoken_by(voice).is_some()
    }

    /// Returns the languages that a voice speaks, if it is in the table.
    fn spoken_by(&self, voice: &str) -> Option<&HashSet<String>> {
        let base = voice.split('+').next().unwrap_or_default().to_ascii_lowercase();
        self.names.get(&base)
    }
}

/// Lists the voices of such a table: the name of each, by which it alone is known, and its language.
pub(super) fn listed(table: &str) -> Vec<(String, LanguageCode)> {
    let mut voices: Vec<(String, LanguageCode)> = Vec::new();
    for (language, _, file) in table.lines().skip(1).filter_map(columns) {
        let taken = voices.iter().any(|(name, _)| name == language);
        let name = file.filter(|_| taken).unwrap_or(language);
        voices.push((name.to_owned(), language.into()));
    }
    voices
}

/// Returns what a line of the table says of a voice: language, name and file.
fn columns(line: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    let mut columns = line.split_whitespace().skip(1);
    let language = columns.next()?;
    Some((language, columns.nth(1), columns.next()))
}

/// Returns a language code without its region.
fn primary(language: &str) -> String {
    LanguageCode::from(language.trim()).primary().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices() -> VoiceTable {
        VoiceTable::parse(
            "Pty Language       Age/Gender VoiceName          File                 Other Languages\n \
             5  de              --/M      German             gmw/de\n \
             5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn (zh-cmn 5)(zh 5)\n \
             2  en-gb           --/M      English_(Great_Britain) gmw/en     (en 2)\n \
             2  en-us           --/M      English_(America)  gmw/en-US            (en 3)\n \
             5  es              --/M      Spanish_(Spain)    roa/es\n \
             5  es-419          --/M      Spanish_(Latin_America) roa/es-419           (es-mx 6)\n \
             5  fr-fr           --/M      French_(France)    roa/fr               (fr 5)\n \
             5  nb              --/M      Norwegian_Bokmål   gmq/nb               (no 5)\n \
             5  pt              --/M      Portuguese_(Portugal) roa/pt            (pt-pt 5)\n \
             5  pt-br           --/M      Portuguese_(Brazil) roa/pt-BR           (pt 6)\n",
        )
    }

    #[test]
    fn each_voice_is_listed_by_a_name_of_its_own() {
        let table = "Pty Language\n 5  yue   --/M   Chinese_(Cantonese) sit/yue    (zh-yue 5)\n \
                     5  yue   --/M   Chinese_(Cantonese,_latin) sit/yue-Latn-jyutping (zh 8)\n\n";
        let expected = ["yue", "sit/yue-Latn-jyutping"].map(|n| (n.to_owned(), "yue".into()));
        assert_eq!(listed(table), expected);
    }

    #[test]
    fn languages_get_a_voice_that_exists() {
        for (language, voice) in [
            ("en", "en-us"),
            ("en_GB", "en-gb"),
            ("de-AT", "de"),
            ("fr", "fr-fr"),
            ("pt", "pt-br"),
            ("zh", "cmn"),
            ("no", "nb"),
            ("tlh", "en-us"),
            ("", "en-us"),
        ] {
            assert_eq!(voices().for_language(&language.into()), voice, "{language}");
        }
    }

    #[test]
    fn a_voice_is_known_by_all_its_names() {
        for name in ["en-us", "German", "gmw/en-US", "en-US", "English_(America)+f2"] {
            assert!(voices().spoken_by(name).is_some(), "{name}");
        }
        assert!(voices().spoken_by("klingon").is_none());
    }

    #[test]
    fn a_named_voice_speaks_its_own_language_only() {
        for (named, language, voice) in [
            ("en-gb+f3", "en", "en-gb+f3"),
            ("en-gb+f3", "en-AU", "en-gb+f3"),
            ("en-gb+f3", "es", "es+f3"),
            ("German", "de", "German"),
            ("German", "pt", "pt-br"),
            ("es-419", "es", "es-419"),
            ("es-419", "es-ES", "es-419"),
            ("gmw/en-US", "fr", "fr-fr"),
            ("nb", "no", "nb"),
            ("cmn", "zh", "cmn"),
            // Nothing speaks it, or the voice's languages are unknown: as requested.
            ("de", "tlh", "de"),
            ("de", "", "de"),
            ("mb-us1", "es", "mb-us1"),
        ] {
            assert_eq!(
                voices().named_for_language(named, &language.into()),
                voice,
                "{named} {language}"
            );
        }
    }
}
