//! WAV files of senders: every kind of PCM is read here, ADPCM goes to symphonia in a tidy file.

use super::{DecodeError, container::FileReader, format::Format, mix::Mix};
use crate::audio::{
    SampleRate,
    limits::MAX_LINKS,
    wav::{Encoding, WavChunks, WavHeader, WavPart},
};

/// Bytes of a file that are read at a time.
const PORTION: usize = 32 << 10;

/// Says how the samples that follow are read.
enum Coding {
    Pcm { encoding: Encoding, channels: usize, rate: SampleRate },
    Adpcm { header: WavHeader, data: Vec<u8> },
}

/// Decodes a file, and those appended to it.
pub(super) struct WavFile {
    file: Vec<u8>,
    at: usize,
    chunks: WavChunks,
    coding: Option<Coding>,
    /// The beginning of a frame whose rest comes with the next portion.
    begun: Vec<u8>,
    /// ADPCM that is decoded before anything else, and its length.
    adpcm: Option<(FileReader, u64)>,
    samples: Vec<f32>,
    links: usize,
    unheard: u64,
    refused: Option<DecodeError>,
    ended: bool,
}

impl WavFile {
    pub(super) fn new(file: Vec<u8>) -> Self {
        Self {
            file,
            at: 0,
            chunks: WavChunks::default(),
            coding: None,
            begun: Vec::new(),
            adpcm: None,
            samples: Vec::new(),
            links: 0,
            unheard: 0,
            refused: None,
            ended: false,
        }
    }

    /// Decodes a little into `mix`; returns the bytes of what could not be heard once the file is
    /// over.
    ///
    /// # Errors
    /// `Corrupt` without a complete `fmt ` and a `data` chunk, `Unsupported` for another codec,
    /// `TooLong`, `TooCostly`.
    pub(super) fn step(&mut self, mix: &mut Mix) -> Result<Option<u64>, DecodeError> {
        if let Some((reader, size)) = &mut self.adpcm {
            match reader.step(mix) {
                Ok(None) => return Ok(None),
                Ok(Some(lost)) => self.unheard += lost,
                Err(error) => self.unheard += less_adpcm(error, *size, mix)?,
            }
            self.adpcm = None;
        }
        if self.ended {
            return self.finish(mix).map(Some);
        }
        match self.part(mix) {
            Ok(true) => Ok(None),
            Ok(false) if self.at < self.file.len() => {
                let portion = &self.file[self.at..self.file.len().min(self.at + PORTION)];
                self.at += portion.len();
                self.chunks.push(portion);
                Ok(None)
            }
            Ok(false) => {
                self.ended = true;
                self.begin_adpcm(mix)?;
                Ok(None)
            }
            Err(PartError::Chunk(error)) if mix.is_empty() => Err(error),
            Err(PartError::Chunk(_)) => {
                let left = self.chunks.left() + (self.file.len() - self.at) as u64;
                Ok(Some(self.unheard + self.chunks.unheard() + left))
            }
            Err(PartError::Sound(error)) => Err(error),
        }
    }

    /// Reads the next part; returns whether there was one.
    fn part(&mut self, mix: &mut Mix) -> Result<bool, PartError> {
        let whole = self.at == self.file.len();
        let part = self.chunks.next(whole).map_err(PartError::Chunk)?;
        match (part, &mut self.coding) {
            (Some(WavPart::Begins(format, header)), coding) => {
                let before = coding.take();
                self.begun.clear();
                self.links += 1;
                *coding = if self.links > MAX_LINKS {
                    None
                } else if format.is_adpcm() {
                    Some(Coding::Adpcm { header: header.clone(), data: Vec::new() })
                } else {
                    let (channels, rate) = (format.channels, format.rate);
                    match format.encoding() {
                        Ok(encoding) => Some(Coding::Pcm { encoding, channels, rate }),
                        Err(error) => {
                            self.refused.get_or_insert(error);
                            None
                        }
                    }
                };
                self.open_adpcm(before, mix).map_err(PartError::Sound)?;
            }
            (Some(WavPart::Data(data)), Some(Coding::Pcm { encoding, channels, rate })) => {
                self.begun.extend_from_slice(data);
                let frame = *channels * encoding.width;
                let whole = self.begun.len() / frame.max(1) * frame;
                self.samples.clear();
                encoding.append(&self.begun[..whole], &mut self.samples);
                self.begun.drain(..whole);
                mix.push(&self.samples, *channels, *rate).map_err(PartError::Sound)?;
            }
            (Some(WavPart::Data(data)), Some(Coding::Adpcm { data: gathered, .. })) => {
                gathered.extend_from_slice(data);
            }
            (Some(WavPart::Data(data)), None) => self.unheard += data.len() as u64,
            (None, _) => return Ok(false),
        }
        Ok(true)
    }

    fn begin_adpcm(&mut self, mix: &Mix) -> Result<(), DecodeError> {
        let coding = self.coding.take();
        self.open_adpcm(coding, mix)
    }

    /// Opens the ADPCM that was gathered, if it was any.
    fn open_adpcm(&mut self, coding: Option<Coding>, mix: &Mix) -> Result<(), DecodeError> {
        let Some(Coding::Adpcm { header, data }) = coding else { return Ok(()) };
        let size = data.len() as u64;
        match FileReader::open(tidy(&header, &data), Format::Wav, mix) {
            Ok(reader) => self.adpcm = Some((reader, size)),
            Err(error) => self.unheard += less_adpcm(error, size, mix)?,
        }
        Ok(())
    }

    fn finish(&mut self, mix: &Mix) -> Result<u64, DecodeError> {
        match self.refused.take() {
            Some(error) if mix.is_empty() => Err(error),
            None if !self.chunks.has_begun() => {
                Err(DecodeError::corrupt("WAV: no format before the data"))
            }
            _ => Ok(self.unheard + self.chunks.unheard()),
        }
    }
}

/// Says why a part could not be read.
enum PartError {
    /// What follows is not WAV.
    Chunk(DecodeError),
    /// Its sound cannot be decoded, or is too much.
    Sound(DecodeError),
}

/// Returns how many bytes of ADPCM were not heard after an error. What was decoded before broken ones
/// counts.
fn less_adpcm(error: DecodeError, size: u64, mix: &Mix) -> Result<u64, DecodeError> {
    match error {
        DecodeError::Corrupt { .. } | DecodeError::Unsupported { .. } if !mix.is_empty() => {
            Ok(size)
        }
        error => Err(error),
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
        let mut file = super::WavFile::new(file);
        let unheard = loop {
            if let Some(unheard) = file.step(&mut mix).unwrap() {
                break unheard;
            }
        };
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
