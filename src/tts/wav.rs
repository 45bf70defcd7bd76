//! Samples out of bytes while they arrive: WAV files, and PCM without any header.
//!
//! Behind espeak-ng's stdout and a speech server's body. The sizes in the headers of a WAV file
//! that is written while it is spoken are placeholders (espeak-ng writes 0x7ffff000, servers 0 or
//! all ones), so they are not believed: the data goes on until the bytes end. Any split of the
//! bytes gives the same samples.

use crate::audio::SampleRate;
use crate::audio::limits::MAX_CHANNELS;

/// The headers must fit in this many bytes; espeak-ng's take 44.
const MAX_HEADER: usize = 4096;

/// What was not the WAV we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WAV that cannot be read ({0})")]
pub(super) struct WavError(&'static str);

/// Sound read so far.
#[derive(Debug, Default)]
pub(super) struct WavStream {
    /// As much of the headers as came, or of a frame that is not whole.
    held: Vec<u8>,
    format: Option<Format>,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    rate: SampleRate,
    /// 1 to [`MAX_CHANNELS`].
    channels: usize,
    /// Bytes a sample: 1 to 4.
    width: usize,
    float: bool,
}

impl WavStream {
    /// Bytes without a header: 16-bit little-endian mono.
    pub(super) fn raw(rate: SampleRate) -> Self {
        let format = Format { rate, channels: 1, width: 2, float: false };
        Self { held: Vec::new(), format: Some(format) }
    }

    /// Takes the next bytes and appends their samples, mixed down to mono, to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), WavError> {
        self.held.extend_from_slice(bytes);
        let Some(format) = self.format else {
            if let Some((format, data)) = parse_header(&self.held)? {
                self.format = Some(format);
                self.held.drain(..data);
                return self.push(&[], out);
            }
            if self.held.len() > MAX_HEADER {
                return Err(WavError("its header does not end"));
            }
            return Ok(());
        };
        let frames = self.held.chunks_exact(format.width * format.channels);
        let rest = frames.remainder().to_vec();
        out.extend(frames.map(|frame| format.mono(frame)));
        self.held = rest;
        Ok(())
    }

    /// The rate, once the header has been read.
    pub(super) fn rate(&self) -> Option<SampleRate> {
        self.format.map(|format| format.rate)
    }
}

impl Format {
    /// The mean of a frame's channels.
    #[expect(clippy::cast_precision_loss, reason = "at most 8 channels")]
    fn mono(self, frame: &[u8]) -> f32 {
        let sum: f32 = frame.chunks_exact(self.width).map(|sample| self.sample(sample)).sum();
        sum / self.channels as f32
    }

    /// One sample in [-1, 1].
    fn sample(self, bytes: &[u8]) -> f32 {
        match *bytes {
            // 8 bits are unsigned.
            [only] => (f32::from(only) - 128.0) / 128.0,
            [a, b, c, d] if self.float => {
                let sample = f32::from_le_bytes([a, b, c, d]);
                if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
            }
            // Of 24 and 32 bits the upper 16: more than a note keeps.
            [.., low, high] => f32::from(i16::from_le_bytes([low, high])) / 32_768.0,
            [] => 0.0,
        }
    }
}

/// Reads the chunks up to `data`: the format and where the samples start, `None` if it goes on.
fn parse_header(header: &[u8]) -> Result<Option<(Format, usize)>, WavError> {
    let Some((riff, _)) = header.split_first_chunk::<12>() else { return Ok(None) };
    if !(riff.starts_with(b"RIFF") || riff.starts_with(b"RF64")) || !riff.ends_with(b"WAVE") {
        return Err(WavError("no RIFF header"));
    }
    let mut format = None;
    let mut at = riff.len();
    while let Some(([a, b, c, d, size @ ..], body)) = header[at..].split_first_chunk::<8>() {
        let start = at + 8;
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        match [*a, *b, *c, *d].as_slice() {
            b"data" => {
                let format = format.ok_or(WavError("no format before the data"))?;
                return Ok(Some((format, start)));
            }
            b"fmt " => {
                let Some(chunk) = body.get(..size.clamp(16, 40)) else { return Ok(None) };
                format = Some(parse_format(chunk)?);
            }
            _ => {}
        }
        // Chunks are padded to even sizes.
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

/// Reads the body of the `fmt ` chunk, at least 16 bytes: tag, channels, rate, bits, and what an
/// extensible one holds in its place of the tag.
fn parse_format(chunk: &[u8]) -> Result<Format, WavError> {
    let short = |at: usize| match chunk.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    let rate = u32::from(short(4)) | u32::from(short(6)) << 16;
    // 0xfffe: the tag begins the identifier behind the speaker mask.
    let tag = if short(0) == 0xfffe { short(24) } else { short(0) };
    let (channels, bits) = (usize::from(short(2)), short(14));
    let float = match (tag, bits) {
        (1, 8 | 16 | 24 | 32) => false,
        (3, 32) => true,
        _ => return Err(WavError("its samples are of another kind")),
    };
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(WavError("it has too many channels"));
    }
    if !(8_000..=192_000).contains(&rate) {
        return Err(WavError("its sample rate is out of range"));
    }
    Ok(Format { rate: SampleRate(rate), channels, width: usize::from(bits / 8), float })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as espeak-ng writes it into a pipe, with a chunk to be skipped.
    fn file(format: [u16; 3], data: &[u8]) -> Vec<u8> {
        let [tag, channels, bits] = format;
        let mut file = b"RIFF\x24\xf0\xff\x7fWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        file.extend(tag.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(22_050_u32.to_le_bytes());
        file.extend((22_050 * u32::from(channels * bits) / 8).to_le_bytes());
        file.extend((channels * bits / 8).to_le_bytes());
        file.extend(bits.to_le_bytes());
        file.extend(b"data\0\xf0\xff\x7f");
        file.extend(data);
        file
    }

    #[track_caller]
    fn check(bytes: &[u8], new: impl Fn() -> WavStream, expected: &[f32]) {
        for size in 1..=bytes.len() {
            let (mut wav, mut out) = (new(), Vec::new());
            for piece in bytes.chunks(size) {
                wav.push(piece, &mut out).unwrap();
            }
            assert_eq!(wav.rate(), Some(SampleRate(22_050)), "pieces of {size}");
            assert_eq!(out, expected, "pieces of {size}");
        }
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_samples() {
        let samples = [0, 16_384, -32_768, 1, -1].map(i16::to_le_bytes).concat();
        let expected = [0.0, 0.5, -1.0, 1.0 / 32_768.0, -1.0 / 32_768.0];
        check(&file([1, 1, 16], &samples), WavStream::default, &expected);
        check(&samples, || WavStream::raw(SampleRate(22_050)), &expected);
    }

    #[test]
    fn every_width_is_read_and_channels_are_mixed() {
        check(&file([1, 1, 8], &[128, 192, 0]), WavStream::default, &[0.0, 0.5, -1.0]);
        check(&file([1, 1, 24], &[9, 0, 64, 9, 0, 128]), WavStream::default, &[0.5, -1.0]);
        check(&file([1, 1, 32], &[9, 9, 0, 192]), WavStream::default, &[-0.5]);
        let floats = [0.25, f32::NAN, 7.0].map(f32::to_le_bytes).concat();
        check(&file([3, 1, 32], &floats), WavStream::default, &[0.25, 0.0, 1.0]);
        let stereo = [16_384, 0, -16_384, 16_384].map(i16::to_le_bytes).concat();
        check(&file([1, 2, 16], &stereo), WavStream::default, &[0.25, 0.0]);
    }

    #[test]
    fn what_is_no_wav_is_refused() {
        let refuse = |bytes: &[u8]| WavStream::default().push(bytes, &mut Vec::new()).unwrap_err();
        assert_eq!(refuse(b"Error: no such voice"), WavError("no RIFF header"));
        assert_eq!(refuse(b"RIFF....WAVEdata\0\0\0\0"), WavError("no format before the data"));
        assert_eq!(refuse(b"RIFF....WAVELIST\xff\xff\xff\xff"), WavError("its header is too long"));
        let other = WavError("its samples are of another kind");
        assert_eq!(refuse(&file([6, 1, 8], &[0])), other);
        assert_eq!(refuse(&file([3, 1, 64], &[0])), other);
        assert_eq!(refuse(&file([1, 9, 16], &[0])), WavError("it has too many channels"));
    }
}
