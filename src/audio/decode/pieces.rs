//! Cuts a file into the files that were appended to each other in it: a recorder that was stopped
//! and started again, or a program that joins recordings, writes such ones.
//!
//! A container's reader stops where the first file ends. Each piece gets a reader of its own.

use super::{flac, format::Format, ogg_links};
use crate::audio::limits::MAX_LINKS;

/// Longest header of a Matroska file, and longest `ftyp` of an MP4.
const MOST_HEAD: usize = 64;
const MOST_BRANDS: usize = 256;

/// Boxes that follow the first one of an MP4.
const BOXES: [&[u8; 4]; 10] =
    [b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"uuid", b"meta"];

/// Returns the pieces in order, and how many bytes are in none.
pub(super) fn pieces(file: Vec<u8>, format: Format) -> (Vec<Vec<u8>>, u64) {
    let mut unheard = 0;
    let mut pieces = match format {
        Format::Flac => flac::alike(file),
        Format::Matroska => matroska(file),
        Format::Mp4 => cut(file, is_mp4),
        Format::Aiff => cut(file, |bytes| {
            bytes.starts_with(b"FORM") && matches!(bytes.get(8..12), Some(b"AIFF" | b"AIFC"))
        }),
        Format::Ogg => {
            let links = ogg_links::split(&file);
            unheard = links.unheard;
            links.files
        }
        _ => vec![file],
    };
    let rest = pieces.split_off(pieces.len().min(MAX_LINKS));
    unheard += rest.iter().map(|piece| piece.len() as u64).sum::<u64>();
    (pieces, unheard)
}

/// Cuts wherever a file begins; behind the most that are read, everything is one piece.
pub(super) fn cut(mut file: Vec<u8>, begins: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let starts = (1..file.len()).filter(|at| begins(&file[*at..])).take(MAX_LINKS);
    let starts: Vec<usize> = starts.collect();
    // From the end, so that no byte is held twice and the usual file is not copied.
    let mut pieces: Vec<_> = starts.iter().rev().map(|at| file.split_off(*at)).collect();
    pieces.push(file);
    pieces.reverse();
    pieces
}

/// Cuts at every header, and at every segment that follows another one under the same header.
fn matroska(file: Vec<u8>) -> Vec<Vec<u8>> {
    let is_header = |bytes: &[u8]| {
        let head = &bytes[..bytes.len().min(MOST_HEAD)];
        let kind = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        bytes.starts_with(b"\x1a\x45\xdf\xa3")
            && (kind(b"\x42\x82\x84webm") || kind(b"\x42\x82\x88matroska"))
    };
    let is_segment = |bytes: &[u8]| {
        bytes.starts_with(b"\x18\x53\x80\x67")
            && bytes.get(4).is_some_and(|size| {
                let inner = bytes.get(4 + size.leading_zeros() as usize + 1..).unwrap_or_default();
                [b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b"]
                    .iter()
                    .any(|id| inner.starts_with(*id))
            })
    };
    let under_header = |file: Vec<u8>| {
        let mut segments = cut(file, is_segment);
        // A longer one is none, and would be repeated before every segment.
        if segments.len() < 2 || segments[0].len() > MOST_HEAD {
            return vec![segments.concat()];
        }
        let header = segments.remove(0);
        segments.iter().map(|segment| [&header[..], segment].concat()).collect()
    };
    cut(file, is_header).into_iter().flat_map(under_header).collect()
}

fn is_mp4(bytes: &[u8]) -> bool {
    let Some((&[a, b, c, d, b'f', b't', b'y', b'p'], _)) = bytes.split_first_chunk() else {
        return false;
    };
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    let next = bytes.get(size.saturating_add(4)..).and_then(|next| next.first_chunk::<4>());
    (16..=MOST_BRANDS).contains(&size) && next.is_some_and(|next| BOXES.contains(&next))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm";
    const SEGMENT: &[u8] = b"\x18\x53\x80\x67\x84\x11\x4d\x9b\x74";

    #[test]
    fn every_segment_gets_the_header() {
        let (pieces, unheard) = pieces([HEADER, SEGMENT, SEGMENT].concat(), Format::Matroska);
        assert_eq!((pieces, unheard), (vec![[HEADER, SEGMENT].concat(); 2], 0));
    }

    #[test]
    fn hostile_pieces_take_no_more_room_than_the_file() {
        let many = [HEADER, &SEGMENT.repeat(100_000)].concat();
        let padded = [HEADER, &vec![0; 1 << 20], &SEGMENT.repeat(100_000)].concat();
        for file in [many, padded] {
            let size = file.len() as u64;
            let (pieces, _) = pieces(file, Format::Matroska);
            let held: usize = pieces.iter().map(Vec::len).sum();
            assert!(pieces.len() <= MAX_LINKS && held as u64 <= 2 * size, "{held} of {size}");
        }
    }
}
