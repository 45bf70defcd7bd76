//! The chunks of WAV as they arrive: where samples begin, where they end, and what stands behind.
//!
//! Writers of WAV are careless: sizes that were never filled in (espeak-ng writes 0x7ffff000,
//! servers 0 or all ones), RF64, comments and signatures behind the samples, one file after the
//! other. A size is believed as far as nothing contradicts it: what looks like the head of another
//! chunk ends the samples. Source: Microsoft, "Multiple channel audio data and WAVE files".

use super::{WavFormat, number};
use crate::audio::DecodeError;

/// Bytes of a file's first header: `RIFF`, a size, `WAVE`.
const RIFF: usize = 12;

/// Bytes of a chunk's head: its name and its size.
const HEAD: usize = 8;

/// Bytes that tell the head of a chunk from samples.
const TELLING: usize = 16;

/// Most bytes of a chunk that is kept; `fmt ` takes 40.
const MOST_KEPT: u64 = 4_096;

/// Names of chunks that stand behind samples, told by their name and a believable size.
const BEHIND: [&[u8; 4]; 11] = [
    b"LIST", b"bext", b"cue ", b"smpl", b"inst", b"fact", b"PEAK", b"iXML", b"_PMX", b"afsp",
    b"acid",
];

/// Largest size that is believed of such a chunk.
const BELIEVED: u64 = 1 << 20;

/// Holds the chunks before the samples.
#[derive(Clone, Debug, Default)]
pub(in crate::audio) struct WavHeader {
    format: Option<WavFormat>,
    /// Body of the `fmt ` chunk.
    pub(in crate::audio) fmt: Vec<u8>,
    /// Body of the `fact` chunk.
    pub(in crate::audio) fact: Option<Vec<u8>>,
    /// Size of the samples in RF64.
    long_size: Option<u64>,
    /// Whether numbers have their highest byte first.
    big: bool,
}

/// Holds what comes next.
#[derive(Debug)]
pub(in crate::audio) enum WavPart<'a> {
    /// Samples of this format follow.
    Begins(WavFormat, &'a WavHeader),
    /// Samples, in pieces of any length.
    Data(&'a [u8]),
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// The first header of a file has to come.
    #[default]
    File,
    /// The head of a chunk has to come.
    Chunk,
    /// So many bytes of a chunk are of no interest.
    Inside(u64),
    /// So many bytes of samples, if that is known.
    Data(Option<u64>),
    /// Neither samples nor chunks: the next file is searched for.
    Lost,
}

/// Cuts WAV into its parts.
#[derive(Debug, Default)]
pub(in crate::audio) struct WavChunks {
    held: Vec<u8>,
    at: usize,
    place: Place,
    header: WavHeader,
    /// Samples have begun.
    begun: bool,
    skipped: u64,
    unheard: u64,
    /// Bytes passed of a chunk behind samples whose name says nothing: it may be none.
    strange: u64,
}

impl WavChunks {
    /// Takes the next bytes.
    pub(in crate::audio) fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.at);
        self.at = 0;
        self.held.extend_from_slice(bytes);
    }

    /// Returns the bytes before the first samples.
    pub(in crate::audio) fn skipped(&self) -> u64 {
        if self.begun { 0 } else { self.skipped + self.left() }
    }

    /// Returns the bytes behind samples that are neither chunks nor another file.
    pub(in crate::audio) fn unheard(&self) -> u64 {
        self.unheard + self.strange
    }

    /// Returns whether samples have begun.
    pub(in crate::audio) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Returns the bytes that no part was made of yet.
    pub(in crate::audio) fn left(&self) -> u64 {
        (self.held.len() - self.at) as u64
    }

    /// Returns the next part; nothing while it waits for bytes, or for more of them unless this is
    /// the `end`.
    ///
    /// # Errors
    /// `Corrupt` if this is not WAV or has no complete `fmt ` chunk before the samples, and every
    /// error of the format itself.
    pub(in crate::audio) fn next(&mut self, end: bool) -> Result<Option<WavPart<'_>>, DecodeError> {
        loop {
            let rest = &self.held[self.at..];
            match self.place {
                Place::File => {
                    let Some(riff) = rest.first_chunk::<RIFF>() else { return Ok(None) };
                    if !is_file(riff) {
                        return Err(DecodeError::corrupt("WAV: no RIFF header"));
                    }
                    self.header = WavHeader { big: riff[3] == b'X', ..WavHeader::default() };
                    self.pass(RIFF, Place::Chunk);
                }
                Place::Chunk => match self.chunk(end)? {
                    ChunkRead::On => {}
                    ChunkRead::Wait => return Ok(None),
                    ChunkRead::Begins(format) => {
                        self.begun = true;
                        return Ok(Some(WavPart::Begins(format, &self.header)));
                    }
                },
                Place::Inside(0) => {
                    self.strange = 0;
                    self.place = Place::Chunk;
                }
                Place::Inside(_) if rest.is_empty() => return Ok(None),
                Place::Inside(left) => {
                    let there = fit(left, rest.len());
                    if self.strange > 0 {
                        self.strange += there as u64;
                    }
                    self.pass(there, Place::Inside(left - there as u64));
                }
                Place::Data(left) => {
                    let there = left.map_or(rest.len(), |left| fit(left, rest.len()));
                    // A head may be cut by the end of these bytes, were it the end of the samples, too.
                    let told = (rest.len() + 1).saturating_sub(TELLING);
                    let told = if end { there } else { there.min(told) };
                    let (take, after) = match behind(&rest[..told], rest, self.header.big) {
                        Some(at) => (at, Place::Chunk),
                        None if left == Some(told as u64) => (told, Place::Chunk),
                        None => (told, Place::Data(left.map(|left| left - told as u64))),
                    };
                    if take == 0 && matches!(after, Place::Data(_)) {
                        return Ok(None);
                    }
                    let from = self.at;
                    self.pass(take, after);
                    if take > 0 {
                        return Ok(Some(WavPart::Data(&self.held[from..from + take])));
                    }
                }
                Place::Lost => {
                    let next = rest.windows(RIFF).position(is_file);
                    let keep = if end { 0 } else { RIFF - 1 };
                    let skip = next.unwrap_or(rest.len().saturating_sub(keep));
                    self.unheard += skip as u64;
                    self.pass(skip, if next.is_some() { Place::File } else { Place::Lost });
                    if next.is_none() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn pass(&mut self, bytes: usize, next: Place) {
        self.at += bytes;
        self.skipped += bytes as u64;
        self.place = next;
    }

    /// Reads the head of a chunk, and all of it if it matters.
    fn chunk(&mut self, end: bool) -> Result<ChunkRead, DecodeError> {
        // The padding of a chunk of odd length, which not every writer writes.
        let zeros = self.held[self.at..].iter().take_while(|byte| **byte == 0).count();
        self.pass(zeros, Place::Chunk);
        let (rest, big) = (&self.held[self.at..], self.header.big);
        if rest.first_chunk::<RIFF>().is_some_and(|riff| is_file(riff)) {
            self.place = Place::File;
            return Ok(ChunkRead::On);
        }
        if rest.len() < RIFF && !end {
            return Ok(ChunkRead::Wait);
        }
        let (Some(id), Some(size)) = (rest.first_chunk::<4>(), number(rest, 4, 4, big)) else {
            return Ok(ChunkRead::Wait);
        };
        if self.begun && !id.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            self.place = Place::Lost;
            return Ok(ChunkRead::On);
        }
        if id == b"data" {
            let Some(format) = self.header.format else {
                return Err(DecodeError::corrupt("WAV: no format before the data"));
            };
            // 0 is what a writer leaves that did not know the size yet.
            let size = match size {
                0xffff_ffff => self.header.long_size.filter(|size| *size > 0),
                size => Some(size).filter(|size| *size > 0),
            };
            self.pass(HEAD, Place::Data(size));
            return Ok(ChunkRead::Begins(format));
        }
        if !matches!(id, b"fmt " | b"fact" | b"ds64") || size > MOST_KEPT {
            let known = BEHIND.contains(&id) || matches!(id, b"C2PA" | b"id3 " | b"ID3 " | b"JUNK");
            self.strange = if self.begun && !known { HEAD as u64 } else { 0 };
            self.pass(HEAD, Place::Inside(size));
            return Ok(ChunkRead::On);
        }
        let whole = HEAD + fit(size, usize::MAX);
        let Some(chunk) = rest.get(HEAD..whole) else { return Ok(ChunkRead::Wait) };
        match id {
            b"fmt " => {
                self.header.format = Some(WavFormat::parse(chunk, big)?);
                self.header.fmt = chunk.to_vec();
            }
            b"fact" => self.header.fact = Some(chunk.to_vec()),
            // RF64: the true size of the data.
            _ => self.header.long_size = number(chunk, 8, 8, big),
        }
        self.pass(whole, Place::Chunk);
        Ok(ChunkRead::On)
    }
}

/// Says what became of a chunk.
enum ChunkRead {
    On,
    Wait,
    Begins(WavFormat),
}

fn fit(left: u64, there: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(there)
}

/// Returns whether a file begins here.
fn is_file(riff: &[u8]) -> bool {
    matches!(&riff[..4], b"RIFF" | b"RIFX" | b"RF64" | b"BW64") && riff[8..].starts_with(b"WAVE")
}

/// Finds the head of a chunk, or of another file, among the samples of `data`; `rest` has what
/// follows them, too.
fn behind(data: &[u8], rest: &[u8], big: bool) -> Option<usize> {
    let is_head = |at: usize| {
        let head = &rest[at..rest.len().min(at + TELLING)];
        let Some(inner) = head.get(HEAD..) else { return false };
        match &head[..4] {
            b"RIFF" | b"RIFX" | b"RF64" | b"BW64" => inner.starts_with(b"WAVE"),
            b"C2PA" => inner.ends_with(b"jumb"),
            b"id3 " | b"ID3 " => inner.starts_with(b"ID3"),
            name => {
                BEHIND.iter().any(|known| name == *known)
                    && number(head, 4, 4, big).is_some_and(|size| (1..BELIEVED).contains(&size))
            }
        }
    };
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    data.iter()
        .enumerate()
        .filter(|(_, byte)| begins(byte))
        .map(|(at, _)| at)
        .find(|at| is_head(*at))
}
