//! WAV, from senders' files and from engines that write it while they speak.
//!
//! Writers of WAV are careless: sizes that were never filled in (espeak-ng writes 0x7ffff000,
//! servers 0 or all ones), RF64, comment chunks that claim more than they have. Only `fmt `,
//! `fact` and `data` matter. `WavHeader` reads up to the samples; the file decoder takes the samples
//! from the file, [`WavStream`] from the bytes as they arrive.
//! Source: Microsoft, "Multiple channel audio data and WAVE files".

mod samples;
#[cfg(test)]
mod tests;

pub(in crate::audio) use self::samples::{Encoding, WavFormat};
use crate::audio::{
    DecodeError, SampleRate,
    downmix::{ChannelOrder, downmix},
    pcm::sane,
};

/// Most bytes of a stream before its samples; espeak-ng's header takes 44.
const MAX_STREAM_HEADER: usize = 4096;

/// Holds the chunks before the samples.
pub(in crate::audio) struct WavHeader<'a> {
    pub(in crate::audio) format: WavFormat,
    /// Body of the `fmt ` chunk.
    pub(in crate::audio) fmt: &'a [u8],
    /// Body of the `fact` chunk.
    pub(in crate::audio) fact: Option<&'a [u8]>,
    /// Offset of the samples.
    pub(in crate::audio) data_at: usize,
    /// Bytes of samples, as claimed; 0 if the writer did not know.
    pub(in crate::audio) data_size: usize,
}

impl<'a> WavHeader<'a> {
    /// Reads the chunks up to the samples; `None` if the bytes end before that.
    ///
    /// # Errors
    /// `Corrupt` if this is not WAV or has no complete `fmt ` chunk before the samples, and every error
    /// of the format itself.
    pub(in crate::audio) fn read(bytes: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let Some((riff, _)) = bytes.split_first_chunk::<12>() else { return Ok(None) };
        let big = riff.starts_with(b"RIFX");
        if !(big || riff.starts_with(b"RIFF") || riff.starts_with(b"RF64"))
            || !riff.ends_with(b"WAVE")
        {
            return Err(DecodeError::corrupt("WAV: no RIFF header"));
        }
        let (mut format, mut fact, mut long_size) = (None, None, None);
        let mut at = riff.len();
        while let (Some(id), Some(size)) =
            (bytes.get(at..at + 4), number(bytes, at + 4, 4, big).and_then(as_size))
        {
            let start = at + 8;
            if id == b"data" {
                let Some((format, fmt)) = format else {
                    return Err(DecodeError::corrupt("WAV: no format before the data"));
                };
                let data_size = long_size.filter(|_| size == u32::MAX as usize).unwrap_or(size);
                return Ok(Some(Self { format, fmt, fact, data_at: start, data_size }));
            }
            let Some(chunk) = bytes.get(start..start.saturating_add(size)) else {
                return Ok(None);
            };
            match id {
                b"fmt " => format = Some((WavFormat::parse(chunk, big)?, chunk)),
                b"fact" => fact = Some(chunk),
                // RF64: the true size of the data.
                b"ds64" => long_size = number(chunk, 8, 8, big).and_then(as_size),
                _ => {}
            }
            at = start + size.next_multiple_of(2);
        }
        Ok(None)
    }
}

/// Reads WAV, or PCM without a header, as it arrives, and mixes it down to mono.
///
/// The data goes on until the bytes end, whatever size the header claims. Any split of the bytes
/// gives the same samples.
#[derive(Debug, Default)]
pub struct WavStream {
    /// An incomplete header, or an incomplete frame.
    held: Vec<u8>,
    layout: Option<StreamLayout>,
    /// Several channels before they are mixed down.
    interleaved: Vec<f32>,
}

/// Describes the samples of a stream.
#[derive(Clone, Copy, Debug)]
struct StreamLayout {
    rate: SampleRate,
    channels: usize,
    encoding: Encoding,
}

impl WavStream {
    /// Makes a reader of bytes without a header: 16-bit little-endian mono.
    #[must_use]
    pub fn raw(rate: SampleRate) -> Self {
        let layout = StreamLayout { rate, channels: 1, encoding: Encoding::PCM16 };
        Self { layout: Some(layout), ..Self::default() }
    }

    /// Takes the next bytes and appends their samples, in [-1, 1], to `out`.
    ///
    /// # Errors
    /// `Corrupt` or `Unsupported` if this is not WAV that can be read.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), DecodeError> {
        self.held.extend_from_slice(bytes);
        let Some(StreamLayout { channels, encoding, .. }) = self.layout else {
            let Some(WavHeader { format, data_at, .. }) = WavHeader::read(&self.held)? else {
                return if self.held.len() > MAX_STREAM_HEADER {
                    Err(DecodeError::corrupt("WAV: the header is too long"))
                } else {
                    Ok(())
                };
            };
            let WavFormat { rate, channels, .. } = format;
            self.layout = Some(StreamLayout { rate, channels, encoding: format.encoding()? });
            self.held.drain(..data_at);
            return self.push(&[], out);
        };
        let frame = encoding.width * channels;
        let whole = self.held.len() / frame * frame;
        if channels == 1 {
            let at = out.len();
            encoding.append(&self.held[..whole], out);
            out[at..].iter_mut().for_each(|sample| *sample = sane(*sample));
        } else {
            self.interleaved.clear();
            encoding.append(&self.held[..whole], &mut self.interleaved);
            out.extend(downmix(&self.interleaved, channels, ChannelOrder::Wave));
        }
        self.held.drain(..whole);
        Ok(())
    }

    /// Returns the rate, once the header has been read.
    #[must_use]
    pub fn rate(&self) -> Option<SampleRate> {
        self.layout.map(|layout| layout.rate)
    }
}

/// Reads an unsigned number of up to 8 bytes.
fn number(bytes: &[u8], at: usize, width: usize, big: bool) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
    Some(if big { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) })
}

fn as_size(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}
