//! Reduces FLAC files to what decoding needs before symphonia reads them.
//!
//! Broken comments and pictures do not matter to the sound, and the head of a file may be wrong
//! about what every frame states. Source: RFC 9639.

use super::pieces::cut;
use crate::audio::limits::MAX_LINKS;

/// The metadata block that describes the stream, and its length.
const STREAM_INFO: u8 = 0;
const STREAM_INFO_BYTES: usize = 34;

/// Rebuilds a file from its head and its frames; `None` if they are not where the lengths say.
fn tidy(file: &[u8]) -> Option<Vec<u8>> {
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

/// Returns the rate, the channels and the length in frames that the head of a file declares.
pub(super) fn declared(file: &[u8]) -> Option<(u32, usize, u64)> {
    let (&[_, _, _, _, kind, ..], rest) = file.split_first_chunk::<8>()?;
    let info = rest.first_chunk::<STREAM_INFO_BYTES>().filter(|_| kind & 0x7f == STREAM_INFO)?;
    let packed = u64::from_be_bytes(*info[10..].first_chunk()?);
    let rate = u32::try_from(packed >> 44).ok()?;
    let channels = usize::from(info[12] >> 1 & 7) + 1;
    Some((rate, channels, packed & ((1 << 36) - 1)))
}

/// Cuts a file into files whose frames are alike in rate, channels and bits: symphonia knows one
/// kind, and drops the others. Files that were appended to each other are cut, too.
pub(super) fn alike(file: Vec<u8>) -> Vec<Vec<u8>> {
    let files = cut(file, |bytes| {
        bytes.starts_with(b"fLaC\0\0\0\x22") || bytes.starts_with(b"fLaC\x80\0\0\x22")
    });
    files
        .into_iter()
        .flat_map(|file| match tidy(&file) {
            Some(tidied) => {
                drop(file);
                runs(tidied)
            }
            None => vec![file],
        })
        .collect()
}

/// Cuts a file that [`tidy`] made where its frames change.
fn runs(mut file: Vec<u8>) -> Vec<Vec<u8>> {
    let (start, frames) = file.split_at(8 + STREAM_INFO_BYTES);
    let Some(mut kind) = FrameKind::read(frames) else { return vec![file] };
    let mut cuts = vec![(0, kind)];
    // 0 at the end of each frame, whose last two bytes are its checksum.
    let mut checksum = 0u16;
    for (at, byte) in frames.iter().enumerate() {
        if let Some(next) = (*byte == 0xff).then(|| FrameKind::read(&frames[at..])).flatten() {
            if next == kind {
                checksum = 0;
            } else if checksum == 0 {
                kind = next;
                cuts.push((at, kind));
            }
        }
        checksum = checksum << 8 ^ CHECKSUMS[usize::from((checksum >> 8) as u8 ^ byte)];
    }
    if let [(_, kind)] = cuts[..] {
        kind.describe(&mut file[8..8 + STREAM_INFO_BYTES]);
        return vec![file];
    }
    if cuts.len() > MAX_LINKS {
        return vec![file];
    }
    let ends = cuts.iter().skip(1).map(|(at, _)| *at).chain([frames.len()]);
    let run = |(&(at, kind), end): (&(usize, FrameKind), usize)| {
        let mut run = [start, &frames[at..end]].concat();
        kind.describe(&mut run[8..8 + STREAM_INFO_BYTES]);
        run
    };
    cuts.iter().zip(ends).map(run).collect()
}

/// CRC-16 of each byte (polynomial 0x8005).
const CHECKSUMS: [u16; 256] = {
    let mut table = [0; 256];
    let (mut byte, mut high) = (0, 0u16);
    while byte < 256 {
        let (mut checksum, mut bit) = (high << 8, 0);
        while bit < 8 {
            checksum = checksum << 1 ^ if checksum >> 15 == 1 { 0x8005 } else { 0 };
            bit += 1;
        }
        table[byte] = checksum;
        byte += 1;
        high += 1;
    }
    table
};

/// Describes the sound of a frame; what the frame leaves to the head of the file is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameKind {
    rate: Option<u32>,
    channels: u8,
    bits: Option<u8>,
    /// Its length may differ from that of other frames.
    variable: bool,
}

impl FrameKind {
    /// Reads the header of a frame; `None` if `bytes` do not begin with one whose checksum is
    /// correct.
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0xff, sync @ (0xf8 | 0xf9), codes, kind, number, ..] = bytes else { return None };
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
        // No decoder has room for 65 536 samples.
        let too_long = block == 2 && head[4 + number..].starts_with(&[0xff; 2]);
        if kind & 1 != 0 || rest.first() != Some(&checksum) || too_long {
            return None;
        }
        let long =
            head[4 + number + block..].iter().fold(0, |rate, byte| rate << 8 | u32::from(*byte));
        let rate = match rate {
            0 => None,
            12 => Some(long * 1_000),
            13 => Some(long),
            14 => Some(long * 10),
            rate => Some(*RATES.get(usize::from(rate))?),
        };
        let channels = match kind >> 4 {
            alone @ 0..8 => alone + 1,
            // Left, right and their difference, in pairs.
            8..11 => 2,
            _ => return None,
        };
        let bits = match kind >> 1 & 7 {
            0 => None,
            code => Some(*BITS.get(usize::from(code)).filter(|bits| **bits > 0)?),
        };
        Some(Self { rate, channels, bits, variable: sync == 0xf9 })
    }

    /// Makes the head of a file describe such frames, of any length and number.
    fn describe(self, info: &mut [u8]) {
        // A least length below the greatest one says that they vary.
        info[..4].copy_from_slice(if self.variable { &[0, 16, 0xff, 0xff] } else { &[0xff; 4] });
        info[4..10].fill(0);
        if let Some(rate) = self.rate {
            let [_, high, middle, low] = (rate << 4).to_be_bytes();
            (info[10], info[11], info[12]) = (high, middle, low | info[12] & 0xf);
        }
        info[12] = info[12] & 0b1111_0001 | (self.channels - 1) << 1;
        if let Some(bits) = self.bits {
            info[12] = info[12] & 0b1111_1110 | (bits - 1) >> 4;
            info[13] = (bits - 1) << 4;
        }
        // Unknown: samples, and their checksum.
        info[13] &= 0xf0;
        info[14..].fill(0);
    }
}

/// Rates and bits by their codes; 0 where a code means something else.
const RATES: [u32; 12] =
    [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const BITS: [u8; 8] = [0, 8, 12, 0, 16, 20, 24, 32];

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
    fn a_change_of_rate_begins_another_file() {
        // Frame headers of 44.1 kHz and 32 kHz, each with its checksum and that of such a frame.
        let frame = |head: [u8; 7]| {
            let checksum = head.iter().fold(0u16, |checksum, byte| {
                checksum << 8 ^ CHECKSUMS[usize::from((checksum >> 8) as u8 ^ byte)]
            });
            [&head[..], &checksum.to_be_bytes()].concat()
        };
        let first = frame([0xff, 0xf8, 0x69, 0x98, 0, 15, 0x99]);
        let second = frame([0xff, 0xf8, 0x68, 0x98, 0, 15, 0x8f]);
        let file = |frames: &[&Vec<u8>]| {
            let frames: Vec<u8> = frames.iter().copied().flatten().copied().collect();
            [b"fLaC\x80\0\0\x22", &[7; 34][..], &frames].concat()
        };
        assert_eq!(runs(file(&[&first, &first])).len(), 1);
        let cut = runs(file(&[&first, &second, &second]));
        assert_eq!(cut[0][42..], first);
        assert_eq!((cut.len(), &cut[1][42..]), (2, &[&second[..], &second].concat()[..]));
        // 32 kHz, two channels, 16 bits.
        assert_eq!(cut[1][18..22], [0x07, 0xd0, 0x02, 0xf0]);
    }
}
