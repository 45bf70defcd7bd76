//! Reads what a voice note says about itself, from its pages, without decoding.
//!
//! Used by tests, which look at what was made.

use crate::audio::{
    DecodeError,
    opus_head::OpusHead,
    pages::{Page, PageReader},
};

/// Holds the headers and the length of an Ogg/Opus file.
#[derive(Clone, Debug, PartialEq)]
pub struct NoteHead {
    /// 1 to 8.
    pub channels: u8,
    /// Samples at 48 kHz that a player drops at the beginning.
    pub pre_skip: u16,
    /// Rate before encoding, in Hz; informational only.
    pub input_rate: u32,
    /// The encoder's name; empty if the comment header is missing.
    pub vendor: String,
    /// The comments, each `NAME=value`.
    pub comments: Vec<String>,
    /// Length of the audible part, without pre-skip and end trim.
    pub duration_ms: f64,
    /// Packets with sound.
    pub packets: usize,
    /// Whether the stream ends with an end-of-stream page; a genuine `WhatsApp` note does not.
    pub ends: bool,
}

/// Reads headers and length of the first Opus stream of `bytes`.
///
/// # Errors
/// `Corrupt` if there is no Opus stream in Ogg pages, `Unsupported` for more than eight channels.
pub fn inspect_note(bytes: &[u8]) -> Result<NoteHead, DecodeError> {
    let mut reader = PageReader::default();
    reader.push(bytes);
    let mut pages: Vec<Page> = std::iter::from_fn(|| reader.next_page()).collect();
    pages.extend(reader.finish());

    let first = pages
        .iter()
        .position(|page| page.first && page.body().starts_with(OpusHead::MAGIC))
        .ok_or_else(|| DecodeError::corrupt("no Opus stream in Ogg pages"))?;
    let head = OpusHead::parse(pages[first].body())?;
    let serial = pages[first].serial;
    let mut stream = StreamSummary::default();
    for page in pages[first + 1..].iter().filter(|page| page.serial == serial) {
        if page.first {
            break;
        }
        stream.page(page);
    }
    Ok(NoteHead {
        channels: head.channels,
        pre_skip: head.pre_skip,
        input_rate: head.input_rate,
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        duration_ms: stream.granules().saturating_sub(head.pre_skip.into()) as f64 / 48.0,
        vendor: stream.tags.first().cloned().unwrap_or_default(),
        comments: stream.tags.into_iter().skip(1).collect(),
        packets: stream.packets,
        ends: stream.ends,
    })
}

#[derive(Default)]
struct StreamSummary {
    /// The encoder's name and the comments; empty before the comment header.
    tags: Vec<String>,
    packets: usize,
    /// Granules of all packets so far.
    coded: u64,
    /// Granule before the first packet.
    base: Option<u64>,
    end: Option<u64>,
    ends: bool,
    partial: Vec<u8>,
}

impl StreamSummary {
    fn page(&mut self, page: &Page) {
        let before = self.coded;
        for piece in page.pieces() {
            self.partial.extend_from_slice(piece.bytes);
            if piece.ends {
                let packet = std::mem::take(&mut self.partial);
                self.packet(&packet);
            }
        }
        if let (Some(granule), true) = (page.granule, self.coded > before) {
            let base = granule.saturating_sub(self.coded);
            self.base.get_or_insert(base);
            self.end = Some(granule);
        }
        self.ends |= page.last;
    }

    fn packet(&mut self, packet: &[u8]) {
        if let (true, Some(tags)) = (self.tags.is_empty(), packet.strip_prefix(OpusHead::TAGS)) {
            self.tags = read_tags(tags);
            return;
        }
        self.packets += 1;
        self.coded += opus::packet::get_nb_samples(packet, 48_000).unwrap_or(0) as u64;
    }

    /// Returns the length from the first packet to the end that the last page states, pre-skip
    /// included.
    fn granules(&self) -> u64 {
        match (self.base, self.end) {
            (Some(base), Some(end)) => end.saturating_sub(base),
            _ => self.coded,
        }
    }
}

/// Reads the encoder's name, empty if it is cut off, and as many comments as are whole.
fn read_tags(tags: &[u8]) -> Vec<String> {
    let (vendor, rest) = text(tags).unwrap_or_default();
    let mut all = vec![vendor];
    let mut rest = rest.get(4..).unwrap_or_default();
    while let Some((comment, next)) = text(rest) {
        all.push(comment);
        rest = next;
    }
    all
}

/// Reads a text after its length, and returns what follows it.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((String::from_utf8_lossy(text).into_owned(), rest))
}
