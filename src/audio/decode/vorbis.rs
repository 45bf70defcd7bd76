//! Checks the setup header of Vorbis before symphonia sees it.
//!
//! symphonia refuses most of what is wrong in it and trusts the rest: what would make it panic is
//! refused here. Source: Vorbis I specification, sections 3.2.1, 4.2.4, 6.2.1, 7.2.2, 8.6.1.

use std::collections::HashMap;

use super::DecodeError;
use crate::audio::pages::{Page, PageReader};

const IDENTIFICATION: &[u8] = b"\x01vorbis";
const IDENTIFICATION_BYTES: usize = 30;
const SETUP: &[u8] = b"\x05vorbis";

/// symphonia's limits, without which its sums would overflow.
const MAX_DIMENSIONS: u32 = 32;
const MAX_ENTRIES: u32 = 128 * 1024;

/// Checks the setup headers of an Ogg file, whatever stream they are in.
pub(super) fn check_ogg(file: &[u8]) -> Result<(), DecodeError> {
    if !file.windows(IDENTIFICATION.len()).any(|bytes| bytes == IDENTIFICATION) {
        return Ok(());
    }
    let mut reader = PageReader::default();
    reader.push(file);
    // The beginning of each stream's last packet. One that could not be completed is checked too.
    let mut partial: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut page = |page: &Page| {
        let packet = partial.entry(page.serial).or_default();
        if !page.continued {
            packet.clear();
        }
        for piece in page.pieces() {
            packet.extend_from_slice(piece.bytes);
            if piece.ends {
                let packet = std::mem::take(packet);
                packet.strip_prefix(SETUP).map_or(Ok(()), |setup| {
                    LsbBits { bytes: setup, at: 0 }.codebooks().map(drop)
                })?;
            }
        }
        Ok(())
    };
    while let Some(next) = reader.next_page() {
        page(&next)?;
    }
    if reader.gave_up() {
        return refuse("too many of its pages are broken");
    }
    reader.finish().iter().try_for_each(page)
}

/// Checks the identification and setup headers, as they are handed to the decoder.
pub(super) fn check(headers: &[u8]) -> Result<(), DecodeError> {
    let halves = headers.split_at_checked(IDENTIFICATION_BYTES);
    let setup = halves.and_then(|(first, second)| Some((first[11], second.strip_prefix(SETUP)?)));
    let Some((channels @ 1.., setup)) = setup else { return refuse("its headers are cut off") };
    let mut bits = LsbBits { bytes: setup, at: 0 };
    let books = bits.codebooks()?;
    for _ in 0..=bits.take(6)? {
        // Placeholders of the time domain.
        bits.take(16)?;
    }
    for _ in 0..=bits.take(6)? {
        bits.floor(&books)?;
    }
    let residues = (0..=bits.take(6)?).map(|_| bits.residue()).collect::<Result<Vec<_>, _>>()?;
    (0..=bits.take(6)?).try_for_each(|_| bits.mapping(usize::from(channels), &residues))
}

fn refuse<T>(what: &str) -> Result<T, DecodeError> {
    Err(DecodeError::corrupt(format!("Vorbis: {what}")))
}

/// Returns how many bits a number takes.
fn width(number: u32) -> usize {
    (u32::BITS - number.leading_zeros()) as usize
}

/// Reads the bits of a packet, the lowest of each byte first.
struct LsbBits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl LsbBits<'_> {
    /// Reads up to 32 bits as a number.
    fn take(&mut self, count: usize) -> Result<u32, DecodeError> {
        let start = self.at;
        self.skip(count)?;
        let bit = |at: usize| u32::from(self.bytes[at / 8] >> (at % 8) & 1);
        Ok((0..count).fold(0, |number, n| number | bit(start + n) << n))
    }

    fn skip(&mut self, count: usize) -> Result<(), DecodeError> {
        self.at += count;
        if self.at > 8 * self.bytes.len() { refuse("its setup header is cut off") } else { Ok(()) }
    }

    /// Reads all codebooks; returns how many entries each has.
    fn codebooks(&mut self) -> Result<Vec<u32>, DecodeError> {
        (0..=self.take(8)?).map(|_| self.codebook()).collect()
    }

    fn codebook(&mut self) -> Result<u32, DecodeError> {
        if self.take(24)? != 0x56_4342 {
            return refuse("a codebook has no sync pattern");
        }
        let (dimensions, entries) = (self.take(16)?, self.take(24)?);
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) || entries > MAX_ENTRIES {
            return refuse("a codebook has an impossible size");
        }
        let ordered = self.take(1)? == 1;
        if ordered {
            self.ordered_lengths(entries)?;
        } else if self.take(1)? == 1 {
            for _ in 0..entries {
                if self.take(1)? == 1 {
                    self.skip(5)?;
                }
            }
        } else {
            self.skip(5 * entries as usize)?;
        }
        let values = match self.take(4)? {
            0 => return Ok(entries),
            1 => table_side(entries, dimensions)?,
            2 => entries * dimensions,
            _ => return refuse("a codebook has an unknown table"),
        };
        self.skip(64)?;
        let value_bits = self.take(4)? + 1;
        self.skip(1 + (values * value_bits) as usize)?;
        Ok(entries)
    }

    /// Skips code lengths that grow from entry to entry.
    fn ordered_lengths(&mut self, entries: u32) -> Result<(), DecodeError> {
        let (mut length, mut left) = (self.take(5)? + 1, entries);
        while left > 0 {
            let alike = self.take(width(left))?;
            if alike > left || (alike > 0 && length > 32) {
                return refuse("a codebook has codes that are too long");
            }
            left -= alike;
            length += 1;
        }
        Ok(())
    }

    fn floor(&mut self, books: &[u32]) -> Result<(), DecodeError> {
        if self.take(16)? == 0 {
            self.skip(54)?;
            let number = self.take(4)? as usize + 1;
            // Their indexes have 5 bits then, and may name a book that does not exist.
            return if number == 16 {
                refuse("a floor has 16 codebooks")
            } else {
                self.skip(8 * number)
            };
        }
        let partitions = self.take(5)?;
        let classes = (0..partitions).map(|_| self.take(4)).collect::<Result<Vec<_>, _>>()?;
        let mut dimensions = Vec::new();
        for _ in 0..classes.iter().max().map_or(0, |class| class + 1) {
            dimensions.push(self.take(3)? + 1);
            let subclass_bits = self.take(2)?;
            self.skip(if subclass_bits > 0 { 8 } else { 0 })?;
            for _ in 0..1 << subclass_bits {
                // Heights are below 256. Far higher ones would overflow.
                let book = (self.take(8)? as usize).checked_sub(1).map(|book| books.get(book));
                if book.is_some_and(|entries| entries.is_none_or(|&entries| entries > 1 << 15)) {
                    return refuse("a floor refers to an invalid codebook");
                }
            }
        }
        self.skip(2)?;
        let range_bits = self.take(4)? as usize;
        for class in classes {
            for _ in 0..dimensions[class as usize] {
                // 0 is in every floor already, and no position may occur twice.
                if self.take(range_bits)? == 0 {
                    return refuse("a floor has the same position twice");
                }
            }
        }
        Ok(())
    }

    /// Reads a residue; returns its type.
    fn residue(&mut self) -> Result<u32, DecodeError> {
        let kind = self.take(16)?;
        self.skip(72)?;
        let classes = self.take(6)? + 1;
        self.skip(8)?;
        let mut books = 0;
        for _ in 0..classes {
            let low = self.take(3)?;
            let high = if self.take(1)? == 1 { self.take(5)? } else { 0 };
            books += low.count_ones() + high.count_ones();
        }
        self.skip(8 * books as usize)?;
        Ok(kind)
    }

    fn mapping(&mut self, channels: usize, residues: &[u32]) -> Result<(), DecodeError> {
        self.skip(16)?;
        let submaps = if self.take(1)? == 1 { self.take(4)? + 1 } else { 1 };
        if self.take(1)? == 1 {
            let steps = self.take(8)? as usize + 1;
            let last = u32::try_from(channels - 1).unwrap_or(u32::MAX);
            self.skip(2 * steps * width(last))?;
        }
        self.skip(2)?;
        let mut used = vec![0; channels];
        if submaps > 1 {
            for submap in &mut used {
                *submap = self.take(4)?;
            }
        }
        for submap in 0..submaps {
            self.skip(16)?;
            let kind = residues.get(self.take(8)? as usize);
            let mut with = (0..channels).filter(|&channel| used[channel] == submap);
            // symphonia counts the second channel from the first one on.
            if let (Some(2), Some(first), Some(second), None) =
                (kind, with.next(), with.next(), with.next())
                && first + second >= channels
            {
                return refuse("two coupled channels are mixed with others");
            }
        }
        Ok(())
    }
}

/// Returns the greatest number whose power by the dimensions is at most `entries` (section 9.2.3).
/// symphonia finds it with the same sum, and asserts that the sum was exact.
#[expect(clippy::cast_precision_loss, reason = "numbers of at most 18 bits")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most `entries`")]
fn table_side(entries: u32, dimensions: u32) -> Result<u32, DecodeError> {
    let side = (entries as f32).powf(1.0 / dimensions as f32).floor() as u32;
    let below = side.checked_pow(dimensions).is_some_and(|power| power <= entries);
    let above = (side + 1).checked_pow(dimensions).is_some_and(|power| power > entries);
    if below && above { Ok(side) } else { refuse("a codebook has a table of impossible size") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes one codebook without codes, with a table.
    fn book(dimensions: u8, entries: u8) -> Vec<u8> {
        let mut bits = vec![0, b'B', b'C', b'V', dimensions, 0, entries, 0, 0];
        // Sparse, no entry used; a table of type 1; minimum, step, widths and values are 0.
        bits.extend([0b10, 0b100, 0, 0]);
        bits.extend([0; 300]);
        bits
    }

    #[test]
    fn tables_that_symphonia_would_panic_at_are_refused() {
        let books = |bytes: &[u8]| LsbBits { bytes, at: 0 }.codebooks();
        assert_eq!(table_side(81, 4), Ok(3));
        assert_eq!(table_side(1, 31), Ok(1));
        assert!(table_side(1, 32).is_err());
        assert!(books(&book(0, 9)).unwrap_err().to_string().contains("impossible size"));
        assert!(books(&book(33, 9)).unwrap_err().to_string().contains("impossible size"));
        assert!(books(&book(2, 0)[..6]).unwrap_err().to_string().contains("cut off"));
        assert_eq!(books(&book(2, 9)), Ok(vec![9]));
    }
}
