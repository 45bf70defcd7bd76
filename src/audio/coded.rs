//! Speech that arrives as Ogg/Opus and may go into a note as it is, without a second encoding.
//!
//! Sits between a speech server and the muxer, beside the encoders. Invariant: what [`CodedSpeech`]
//! holds fits anywhere in a note: mono, no gain, complete, packets of one usual length. Everything
//! else has to be decoded and encoded again.
//!
//! At a join the decoder continues with the state of the previous sentence, where the encoder
//! started afresh. Nobody hears that: libopus begins a stream without leaning on what came before
//! (the error is 40 dB and more below the speech, from the first frame on, and zero with CELT).
//! Nothing is cut inside a packet: the pre-skip of a later sentence (6.5 ms as libopus writes it)
//! and the padding of the last packet of an earlier one (less than the packet) are played too, as
//! part of the pause between them. Only the beginning and the end of the note are trimmed.

use bytes::Bytes;

use crate::audio::{
    AudioLimits, DecodeError, Packet, Pcm, SampleRate, decode,
    limits::{MAX_OPUS_PACKET, MAX_PRE_SKIP},
    opus_head::OpusHead,
    pages::{Page, PageReader},
};

/// Packet lengths that notes have, in samples at 48 kHz: 10, 20, 40 and 60 ms. Longer ones are code
/// 3 packets that note players were not made for; shorter ones are mostly page overhead.
const PACKET_GRANULES: [u64; 4] = [480, 960, 1920, 2880];

/// The bit of a packet's first byte that means stereo (RFC 6716 section 3.1).
const STEREO: u8 = 4;

/// Says why a file cannot go into a note as it is: decode it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotPassable(pub &'static str);

/// Holds one sentence in Opus packets.
#[derive(Clone, Debug)]
pub struct CodedSpeech {
    file: Bytes,
    packets: Vec<Packet>,
    pre_skip: u16,
    /// Samples at 48 kHz in the packets after the end of the sound.
    padding: u64,
}

impl CodedSpeech {
    /// Reads a complete Ogg/Opus file.
    ///
    /// # Errors
    /// Says what keeps it from being passed through.
    pub fn read(file: Bytes) -> Result<Self, NotPassable> {
        let mut reader = PageReader::default();
        reader.push(&file);
        let pages: Vec<Page> = std::iter::from_fn(|| reader.next_page()).collect();
        let Some((first, rest)) = pages.split_first() else {
            return Err(NotPassable("it has no complete Ogg page"));
        };
        let head = head(first)?;
        let mut stream = PacketCollector { sequence: first.sequence, ..PacketCollector::default() };
        for page in rest {
            if page.first || page.serial != first.serial {
                return Err(NotPassable("it has more than one stream"));
            }
            stream.page(page)?;
        }
        let length: usize = pages.iter().map(Page::length).sum();
        if length != file.len() || !stream.partial.is_empty() {
            return Err(NotPassable("a page of it is damaged or cut off"));
        }
        let packets = stream.packets;
        let coded = check_packets(&packets)?;
        // Granules may begin anywhere (RFC 7845 section 4.5); the last one gives the end.
        let heard = stream.end.map_or(coded, |end| end.saturating_sub(stream.base.unwrap_or(0)));
        let padding = coded.saturating_sub(heard);
        if coded.saturating_sub(padding) <= u64::from(head.pre_skip) {
            return Err(NotPassable("it is empty"));
        }
        Ok(Self { file, packets, pre_skip: head.pre_skip, padding })
    }

    /// Decodes the sentence to 16 kHz, to be encoded again.
    ///
    /// # Errors
    /// Every [`DecodeError`].
    pub fn decode(&self) -> Result<Pcm, DecodeError> {
        let samples = decode(&self.file, AudioLimits::default())?.samples().to_vec();
        Ok(Pcm { samples, rate: SampleRate::SPEECH })
    }

    /// Returns the file that it was read from.
    #[must_use]
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    /// Returns the packets, as the server made them.
    #[must_use]
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// Returns the samples at 48 kHz to drop at the beginning.
    #[must_use]
    pub fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// Returns the samples at 48 kHz in all packets.
    #[must_use]
    pub fn coded_granules(&self) -> u64 {
        self.packets.iter().map(Packet::granules).sum()
    }

    /// Returns the samples at 48 kHz in the packets after the end of the sound.
    #[must_use]
    pub fn padding_granules(&self) -> u64 {
        self.padding
    }

    /// Returns the bytes in all packets.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.packets.iter().map(|packet| packet.bytes().len()).sum()
    }
}

/// Returns the header if it is that of a note.
fn head(page: &Page) -> Result<OpusHead, NotPassable> {
    let head = OpusHead::parse(page.body()).map_err(|_| NotPassable("it is not Opus"))?;
    // The header's last byte; `parse` has read that far.
    let family = page.body().get(18).copied().unwrap_or_default();
    match head {
        _ if !page.first => Err(NotPassable("its beginning is missing")),
        OpusHead { channels: 2.., .. } => Err(NotPassable("it is stereo")),
        _ if family != 0 => Err(NotPassable("its channels are mapped")),
        OpusHead { gain, .. } if gain != 0 => Err(NotPassable("it asks for a gain")),
        OpusHead { pre_skip, .. } if pre_skip > MAX_PRE_SKIP => {
            Err(NotPassable("its pre-skip is long"))
        }
        head => Ok(head),
    }
}

/// Checks that all packets are mono and of one usual length; returns their samples at 48 kHz.
fn check_packets(packets: &[Packet]) -> Result<u64, NotPassable> {
    let Some(granules) = packets.first().map(Packet::granules) else {
        return Err(NotPassable("it is empty"));
    };
    if !PACKET_GRANULES.contains(&granules) {
        return Err(NotPassable("its packets have an unusual length"));
    }
    for packet in packets {
        if packet.granules() != granules {
            return Err(NotPassable("its packets differ in length"));
        }
        if packet.bytes().first().is_none_or(|toc| toc & STEREO != 0) {
            return Err(NotPassable("it is stereo"));
        }
    }
    Ok(granules * packets.len() as u64)
}

#[derive(Default)]
struct PacketCollector {
    sequence: u32,
    tagged: bool,
    partial: Vec<u8>,
    packets: Vec<Packet>,
    /// Samples at 48 kHz so far.
    coded: u64,
    /// Granule before the first packet.
    base: Option<u64>,
    end: Option<u64>,
}

impl PacketCollector {
    fn page(&mut self, page: &Page) -> Result<(), NotPassable> {
        self.sequence = self.sequence.wrapping_add(1);
        if page.sequence != self.sequence || page.continued == self.partial.is_empty() {
            return Err(NotPassable("a page of it is missing"));
        }
        let before = self.packets.len();
        for piece in page.pieces() {
            self.partial.extend_from_slice(piece.bytes);
            if self.tagged && self.partial.len() > MAX_OPUS_PACKET {
                return Err(NotPassable("a packet of it is too large"));
            }
            if piece.ends {
                let packet = std::mem::take(&mut self.partial);
                if self.tagged {
                    let packet = Packet(packet);
                    self.coded += packet.granules();
                    self.packets.push(packet);
                } else if packet.starts_with(OpusHead::TAGS) {
                    self.tagged = true;
                } else {
                    return Err(NotPassable("its comment header is missing"));
                }
            }
        }
        if let (Some(granule), true) = (page.granule, self.packets.len() > before) {
            self.base.get_or_insert(granule.saturating_sub(self.coded));
            self.end = Some(granule);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{NoteEncoder, testing::speechlike};

    fn note(seconds: f64) -> Vec<u8> {
        let rate = SampleRate(24_000);
        let mut encoder = NoteEncoder::new(rate).unwrap();
        let pcm = Pcm { samples: speechlike(rate.0, seconds, 0.1), rate };
        let mut file = encoder.push(&pcm).unwrap();
        file.extend(encoder.finish().unwrap());
        file
    }

    /// Returns the note with one byte of its first page changed, under a correct checksum.
    fn with_head(at: usize, value: u8) -> Vec<u8> {
        use ogg::writing::{PacketWriteEndInfo, PacketWriter};
        let mut reader = ogg::PacketReader::new(std::io::Cursor::new(note(0.5)));
        let mut writer = PacketWriter::new(Vec::new());
        while let Some(mut packet) = reader.read_packet().unwrap() {
            if packet.first_in_stream() {
                packet.data[at] = value;
            }
            let end = if packet.last_in_page() {
                PacketWriteEndInfo::EndPage
            } else {
                PacketWriteEndInfo::NormalPacket
            };
            let granule = packet.absgp_page();
            writer.write_packet(packet.data, 1, end, granule).unwrap();
        }
        writer.into_inner()
    }

    #[test]
    fn a_note_is_read_to_the_sample() {
        for (seconds, granules) in [(0.5, 24_000), (1.0, 48_000), (2.345, 112_560)] {
            let coded = CodedSpeech::read(note(seconds).into()).unwrap();
            let heard =
                coded.coded_granules() - u64::from(coded.pre_skip()) - coded.padding_granules();
            assert_eq!(heard, granules, "{seconds} s");
            assert!(coded.packets().iter().all(|packet| packet.granules() == 960));
        }
    }

    #[test]
    fn what_is_no_note_says_why() {
        let refused = |file: Vec<u8>| CodedSpeech::read(file.into()).unwrap_err().0;
        assert_eq!(refused(with_head(9, 2)), "it is stereo");
        assert_eq!(refused(with_head(16, 1)), "it asks for a gain");
        assert_eq!(refused(with_head(11, 0x7f)), "its pre-skip is long");
        assert_eq!(refused(with_head(18, 255)), "it is not Opus");
        assert_eq!(refused(with_head(0, b'V')), "it is not Opus");
        let whole = note(2.5);
        assert_eq!(refused([whole.clone(), whole.clone()].concat()), "it has more than one stream");
        assert_eq!(
            refused(whole[..whole.len() - 9].to_vec()),
            "a page of it is damaged or cut off"
        );
        let mut broken = whole;
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        assert_eq!(refused(broken), "a page of it is missing");
        assert_eq!(refused(Vec::new()), "it has no complete Ogg page");
    }
}
