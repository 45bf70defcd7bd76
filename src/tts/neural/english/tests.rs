//! Compares with what the published package reads, and reads what nobody writes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::models::built_in::hibari;

macro_rules! read_by_oracle {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/voices/", $file))
    };
}

/// Returns the files that are part of this build.
fn published() -> Hibari {
    hibari().expect("these tests are part of a build with the voice")
}

static ENGLISH: LazyLock<English> = LazyLock::new(|| {
    English::load(&published(), Accent::American).expect("they are the published files")
});

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(ENGLISH.phonemes(text), expected, "{text}");
}

/// Compares what is read with the oracle's, of which at most so many words may be read otherwise.
#[track_caller]
fn compare(oracle: &str, at_most: usize) {
    let (mut words, mut wrong, mut differ) = (0, 0, Vec::new());
    for line in oracle.lines() {
        let (text, expected) = line.split_once('\t').expect("a text and its phonemes");
        let expected: Vec<_> = expected.split(' ').collect();
        let read = ENGLISH.phonemes(text);
        let read: Vec<_> = read.split(' ').collect();
        words += expected.len();
        // What stands at both ends alike is right; between may be more or fewer.
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(expected, read)| expected == read).count()
        };
        let start = same(&mut expected.iter().zip(&read));
        let end = same(&mut expected[start..].iter().rev().zip(read[start..].iter().rev()));
        let here = expected.len().max(read.len()) - start - end;
        wrong += here;
        differ.extend((here > 0).then(|| format!("{text}: {}", read.join(" "))));
    }
    assert!(wrong <= at_most, "{wrong} of {words} words: {differ:#?}");
}

#[test]
fn words_are_read_as_the_oracle_does() {
    compare(read_by_oracle!("words.tsv"), 0);
}

/// The oracle says "King the zeroth Charles the third", and leaves the stop of "on 1 May." out.
#[test]
fn sentences_are_read_as_the_oracle_does() {
    compare(read_by_oracle!("sentences.tsv"), 3);
}

#[test]
fn what_the_oracle_reads_wrong_is_read_right() {
    check("King Charles III.", "kˈɪŋ ʧˈɑɹlz ðə θˈɜɹd.");
    check("See you on 1 May.", "sˈi ju ˌɔn ðə fˈɜɹst ʌv mˈA.");
    check("It costs $1.5.", "ˌɪt kˈɔsts wˈʌn dˈɑləɹ ænd fˈɪfti sˈɛnts.");
    check("cafe\u{301}", &ENGLISH.phonemes("caf\u{e9}"));
}

#[test]
fn long_words_and_numbers_are_read_to_their_end() {
    let number = "7".repeat(400);
    assert_eq!(ENGLISH.phonemes(&number), ["sˈɛvən"; 400].join(" "));
    let word = "blorpti".repeat(43);
    assert!(ENGLISH.phonemes(&word).chars().count() > 200);
}

#[test]
fn what_has_no_sound_is_left_out() {
    for text in ["", " ", "\u{0}\u{1b}", "😀🎉", "👩\u{200d}🚀", "_", "-", "🇩🇪 \u{feff}"]
    {
        check(text, "");
    }
    check("Hi 😀 there!", "hˈI  ðˈɛɹ!");
    check("?!…", "?!…");
}

/// Ten kilobytes each, of what the rules have to look far ahead for.
#[test]
fn hostile_texts_are_read_in_bounded_time() {
    let kinds = [
        "a",
        "Á",
        "7",
        "1,",
        "1/2",
        "1:11:",
        "$1",
        "-",
        "'",
        "(",
        ".",
        "...a",
        "a.",
        "a'",
        "a-",
        "a1",
        "aB",
        "A.B.",
        "May 5 ",
        "Mr. A ",
        "3 km ",
        " = b",
        "a<b>",
        "5-5",
        "👩\u{200d}",
        "§",
        "\"",
        "x/y",
        "the 5 of ",
        "Chapter IV",
        "http://a.",
        "a@b.",
        "[a](b)",
        "ﬁ",
        "\u{301}",
    ];
    let allowed = voice_alphabet();
    for kind in kinds {
        let read = ENGLISH.phonemes(&kind.repeat(10_000 / kind.len()));
        assert!(read.chars().all(|c| allowed.contains(&c)), "{kind}");
        assert!(read.len() < 100_000, "{kind}: {}", read.len());
    }
}

#[test]
fn damaged_files_are_named() {
    // Small ones, which are read at once.
    let small = |json: &str| -> &'static [u8] { lexicon::packed(json).leak() };
    let (lexicon, tagger) = (small("{}"), small(r#"{"tagdict": {}, "vocab": [], "weights": {}}"#));
    let files = Hibari { gold: lexicon, silver: lexicon, tagger, ..published() };
    let check = |files: Hibari, name: &str| {
        let error = English::load(&files, Accent::American).err().expect("a file is damaged");
        assert!(error.to_string().starts_with(&format!("the English {name} is not")), "{error}");
    };
    let half = |bytes: &'static [u8]| &bytes[..bytes.len() / 2];
    check(Hibari { gold: half(published().gold), ..files }, "lexicon");
    check(Hibari { silver: published().tagger, ..files }, "second lexicon");
    check(Hibari { normalize: b"{}", ..files }, "normalizer");
    check(Hibari { tokenizer: published().normalize, ..files }, "tokenizer");
    check(Hibari { unknown_symbols: b"[]", ..files }, "net for unknown words");
    check(Hibari { unknown: half(published().unknown), ..files }, "net for unknown words");
    check(Hibari { unknown: published().voice, ..files }, "net for unknown words");
    check(Hibari { tagger: half(published().tagger), ..files }, "tagger");
}

/// Returns the signs that the voice has sounds or pauses for.
fn voice_alphabet() -> BTreeSet<char> {
    let symbols: std::collections::BTreeMap<char, u32> =
        serde_json::from_slice(published().symbols).expect("it is the published file");
    symbols.into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read(text in "\\PC{0,60}|[ -~]{0,80}|([a-zA-Z]{1,12}['’.,:$%/ 0-9-]{0,3}){0,12}") {
        let read = ENGLISH.phonemes(&text);
        prop_assert!(read.chars().count() <= 40 * (text.chars().count() + 1));
        prop_assert!(read.trim() == read);
    }
}
