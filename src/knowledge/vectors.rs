//! The meanings of passages: unit vectors of an embedding model, a byte a dimension.
//!
//! A byte instead of four changes a cosine by less than 0.01. Where there are many, those whose signs
//! agree with the question's in most dimensions are found first, a bit a dimension, and only they are
//! compared: what is nearest agrees in far more than what is not.

use super::KnowledgeError;

/// Most dimensions of a vector; the largest of known models have 4,096.
const MOST_DIMENSIONS: usize = 16_384;

/// Vectors above which signs are compared first, and how many are compared whole then.
const MANY: usize = 10_000;
const RESCORED: usize = 1_000;

/// Holds the direction of a text's meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// What one step of `steps` is worth.
    scale: f32,
    steps: Vec<i8>,
}

impl Vector {
    /// Makes one of an embedding; `None` if that has no direction: no number, one that is not finite,
    /// or nothing but zeros.
    #[must_use]
    pub fn of(embedding: &[f32]) -> Option<Self> {
        let length = embedding.iter().map(|value| value * value).sum::<f32>().sqrt();
        let largest = embedding.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let usable = (1..=MOST_DIMENSIONS).contains(&embedding.len())
            && length.is_finite()
            && length > 0.0
            && (largest / length).is_normal();
        if !usable {
            return None;
        }
        let step = largest / 127.0;
        #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the choice of `step`")]
        let steps = embedding.iter().map(|value| (value / step).round() as i8).collect();
        Some(Self { scale: step / length, steps })
    }

    /// Writes it down: the scale as four bytes, the lowest first, then a byte a dimension.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let steps = self.steps.iter().map(|step| step.to_le_bytes()[0]);
        self.scale.to_le_bytes().into_iter().chain(steps).collect()
    }

    /// Reads what [`Vector::to_bytes`] wrote; `None` if it is something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (scale, steps) = bytes.split_first_chunk()?;
        let scale = f32::from_le_bytes(*scale);
        let fits = (1..=MOST_DIMENSIONS).contains(&steps.len()) && scale.is_normal();
        let steps = steps.iter().map(|step| i8::from_le_bytes([*step])).collect();
        fits.then_some(Self { scale, steps })
    }
}

/// Holds the meanings of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Vectors {
    dimensions: usize,
    /// Ascending.
    rows: Vec<i64>,
    scales: Vec<f32>,
    /// All steps, a row after the other.
    steps: Vec<i8>,
    /// Whether they are positive, 64 in a word, each row from a word of its own on.
    signs: Vec<u64>,
}

impl Vectors {
    /// Returns those of some rows.
    pub(super) fn with_only(&self, keep: impl Fn(i64) -> bool) -> Self {
        let mut kept = Self { dimensions: self.dimensions, ..Self::default() };
        for (place, row) in self.rows.iter().enumerate().filter(|(_, row)| keep(**row)) {
            kept.rows.push(*row);
            kept.scales.push(self.scales[place]);
            kept.steps.extend_from_slice(self.of(place));
            kept.signs.extend_from_slice(&self.signs[place * self.words()..][..self.words()]);
        }
        kept
    }

    /// Adds those of rows that have none yet.
    ///
    /// # Errors
    /// One that has not as many dimensions as the others: nothing is added then.
    pub(super) fn add(&mut self, new: Vec<(i64, Vector)>) -> Result<(), KnowledgeError> {
        let mut new: Vec<_> = new.into_iter().filter(|(row, _)| !self.has(*row)).collect();
        new.sort_by_key(|(row, _)| *row);
        new.dedup_by_key(|(row, _)| *row);
        let Some((_, first)) = new.first() else { return Ok(()) };
        let dimensions = if self.rows.is_empty() { first.steps.len() } else { self.dimensions };
        if let Some((_, odd)) = new.iter().find(|(_, vector)| vector.steps.len() != dimensions) {
            return Err(KnowledgeError::Dimensions { was: dimensions, is: odd.steps.len() });
        }
        self.dimensions = dimensions;
        // Rows come in order, so that most are put at the end.
        for (row, vector) in new {
            let place = self.rows.partition_point(|other| *other < row);
            self.rows.insert(place, row);
            self.scales.insert(place, vector.scale);
            let at = place * self.words();
            self.signs.splice(at..at, signs(&vector.steps));
            let at = place * dimensions;
            self.steps.splice(at..at, vector.steps);
        }
        Ok(())
    }

    pub(super) fn has(&self, row: i64) -> bool {
        self.rows.binary_search(&row).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the rows that mean most nearly the same, with their cosines, the nearest first: at most
    /// `most`, and none below `least`.
    pub(super) fn nearest(&self, meant: &Vector, most: usize, least: f32) -> Vec<(i64, f32)> {
        if meant.steps.len() != self.dimensions {
            return Vec::new();
        }
        let mut nearest: Vec<(i64, f32)> = Vec::with_capacity(most + 1);
        for place in self.likely(meant) {
            let row = &self.rows[place];
            let cosine = self.scales[place] * meant.scale * product(self.of(place), &meant.steps);
            if cosine < least || nearest.len() == most && cosine <= nearest[most - 1].1 {
                continue;
            }
            let at = nearest.partition_point(|(_, other)| *other >= cosine);
            nearest.insert(at, (*row, cosine));
            nearest.truncate(most);
        }
        nearest
    }

    /// Returns the places of what may be nearest: all, or of many those whose signs agree most.
    fn likely(&self, meant: &Vector) -> Vec<usize> {
        if self.rows.len() <= MANY {
            return (0..self.rows.len()).collect();
        }
        let meant: Vec<u64> = signs(&meant.steps).collect();
        let differing = |row: &[u64]| {
            let words = row.iter().zip(&meant);
            words.map(|(one, other)| (one ^ other).count_ones() as usize).sum::<usize>()
        };
        let differing: Vec<usize> = self.signs.chunks_exact(self.words()).map(differing).collect();
        let mut rows_with = vec![0; self.dimensions + 1];
        for count in &differing {
            rows_with[*count] += 1;
        }
        let mut found = 0;
        let most = rows_with.iter().position(|rows| {
            found += rows;
            found >= RESCORED
        });
        let most = most.unwrap_or(self.dimensions);
        let likely = differing.iter().enumerate().filter(|(_, count)| **count <= most);
        likely.map(|(place, _)| place).collect()
    }

    /// Words that the signs of a row take.
    fn words(&self) -> usize {
        self.dimensions.div_ceil(64)
    }

    fn of(&self, place: usize) -> &[i8] {
        &self.steps[place * self.dimensions..][..self.dimensions]
    }
}

/// Returns which steps are positive.
fn signs(steps: &[i8]) -> impl Iterator<Item = u64> {
    let word = |steps: &[i8]| {
        steps.iter().enumerate().fold(0, |word, (bit, step)| word | u64::from(*step > 0) << bit)
    };
    steps.chunks(64).map(word)
}

/// Multiplies two rows of steps.
#[expect(
    clippy::cast_precision_loss,
    reason = "16,384 times 127² is half of what a float tells apart"
)]
fn product(one: &[i8], other: &[i8]) -> f32 {
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| i32::from(*one) * i32::from(*other)).sum::<i32>() as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(values: &[f32]) -> Vector {
        Vector::of(values).unwrap()
    }

    #[test]
    fn what_has_no_direction_is_no_vector() {
        for odd in [&[][..], &[0.0, 0.0], &[f32::NAN], &[f32::INFINITY, 1.0], &[f32::MAX, f32::MAX]]
        {
            assert_eq!(Vector::of(odd), None, "{odd:?}");
        }
        for odd in [&[][..], &[1, 2, 3], &[0, 0, 128, 63], &[0, 0, 0, 0, 1], &[0, 0, 192, 127, 1]] {
            assert_eq!(Vector::from_bytes(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn the_nearest_come_first_whatever_their_lengths() {
        let mut vectors = Vectors::default();
        let new = vec![
            (7, vector(&[0.0, 2.0])),
            (3, vector(&[5.0, 5.0])),
            (5, vector(&[-1.0, 0.0])),
            (3, vector(&[1.0, 0.0])),
        ];
        vectors.add(new).unwrap();
        vectors.add(vec![(4, vector(&[0.1, 0.0])), (7, vector(&[1.0, 0.0]))]).unwrap();
        assert_eq!(vectors.rows, [3, 4, 5, 7]);
        let near = |most, least| {
            let near = vectors.nearest(&vector(&[3.0, 0.0]), most, least);
            near.into_iter().map(|(row, _)| row).collect::<Vec<_>>()
        };
        assert_eq!(near(9, -2.0), [4, 3, 7, 5]);
        assert_eq!((near(2, -2.0), near(9, 0.9)), (vec![4, 3], vec![4]));
        let kept = vectors.with_only(|row| row > 4);
        assert_eq!((kept.len(), kept.has(5), kept.has(4)), (2, true, false));
        assert!(vectors.nearest(&vector(&[1.0]), 9, -2.0).is_empty());
        let odd = vectors.add(vec![(9, vector(&[1.0]))]).unwrap_err().to_string();
        assert!(odd.contains("2 dimensions") && odd.contains('1'), "{odd}");
    }

    #[test]
    fn of_many_the_nearest_is_found_all_the_same() {
        // Numbers that look random: a linear congruential generator.
        let mut state = 1_u32;
        let mut random = |dimensions: usize| -> Vec<f32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5
            };
            (0..dimensions).map(|_| next()).collect()
        };
        let all: Vec<Vec<f32>> = (0..12_000).map(|_| random(130)).collect();
        let mut vectors = Vectors::default();
        vectors.add((0..).zip(all.iter().map(|values| vector(values))).collect()).unwrap();
        for place in [0, 1, 4_711, 11_999] {
            // As near as a paraphrase is: a cosine of about 0.7.
            let noise = random(130);
            let near: Vec<f32> = all[place].iter().zip(noise).map(|(a, b)| a + b).collect();
            let found = vectors.nearest(&vector(&near), 8, 0.5);
            assert_eq!(found[0].0, i64::try_from(place).unwrap(), "{found:?}");
        }
        let few = vectors.with_only(|row| row < 3);
        assert_eq!(few.nearest(&vector(&all[2]), 1, 0.5)[0].0, 2);
    }

    proptest! {
        #[test]
        fn a_byte_a_dimension_is_near_enough(
            pairs in proptest::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 8..400)
        ) {
            let (one, other): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let length = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
            prop_assume!(length(&one) > 0.1 && length(&other) > 0.1);
            let dot: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
            let cosine = dot / (length(&one) * length(&other));
            let mut vectors = Vectors::default();
            let written = vector(&one).to_bytes();
            vectors.add(vec![(1, Vector::from_bytes(&written).unwrap())]).unwrap();
            let near = vectors.nearest(&vector(&other), 1, -2.0);
            prop_assert!((near[0].1 - cosine).abs() < 0.01, "{} {cosine}", near[0].1);
        }
    }
}
