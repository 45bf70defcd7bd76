//! Opus packets in, Ogg pages out: the file that is sent as a voice note.
//!
//! The last step before the upload. Pages of at most one second, granules that count pre-skip, an
//! end trim that makes the note exactly as long as the sound, an end-of-stream page. Source: RFC
//! 7845.

use bytes::Bytes;
use ogg::writing::{PacketWriteEndInfo, PacketWriter};

use crate::audio::{
    CodedSpeech, OggOpus, SampleRate,
    opus_head::OpusHead,
    span::{Packet, lookahead},
};

/// Serial number of the only stream, "hark". `WhatsApp` itself writes 0, which opusinfo warns
/// about.
const SERIAL: u32 = 0x6861_726b;

/// Name of the encoder in the comment header.
const VENDOR: &[u8; VENDOR_LENGTH as usize] = b"hark";
const VENDOR_LENGTH: u32 = 4;

/// What the comment header of every note says: that a machine speaks, for programs that look for it
/// (EU AI Act, article 50 (2)). The second is IPTC's field and value for it, which C2PA uses too.
/// Source: <https://cv.iptc.org/newscodes/digitalsourcetype/>.
const COMMENTS: [&str; 2] = [
    "SYNTHETIC_SPEECH=1",
    "DIGITALSOURCETYPE=http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
];

/// Sound on a page, in granules, which are samples at 48 kHz: one second, as RFC 7845 section 6
/// asks.
const GRANULES_PER_PAGE: u64 = 48_000;

/// Joins the packets of one or more spans into one note.
pub struct NoteMuxer {
    writer: PacketWriter<'static, Vec<u8>>,
    pre_skip: u64,
    /// The latest packet; whether it is the last is not known yet.
    held: Option<Packet>,
    /// Granules of the packets that were written.
    written: u64,
    /// Granules of the packets on the incomplete page.
    on_page: u64,
    taken: usize,
}

impl NoteMuxer {
    /// Begins a note whose sound we encode at `rate`, one of Opus's rates.
    #[must_use]
    pub fn new(rate: SampleRate) -> Self {
        let pre_skip = rate.granules(lookahead(rate) as u64);
        let pre_skip = u16::try_from(pre_skip).expect("6.5 ms at 48 kHz are 312 samples");
        Self::with_pre_skip(pre_skip, rate)
    }

    /// Begins a note whose first packets bring their own pre-skip, in samples at 48 kHz. `rate` is
    /// the rate before encoding, informational only.
    #[must_use]
    pub fn with_pre_skip(pre_skip: u16, rate: SampleRate) -> Self {
        Self::commented(pre_skip, rate, &COMMENTS)
    }

    /// Joins recordings of people, which nothing says a machine spoke, to one file.
    #[must_use]
    pub fn join(recordings: &[CodedSpeech]) -> OggOpus {
        let pre_skip = recordings.first().map_or(0, CodedSpeech::pre_skip);
        let padding = recordings.last().map_or(0, CodedSpeech::padding_granules);
        let mut muxer = Self::commented(pre_skip, SampleRate::SPEECH, &[]);
        muxer.push(recordings.iter().flat_map(CodedSpeech::packets).cloned());
        let coded: u64 = recordings.iter().map(CodedSpeech::coded_granules).sum();
        muxer.finish(coded.saturating_sub(padding + u64::from(pre_skip)))
    }

    fn commented(pre_skip: u16, rate: SampleRate, comments: &[&str]) -> Self {
        let head = OpusHead::mono(pre_skip, rate.0);
        let writer = PacketWriter::new(Vec::new());
        let mut muxer = Self {
            writer,
            pre_skip: pre_skip.into(),
            held: None,
            written: 0,
            on_page: 0,
            taken: 0,
        };
        muxer.write(head.to_packet(), PacketWriteEndInfo::EndPage, 0);
        muxer.write(tags(comments), PacketWriteEndInfo::EndPage, 0);
        muxer
    }

    /// Takes the next packets, in the order of the note.
    pub fn push(&mut self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            if let Some(held) = self.held.replace(packet) {
                let granules = held.granules();
                self.written += granules;
                self.on_page += granules;
                let end = if self.on_page + granules > GRANULES_PER_PAGE {
                    self.on_page = 0;
                    PacketWriteEndInfo::EndPage
                } else {
                    PacketWriteEndInfo::NormalPacket
                };
                self.write(held.0, end, self.written);
            }
        }
    }

    /// Returns the bytes of the pages that were completed since the last call.
    pub fn take_pages(&mut self) -> Vec<u8> {
        let fresh = self.writer.inner()[self.taken..].to_vec();
        self.taken += fresh.len();
        fresh
    }

    /// Ends the note after `granules` of audible sound, pre-skip not counted, and returns the file.
    /// Without any packet the file has headers only.
    #[must_use]
    pub fn finish(mut self, granules: u64) -> OggOpus {
        self.end(granules);
        OggOpus(Bytes::from(self.writer.into_inner()))
    }

    /// Ends the note and returns the pages that [`Self::take_pages`] has not returned.
    pub(in crate::audio) fn finish_pages(mut self, granules: u64) -> Vec<u8> {
        self.end(granules);
        self.take_pages()
    }

    fn end(&mut self, granules: u64) {
        let Some(last) = self.held.take() else { return };
        self.written += last.granules();
        let end = (self.pre_skip + granules).min(self.written);
        self.write(last.0, PacketWriteEndInfo::EndStream, end);
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, granule: u64) {
        self.writer.write_packet(packet, SERIAL, end, granule).expect("a Vec takes every write");
    }
}

/// Returns the comment header (RFC 7845 section 5.2).
fn tags(comments: &[&str]) -> Vec<u8> {
    let mut tags = OpusHead::TAGS.to_vec();
    tags.extend(VENDOR_LENGTH.to_le_bytes());
    tags.extend(VENDOR);
    let counted = |length: usize| u32::try_from(length).expect("a few lines").to_le_bytes();
    tags.extend(counted(comments.len()));
    for comment in comments {
        tags.extend(counted(comment.len()));
        tags.extend(comment.as_bytes());
    }
    tags
}
