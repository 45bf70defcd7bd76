//! WAV files of senders: every kind of PCM is read here, ADPCM goes to symphonia in a tidy file.

use super::{DecodeError, container, format::Format, mix::Mix};
use crate::audio::{
    SampleRate,
    limits::MAX_LINKS,
    wav::{Encoding, WavChunks, WavHeader, WavPart},
};

/// Frames that are converted at a time.
const PORTION: usize = 4_096;

/// Says how the samples that follow are read.
enum Coding {
    Pcm { encoding: Encoding, channels: usize, rate: SampleRate },
    Adpcm { header: WavHeader, data: Vec<u8> },
}

/// Decodes a file, and those appended to it, into `mix`; returns the bytes of what could not be
/// heard.
///
/// # Errors
/// `Corrupt` without a complete `fmt ` and a `data` chunk, `Unsupported` for another codec, `TooLong`.
pub(super) fn read(file: &[u8], mix: &mut Mix) -> Result<u64, DecodeError> {
    let mut chunks = WavChunks::default();
    chunks.push(file);
    let (mut coding, mut unheard, mut refused) = (None, 0, None);
    let (mut samples, mut links) = (Vec::new(), 0);
    loop {
        let part = match chunks.next(true) {
            Ok(part) => part,
            Err(error) if mix.is_empty() => return Err(error),
            Err(_) => return Ok(unheard + chunks.unheard() + chunks.left()),
        };
        match (part, &mut coding) {
            (Some(WavPart::Begins(format, header)), _) => {
                unheard += adpcm(coding.take(), mix)?;
                links += 1;
                coding = if links > MAX_LINKS {
                    None
                } else if format.is_adpcm() {
                    Some(Coding::Adpcm { header: header.clone(), data: Vec::new() })
                } else {
                    let (channels, rate) = (format.channels, format.rate);
                    match format.encoding() {
                        Ok(encoding) => Some(Coding::Pcm { encoding, channels, rate }),
                        Err(error) => {
                            refused.get_or_insert(error);
                            None
                        }
                    }
                };
            }
            (Some(WavPart::Data(data)), Some(Coding::Pcm { encoding, channels, rate })) => {
                for portion in data.chunks(PORTION * *channels * encoding.width) {
                    samples.clear();
                    encoding.append(portion, &mut samples);
                    mix.push(&samples, *channels, *rate)?;
                }
            }
            (Some(WavPart::Data(data)), Some(Coding::Adpcm { data: gathered, .. })) => {
                gathered.extend_from_slice(data);
            }
            (Some(WavPart::Data(data)), None) => unheard += data.len() as u64,
            (None, _) => break,
        }
    }
    unheard += adpcm(coding, mix)?;
    match refused {
        Some(error) if mix.is_empty() => Err(error),
        None if !chunks.has_begun() => Err(DecodeError::corrupt("WAV: no format before the data")),
        _ => Ok(unheard + chunks.unheard()),
    }
}

/// Decodes the samples that were gathered; returns the bytes of what could not be heard. What was
/// decoded before broken ones counts.
fn adpcm(coding: Option<Coding>, mix: &mut Mix) -> Result<u64, DecodeError> {
    let Some(Coding::Adpcm { header, data }) = coding else { return Ok(0) };
    match container::file(tidy(&header, &data), Format::Wav, mix) {
        Err(DecodeError::Corrupt { .. } | DecodeError::Unsupported { .. }) if !mix.is_empty() => {
            Ok(data.len() as u64)
        }
        other => other,
    }
}

/// Rebuilds a file from its three chunks.
fn tidy(header: &WavHeader, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    let chunks = [
        (b"fmt ", Some(&header.fmt[..])),
        (b"fact", header.fact.as_deref()),
        (b"data", Some(data)),
    ];
    for (id, chunk) in chunks {
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

#[cfg(test)]
mod tests {
    use super::super::{decode, mix::Mix};
    use crate::audio::{AudioLimits, limits::MAX_LINKS};

    #[test]
    fn hostile_heads_cost_no_resampler_each() {
        let head = |rate: u32| {
            let fmt =
                [&b"fmt \x10\0\0\0\x01\0\x01\0"[..], &rate.to_le_bytes(), b"\0\0\0\0\x02\0\x10\0"];
            [b"RIFF\0\0\0\0WAVE", &fmt.concat()[..], b"data\x02\0\0\0\x01\x01"].concat()
        };
        let file = [head(16_000), head(44_100)].concat().repeat(10_000);
        let mut mix = Mix::new(AudioLimits::default());
        let unheard = super::read(&file, &mut mix).unwrap();
        assert_eq!(unheard, 2 * (20_000 - MAX_LINKS as u64));
    }

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
            let speech = decode(&wav(magic, size, extra), AudioLimits::default()).unwrap();
            assert_eq!(speech.samples().len(), 1_600, "{size:#x} {extra:?}");
        }
    }

    /// Makes a file of `kind` with a constant sample: 160 frames at 16 kHz.
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
                let speech = decode(&constant(big, kind, sample), AudioLimits::default()).unwrap();
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
            let error =
                decode(&constant(false, kind, b"\0\0"), AudioLimits::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("unsupported audio: {words}"));
        }
    }
}
