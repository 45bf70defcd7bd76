//! Counts the words that were heard wrongly: the word error rate, by which ears are compared.
//!
//! Sits beside the path of a note: measurements and tests name it, no turn does. Two texts are
//! compared as sequences of words without capitals and punctuation; numerals are left as they are,
//! so `25` and `twenty-five` differ.

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;

/// Counts what was heard of some words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordErrors {
    /// Words to change, insert or leave out, to get from what was heard to what was said.
    pub errors: usize,
    /// Words that were said.
    pub words: usize,
}

impl WordErrors {
    /// Returns errors per word, above 1 where more was made up than said; 0 without any of both.
    pub fn rate(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 words")]
        let (errors, words) = (self.errors as f64, self.words.max(1) as f64);
        errors / words
    }
}

impl std::ops::AddAssign for WordErrors {
    fn add_assign(&mut self, other: Self) {
        self.errors += other.errors;
        self.words += other.words;
    }
}

/// Splits a text into the words that are compared: lower case, without punctuation, and of one
/// form where Unicode has several (NFKC). An apostrophe joins: `don't` is `dont`.
pub fn normalise(text: &str) -> Vec<String> {
    let text = ComposingNormalizer::new_nfkc().normalize(text).to_lowercase();
    let joined: String = text.chars().filter(|c| !matches!(c, '\'' | '’' | 'ʼ' | '‘')).collect();
    let words = joined.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Compares what was `heard` with the `reference`, what was said.
pub fn word_errors(reference: &str, heard: &str) -> WordErrors {
    let (said, heard) = (normalise(reference), normalise(heard));
    // Levenshtein's distance over words, a row for each word that was said.
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in said.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let changed = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    WordErrors { errors: row[heard.len()], words: said.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_capitals_punctuation_and_forms() {
        let check = |text: &str, words: &str| assert_eq!(normalise(text).join(" "), words);
        check("Ask not, what YOUR country...", "ask not what your country");
        check("don't don’t whole-number", "dont dont whole number");
        check("«¿Cierto?» Él dijo: «sí»", "cierto él dijo sí");
        // A decomposed ü, a ligature and a full-width digit.
        check("u\u{308}ber ﬁnden ２", "über finden 2");
        check("25 to 30, 3:2", "25 to 30 3 2");
        check(" … ♪ ", "");
    }

    #[test]
    fn a_word_changed_missed_or_made_up_is_one_error() {
        let check = |said: &str, heard: &str, errors, words| {
            assert_eq!(word_errors(said, heard), WordErrors { errors, words }, "{heard}");
        };
        check("a b c d", "A, b. C d!", 0, 4);
        check("a b c d", "a x c d", 1, 4);
        check("a b c d", "a c d", 1, 4);
        check("a b c d", "a b b c d", 1, 4);
        check("a b c d", "b c d a", 2, 4);
        check("a b c d", "", 4, 4);
        check("", "you you", 2, 0);
        check("", "", 0, 0);
    }

    #[test]
    fn rates_of_several_files_are_weighed_by_their_words() {
        let mut all = WordErrors::default();
        all += word_errors("one two three", "one two three");
        all += word_errors("four", "for you");
        assert_eq!(all, WordErrors { errors: 2, words: 4 });
        assert!((all.rate() - 0.5).abs() < f64::EPSILON);
        assert!(WordErrors::default().rate().abs() < f64::EPSILON);
    }
}
