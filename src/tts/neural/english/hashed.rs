//! Keeps a hundred thousand words in little memory: of each a number of 64 bits, not its letters.
//!
//! Two words of a file that share a number are found when the file is loaded. That a word outside it
//! shares one is less likely than that the memory errs.

/// Maps words to small values.
pub(super) struct Hashed<V> {
    /// In the order of the numbers, without two alike.
    rows: Vec<(u64, V)>,
}

impl<V: Copy> Hashed<V> {
    /// Makes a map; `None` if two words share a number.
    pub(super) fn new(mut rows: Vec<(u64, V)>) -> Option<Self> {
        rows.sort_unstable_by_key(|(number, _)| *number);
        rows.shrink_to_fit();
        let all_differ = rows.windows(2).all(|pair| pair[0].0 != pair[1].0);
        all_differ.then_some(Self { rows })
    }

    /// Returns the value of the word that has this number.
    pub(super) fn get(&self, number: u64) -> Option<V> {
        let at = self.rows.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.rows[at].1)
    }
}

/// Returns the number of the word that `parts` make together: FNV-1a.
pub(super) fn number(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_again_and_others_are_not() {
        let words = ["a", "b", "ab", "ba", ""];
        let rows = words.iter().enumerate().map(|(at, word)| (number(&[word]), at)).collect();
        let map = Hashed::new(rows).unwrap();
        assert_eq!(map.get(number(&["a", "b"])), Some(2));
        assert_eq!(map.get(number(&["", "ba"])), Some(3));
        assert_eq!(map.get(number(&["abb"])), None);
    }

    #[test]
    fn two_rows_of_one_word_are_refused() {
        assert!(Hashed::new(vec![(1, 'a'), (2, 'b'), (1, 'c')]).is_none());
    }
}
