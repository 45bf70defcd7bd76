//! Reads words with an ending that the lexicons have without: "emailed", "emails", "emailing".

use super::Accent;
use super::reader::{Setting, WordReader};
use super::stress::Stress;

/// Lists the vowels behind which Americans say a soft t.
const BEFORE_SOFT_T: &str = "AIOWYiuæɑəɛɪɹʊʌ";

impl WordReader {
    /// Reads a word of a known one and an ending.
    pub(super) fn with_ending(&self, word: &str, setting: Setting) -> Option<String> {
        let read = |stem: String| self.look_up(&stem, setting);
        let s = || self.add_s(&read(self.before_s(word)?)?);
        let ed = || self.add_ed(&read(self.before_ed(word)?)?);
        let ing = || {
            let stress = setting.stress.unwrap_or(Stress::SomeAtLeast);
            self.add_ing(&self.look_up(&self.before_ing(word)?, setting.stressed(stress))?)
        };
        s().or_else(ed).or_else(ing)
    }

    /// Says several of a thing.
    pub(super) fn plural(&self, thing: &str) -> Option<String> {
        self.add_s(&self.look_up(thing, Setting::ANY)?)
    }

    /// Returns the first of these that is known.
    fn stem<const N: usize>(&self, stems: [Option<String>; N]) -> Option<String> {
        stems.into_iter().flatten().find(|stem| self.is_known(stem))
    }

    fn before_s(&self, word: &str) -> Option<String> {
        let long = word.len() > 4;
        let s = word.strip_suffix('s').filter(|stem| word.len() > 2 && !stem.ends_with('s'));
        let ies = word.strip_suffix("ies").filter(|_| long);
        let es = word.strip_suffix("es").filter(|stem| long && !stem.ends_with('i'));
        let owner = word.strip_suffix("'s").filter(|_| word.len() > 2);
        self.stem([
            s.map(str::to_owned),
            owner.or(es).map(str::to_owned),
            ies.map(|stem| format!("{stem}y")),
        ])
    }

    fn before_ed(&self, word: &str) -> Option<String> {
        let d = word.strip_suffix('d').filter(|stem| word.len() > 3 && !stem.ends_with('d'));
        let ed = word.strip_suffix("ed").filter(|stem| word.len() > 4 && !stem.ends_with('e'));
        self.stem([d.map(str::to_owned), ed.map(str::to_owned)])
    }

    fn before_ing(&self, word: &str) -> Option<String> {
        let stem = word.strip_suffix("ing").filter(|_| word.len() > 4)?;
        let long = word.len() > 5;
        let mut end = stem.bytes().rev();
        let (last, before) = (end.next(), end.next());
        let doubled = last == before && last.is_some_and(|b| b"bcdgklmnprstvxz".contains(&b));
        let doubled = doubled || stem.ends_with("ck");
        self.stem([
            long.then(|| stem.to_owned()),
            Some(format!("{stem}e")),
            (long && doubled).then(|| stem[..stem.len() - 1].to_owned()),
        ])
    }

    /// Adds an "s" to what is heard.
    pub(super) fn add_s(&self, stem: &str) -> Option<String> {
        let short = if self.accent == Accent::British { "ɪz" } else { "ᵻz" };
        Some(match stem.chars().next_back()? {
            'p' | 't' | 'k' | 'f' | 'θ' => format!("{stem}s"),
            's' | 'z' | 'ʃ' | 'ʒ' | 'ʧ' | 'ʤ' => format!("{stem}{short}"),
            _ => format!("{stem}z"),
        })
    }

    /// Adds an "ed".
    pub(super) fn add_ed(&self, stem: &str) -> Option<String> {
        let british = self.accent == Accent::British;
        Some(match stem.chars().next_back()? {
            'p' | 'k' | 'f' | 'θ' | 'ʃ' | 's' | 'ʧ' => format!("{stem}t"),
            'd' if british => format!("{stem}ɪd"),
            'd' => format!("{stem}ᵻd"),
            't' if british || stem.len() == 1 => format!("{stem}ɪd"),
            't' => match before_soft_t(stem) {
                Some(before) => format!("{before}ɾᵻd"),
                None => format!("{stem}ᵻd"),
            },
            _ => format!("{stem}d"),
        })
    }

    /// Adds an "ing"; not to what ends in no consonant in British English.
    pub(super) fn add_ing(&self, stem: &str) -> Option<String> {
        let last = stem.chars().next_back()?;
        let soft = before_soft_t(stem).filter(|_| self.accent == Accent::American);
        match soft {
            _ if self.accent == Accent::British && matches!(last, 'ə' | 'ː') => None,
            Some(before) => Some(format!("{before}ɾɪŋ")),
            None => Some(format!("{stem}ɪŋ")),
        }
    }
}

/// Returns what stands before a t that becomes soft before a vowel: "wAt" of "waited".
fn before_soft_t(stem: &str) -> Option<&str> {
    let before = stem.strip_suffix('t')?;
    before.ends_with(|c| BEFORE_SOFT_T.contains(c)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::{Lexicon, packed};
    use super::*;

    #[test]
    fn endings_sound_as_the_accent_has_them() {
        let reader = |accent| {
            let words = r#"{"wait": "wAt", "end": "ɛnd", "bus": "bʌs", "stop": "stɑp", "try": "tɹI",
                "make": "mAk", "panic": "pænɪk", "James": "ʤAmz"}"#;
            let load = |json| Lexicon::load("lexicon", &packed(json)).unwrap();
            WordReader { gold: load(words), silver: load("{}"), accent }
        };
        let (american, british) = (reader(Accent::American), reader(Accent::British));
        let check = |word: &str, expected: [Option<&str>; 2]| {
            let read = [&american, &british].map(|it| it.with_ending(word, Setting::ANY));
            assert_eq!(read.each_ref().map(Option::as_deref), expected, "{word}");
        };
        check("waited", [Some("wAɾᵻd"), Some("wAtɪd")]);
        check("waiting", [Some("wˌAɾɪŋ"), Some("wˌAtɪŋ")]);
        check("ended", [Some("ɛndᵻd"), Some("ɛndɪd")]);
        check("buses", [Some("bʌsᵻz"), Some("bʌsɪz")]);
        check("stopped", [None, None]);
        check("stopping", [Some("stˌɑpɪŋ"); 2]);
        check("making", [Some("mˌAkɪŋ"); 2]);
        check("panicking", [Some("pˌænɪkɪŋ"); 2]);
        check("tries", [Some("tɹIz"); 2]);
        check("James's", [Some("ʤAmzᵻz"), Some("ʤAmzɪz")]);
        check("s", [None, None]);
    }
}
