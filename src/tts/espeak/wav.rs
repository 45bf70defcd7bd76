//! Reads a WAV file while it is being written: 16-bit mono PCM out of a pipe.
//!
//! Behind the engine's stdout. The sizes in the headers of a piped file are placeholders
//! (espeak-ng writes 0x7ffff000), so the data goes on until the pipe ends. Any split of the bytes
//! gives the same samples.

use crate::audio::SampleRate;

/// The headers must fit in this many bytes; espeak-ng's take 44.
const MAX_HEADER: usize = 4096;

/// What was not the WAV we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine's sound is not 16-bit mono WAV: {0}")]
pub(super) struct WavError(&'static str);

/// A WAV file read so far.
#[derive(Debug, Default)]
pub(super) struct WavStream {
    header: Vec<u8>,
    rate: Option<SampleRate>,
    odd: Option<u8>,
}

impl WavStream {
    /// Takes the next bytes and appends their samples to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), WavError> {
        if self.rate.is_some() {
            self.samples(bytes, out);
            return Ok(());
        }
        self.header.extend_from_slice(bytes);
        if let Some((rate, data)) = parse_header(&self.header)? {
            self.rate = Some(rate);
            let header = std::mem::take(&mut self.header);
            self.samples(&header[data..], out);
        } else if self.header.len() > MAX_HEADER {
            return Err(WavError("its header does not end"));
        }
        Ok(())
    }

    /// The rate, once the header has been read.
    pub(super) fn rate(&self) -> Option<SampleRate> {
        self.rate
    }

    /// Converts little-endian samples, which may be cut in the middle.
    fn samples(&mut self, bytes: &[u8], out: &mut Vec<f32>) {
        let mut bytes = bytes;
        if let (Some(low), Some((&high, rest))) = (self.odd, bytes.split_first()) {
            out.push(sample([low, high]));
            self.odd = None;
            bytes = rest;
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        out.extend(pairs.iter().map(|&pair| sample(pair)));
        if let [low] = odd {
            self.odd = Some(*low);
        }
    }
}

/// One sample in [-1, 1].
fn sample(bytes: [u8; 2]) -> f32 {
    f32::from(i16::from_le_bytes(bytes)) / 32_768.0
}

/// Reads the chunks up to `data`: the rate and where the samples start, `None` if it goes on.
fn parse_header(header: &[u8]) -> Result<Option<(SampleRate, usize)>, WavError> {
    let Some((riff, _)) = header.split_first_chunk::<12>() else { return Ok(None) };
    if !riff.starts_with(b"RIFF") || !riff.ends_with(b"WAVE") {
        return Err(WavError("no RIFF header"));
    }
    let mut rate = None;
    let mut at = riff.len();
    while let Some(([a, b, c, d, size @ ..], body)) = header[at..].split_first_chunk::<8>() {
        let start = at + 8;
        match [*a, *b, *c, *d].as_slice() {
            b"data" => {
                let rate = rate.ok_or(WavError("no format before the data"))?;
                return Ok(Some((rate, start)));
            }
            b"fmt " => {
                let Some((format, _)) = body.split_first_chunk::<16>() else { return Ok(None) };
                rate = Some(parse_format(format)?);
            }
            _ => {}
        }
        // Chunks are padded to even sizes.
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        at = start.saturating_add(size.saturating_add(size % 2));
        if at > MAX_HEADER {
            return Err(WavError("its header is too long"));
        }
        if at > header.len() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Reads the body of the `fmt ` chunk: tag, channels, rate, and bits at the end.
fn parse_format(format: &[u8; 16]) -> Result<SampleRate, WavError> {
    let short = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    if short(0) != 1 || short(2) != 1 || short(14) != 16 {
        return Err(WavError("its format is another"));
    }
    if !(8_000..=192_000).contains(&rate) {
        return Err(WavError("its sample rate is out of range"));
    }
    Ok(SampleRate(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as espeak-ng writes it into a pipe, with a chunk to be skipped.
    fn file(samples: &[i16]) -> Vec<u8> {
        let mut file =
            b"RIFF\x24\xf0\xff\x7fWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        file.extend(22_050_u32.to_le_bytes());
        file.extend(44_100_u32.to_le_bytes());
        file.extend(b"\x02\0\x10\0data\0\xf0\xff\x7f");
        file.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        file
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_samples() {
        let file = file(&[0, 16_384, -32_768, 1, -1]);
        for size in 1..file.len() {
            let mut wav = WavStream::default();
            let mut out = Vec::new();
            for piece in file.chunks(size) {
                wav.push(piece, &mut out).unwrap();
            }
            assert_eq!(wav.rate(), Some(SampleRate(22_050)), "pieces of {size}");
            assert_eq!(out, [0.0, 0.5, -1.0, 1.0 / 32_768.0, -1.0 / 32_768.0], "pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_wav_is_refused() {
        let refuse = |bytes: &[u8]| WavStream::default().push(bytes, &mut Vec::new()).unwrap_err();
        assert_eq!(refuse(b"Error: no such voice"), WavError("no RIFF header"));
        assert_eq!(refuse(b"RIFF....WAVEdata\0\0\0\0"), WavError("no format before the data"));
        assert_eq!(refuse(b"RIFF....WAVELIST\xff\xff\xff\xff"), WavError("its header is too long"));
        let mut stereo = file(&[]);
        stereo[34] = 2;
        assert_eq!(refuse(&stereo), WavError("its format is another"));
    }
}
