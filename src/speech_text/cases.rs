//! Tests of the normaliser: `cases.tsv` against [`super::spoken`], and properties of any text.

use proptest::prelude::*;

use super::{SentenceSplitter, complete_sentences, lang, long_links, spoken, worded};

const CASES: &str = include_str!("cases.tsv");

/// Reads lines of `written<TAB>spoken`; `\n` is a line break, `== xx` begins a language or a
/// region of one, `#` a class.
#[test]
fn every_case_is_said_as_a_person_would() {
    let (mut language, mut count, mut wrong) = ("", vec![0; lang::ALL.len()], Vec::new());
    for (line, number) in CASES.lines().zip(1..) {
        if let Some(code) = line.strip_prefix("== ") {
            language = code;
        } else if let Some((written, expected)) = line.split_once('\t') {
            let known = lang::find(&language.into()).unwrap();
            let at = lang::ALL.iter().position(|other| other.code == known.code).unwrap();
            count[at] += 1;
            let said = spoken(&written.replace("\\n", "\n"), &language.into());
            if said != expected {
                wrong.push(format!("{number} {written:?}\n  want {expected:?}\n  said {said:?}"));
            }
        } else {
            assert!(line.is_empty() || line.starts_with("# "), "line {number} is no case");
        }
    }
    assert!(wrong.is_empty(), "{} wrong cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count.iter().all(|&count| count >= 100), "too few cases: {count:?}");
}

fn sentences<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut splitter = SentenceSplitter::new();
    let mut all: Vec<String> = pieces.into_iter().flat_map(|p| splitter.push(p)).collect();
    all.extend(splitter.finish());
    all
}

proptest! {
    #[test]
    fn any_text_is_said_without_marks_or_a_flood(
        text in "([0-9]{1,4}|[-+.,:/%€$#@ ]|[hkm]m?|https://|\\[|\\]|\\(|[*_`~|\\n\\t]|\\PC){0,80}",
    ) {
        for language in lang::ALL.iter().map(|language| language.code).chain(["hi"]) {
            let said = spoken(&text, &language.into());
            prop_assert!(!said.contains("[[") && !said.contains("]]") && !said.contains("  "));
            prop_assert!(!said.chars().any(char::is_control));
            prop_assert!(said.len() <= 200 + 40 * text.len(), "{said}");
            let again = spoken(&said, &language.into());
            prop_assert!(again.len() <= 200 + 4 * said.len(), "{again}");
        }
        prop_assert!(long_links(&text).iter().all(|link| text.contains(link.as_str())));
    }

    /// A number is cut only where two numbers may stand: never at a point, a comma, a colon or an
    /// apostrophe, and at a dash only if it has no point.
    #[test]
    fn no_number_is_read_half_by_one_rule_and_half_by_another(
        number in "[$€]?[0-9]{1,4}([.,:'/-][0-9]{1,4}){0,5}[%°x€]?",
        before in "(is|at|code|el|um|Seite|XIV|le|lasts|[a-z]{1,5})",
        after in "(now|Uhr|h|pm|€|kg|Mai|May|people|[a-z]{1,5})",
    ) {
        for language in lang::ALL.iter().map(|language| language.code).chain(["es-MX", "de-CH"]) {
            let text = format!("It {before} {number} {after}.");
            let wording = worded(&text, &language.into());
            prop_assert!(!wording.text.contains(|c: char| c.is_ascii_digit()), "{wording:?}");
            let mut at = 0;
            for change in &wording.changes {
                let from = at + text[at..].find(&change.written).unwrap();
                at = from + change.written.len();
                let behind = &text[at..];
                let next = behind.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
                let ends = change.written.ends_with(|c: char| c.is_ascii_digit());
                let cuts = ends && next && behind.starts_with(['.', ',', ':', '\'']);
                let list = behind.starts_with(',') && change.written.contains([':', '/', '-']);
                prop_assert!(!cuts || list, "{language} {text:?} {wording:?}");
                let points = change.written.matches(['.', ',']).count();
                let dash = ends && next && behind.starts_with('-');
                prop_assert!(!dash || points == 0, "{language} {text:?} {wording:?}");
            }
        }
    }

    #[test]
    fn any_markup_becomes_words(
        text in "(\\[[0-9^]|\\]|\\(|\\)|【|】|†|[¹²₂Ⅳ]|\\$|\\\\[a-z(]{1,4}|[{}^_=<>&;|\n:!-]|[0-9]|\
                 'ʹ\"|[a-z]{1,3}| |XIV|--- \\| ---\n|&#[0-9]{1,4};|<sup>|≥|÷){0,40}",
    ) {
        for language in ["en", "es-CL", "pt", "de-CH", "fr", "hi"] {
            let said = spoken(&text, &language.into());
            prop_assert!(!said.contains("  ") && !said.chars().any(char::is_control));
            prop_assert!(said.len() <= 200 + 40 * text.len(), "{said}");
        }
    }

    #[test]
    fn what_is_said_does_not_depend_on_the_chunks(
        text in "([a-z]{1,6}[ .]|[0-9]{1,3}|[.,?!:€] ?|```\\n?|\\n|\\| ?|--- \\| ---\\n|</?b|>|Dr\\. |\\PC){0,60}",
        size in 1usize..9,
    ) {
        let chars: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = chars.chunks(size).map(|chunk| chunk.iter().collect()).collect();
        let say = |all: Vec<String>| all.iter().map(|s| spoken(s, &"en".into())).collect::<Vec<_>>();
        let streamed = say(sentences(pieces.iter().map(String::as_str)));
        prop_assert_eq!(streamed, say(sentences([text.as_str()])));
    }

    #[test]
    fn complete_sentences_hold_all_that_was_cut(text in "([a-z]{1,6}[ .?!]|[0-9]|\\PC){0,60}") {
        let complete = complete_sentences(&text);
        prop_assert!(text.starts_with(complete));
        // Every sentence that the splitter gave is complete, joined short ones too.
        let bare = |s: &str| s.split_whitespace().collect::<String>();
        let cut = SentenceSplitter::new().push(&text).concat();
        prop_assert!(bare(complete).starts_with(&bare(&cut)), "{cut:?} of {complete:?}");
    }
}
