//! WAV files: every kind of PCM is read here, and ADPCM is handed to symphonia in a tidy file.
//!
//! Writers of WAV are careless: sizes that were never filled in (espeak-ng, any pipe), RF64,
//! comment chunks that claim more than they have. Only `fmt `, `fact` and `data` matter, and of
//! `data` only as much as is there. Source: Microsoft, "Multiple channel audio data and WAVE files".

use super::{DecodeError, mix::Mix};
use crate::audio::{
    Limits, SampleRate,
    limits::{MAX_CHANNELS, MAX_RATE, MIN_RATE},
};

/// Samples that are converted at a time.
const PORTION: usize = 4_096;

/// What a format tag means.
const PCM: u32 = 1;
const ADPCM_MS: u32 = 2;
const FLOAT: u32 = 3;
const A_LAW: u32 = 6;
const MU_LAW: u32 = 7;
const ADPCM_IMA: u32 = 0x11;
const EXTENSIBLE: u32 = 0xfffe;

/// The end of a subformat that is a format tag in its first two bytes.
const TAGGED: &[u8; 14] = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";

/// Decodes a file to 16 kHz mono, or returns the file that symphonia is to decode.
pub(super) enum Wav {
    Speech(Vec<f32>),
    Other(Vec<u8>),
}

/// Reads a file.
///
/// # Errors
/// `Corrupt` without a whole `fmt ` and a `data` chunk, `Unsupported` for another codec, `TooLong`.
pub(super) fn read(file: &[u8], limits: Limits) -> Result<Wav, DecodeError> {
    let big = file.starts_with(b"RIFX");
    let chunks = Chunks::of(file, big);
    let (Some(head), Some(data)) = (chunks.head, chunks.data) else {
        return Err(DecodeError::corrupt("WAV: no format before the data"));
    };
    let head = Head::parse(head, big)?;
    head.check()?;
    if let (ADPCM_MS | ADPCM_IMA, false) = (head.tag, big) {
        return Ok(Wav::Other(tidy(&chunks)));
    }
    let sample = head.sample()?;
    let mut mix = Mix::new(limits);
    let mut samples = Vec::new();
    for portion in data.chunks(PORTION * head.channels * sample.width) {
        samples.clear();
        samples.extend(portion.chunks_exact(sample.width).map(|bytes| sample.value(bytes)));
        mix.push(&samples, head.channels, SampleRate(head.rate))?;
    }
    Ok(Wav::Speech(mix.finish()))
}

/// The chunks that matter.
#[derive(Default)]
struct Chunks<'a> {
    head: Option<&'a [u8]>,
    fact: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn of(file: &'a [u8], big: bool) -> Self {
        let mut chunks = Self::default();
        // RF64: the data's true size.
        let mut long = None;
        let mut rest = file.get(12..).unwrap_or_default();
        while let (Some((id, behind)), Some(size)) =
            (rest.split_first_chunk::<4>(), number(rest, 4, 4, big))
        {
            let behind = &behind[4..];
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if id == b"data" {
                let size = long.filter(|_| size == u32::MAX as usize).unwrap_or(size);
                // 0 is what writers leave that did not know yet; so may be more than there is.
                let size = if size == 0 { behind.len() } else { size.min(behind.len()) };
                chunks.data = Some(&behind[..size]);
                break;
            }
            let Some(chunk) = behind.get(..size) else { break };
            match id {
                b"fmt " => chunks.head = Some(chunk),
                b"fact" => chunks.fact = Some(chunk),
                b"ds64" => long = number(chunk, 8, 8, big).and_then(|size| size.try_into().ok()),
                _ => {}
            }
            rest = behind.get(size.next_multiple_of(2)..).unwrap_or_default();
        }
        chunks
    }
}

/// Rebuilds a file of its three chunks.
fn tidy(chunks: &Chunks<'_>) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    for (id, chunk) in [(b"fmt ", chunks.head), (b"fact", chunks.fact), (b"data", chunks.data)] {
        let Some(chunk) = chunk else { continue };
        file.extend(id);
        file.extend(u32::try_from(chunk.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(chunk);
        file.extend(std::iter::repeat_n(0, chunk.len() % 2));
    }
    let size = u32::try_from(file.len() - 8).unwrap_or(u32::MAX);
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
}

/// The `fmt ` chunk.
struct Head {
    tag: u32,
    channels: usize,
    rate: u32,
    /// Bytes of a frame.
    block: usize,
    /// Bits of a sample.
    bits: usize,
    /// Numbers have their highest byte first.
    big: bool,
}

impl Head {
    fn parse(chunk: &[u8], big: bool) -> Result<Self, DecodeError> {
        let field = |at, width| {
            let field = number(chunk, at, width, big).and_then(|field| u32::try_from(field).ok());
            field.ok_or_else(|| DecodeError::corrupt("WAV: the format is cut off"))
        };
        let mut tag = field(0, 2)?;
        if tag == EXTENSIBLE {
            tag = field(24, 2)?;
            if chunk.get(26..40) != Some(TAGGED) {
                return Err(DecodeError::unsupported("WAV with a subformat that we do not know"));
            }
        }
        Ok(Self {
            tag,
            channels: field(2, 2)? as usize,
            rate: field(4, 4)?,
            block: field(12, 2)? as usize,
            bits: field(14, 2)? as usize,
            big,
        })
    }

    /// Refuses what is beyond the limits.
    fn check(&self) -> Result<(), DecodeError> {
        if !(MIN_RATE..=MAX_RATE).contains(&self.rate) {
            return Err(DecodeError::unsupported(format!("a sample rate of {} Hz", self.rate)));
        }
        match self.channels {
            0 => Err(DecodeError::corrupt("WAV: no channels")),
            count if count > MAX_CHANNELS => {
                Err(DecodeError::unsupported(format!("{count} channels")))
            }
            _ => Ok(()),
        }
    }

    fn sample(&self) -> Result<Sample, DecodeError> {
        let unsupported = |what: String| Err(DecodeError::unsupported(format!("WAV with {what}")));
        // 24 bits may lie in 4 bytes.
        let packed = self.bits.div_ceil(8);
        let width = match self.block / self.channels {
            wide if wide * self.channels == self.block && wide >= packed => wide,
            _ => packed,
        };
        let code = match (self.tag, self.bits) {
            (PCM, 1..=8) if width == 1 => Code::Unsigned,
            (PCM, 9..=64) if width <= 8 => Code::Signed,
            (FLOAT, 32) if width == 4 => Code::Single,
            (FLOAT, 64) if width == 8 => Code::Double,
            (A_LAW, 8) if width == 1 => Code::ALaw,
            (MU_LAW, 8) if width == 1 => Code::MuLaw,
            (PCM | FLOAT | A_LAW | MU_LAW, bits) => {
                return unsupported(format!("samples of {bits} bits"));
            }
            (ADPCM_MS | ADPCM_IMA, _) => {
                return unsupported("ADPCM of the other byte order".into());
            }
            (0x31, _) => return unsupported("GSM".into()),
            (0x55, _) => return unsupported("MP3".into()),
            (tag, _) => return unsupported(format!("codec {tag:#06x}")),
        };
        // What is no whole number of bytes stands at the upper end of them.
        let bits = if self.bits.is_multiple_of(8) { self.bits } else { 8 * width };
        Ok(Sample { code, width, bits, big: self.big })
    }
}

/// How a number stands for a pressure.
#[derive(Clone, Copy)]
enum Code {
    Unsigned,
    Signed,
    Single,
    Double,
    ALaw,
    MuLaw,
}

/// How one sample is written.
struct Sample {
    code: Code,
    /// Bytes.
    width: usize,
    bits: usize,
    big: bool,
}

impl Sample {
    /// The sample in -1 to 1; float samples may be anything.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "to f32")]
    #[expect(clippy::cast_possible_wrap, reason = "the bits are those of a signed number")]
    fn value(&self, bytes: &[u8]) -> f32 {
        let raw = number(bytes, 0, self.width, self.big).unwrap_or(0);
        match self.code {
            Code::Unsigned => (raw as f32 - 128.0) / 128.0,
            Code::Signed => ((raw << (64 - self.bits)) as i64 as f64 / 2f64.powi(63)) as f32,
            Code::Single => f32::from_bits(raw as u32),
            Code::Double => f64::from_bits(raw) as f32,
            Code::ALaw => a_law(raw as u8),
            Code::MuLaw => mu_law(raw as u8),
        }
    }
}

/// ITU-T G.711, A-law: sign, exponent of 3 bits, mantissa of 4; every other bit is turned over.
fn a_law(byte: u8) -> f32 {
    let bits = byte ^ 0x55;
    let (exponent, mantissa) = (bits >> 4 & 7, i16::from(bits & 0xf) << 4 | 8);
    let size = if exponent == 0 { mantissa } else { (mantissa | 0x100) << (exponent - 1) };
    f32::from(if bits & 0x80 == 0 { -size } else { size }) / 32_768.0
}

/// ITU-T G.711, mu-law: the same with all bits turned over and an offset of 132.
fn mu_law(byte: u8) -> f32 {
    let bits = !byte;
    let size = ((i16::from(bits & 0xf) << 3 | 0x84) << (bits >> 4 & 7)) - 0x84;
    f32::from(if bits & 0x80 == 0 { size } else { -size }) / 32_768.0
}

/// An unsigned number of up to 8 bytes.
fn number(bytes: &[u8], at: usize, width: usize, big: bool) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
    Some(if big { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) })
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use crate::audio::Limits;

    fn wav(magic: [u8; 4], data_size: u32, before_data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        bytes.extend(b"\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend(16_000u32.to_le_bytes());
        bytes.extend(32_000u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0");
        bytes.extend(before_data);
        bytes.extend(b"data");
        bytes.extend(data_size.to_le_bytes());
        bytes.extend([0x10; 3_200]);
        bytes
    }

    #[test]
    fn careless_headers_are_read_like_tidy_ones() {
        for (magic, size, extra) in [
            (*b"RIFF", 3_200, b"".as_slice()),
            (*b"RIFF", 0, b""),
            (*b"RIFF", 0x7fff_f000, b""),
            (*b"RIFF", u32::MAX, b""),
            (*b"RF64", u32::MAX, b"ds64\x04\0\0\0abcd"),
            (*b"RF64", u32::MAX, b"ds64\x10\0\0\0\0\0\0\0\0\0\0\0\x80\x0c\0\0\0\0\0\0"),
            (*b"RIFF", 3_200, b"LIST\x05\0\0\0INFOx\0"),
            (*b"RIFF", 3_200, b"LIST\x0c\0\0\0INFOICMT\xff\xff\0\0"),
        ] {
            let speech = decode(&wav(magic, size, extra), Limits::default()).unwrap();
            assert_eq!(speech.samples().len(), 1_600, "{size:#x} {extra:?}");
        }
    }

    /// One sample a millisecond in, 16 out: a file of `kind` with a constant pressure.
    fn constant(big: bool, [tag, width, bits]: [u16; 3], sample: &[u8]) -> Vec<u8> {
        let short = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let long = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut bytes = if big { b"RIFX".to_vec() } else { b"RIFF".to_vec() };
        bytes.extend([&long(0)[..], b"WAVEfmt ", &long(16), &short(tag), &short(2)].concat());
        bytes.extend([long(16_000), long(0)].concat());
        bytes.extend([short(2 * width), short(bits)].concat());
        bytes.extend([&b"data"[..], &long(0)].concat());
        bytes.extend(sample.repeat(2 * 160));
        bytes
    }

    #[test]
    fn every_kind_of_pcm_has_the_same_pressure() {
        for (kind, sample) in [
            ([1, 1, 8], b"\xc0".as_slice()),
            ([1, 2, 16], b"\0\x40"),
            ([1, 2, 12], b"\0\x40"),
            ([1, 3, 24], b"\0\0\x40"),
            ([1, 4, 24], b"\0\0\x40\0"),
            ([1, 4, 32], b"\0\0\0\x40"),
            ([1, 8, 64], b"\0\0\0\0\0\0\0\x40"),
            ([3, 4, 32], &0.5f32.to_le_bytes()),
            ([3, 8, 64], &0.5f64.to_le_bytes()),
            ([6, 1, 8], b"\xa5"),
            ([7, 1, 8], b"\x90"),
        ] {
            let turned: Vec<u8> = sample.iter().rev().copied().collect();
            for (big, sample) in [(false, sample), (true, &turned)] {
                let speech = decode(&constant(big, kind, sample), Limits::default()).unwrap();
                let samples = speech.samples();
                assert_eq!(samples.len(), 160, "{kind:?}");
                assert!((samples[80] - 0.5).abs() < 0.02, "{kind:?} {big}: {}", samples[80]);
            }
        }
    }

    #[test]
    fn what_is_no_pcm_is_refused_in_words() {
        for (kind, words) in [
            ([0x31, 1, 0], "WAV with GSM"),
            ([0x55, 1, 0], "WAV with MP3"),
            ([3, 2, 16], "WAV with samples of 16 bits"),
            ([0x1234, 2, 16], "WAV with codec 0x1234"),
        ] {
            let error = decode(&constant(false, kind, b"\0\0"), Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("unsupported audio: {words}"));
        }
    }
}
