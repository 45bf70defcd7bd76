//! Decodes Ogg/Opus while it arrives: the format of every `WhatsApp` voice note.
//!
//! Lost pages are concealed, pre-skip and end trimming are exact for each chained stream, a missing
//! end-of-stream page is normal (`WhatsApp` writes none), and so is one in the middle. Source: RFC
//! 7845.

use std::collections::HashSet;

use super::{DecodeError, opus_sound::OpusSound};
use crate::audio::{
    AudioLimits,
    limits::{MAX_CONCEALED_MS, MAX_LINKS, MAX_OPUS_PACKET},
    opus_head::OpusHead,
    pages::{Page, PageReader},
    pcm::sane,
};

/// Granules are samples at 48 kHz whatever the rate; one sample of ours is three of them.
const GRANULES_PER_SAMPLE: u64 = 3;

/// Packets and pages that are decoded in one step, at least: 32 packets of 20 ms. What the last step
/// has made is looked at when nothing else is left to do.
const STEP: usize = 32 * 320;

/// Names what an Ogg file turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OggContent {
    Unknown,
    Opus,
    /// Data pages came and no Opus stream had begun.
    Other,
    /// Opus ended, and a stream of another codec begins.
    OtherAfterOpus,
}

/// Says how far the decoding of an Ogg file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OggStep {
    /// There is more.
    Speech,
    /// It needs more bytes.
    Waits,
    /// The file is over; so many bytes were not heard.
    Over(u64),
    /// There is no Opus in it.
    Other,
    /// A stream of another codec begins: [`OggOpusDecoder::take_rest`] has it.
    OtherAfterOpus,
}

/// Decodes the first Opus stream of an Ogg file and those chained to it.
pub(super) struct OggOpusDecoder {
    pages: PageReader,
    /// Pages that were found when the bytes had ended.
    last_pages: Option<std::vec::IntoIter<Page>>,
    limits: AudioLimits,
    link: Option<LogicalStream>,
    links: usize,
    /// Samples returned so far.
    given: u64,
    /// Packets that libopus took, in all links.
    good_packets: u64,
    stream: OggContent,
    /// Streams beside ours that are no sound.
    beside: HashSet<u32>,
    /// Bytes of pages that belong to no stream that is heard.
    stray: u64,
    /// What begins with a stream of another codec.
    rest: Vec<u8>,
}

impl OggOpusDecoder {
    pub(super) fn new(limits: AudioLimits) -> Self {
        Self {
            pages: PageReader::default(),
            last_pages: None,
            limits,
            link: None,
            links: 0,
            given: 0,
            good_packets: 0,
            stream: OggContent::Unknown,
            beside: HashSet::new(),
            stray: 0,
            rest: Vec::new(),
        }
    }

    /// Returns how many bytes were not heard.
    pub(super) fn unheard(&self) -> u64 {
        self.pages.skipped() + self.stray
    }

    /// Returns the bytes from the beginning of a stream of another codec on.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.rest)
    }

    /// Returns whether there is an Opus stream.
    pub(super) fn is_opus(&self) -> bool {
        self.stream == OggContent::Opus
    }

    /// Takes bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pages.push(bytes);
    }

    /// Decodes some packets and appends their samples.
    pub(super) fn step(
        &mut self,
        ended: bool,
        speech: &mut Vec<f32>,
    ) -> Result<OggStep, DecodeError> {
        let mut work = 0;
        while work < STEP {
            if let Some(link) = self.link.as_mut().filter(|link| link.page.is_some()) {
                let (before, good) = (speech.len(), link.sound.good_packets());
                work += link.packet(speech);
                self.good_packets += link.sound.good_packets() - good;
                self.given += (speech.len() - before) as u64;
                if self.given > self.limits.speech_samples() {
                    return Err(DecodeError::TooLong { limit_seconds: self.limits.seconds });
                }
                continue;
            }
            work += STEP / 32;
            if let Some(pages) = &mut self.last_pages {
                match pages.next() {
                    Some(page) => self.page(&page)?,
                    None => return self.finish().map(OggStep::Over),
                }
                continue;
            }
            match self.pages.next_page() {
                Some(page) => {
                    self.page(&page)?;
                    if self.stream == OggContent::OtherAfterOpus {
                        self.rest = [self.pages.latest(&page), self.pages.rest()].concat();
                        return Ok(OggStep::OtherAfterOpus);
                    }
                }
                None if ended => self.last_pages = Some(self.pages.finish().into_iter()),
                None if speech.is_empty() => return Ok(OggStep::Waits),
                None => return Ok(OggStep::Speech),
            }
            if self.stream == OggContent::Other {
                return Ok(OggStep::Other);
            }
        }
        Ok(OggStep::Speech)
    }

    /// Ends the input and returns how many bytes were not heard.
    fn finish(&self) -> Result<u64, DecodeError> {
        if !matches!(self.stream, OggContent::Opus | OggContent::OtherAfterOpus) {
            return Err(DecodeError::corrupt("no Ogg page that begins a stream"));
        }
        match (self.good_packets, self.given) {
            (0, 0) => Err(DecodeError::Empty),
            (0, _) => Err(DecodeError::corrupt("no Opus packet is complete")),
            (_, 0) => Err(DecodeError::Empty),
            _ => Ok(self.unheard()),
        }
    }

    fn page(&mut self, page: &Page) -> Result<(), DecodeError> {
        if page.first && page.body().starts_with(OpusHead::MAGIC) {
            return self.begin(page);
        }
        if page.first && self.link.as_ref().is_some_and(|link| link.begun) {
            self.stream = OggContent::OtherAfterOpus;
            return Ok(());
        }
        if page.first {
            self.beside.insert(page.serial);
            return Ok(());
        }
        if self.stream == OggContent::Unknown {
            self.stream = OggContent::Other;
            return Ok(());
        }
        let Some(link) = self.link.as_mut().filter(|link| link.serial == page.serial) else {
            if !self.beside.contains(&page.serial) {
                self.stray += page.length() as u64;
            }
            return Ok(());
        };
        link.begin_page(page);
        Ok(())
    }

    /// Begins the first or a chained stream; a second one beside the first is ignored.
    fn begin(&mut self, page: &Page) -> Result<(), DecodeError> {
        // All streams that run side by side begin before the first data page (RFC 3533 section 4).
        if self.link.as_ref().is_some_and(|link| link.serial != page.serial && !link.begun) {
            return Ok(());
        }
        self.links += 1;
        let begun = if self.links > MAX_LINKS {
            Err(DecodeError::corrupt("too many chained streams"))
        } else {
            OpusHead::parse(page.body()).and_then(|head| LogicalStream::new(page, &head))
        };
        match begun {
            Ok(link) => self.link = Some(link),
            // What came before a bad link counts.
            Err(_) if self.given > 0 => {
                self.stray += page.length() as u64;
                self.link = None;
            }
            Err(error) => return Err(error),
        }
        self.stream = OggContent::Opus;
        Ok(())
    }
}

/// Holds one logical Opus stream.
struct LogicalStream {
    serial: u32,
    sound: OpusSound,
    next_sequence: u32,
    /// A data page has been seen.
    begun: bool,
    /// The comment packet has been read.
    tagged: bool,
    /// The beginning of a packet that continues; `None` while the rest of a lost one passes.
    partial: Option<Vec<u8>>,
    /// Samples of pre-skip still to drop.
    skip: usize,
    /// Granule of the first sample, known after the first page with sound.
    base: Option<u64>,
    /// Granules decoded or concealed so far, pre-skip included.
    decoded: u64,
    /// The page that is decoded.
    page: Option<PageSound>,
}

/// Holds a page while its packets are decoded.
struct PageSound {
    packets: std::vec::IntoIter<Vec<u8>>,
    /// What is decoded of it.
    fresh: Vec<f32>,
    granule: Option<u64>,
    last: bool,
}

impl LogicalStream {
    fn new(page: &Page, head: &OpusHead) -> Result<Self, DecodeError> {
        Ok(Self {
            serial: page.serial,
            sound: OpusSound::new(head)?,
            next_sequence: page.sequence.wrapping_add(1),
            begun: false,
            tagged: false,
            partial: Some(Vec::new()),
            skip: usize::from(head.pre_skip) / 3,
            base: None,
            decoded: 0,
            page: None,
        })
    }

    /// Takes the packets that end on `page`, and conceals what was lost before them.
    fn begin_page(&mut self, page: &Page) {
        self.begun = true;
        let lost = page.sequence != self.next_sequence;
        self.next_sequence = page.sequence.wrapping_add(1);
        let packets = self.packets(page, lost);
        let length: u64 = packets.iter().map(|packet| granules(self.sound.samples(packet))).sum();

        let mut fresh = Vec::new();
        if let (true, Some(base), Some(end)) = (lost, self.base, page.granule) {
            let hole = end.saturating_sub(length).saturating_sub(base.saturating_add(self.decoded));
            let hole = hole.min(u64::from(MAX_CONCEALED_MS) * 48) / GRANULES_PER_SAMPLE;
            self.sound.conceal(usize::try_from(hole).unwrap_or(0), &mut fresh);
        }
        if let (None, Some(end), false) = (self.base, page.granule, packets.is_empty()) {
            // A stream that was joined late does not begin at 0 (RFC 7845 section 4.5).
            self.base = Some(end.saturating_sub(length));
        }
        let packets = packets.into_iter();
        self.page = Some(PageSound { packets, fresh, granule: page.granule, last: page.last });
    }

    /// Decodes a packet of the page and appends its audible samples: those of a stream's last page
    /// once all of it is decoded, since it may say that less is heard. Returns how many samples that
    /// took.
    fn packet(&mut self, speech: &mut Vec<f32>) -> usize {
        let Some(PageSound { mut packets, mut fresh, granule, last }) = self.page.take() else {
            return 0;
        };
        let before = fresh.len();
        let packet = packets.next();
        if let Some(packet) = &packet {
            self.sound.decode(packet, &mut fresh);
        }
        let work = (fresh.len() - before) * self.sound.streams();
        if last && packet.is_some() {
            self.page = Some(PageSound { packets, fresh, granule, last });
            return work;
        }
        self.decoded += granules(fresh.len());
        if let (true, Some(base), Some(end)) = (last, self.base, granule) {
            let over = self.decoded.saturating_sub(end.saturating_sub(base)) / GRANULES_PER_SAMPLE;
            // More than a page is no end: the count began anew. What follows this page is heard.
            let keep = usize::try_from(over).ok().and_then(|over| fresh.len().checked_sub(over));
            fresh.truncate(keep.unwrap_or(fresh.len()));
        }
        let skipped = self.skip.min(fresh.len());
        self.skip -= skipped;
        speech.extend(fresh.drain(..).skip(skipped).map(sane));
        self.page = packet.map(|_| PageSound { packets, fresh, granule, last });
        work
    }

    /// Joins the pieces on `page` into packets, without the comment packet and what is too long.
    fn packets(&mut self, page: &Page, lost: bool) -> Vec<Vec<u8>> {
        let goes_on = self.partial.as_ref().is_none_or(|partial| !partial.is_empty());
        if lost || page.continued != goes_on {
            // The beginning or the end of a packet is missing: what there is of it is dropped.
            self.partial = if page.continued { None } else { Some(Vec::new()) };
        }
        let mut packets = Vec::new();
        for piece in page.pieces() {
            if let Some(partial) = &mut self.partial {
                partial.extend_from_slice(piece.bytes);
                // A comment packet with a picture is long: it is skipped, not kept.
                if partial.len() > MAX_OPUS_PACKET {
                    self.partial = None;
                }
            }
            if piece.ends {
                let packet = self.partial.replace(Vec::new());
                if self.tagged {
                    packets.extend(packet);
                } else {
                    self.tagged = true;
                    packets.extend(packet.filter(|packet| !packet.starts_with(OpusHead::TAGS)));
                }
            }
        }
        packets
    }
}

fn granules(samples: usize) -> u64 {
    samples as u64 * GRANULES_PER_SAMPLE
}
