//! Tells which letters a text is written in, and whose letters they are.

/// Names a script by the languages that are written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Only these, the one with more speakers first.
    Of(&'static [&'static str]),
    /// Languages that their words tell apart.
    Latin,
    /// Languages that their words tell apart.
    Cyrillic,
    /// Languages that their words tell apart.
    Arabic,
    /// Languages that their words tell apart.
    Devanagari,
}

/// Lists the ranges of letters, ascending. Source: Unicode 16, Blocks.txt.
const BLOCKS: [(u32, u32, Script); 40] = [
    (0x0041, 0x024F, Script::Latin),
    (0x0250, 0x02AF, Script::Latin),
    (0x0300, 0x036F, Script::Latin),
    (0x0370, 0x03FF, Script::Of(&["el"])),
    (0x0400, 0x052F, Script::Cyrillic),
    (0x0530, 0x058F, Script::Of(&["hy"])),
    (0x0590, 0x05FF, Script::Of(&["he", "yi"])),
    (0x0600, 0x06FF, Script::Arabic),
    (0x0750, 0x077F, Script::Arabic),
    (0x0780, 0x07BF, Script::Of(&["dv"])),
    (0x08A0, 0x08FF, Script::Arabic),
    (0x0900, 0x097F, Script::Devanagari),
    (0x0980, 0x09FF, Script::Of(&["bn", "as"])),
    (0x0A00, 0x0A7F, Script::Of(&["pa"])),
    (0x0A80, 0x0AFF, Script::Of(&["gu"])),
    (0x0B00, 0x0B7F, Script::Of(&["or"])),
    (0x0B80, 0x0BFF, Script::Of(&["ta"])),
    (0x0C00, 0x0C7F, Script::Of(&["te"])),
    (0x0C80, 0x0CFF, Script::Of(&["kn"])),
    (0x0D00, 0x0D7F, Script::Of(&["ml"])),
    (0x0D80, 0x0DFF, Script::Of(&["si"])),
    (0x0E00, 0x0E7F, Script::Of(&["th"])),
    (0x0E80, 0x0EFF, Script::Of(&["lo"])),
    (0x0F00, 0x0FFF, Script::Of(&["bo"])),
    (0x1000, 0x109F, Script::Of(&["my"])),
    (0x10A0, 0x10FF, Script::Of(&["ka"])),
    (0x1100, 0x11FF, Script::Of(&["ko"])),
    (0x1200, 0x139F, Script::Of(&["am", "ti"])),
    (0x1780, 0x17FF, Script::Of(&["km"])),
    (0x1C90, 0x1CBF, Script::Of(&["ka"])),
    (0x1E00, 0x1EFF, Script::Latin),
    (0x1F00, 0x1FFF, Script::Of(&["el"])),
    (0x3040, 0x30FF, Script::Of(&["ja"])),
    (0x3130, 0x318F, Script::Of(&["ko"])),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xAC00, 0xD7AF, Script::Of(&["ko"])),
    (0xFB50, 0xFDFF, Script::Arabic),
    (0xFE70, 0xFEFC, Script::Arabic),
    (0xFF66, 0xFF9D, Script::Of(&["ja"])),
];

/// Chinese characters, which Japanese people write, too.
const HAN: Script = Script::Of(&["zh", "ja"]);

/// Returns the script that decides about `text`; `None` if it has no letter of a known one.
///
/// Names of things are often in Latin letters, so a third of others outweighs them; any kana makes
/// Chinese characters Japanese.
pub(super) fn of(text: &str) -> Option<Script> {
    let mut counts: Vec<(Script, usize)> = Vec::new();
    for script in text.chars().filter(|c| c.is_alphabetic()).filter_map(of_letter) {
        match counts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    let kana = Script::Of(&["ja"]);
    if counts.iter().any(|(script, _)| *script == kana) {
        counts.retain(|(script, _)| *script != HAN);
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    let latin = |script: Script| script == Script::Latin;
    let other = counts.iter().filter(|(script, _)| !latin(*script)).max_by_key(|(_, count)| *count);
    match other {
        Some((script, count)) if count * 3 >= all => Some(*script),
        _ => counts.iter().any(|(script, _)| latin(*script)).then_some(Script::Latin),
    }
}

fn of_letter(letter: char) -> Option<Script> {
    let at = BLOCKS.partition_point(|(_, last, _)| *last < u32::from(letter));
    let (first, _, script) = BLOCKS.get(at)?;
    (*first <= u32::from(letter)).then_some(*script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_tell_whose_they_are() {
        assert!(
            BLOCKS.is_sorted_by(|(_, before, _), (first, last, _)| before < first && first < last)
        );
        for (text, script) in [
            ("คุณเปิดกี่โมง", Some(Script::Of(&["th"]))),
            ("営業時間は？", Some(Script::Of(&["ja"]))),
            ("几点开门？", Some(HAN)),
            ("WhatsApp नंबर क्या है?", Some(Script::Devanagari)),
            ("Do you sell Dostoevsky's Идиот?", Some(Script::Latin)),
            ("Ünal, 2 × 3", Some(Script::Latin)),
            ("12 👍 €", None),
            ("", None),
        ] {
            assert_eq!(of(text), script, "{text}");
        }
    }
}
