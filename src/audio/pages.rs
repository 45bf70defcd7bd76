//! Ogg pages out of a byte stream, for the Ogg/Opus decoder and `inspect_note`.
//!
//! Takes bytes in any portions and returns complete pages with a correct checksum; everything else
//! is skipped up to the next capture pattern. Memory: at most one page (65 307 bytes) beyond the
//! last portion. Source: RFC 3533 section 6.

use ogg::reading::PageParser;

use crate::audio::limits::MAX_BAD_PAGES;

/// Start of every page.
pub(in crate::audio) const CAPTURE: &[u8; 4] = b"OggS";

const HEADER: usize = 27;

/// Holds one page of one logical stream.
#[derive(Debug)]
pub(in crate::audio) struct Page {
    pub(in crate::audio) serial: u32,
    pub(in crate::audio) sequence: u32,
    /// End of the last packet that ends here, in the codec's unit; `None` if no packet ends here or
    /// the page was cut off.
    pub(in crate::audio) granule: Option<u64>,
    /// Begins a logical stream.
    pub(in crate::audio) first: bool,
    /// Ends a logical stream.
    pub(in crate::audio) last: bool,
    /// The first packet began on an earlier page.
    pub(in crate::audio) continued: bool,
    lacing: Vec<u8>,
    body: Vec<u8>,
}

/// Holds the piece of a packet that is on one page.
pub(in crate::audio) struct PacketPiece<'a> {
    pub(in crate::audio) bytes: &'a [u8],
    /// The packet ends with this piece.
    pub(in crate::audio) ends: bool,
}

impl Page {
    /// Returns all bytes of all packets.
    pub(in crate::audio) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the bytes of the complete page.
    pub(in crate::audio) fn length(&self) -> usize {
        HEADER + self.lacing.len() + self.body.len()
    }

    /// Returns the pieces of packets in order; only the last may be unfinished.
    pub(in crate::audio) fn pieces(&self) -> impl Iterator<Item = PacketPiece<'_>> {
        let mut at = 0;
        self.lacing.split_inclusive(|&lace| lace < 255).map(move |laces| {
            let length: usize = laces.iter().map(|&lace| usize::from(lace)).sum();
            let bytes = &self.body[at..at + length];
            at += length;
            PacketPiece { bytes, ends: laces.last().is_some_and(|&lace| lace < 255) }
        })
    }
}

/// Cuts a byte stream into pages.
#[derive(Default)]
pub(in crate::audio) struct PageReader {
    buffer: Vec<u8>,
    at: usize,
    bad: usize,
    skipped: u64,
}

impl PageReader {
    /// Takes more bytes.
    pub(in crate::audio) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.gave_up() {
            self.skipped += bytes.len() as u64;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Returns how many bytes were no pages.
    pub(in crate::audio) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Returns the bytes of the page that [`Self::next_page`] has just returned.
    pub(in crate::audio) fn latest(&self, page: &Page) -> &[u8] {
        &self.buffer[self.at - page.length()..self.at]
    }

    /// Returns the bytes behind that page.
    pub(in crate::audio) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.skipped += bytes as u64;
    }

    /// Returns the next page that is complete.
    pub(in crate::audio) fn next_page(&mut self) -> Option<Page> {
        while !self.gave_up() {
            let rest = &self.buffer[self.at..];
            let Some(skip) = rest.windows(4).position(|four| four == CAPTURE) else {
                // The pattern may be cut by the end of the portion.
                self.skip(rest.len().saturating_sub(3));
                return None;
            };
            self.skip(skip);
            let rest = &self.buffer[self.at..];
            let length = page_length(rest)?;
            if length > rest.len() {
                return None;
            }
            if let Some(page) = parse(&rest[..length]) {
                self.at += length;
                return Some(page);
            }
            self.bad += 1;
            self.skip(CAPTURE.len());
        }
        self.skipped += (self.buffer.len() - self.at) as u64;
        self.buffer.clear();
        self.at = 0;
        None
    }

    /// Returns what is left when the bytes have ended: pages after a false one, else the complete
    /// packets of a page that was cut off.
    pub(in crate::audio) fn finish(&mut self) -> Vec<Page> {
        let cut = self.buffer.get(self.at..).and_then(parse_cut);
        let skipped = self.skipped;
        let mut pages = Vec::new();
        while self.buffer.len() - self.at >= HEADER && !self.gave_up() {
            match self.next_page() {
                Some(page) => pages.push(page),
                // It waits for bytes that never come: look after this capture pattern.
                None if self.buffer[self.at..].starts_with(CAPTURE) => {
                    self.skip(CAPTURE.len());
                    self.bad += 1;
                }
                None => break,
            }
        }
        if pages.is_empty() {
            self.skipped = skipped;
            return cut.into_iter().collect();
        }
        pages
    }

    /// Returns whether there were too many false pages: whatever follows is not worth the time.
    pub(in crate::audio) fn gave_up(&self) -> bool {
        self.bad > MAX_BAD_PAGES
    }
}

/// Returns the length of the page that `bytes` begin with, once header and lacing are there.
fn page_length(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(HEADER - 1)?);
    let lacing = bytes.get(HEADER..HEADER + segments)?;
    Some(HEADER + segments + lacing.iter().map(|&lace| usize::from(lace)).sum::<usize>())
}

/// Parses a page of the right length; `None` if version or checksum is wrong.
fn parse(bytes: &[u8]) -> Option<Page> {
    let header: [u8; HEADER] = bytes[..HEADER].try_into().ok()?;
    let body_at = HEADER + usize::from(header[HEADER - 1]);
    let (mut parser, _) = PageParser::new(header).ok()?;
    parser.parse_segments(bytes[HEADER..body_at].to_vec());
    // The `ogg` crate checks the checksum; its packet reader is not used, since it hides the page
    // sequence numbers that reveal lost pages.
    parser.parse_packet_data(bytes[body_at..].to_vec()).ok()?;
    Some(read(&header, bytes[HEADER..body_at].to_vec(), bytes[body_at..].to_vec()))
}

/// Takes the complete packets of a page that ends too early. Its checksum cannot be checked.
fn parse_cut(bytes: &[u8]) -> Option<Page> {
    let header: [u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
    if !header.starts_with(CAPTURE) || header[4] != 0 {
        return None;
    }
    let body_at = HEADER + usize::from(header[HEADER - 1]);
    let lacing = bytes.get(HEADER..body_at)?;
    let mut room = bytes.len() - body_at;
    let mut whole = 0;
    let mut laces_seen = 0;
    let mut packet = 0;
    for &lace in lacing {
        laces_seen += 1;
        packet += usize::from(lace);
        if packet > room {
            break;
        }
        if lace < 255 {
            room -= packet;
            packet = 0;
            whole = laces_seen;
        }
    }
    let length: usize = lacing[..whole].iter().map(|&lace| usize::from(lace)).sum();
    let body = bytes[body_at..body_at + length].to_vec();
    let page = read(&header, lacing[..whole].to_vec(), body);
    (whole > 0).then_some(Page { granule: None, last: false, ..page })
}

fn read(header: &[u8; HEADER], lacing: Vec<u8>, body: Vec<u8>) -> Page {
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let granule = u64::from(word(6)) | u64::from(word(10)) << 32;
    Page {
        serial: word(14),
        sequence: word(18),
        granule: (granule != u64::MAX).then_some(granule),
        continued: header[5] & 1 != 0,
        first: header[5] & 2 != 0,
        last: header[5] & 4 != 0,
        lacing,
        body,
    }
}

#[cfg(test)]
mod tests {
    use ogg::writing::{PacketWriteEndInfo, PacketWriter};

    use super::*;

    fn three_pages() -> Vec<u8> {
        let mut writer = PacketWriter::new(Vec::new());
        for (granule, size) in [(1, 3), (2, 600), (3, 70_000)] {
            writer.write_packet(vec![7u8; size], 9, PacketWriteEndInfo::EndPage, granule).unwrap();
        }
        writer.into_inner()
    }

    fn granules(reader: &mut PageReader) -> Vec<Option<u64>> {
        std::iter::from_fn(|| reader.next_page()).map(|page| page.granule).collect()
    }

    #[test]
    fn pages_come_whole_from_any_portions_and_around_rubbish() {
        let clean = three_pages();
        let mut dirty = b"rubbish OggS and more rubbish that is long enough".to_vec();
        dirty.extend(&clean);
        for portion in [1, 13, 4096, 1 << 20] {
            let mut reader = PageReader::default();
            let mut seen = Vec::new();
            for bytes in dirty.chunks(portion) {
                reader.push(bytes);
                seen.extend(granules(&mut reader));
            }
            assert_eq!(seen, [Some(1), Some(2), None, Some(3)], "portions of {portion}");
        }
    }

    #[test]
    fn a_page_with_a_wrong_checksum_is_skipped() {
        let mut bytes = three_pages();
        bytes[28] ^= 1;
        let mut reader = PageReader::default();
        reader.push(&bytes);
        assert_eq!(granules(&mut reader), [Some(2), None, Some(3)]);
    }

    #[test]
    fn whole_packets_of_a_cut_page_are_kept() {
        let mut writer = PacketWriter::new(Vec::new());
        for n in 0..10u8 {
            let end =
                if n == 9 { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
            writer.write_packet(vec![n; 20], 1, end, 0).unwrap();
        }
        let bytes = writer.into_inner();
        let mut reader = PageReader::default();
        reader.push(&bytes[..bytes.len() - 30]);
        assert!(reader.next_page().is_none());
        let pages = reader.finish();
        assert_eq!(pages[0].pieces().count(), 8);
    }

    #[test]
    fn false_pages_do_not_cost_quadratic_time() {
        let mut bytes = Vec::new();
        while bytes.len() < 4 << 20 {
            bytes.extend(b"OggS\0");
            bytes.extend([255; 22]);
        }
        let mut reader = PageReader::default();
        reader.push(&bytes);
        assert!(reader.next_page().is_none());
        assert!(reader.gave_up());
    }
}
