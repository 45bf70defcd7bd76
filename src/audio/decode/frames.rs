//! Decodes MP3 and AAC in ADTS, which are frames and nothing else: from the first to the last,
//! whatever changes between them and whatever lies between them.
//!
//! Recordings are appended to each other with their tags; their rates and channels differ. A tag is
//! passed over, garbage is searched for the next frame, and counted.

use std::ops::Range;

use symphonia::core::{
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known},
    packet::Packet,
    units::{Duration, Timestamp},
};

use super::{DecodeError, aac, container::failed, format::Format, mix::Mix, mp3::Mp3Sound};
use crate::audio::{
    AudioLimits, SampleRate,
    limits::{MAX_PACKETS_PER_SECOND, MAX_PROBE_BYTES, check_sound},
    mpeg_frame::{AacConfig, AacHead, FrameHead, Mp3Head},
};

/// Longest frame of a free bitrate that is searched for: 640 kbit/s at 8 kHz.
const MAX_FREE: usize = 5_760;

/// Most times that the length of a frame of a free bitrate is searched for in vain; each search looks
/// at some thousand places.
const MAX_SEARCHES: usize = 1_024;

/// Frames that are decoded in one step, at most, and bytes of garbage that are passed.
const FRAMES: usize = 16;
const GARBAGE: usize = 1_024;

/// Decodes all frames of a file.
pub(super) struct FrameFile {
    walk: FrameWalk,
    mp3: Mp3Sound,
    aac: AacSound,
    /// Frames that may follow: broken ones add no sound that the limit of its length would count.
    left: usize,
    unheard: u64,
    refused: Option<DecodeError>,
}

impl FrameFile {
    pub(super) fn new(file: Vec<u8>, limits: AudioLimits) -> Self {
        Self {
            walk: FrameWalk { file, ..FrameWalk::default() },
            mp3: Mp3Sound::default(),
            aac: AacSound::default(),
            left: limits.seconds as usize * MAX_PACKETS_PER_SECOND,
            unheard: 0,
            refused: None,
        }
    }

    /// Decodes some frames into `mix`; returns the bytes of what could not be heard once the file is
    /// over.
    ///
    /// # Errors
    /// `Unsupported` if nothing in it is a frame that can be decoded, `TooLong`, `TooCostly`.
    pub(super) fn step(&mut self, mix: &mut Mix) -> Result<Option<u64>, DecodeError> {
        let Self { walk, mp3, aac, left, unheard, refused } = self;
        let mut garbage = GARBAGE;
        for _ in 0..FRAMES {
            if mix.is_enough() {
                break;
            }
            let found = if *left == 0 { NextFrame::End } else { walk.next_frame(&mut garbage) };
            let (head, frame) = match found {
                NextFrame::Frame(head, frame) => (head, frame),
                NextFrame::Garbage => break,
                NextFrame::End => return self.finish(mix).map(Some),
            };
            *left -= 1;
            let frame = &walk.file[frame];
            let decoded = match &head {
                FrameHead::Mp3(head) => mp3.decode(head, frame, mix),
                FrameHead::Aac(head) => aac.decode(head, frame, mix),
            };
            match decoded {
                Ok(true) => continue,
                Ok(false) => refused.get_or_insert(DecodeError::corrupt("no frame can be decoded")),
                Err(error) if error.is_a_limit() => return Err(error),
                Err(error) => refused.get_or_insert(error),
            };
            *unheard += frame.len() as u64;
        }
        Ok(None)
    }

    fn finish(&mut self, mix: &Mix) -> Result<u64, DecodeError> {
        let Self { walk, unheard, refused, .. } = self;
        match refused.take() {
            _ if !walk.found => Err(DecodeError::unsupported("unknown")),
            Some(error) if mix.is_empty() => Err(error),
            _ => Ok(*unheard + walk.garbage + walk.file.len().saturating_sub(walk.at) as u64),
        }
    }
}

/// Says what comes next in a file.
enum NextFrame {
    /// A frame.
    Frame(FrameHead, Range<usize>),
    /// So much garbage that others have waited enough.
    Garbage,
    End,
}

/// Finds frames.
#[derive(Default)]
struct FrameWalk {
    file: Vec<u8>,
    at: usize,
    /// Bytes of a frame without padding, where the bitrate is free.
    free: Option<usize>,
    /// Searches for such a length that found none.
    searches: usize,
    /// There was a frame.
    found: bool,
    /// One has just ended here: another one, or a tag, is expected.
    steady: bool,
    /// Bytes that were neither.
    garbage: u64,
}

impl FrameWalk {
    /// Returns the next frame, or passes up to `most` bytes of garbage.
    fn next_frame(&mut self, most: &mut usize) -> NextFrame {
        while self.at < self.file.len() && (self.found || self.garbage < u64::from(MAX_PROBE_BYTES))
        {
            let from = self.at;
            if let Some(length) = tag(&self.file[from..]) {
                self.at += length;
            } else if let Some((head, length)) = self.frame() {
                (self.found, self.steady) = (true, true);
                let whole = length <= self.file.len() - from;
                self.at = self.file.len().min(from + length);
                // The last one may be cut off.
                return if whole { NextFrame::Frame(head, from..self.at) } else { NextFrame::End };
            } else {
                self.steady = false;
                self.garbage += u64::from(self.file[from] != 0);
                self.at += 1;
            }
            match most.checked_sub(1) {
                Some(less) => *most = less,
                None => return NextFrame::Garbage,
            }
        }
        NextFrame::End
    }

    /// Reads the frame that begins here, with its length. Where none is expected, another one has to
    /// follow.
    fn frame(&mut self) -> Option<(FrameHead, usize)> {
        let head = FrameHead::parse(&self.file[self.at..])?;
        let length = match (head, head.length()) {
            (_, Some(length)) => length,
            (FrameHead::Mp3(head), None) => self.free(&head)?,
            (FrameHead::Aac(_), None) => return None,
        };
        let rest = &self.file[self.at..];
        let follows = rest.get(length..).unwrap_or_default();
        let alike = match (head, FrameHead::parse(follows)) {
            (FrameHead::Mp3(a), Some(FrameHead::Mp3(b))) => a.is_like(&b),
            (FrameHead::Aac(a), Some(FrameHead::Aac(b))) => {
                a.config.rate_index == b.config.rate_index
            }
            _ => false,
        };
        let ends = follows.iter().take(MAX_FREE).all(|byte| *byte == 0) || tag(follows).is_some();
        let whole = length <= rest.len();
        (self.steady || alike || whole && ends).then_some((head, length))
    }

    /// Finds the length of a frame of a free bitrate: the distance to the next one like it.
    fn free(&mut self, head: &Mp3Head) -> Option<usize> {
        let rest = &self.file[self.at..];
        let next = |at: usize| match rest.get(at..).and_then(FrameHead::parse) {
            Some(FrameHead::Mp3(next)) => next.is_like(head),
            _ => false,
        };
        let unpadded = match self.free {
            Some(unpadded) if self.steady => unpadded,
            _ if self.searches >= MAX_SEARCHES => return None,
            _ => {
                let shortest = 4 + head.side();
                let padding = head.free_length(0);
                // Two more at that distance are no accident.
                let length = (shortest..rest.len().min(MAX_FREE)).find(|&length| {
                    let second = 2 * length - padding;
                    next(length) && (next(second) || next(second + 1) || second >= rest.len())
                });
                self.searches += usize::from(length.is_none());
                length? - padding
            }
        };
        self.free = Some(unpadded);
        Some(head.free_length(unpadded))
    }
}

/// Returns the length of the tag that `bytes` begin with: ID3 of either version, or APE.
pub(super) fn tag(bytes: &[u8]) -> Option<usize> {
    match bytes.first_chunk::<10>() {
        Some(&[b'I', b'D', b'3', 2..=4, _, flags, sizes @ ..])
            if sizes.iter().all(|n| *n < 0x80) =>
        {
            let size = sizes.iter().fold(0, |size, byte| size << 7 | usize::from(*byte));
            let footer = if flags & 0x10 == 0 { 0 } else { 10 };
            // One that claims more than there is holds sound, too.
            Some(10 + size + footer).filter(|length| *length <= bytes.len()).or(Some(10))
        }
        Some([b'T', b'A', b'G', b'+', ..]) if bytes.len() >= 227 => Some(227),
        Some([b'T', b'A', b'G', ..]) if bytes.len() >= 128 => Some(128),
        Some([b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', ..]) => {
            let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
            // A header is followed by items and a footer of 32 bytes; a footer stands alone.
            let rest = if word(20)? & 1 << 29 == 0 { 0 } else { word(12)? as usize };
            Some(32 + rest).filter(|length| *length <= bytes.len())
        }
        _ => None,
    }
}

/// Decodes AAC whose configuration may change.
#[derive(Default)]
struct AacSound {
    decoder: Option<(AacConfig, Box<dyn AudioDecoder>)>,
    samples: Vec<f32>,
}

impl AacSound {
    /// Decodes a frame, and returns whether it could be read.
    fn decode(&mut self, head: &AacHead, frame: &[u8], mix: &mut Mix) -> Result<bool, DecodeError> {
        if head.blocks > 1 {
            return Err(DecodeError::unsupported("AAC with several blocks in a frame"));
        }
        let decoder = match self.decoder.take().filter(|(config, _)| *config == head.config) {
            Some((_, decoder)) => decoder,
            None => open(head.config)?,
        };
        let (_, decoder) = self.decoder.insert((head.config, decoder));
        let data = frame.get(head.head..).unwrap_or_default().to_vec();
        let packet = Packet::new(0, Timestamp::ZERO, Duration::ZERO, data);
        self.samples.clear();
        let Ok(sound) = decoder.decode(&packet) else { return Ok(false) };
        let (rate, channels) = (sound.spec().rate(), sound.spec().channels().count());
        check_sound(Some(rate), Some(channels))?;
        sound.copy_to_vec_interleaved(&mut self.samples);
        mix.push(&self.samples, channels, SampleRate(rate))?;
        Ok(true)
    }
}

fn open(config: AacConfig) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let header = config.header();
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(well_known::CODEC_ID_AAC)
        .with_sample_rate(config.rate())
        .with_extra_data(header.into());
    symphonia::default::get_codecs()
        .make_audio_decoder(&params, &AudioDecoderOptions::default())
        .map_err(|error| match aac::describe(&header) {
            Some(what) => {
                DecodeError::unsupported(format!("{} with {what}", Format::Frames.name()))
            }
            None => failed(&error, Format::Frames),
        })
}
