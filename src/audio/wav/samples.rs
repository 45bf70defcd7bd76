//! The samples of a WAV file: what the `fmt ` chunk says of them, and their values.

use super::{number, stream::RawKind};
use crate::audio::{DecodeError, SampleRate, limits::check_sound};

// Format tags. Source: Microsoft, mmreg.h.
const PCM: u32 = 1;
const ADPCM_MS: u32 = 2;
const FLOAT: u32 = 3;
const A_LAW: u32 = 6;
const MU_LAW: u32 = 7;
const ADPCM_IMA: u32 = 0x11;
const EXTENSIBLE: u32 = 0xfffe;

/// Ends every subformat of an extensible header that is a format tag in its first two bytes.
const TAGGED: &[u8; 14] = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";

/// Holds what the `fmt ` chunk says; rate and channels are within the limits.
#[derive(Clone, Copy, Debug)]
pub(in crate::audio) struct WavFormat {
    tag: u32,
    /// 1 to [`MAX_CHANNELS`](crate::audio::limits::MAX_CHANNELS).
    pub(in crate::audio) channels: usize,
    pub(in crate::audio) rate: SampleRate,
    /// Bytes of a frame.
    block: usize,
    /// Bits of a sample.
    bits: usize,
    big: bool,
}

impl WavFormat {
    /// Parses the body of a `fmt ` chunk; `big` if numbers have their highest byte first.
    ///
    /// # Errors
    /// `Corrupt` if it is too short, `Unsupported` beyond the limits or for an unknown subformat.
    pub(super) fn parse(chunk: &[u8], big: bool) -> Result<Self, DecodeError> {
        let field = |at, width| {
            let field = number(chunk, at, width, big).and_then(|field| u32::try_from(field).ok());
            field.ok_or_else(|| DecodeError::corrupt("WAV: the format is cut off"))
        };
        let mut tag = field(0, 2)?;
        if tag == EXTENSIBLE {
            tag = field(24, 2)?;
            if chunk.get(26..40) != Some(TAGGED) {
                return Err(DecodeError::unsupported("WAV with an unknown subformat"));
            }
        }
        let (channels, rate) = (field(2, 2)? as usize, field(4, 4)?);
        let (block, bits) = (field(12, 2)? as usize, field(14, 2)? as usize);
        check_sound(Some(rate), Some(channels))?;
        if channels == 0 {
            return Err(DecodeError::corrupt("WAV: no channels"));
        }
        Ok(Self { tag, channels, rate: SampleRate(rate), block, bits, big })
    }

    /// Returns whether the samples are little-endian ADPCM, which symphonia decodes.
    pub(in crate::audio) fn is_adpcm(&self) -> bool {
        matches!(self.tag, ADPCM_MS | ADPCM_IMA) && !self.big
    }

    /// Returns how to read the samples.
    ///
    /// # Errors
    /// `Unsupported` for anything but PCM, IEEE floats and G.711.
    pub(in crate::audio) fn encoding(&self) -> Result<Encoding, DecodeError> {
        let unsupported = |what: String| Err(DecodeError::unsupported(format!("WAV with {what}")));
        // 24 bits may be stored in 4 bytes.
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
            (ADPCM_MS | ADPCM_IMA, _) if self.big => return unsupported("big-endian ADPCM".into()),
            (ADPCM_MS | ADPCM_IMA, _) => return unsupported("ADPCM".into()),
            (0x31, _) => return unsupported("GSM".into()),
            (0x55, _) => return unsupported("MP3".into()),
            (tag, _) => return unsupported(format!("codec {tag:#06x}")),
        };
        // A sample whose bits do not fill its bytes is stored in the upper bits.
        let bits = if self.bits.is_multiple_of(8) { self.bits } else { 8 * width };
        Ok(Encoding { code, width, bits, big: self.big })
    }
}

/// Names how a number encodes a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Code {
    Unsigned,
    Signed,
    Single,
    Double,
    ALaw,
    MuLaw,
}

/// Describes how one sample is stored.
#[derive(Clone, Copy, Debug)]
pub(in crate::audio) struct Encoding {
    code: Code,
    /// Bytes.
    pub(in crate::audio) width: usize,
    bits: usize,
    big: bool,
}

impl Encoding {
    /// Returns how to read samples that come without a header.
    pub(super) fn raw(kind: RawKind) -> Self {
        let (code, width, big) = match kind {
            RawKind::Little16 => (Code::Signed, 2, false),
            RawKind::Big16 => (Code::Signed, 2, true),
            RawKind::Float32 => (Code::Single, 4, false),
            RawKind::MuLaw => (Code::MuLaw, 1, false),
            RawKind::ALaw => (Code::ALaw, 1, false),
        };
        Self { code, width, bits: 8 * width, big }
    }

    /// Appends the samples in `data`; PCM and G.711 are in [-1, 1], floats may be anything.
    pub(in crate::audio) fn append(&self, data: &[u8], out: &mut Vec<f32>) {
        if let Self { code: Code::Signed, width: 2, bits: 16, big: false } = self {
            // What nearly every file holds, ten times as fast.
            let samples = data.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair));
            return out.extend(samples.map(|sample| f32::from(sample) / 32_768.0));
        }
        out.extend(data.chunks_exact(self.width).map(|bytes| self.value(bytes)));
    }

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

/// Decodes ITU-T G.711 A-law: sign, 3-bit exponent, 4-bit mantissa; every other bit is inverted.
fn a_law(byte: u8) -> f32 {
    let bits = byte ^ 0x55;
    let (exponent, mantissa) = (bits >> 4 & 7, i16::from(bits & 0xf) << 4 | 8);
    let size = if exponent == 0 { mantissa } else { (mantissa | 0x100) << (exponent - 1) };
    f32::from(if bits & 0x80 == 0 { -size } else { size }) / 32_768.0
}

/// Decodes ITU-T G.711 mu-law: the same with all bits inverted and a bias of 132.
fn mu_law(byte: u8) -> f32 {
    let bits = !byte;
    let size = ((i16::from(bits & 0xf) << 3 | 0x84) << (bits >> 4 & 7)) - 0x84;
    f32::from(if bits & 0x80 == 0 { size } else { -size }) / 32_768.0
}
