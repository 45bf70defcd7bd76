//! Reduces FLAC files to what decoding needs before symphonia reads them.
//!
//! Broken comments and pictures do not matter to the sound, and the head of a file may be wrong
//! about the channels, which every frame states. Source: RFC 9639.

/// The metadata block that describes the stream, and its length.
const STREAM_INFO: u8 = 0;
const STREAM_INFO_BYTES: usize = 34;

/// Rebuilds a file from its head and its frames; `None` if they are not where the lengths say.
pub(super) fn tidy(file: &[u8]) -> Option<Vec<u8>> {
    let mut rest = file.get(4..)?;
    let mut info: Option<[u8; STREAM_INFO_BYTES]> = None;
    loop {
        let (&[kind, l0, l1, l2], after) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let (block, after) = after.split_at_checked(length)?;
        if kind & 0x7f == STREAM_INFO {
            info = info.or(block.try_into().ok());
        }
        rest = after;
        if kind & 0x80 != 0 {
            break;
        }
    }
    let mut info = info?;
    let &[0xff, 0xf8 | 0xf9, _, kind, ..] = rest else { return None };
    let channels_less_one = match kind >> 4 {
        alone @ 0..8 => alone,
        // Left, right and their difference, in pairs.
        8..11 => 1,
        _ => return None,
    };
    info[12] = info[12] & 0b1111_0001 | channels_less_one << 1;
    let head = [0x80 | STREAM_INFO, 0, 0, 34];
    Some([b"fLaC", &head[..], &info, rest].concat())
}

/// Returns whether the rate changes within a file that [`tidy`] made. symphonia knows one rate and
/// drops the frames of others.
pub(super) fn changes_rate(file: &[u8]) -> bool {
    let frames = file.get(8 + STREAM_INFO_BYTES..).unwrap_or_default();
    let mut rates = (0..frames.len()).filter_map(|at| rate_code(&frames[at..]));
    let Some(first) = rates.next() else { return false };
    let (alike, other) =
        rates.fold((1, 0), |(a, b), rate| if rate == first { (a + 1, b) } else { (a, b + 1) });
    // Sound may look like a frame header now and then.
    other > alike / 10
}

/// Returns the code of the rate if `bytes` begin with a frame header whose checksum is correct.
fn rate_code(bytes: &[u8]) -> Option<u8> {
    let &[0xff, 0xf8 | 0xf9, codes, kind, number, ..] = bytes else { return None };
    let (block, rate) = (codes >> 4, codes & 0xf);
    let number = match number.leading_ones() {
        0 => 1,
        bytes @ 2..=7 => bytes as usize,
        _ => return None,
    };
    let block = match block {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let long_rate = match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let (head, rest) = bytes.split_at_checked(4 + number + block + long_rate)?;
    let checksum = head.iter().fold(0u8, |checksum, byte| {
        (0..8).fold(checksum ^ byte, |checksum, _| {
            checksum << 1 ^ if checksum >> 7 == 1 { 7 } else { 0 }
        })
    });
    (kind & 1 == 0 && rest.first() == Some(&checksum)).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(blocks: &[(u8, &[u8])]) -> Vec<u8> {
        let mut file = b"fLaC".to_vec();
        for (n, (kind, block)) in blocks.iter().enumerate() {
            let last = if n + 1 == blocks.len() { 0x80 } else { 0 };
            file.extend([kind | last, 0, 0, u8::try_from(block.len()).unwrap()]);
            file.extend(*block);
        }
        // A frame with two channels, stored as side and difference.
        file.extend([0xff, 0xf8, 0x69, 0x98, 0]);
        file
    }

    #[test]
    fn only_the_head_is_kept_and_has_the_channels_of_the_frames() {
        let mut info = [7; 34];
        let tidied = tidy(&file(&[(4, b"comment"), (0, &info), (6, b"picture")])).unwrap();
        info[12] = 0b0000_0011;
        assert_eq!(tidied, file(&[(0, &info)]));
        let whole = file(&[(0, &info)]);
        assert!((0..whole.len() - 1).all(|length| tidy(&whole[..length]).is_none()));
        assert_eq!(tidy(&file(&[(4, b"comment")])), None);
    }

    #[test]
    fn a_change_of_rate_is_seen() {
        // Frame headers of 44.1 kHz and 32 kHz, each with its checksum.
        let (first, second) =
            ([0xff, 0xf8, 0x69, 0x98, 0, 15, 0x99], [0xff, 0xf8, 0x68, 0x98, 0, 15, 0x8f]);
        let file = |heads: &[[u8; 7]]| [&[0; 42][..], heads.as_flattened()].concat();
        assert!(!changes_rate(&file(&[first, first])));
        assert!(changes_rate(&file(&[first, second])));
        assert!(!changes_rate(&file(&[])));
    }
}
