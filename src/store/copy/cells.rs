//! Values and rows on their way from one database to another, and the sum of rows.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::sql::{DbValue, FromDb, ToDb};

/// A value that belongs to nobody's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum CellValue {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl FromDb for CellValue {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        Some(match value {
            DbValue::Null => Self::Null,
            DbValue::Int(value) => Self::Int(value),
            DbValue::Real(value) => Self::Real(value),
            DbValue::Text(words) => Self::Text(words.to_owned()),
            DbValue::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        })
    }
}

impl ToDb for CellValue {
    fn to_db(&self) -> DbValue<'_> {
        match self {
            Self::Null => DbValue::Null,
            Self::Int(value) => DbValue::Int(*value),
            Self::Real(value) => DbValue::Real(*value),
            Self::Text(words) => DbValue::Text(words),
            Self::Bytes(bytes) => DbValue::Bytes(bytes),
        }
    }
}

impl CellValue {
    /// Adds the value to a digest, so that no two rows give it the same bytes.
    fn digest(&self, digest: &mut Sha256) {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Int(value) => (1, &value.to_be_bytes()),
            Self::Real(value) => (2, &value.to_bits().to_be_bytes()),
            Self::Text(words) => (3, words.as_bytes()),
            Self::Bytes(bytes) => (4, bytes),
        };
        digest.update([kind]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

/// Writes a key for people: its values, which are ids.
pub(super) fn key_words(key: &[CellValue]) -> String {
    let word = |value: &CellValue| match value {
        CellValue::Null => "NULL".to_owned(),
        CellValue::Int(value) => value.to_string(),
        CellValue::Real(value) => value.to_string(),
        CellValue::Text(words) => words.clone(),
        CellValue::Bytes(bytes) => hex::encode(bytes),
    };
    key.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Counts rows and sums them up: the SHA-256 of each as a number of 256 bits, without what is carried
/// out. So it does not matter in which order a database gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowSum {
    pub(super) rows: u64,
    /// The lowest digits first.
    digits: [u64; 4],
}

impl RowSum {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &[CellValue]) {
        let mut digest = Sha256::new();
        for value in row {
            value.digest(&mut digest);
        }
        let bytes: [u8; 32] = digest.finalize().into();
        let mut carry = false;
        for (digit, bytes) in self.digits.iter_mut().zip(bytes.chunks_exact(8)) {
            let more = u64::from_le_bytes(bytes.try_into().expect("it has eight bytes"));
            let (sum, over) = digit.overflowing_add(more);
            let (sum, over_by_one) = sum.overflowing_add(u64::from(carry));
            (*digit, carry) = (sum, over || over_by_one);
        }
        self.rows += 1;
    }

    /// Writes the sum as 64 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        let [lowest, low, high, highest] = self.digits;
        format!("{highest:016x}{high:016x}{low:016x}{lowest:016x}")
    }

    /// Reads what [`Self::hex`] wrote.
    pub(super) fn read(rows: u64, hex: &str) -> Option<Self> {
        let mut digits = [0; 4];
        for (place, digit) in digits.iter_mut().enumerate() {
            let from = 48 - 16 * place;
            *digit = u64::from_str_radix(hex.get(from..from + 16)?, 16).ok()?;
        }
        Some(Self { rows, digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> CellValue {
        CellValue::Text(words.to_owned())
    }

    #[test]
    fn the_sum_knows_every_value_and_no_order() {
        let rows = [vec![text("a"), text("bc")], vec![CellValue::Int(1), CellValue::Null]];
        let sum = |rows: &[&Vec<CellValue>]| {
            let mut sum = RowSum::default();
            for row in rows {
                sum.add(row);
            }
            sum
        };
        let there = sum(&[&rows[0], &rows[1]]);
        assert_eq!(there, sum(&[&rows[1], &rows[0]]));
        for other in [vec![text("ab"), text("c")], vec![text("a"), CellValue::Bytes(b"bc".into())]]
        {
            assert_ne!(there, sum(&[&other, &rows[1]]));
        }
        assert_ne!(there, sum(&[&rows[0]]));
        // Two rows that are the same count twice.
        assert_ne!(sum(&[&rows[0], &rows[0]]).hex(), RowSum::default().hex());
    }

    #[test]
    fn a_sum_is_read_as_it_was_written() {
        let mut sum = RowSum::default();
        for n in 0..9 {
            sum.add(&[CellValue::Real(f64::from(n))]);
        }
        assert_eq!((sum.hex().len(), RowSum::read(9, &sum.hex())), (64, Some(sum)));
        assert_eq!(RowSum::read(0, "00"), None);
    }

    #[test]
    fn keys_survive_being_written_down() {
        let key = vec![CellValue::Int(-1), text("é\0"), CellValue::Bytes(vec![0, 255])];
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<Vec<CellValue>>(&json).unwrap(), key);
        assert_eq!(key_words(&key[..2]), "-1, é\0");
    }
}
