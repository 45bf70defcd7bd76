//! Opus packets in, Ogg pages out: the file that is sent as a voice note.
//!
//! Last stop before the upload. Pages of at most one second, granules that count pre-skip, an end
//! trim that makes the note exactly as long as the sound, an end-of-stream page. Source: RFC 7845.

use bytes::Bytes;
use ogg::writing::{PacketWriteEndInfo, PacketWriter};

use crate::audio::{
    OggOpus, SampleRate,
    opus_head::OpusHead,
    span::{FRAME_MS, Packet, lookahead},
};

/// The one stream of the file, "hark". `WhatsApp` itself writes 0, which opusinfo remarks on.
const SERIAL: u32 = 0x6861_726b;

/// What the comment header names as the encoder.
const VENDOR: &[u8; VENDOR_LENGTH as usize] = b"hark";
const VENDOR_LENGTH: u32 = 4;

/// Packets on a page: one second, as RFC 7845 section 6 asks.
const PACKETS_PER_PAGE: u64 = 1000 / FRAME_MS as u64;

/// Granules, which are samples at 48 kHz, in a packet.
const GRANULES_PER_PACKET: u64 = 48 * FRAME_MS as u64;

/// Joins the packets of one or more spans to one note.
pub struct NoteMuxer {
    writer: PacketWriter<'static, Vec<u8>>,
    rate: SampleRate,
    pre_skip: u64,
    /// The latest packet: whether it is the last is not known yet.
    held: Option<Packet>,
    written: u64,
    taken: usize,
}

impl NoteMuxer {
    /// Begins a note whose sound is encoded at `rate`, one of Opus's.
    #[must_use]
    pub fn new(rate: SampleRate) -> Self {
        let pre_skip = lookahead(rate) as u64 * 48_000 / u64::from(rate.0);
        let head = OpusHead::mono(pre_skip, rate.0);
        let mut tags = OpusHead::TAGS.to_vec();
        tags.extend(VENDOR_LENGTH.to_le_bytes());
        tags.extend(VENDOR);
        tags.extend(0u32.to_le_bytes());
        let writer = PacketWriter::new(Vec::new());
        let mut muxer = Self { writer, rate, pre_skip, held: None, written: 0, taken: 0 };
        muxer.write(head.to_packet(), PacketWriteEndInfo::EndPage, 0);
        muxer.write(tags, PacketWriteEndInfo::EndPage, 0);
        muxer
    }

    /// Takes the next packets, in the order of the note.
    pub fn push(&mut self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            if let Some(held) = self.held.replace(packet) {
                self.written += 1;
                let end = if self.written.is_multiple_of(PACKETS_PER_PAGE) {
                    PacketWriteEndInfo::EndPage
                } else {
                    PacketWriteEndInfo::NormalPacket
                };
                self.write(held.0, end, self.written * GRANULES_PER_PACKET);
            }
        }
    }

    /// Returns the bytes of the pages that were completed since the last call.
    pub fn take_pages(&mut self) -> Vec<u8> {
        let fresh = self.writer.inner()[self.taken..].to_vec();
        self.taken += fresh.len();
        fresh
    }

    /// Ends the note after `total_samples` of sound at the rate the note began with, and returns
    /// the whole file. Without a single packet that is a file of headers alone.
    #[must_use]
    pub fn finish(mut self, total_samples: u64) -> OggOpus {
        self.end(total_samples);
        OggOpus(Bytes::from(self.writer.into_inner()))
    }

    /// Ends the note and returns the pages that [`Self::take_pages`] has not returned.
    pub(in crate::audio) fn finish_pages(mut self, total_samples: u64) -> Vec<u8> {
        self.end(total_samples);
        self.take_pages()
    }

    fn end(&mut self, total_samples: u64) {
        let Some(last) = self.held.take() else { return };
        self.written += 1;
        let encoded = self.written * GRANULES_PER_PACKET;
        let heard = self.pre_skip + total_samples * 48_000 / u64::from(self.rate.0);
        self.write(last.0, PacketWriteEndInfo::EndStream, heard.min(encoded));
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, granule: u64) {
        self.writer.write_packet(packet, SERIAL, end, granule).expect("a Vec takes every write");
    }
}
