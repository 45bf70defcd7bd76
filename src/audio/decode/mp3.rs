//! Decodes MP3 frame by frame, whatever changes from one to the next.
//!
//! A frame may keep a part of its data in the frames before it. Each is handed to symphonia with
//! that part put back, in a frame of its own that is large enough. So a new decoder, which a change
//! of rate or channels asks for, has all it needs, and a free bitrate becomes a usual one. Source:
//! ISO 11172-3 section 2.4.1.7.

use std::ops::Range;

use symphonia::core::{
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known},
    packet::Packet,
    units::{Duration, Timestamp},
};

use super::{DecodeError, container::failed, format::Format, mix::Mix};
use crate::audio::{SampleRate, mpeg_frame::Mp3Head};

/// Most bytes that a frame may keep in those before it.
const RESERVOIR: usize = 511;

/// Samples by which every decoder of MP3 is late: LAME counts an encoder's delay without them.
const DECODER_DELAY: u64 = 529;

/// Samples that no sound has: symphonia 0.6 makes such noise of mixed blocks, which hardly any encoder
/// writes.
const INSANE: f32 = 8.0;

/// Decodes frames of MP3.
#[derive(Default)]
pub(super) struct Mp3Sound {
    decoder: Option<(Mp3Head, Box<dyn AudioDecoder>)>,
    /// The data at the end of the frames so far.
    reservoir: Vec<u8>,
    /// Silence that the encoder put around the sound, in samples since its tag.
    silent: [Range<u64>; 2],
    /// Samples since the tag.
    at: u64,
    samples: Vec<f32>,
}

impl Mp3Sound {
    /// Decodes a frame, and returns whether it could be read.
    pub(super) fn decode(
        &mut self,
        head: &Mp3Head,
        frame: &[u8],
        mix: &mut Mix,
    ) -> Result<bool, DecodeError> {
        let start = if head.checked { 6 } else { 4 };
        let Some((side, main)) =
            frame.get(start..).and_then(|body| body.split_at_checked(head.side()))
        else {
            return Ok(false);
        };
        if let Some(tag) = EncoderTag::read(head, frame) {
            (self.silent, self.at) = (tag.silent(head), 0);
            return Ok(true);
        }
        let missing = if head.version_1 {
            usize::from(side[0]) << 1 | usize::from(side[1] >> 7)
        } else {
            usize::from(side[0])
        };
        let packet = self.reservoir.len().checked_sub(missing).map(|from| {
            alone(head, [frame[1], frame[2], frame[3]], side, [&self.reservoir[from..], main])
        });
        self.reservoir.extend_from_slice(main);
        self.reservoir.drain(..self.reservoir.len().saturating_sub(RESERVOIR));
        let whole = if let Some(packet) = packet {
            self.sound(head, packet)?
        } else {
            // The beginning of it is lost; its length is not.
            self.samples.clear();
            self.samples.resize(head.samples() * head.channels, 0.0);
            true
        };
        if !whole {
            return Ok(false);
        }
        let sane = self.samples.iter().all(|sample| sample.abs() < INSANE);
        if !sane {
            self.samples.fill(0.0);
        }
        self.hand_on(head, mix)?;
        Ok(sane)
    }

    /// Decodes a frame that needs no other into `samples`; returns whether it could be read.
    fn sound(&mut self, head: &Mp3Head, packet: Vec<u8>) -> Result<bool, DecodeError> {
        let alike = |old: &Mp3Head| (old.rate, old.channels) == (head.rate, head.channels);
        let decoder = match self.decoder.take().filter(|(old, _)| alike(old)) {
            Some((_, decoder)) => decoder,
            None => open(head)?,
        };
        let (_, decoder) = self.decoder.insert((*head, decoder));
        let packet = Packet::new(0, Timestamp::ZERO, Duration::ZERO, packet);
        self.samples.clear();
        let Ok(sound) = decoder.decode(&packet) else { return Ok(false) };
        sound.copy_to_vec_interleaved(&mut self.samples);
        Ok(true)
    }

    /// Hands the samples on, without an encoder's silence.
    fn hand_on(&mut self, head: &Mp3Head, mix: &mut Mix) -> Result<(), DecodeError> {
        let (begin, end) = (self.at, self.at + (self.samples.len() / head.channels) as u64);
        self.at = end;
        let [before, after] = &self.silent;
        let ends = [(begin, before.start), (before.end, after.start), (after.end, end)];
        for (from, to) in ends {
            let place = |sample: u64| {
                usize::try_from(sample.clamp(begin, end) - begin).unwrap_or_default()
                    * head.channels
            };
            let heard = self.samples.get(place(from)..place(to)).unwrap_or_default();
            mix.push(heard, head.channels, SampleRate(head.rate))?;
        }
        Ok(())
    }
}

fn open(head: &Mp3Head) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let mut params = AudioCodecParameters::new();
    params.for_codec(well_known::CODEC_ID_MP3).with_sample_rate(head.rate);
    symphonia::default::get_codecs()
        .make_audio_decoder(&params, &AudioDecoderOptions::default())
        .map_err(|error| failed(&error, Format::Frames))
}

/// Builds a frame that holds all of its own data.
fn alone(head: &Mp3Head, [kind, rates, mode]: [u8; 3], side: &[u8], data: [&[u8]; 2]) -> Vec<u8> {
    let (index, size) = head.room(4 + side.len() + data[0].len() + data[1].len());
    // No checksum, no padding.
    let mut frame = vec![0xff, kind | 1, index << 4 | rates & 0x0c, mode];
    frame.extend_from_slice(side);
    // Nothing of it lies before it.
    frame[4] = 0;
    if head.version_1 {
        frame[5] &= 0x7f;
    }
    frame.extend(data.concat());
    frame.resize(size, 0);
    frame
}

/// Holds what an encoder says of its file in a frame without sound.
struct EncoderTag {
    /// Samples of silence before the sound, and after it.
    around: [u64; 2],
    /// Frames of the file.
    frames: Option<u64>,
}

impl EncoderTag {
    /// Reads the tag of Xing, LAME or Fraunhofer, if the frame is one.
    fn read(head: &Mp3Head, frame: &[u8]) -> Option<Self> {
        // Both stand where a frame with a checksum has two bytes of its side information.
        let side = frame.get(if head.checked { 6 } else { 4 }..4 + head.side())?;
        if side.iter().any(|byte| *byte != 0) {
            return None;
        }
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Self { around: [0; 2], frames: None });
        }
        let tag = &frame[4 + head.side()..];
        let flags = match tag.split_first_chunk::<8>()? {
            ([b'X', b'i', b'n', b'g', flags @ ..] | [b'I', b'n', b'f', b'o', flags @ ..], _) => {
                u32::from_be_bytes(*flags)
            }
            _ => return None,
        };
        let word = |at: usize| {
            tag.get(at..)?.first_chunk::<4>().map(|four| u64::from(u32::from_be_bytes(*four)))
        };
        let frames = word(8).filter(|_| flags & 1 != 0);
        let lengths = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let lame =
            8 + lengths.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, n)| n).sum::<usize>();
        let named = tag
            .get(lame..lame + 4)
            .is_some_and(|name| [b"LAME", b"Lavf", b"Lavc"].iter().any(|known| name == *known));
        let around = match word(lame + 20).filter(|_| named) {
            Some(word) => {
                let delay = DECODER_DELAY + (word >> 12 & 0xfff);
                [delay, (word & 0xfff).saturating_sub(DECODER_DELAY)]
            }
            None => [0; 2],
        };
        Some(Self { around, frames })
    }

    /// Returns where the silence is, in samples since the tag.
    fn silent(&self, head: &Mp3Head) -> [Range<u64>; 2] {
        let [before, after] = self.around;
        let end = self.frames.map_or(u64::MAX, |frames| frames * head.samples() as u64);
        let after = if end == u64::MAX { 0 } else { after.min(end) };
        [0..before, end - after..end]
    }
}
