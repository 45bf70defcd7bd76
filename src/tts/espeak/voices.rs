//! Chooses the voice of a sentence: the agent's, the configured one, or one for the language.
//!
//! Before the child is taken, since espeak-ng fixes the voice when it starts.

use std::collections::HashSet;
use std::sync::Once;

use tracing::warn;

/// The voice for languages espeak-ng does not have.
pub(super) const FALLBACK: &str = "en-us";

/// Language codes whose voice has another name, or one accent of several.
const BY_LANGUAGE: &[(&str, &str)] =
    &[("en", "en-us"), ("fr", "fr-fr"), ("no", "nb"), ("pt", "pt-br"), ("zh", "cmn")];

/// The languages that the installed engine speaks.
#[derive(Debug)]
pub(super) struct Voices {
    languages: HashSet<String>,
    /// Everything a voice is called: language, name, file and the file's last part.
    names: HashSet<String>,
    warned: Once,
    doubted: Once,
}

impl Voices {
    /// Reads the table that `espeak-ng --voices` prints; its second column is the language.
    pub(super) fn parse(table: &str) -> Self {
        let languages = table
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1))
            .map(str::to_ascii_lowercase)
            .collect();
        let names = table
            .lines()
            .skip(1)
            .flat_map(|line| {
                let mut columns = line.split_whitespace().skip(1);
                let (language, name) = (columns.next(), columns.nth(1));
                let file = columns.next();
                [language, name, file, file.and_then(|file| file.rsplit('/').next())]
            })
            .flatten()
            .map(str::to_ascii_lowercase)
            .collect();
        Self { languages, names, warned: Once::new(), doubted: Once::new() }
    }

    /// Says once when a voice that was asked for by name is not in the table: the engine takes it
    /// without a word and speaks with its default.
    pub(super) fn doubt(&self, voice: &str) {
        if !self.has(voice) {
            self.doubted.call_once(|| {
                warn!(
                    tts.voice = voice,
                    "espeak-ng --voices has no such voice; the engine's default may be heard"
                );
            });
        }
    }

    /// The voice for `language`; says once when it is the fallback for want of another.
    pub(super) fn for_language(&self, language: &str) -> String {
        if let Some(own) = self.own_voice(language) {
            return own;
        }
        if !language.is_empty() {
            self.warned.call_once(|| {
                warn!(
                    tts.language = %language,
                    "espeak-ng has no voice for a language; using {FALLBACK}"
                );
            });
        }
        FALLBACK.to_owned()
    }

    /// The voice that speaks `language`, if there is one: of its region, the usual one, any.
    pub(super) fn own_voice(&self, language: &str) -> Option<String> {
        let language = language.trim().to_ascii_lowercase().replace('_', "-");
        let primary = language.split('-').next().unwrap_or_default();
        let preferred =
            BY_LANGUAGE.iter().find(|(code, _)| *code == primary).map(|(_, voice)| *voice);
        let wanted =
            [Some(language.as_str()).filter(|l| l.contains('-')), preferred, Some(primary)];
        let found = wanted.into_iter().flatten().find(|voice| self.languages.contains(*voice));
        found.map(str::to_owned)
    }

    /// Whether there is no voice at all.
    pub(super) fn is_empty(&self) -> bool {
        self.languages.is_empty()
    }

    /// Whether `voice` is in the table, whatever its variant (`+f3`).
    pub(super) fn has(&self, voice: &str) -> bool {
        let base = voice.split('+').next().unwrap_or_default().to_ascii_lowercase();
        self.names.contains(&base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_get_a_voice_that_exists() {
        let voices = Voices::parse(
            "Pty Language       Age/Gender VoiceName          File                 Other Languages\n \
             5  de              --/M      German             gmw/de\n \
             2  en-gb           --/M      English_(Great_Britain) gmw/en     (en 2)\n \
             2  en-us           --/M      English_(America)  gmw/en-US            (en 3)\n \
             5  fr-fr           --/M      French_(France)    roa/fr               (fr 5)\n \
             5  pt              --/M      Portuguese_(Portugal) roa/pt            (pt-pt 5)\n \
             5  pt-br           --/M      Portuguese_(Brazil) roa/pt-BR           (pt 6)\n",
        );
        for (language, voice) in [
            ("en", "en-us"),
            ("en_GB", "en-gb"),
            ("de-AT", "de"),
            ("fr", "fr-fr"),
            ("pt", "pt-br"),
            ("tlh", "en-us"),
            ("", "en-us"),
        ] {
            assert_eq!(voices.for_language(language), voice, "{language}");
        }
        for name in ["en-us", "German", "gmw/en-US", "en-US"] {
            assert!(voices.names.contains(&name.to_ascii_lowercase()), "{name}");
        }
        assert!(!voices.names.contains("klingon"));
    }
}
