//! What a server says of samples that have no header: in its content type.
//!
//! A server that names a rate is believed; `tts.sample_rate` is for those that name none.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::audio::limits::{MAX_CHANNELS, MAX_RATE, MIN_RATE};
use crate::audio::{RawKind, RawPcm, SampleRate};

/// Headers in which servers name the rate.
const RATE_HEADERS: [&str; 2] = ["x-sample-rate", "x-audio-sample-rate"];

/// Describes the samples of an answer, if it is samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RawSound {
    pub(super) pcm: RawPcm,
    /// The server says that it sends samples.
    pub(super) said: bool,
    /// The server names the rate.
    pub(super) rated: bool,
    /// Which byte of a sample is first: RFC 2586 has the highest one first, most servers of
    /// `audio/L16` have the lowest. The sound tells.
    pub(super) either_end: bool,
}

impl RawSound {
    /// Takes what is configured.
    pub(super) fn configured(rate: SampleRate) -> Self {
        Self { pcm: RawPcm::mono(rate), said: false, rated: false, either_end: false }
    }

    /// Reads the headers of an answer; `configured` is the rate where they name none.
    pub(super) fn of(headers: &HeaderMap, configured: SampleRate) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut sound = Self::configured(configured);
        sound.read(&text(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase());
        if !sound.rated {
            sound
                .rate_is(RATE_HEADERS.into_iter().find_map(|name| text(name)?.trim().parse().ok()));
        }
        sound
    }

    /// Reads a content type in lower case.
    fn read(&mut self, content_type: &str) {
        let mut parts = content_type.split(';').map(str::trim);
        let telephone = Some(8_000);
        match parts.next().unwrap_or_default() {
            "audio/l16" => (self.said, self.either_end) = (true, true),
            "audio/pcm" | "audio/x-pcm" | "audio/raw" | "audio/x-raw" | "audio/lpcm"
            | "audio/x-lpcm" => self.said = true,
            "audio/basic" | "audio/mulaw" | "audio/x-mulaw" | "audio/pcmu" => {
                (self.said, self.pcm.kind) = (true, RawKind::MuLaw);
                self.rate_is(telephone);
            }
            "audio/alaw" | "audio/x-alaw" | "audio/pcma" => {
                (self.said, self.pcm.kind) = (true, RawKind::ALaw);
                self.rate_is(telephone);
            }
            _ => {}
        }
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "rate" | "samplerate" | "sample_rate" | "sample-rate" => {
                    self.rate_is(value.parse().ok());
                }
                "channels" => self.channels_are(value.parse().ok()),
                "endianness" | "byteorder" | "byte-order" => {
                    self.either_end = false;
                    if value.starts_with("big") {
                        self.pcm.kind = RawKind::Big16;
                    }
                }
                "encoding" | "format" | "codec" => match value {
                    "f32le" | "float" | "float32" | "pcm_f32le" | "floating-point" => {
                        self.pcm.kind = RawKind::Float32;
                    }
                    "mulaw" | "ulaw" | "pcm_mulaw" => self.pcm.kind = RawKind::MuLaw,
                    "alaw" | "pcm_alaw" => self.pcm.kind = RawKind::ALaw,
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// Believes a rate that sound can have.
    fn rate_is(&mut self, rate: Option<u32>) {
        if let Some(rate) = rate.filter(|rate| (MIN_RATE..=MAX_RATE).contains(rate)) {
            (self.pcm.rate, self.rated) = (SampleRate(rate), true);
        }
    }

    fn channels_are(&mut self, channels: Option<usize>) {
        let believed = channels.filter(|count| (1..=MAX_CHANNELS).contains(count));
        self.pcm.channels = believed.unwrap_or(1);
    }

    /// Returns the samples' description, with the order of their bytes as it sounds in `start`:
    /// sound is smoother than its bytes the other way round.
    pub(super) fn heard(self, start: &[u8]) -> RawPcm {
        let roughness = |number: fn([u8; 2]) -> i16| -> u64 {
            let samples = start.as_chunks().0.iter().map(|pair| number(*pair));
            let next = samples.clone().skip(1);
            samples.zip(next).map(|(a, b)| u64::from(a.abs_diff(b))).sum()
        };
        let (little, big) = (roughness(i16::from_le_bytes), roughness(i16::from_be_bytes));
        let kind = if self.either_end && big < little { RawKind::Big16 } else { self.pcm.kind };
        RawPcm { kind, ..self.pcm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: &str) -> RawSound {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        RawSound::of(&headers, SampleRate(24_000))
    }

    #[test]
    fn a_rate_that_the_server_names_is_believed() {
        for (content_type, rate, channels, kind) in [
            ("audio/L16;rate=16000;channels=1", 16_000, 1, RawKind::Little16),
            ("audio/L16; codec=pcm; rate=22050", 22_050, 1, RawKind::Little16),
            ("audio/pcm;rate=\"48000\";channels=2", 48_000, 2, RawKind::Little16),
            ("audio/x-pcm; sample_rate=8000", 8_000, 1, RawKind::Little16),
            ("audio/L16;rate=16000;endianness=big-endian", 16_000, 1, RawKind::Big16),
            ("audio/pcm;rate=16000;encoding=float", 16_000, 1, RawKind::Float32),
            ("audio/basic", 8_000, 1, RawKind::MuLaw),
            ("audio/PCMA;rate=16000", 16_000, 1, RawKind::ALaw),
            ("application/octet-stream", 24_000, 1, RawKind::Little16),
            ("audio/pcm;rate=0;channels=0", 24_000, 1, RawKind::Little16),
            ("audio/pcm;rate=fast;channels=99", 24_000, 1, RawKind::Little16),
            ("audio/mpeg", 24_000, 1, RawKind::Little16),
        ] {
            let expected = RawPcm { rate: SampleRate(rate), channels, kind };
            assert_eq!(of(content_type).pcm, expected, "{content_type}");
        }
        assert!(of("audio/L16;rate=16000").rated && !of("audio/pcm").rated);
        assert!(of("audio/pcm").said && !of("audio/wav").said);
        let mut headers = HeaderMap::new();
        headers.insert("x-sample-rate", "32000".parse().unwrap());
        assert_eq!(RawSound::of(&headers, SampleRate(24_000)).pcm.rate, SampleRate(32_000));
    }

    #[test]
    fn the_order_of_bytes_is_heard_where_the_name_allows_both() {
        let tone: Vec<i16> = (0..500).map(|at| (at % 50 - 25) * 300).collect();
        let bytes = |order: fn(i16) -> [u8; 2]| -> Vec<u8> {
            tone.iter().flat_map(|sample| order(*sample)).collect()
        };
        let kind = |name: &str, bytes: &[u8]| of(name).heard(bytes).kind;
        assert_eq!(kind("audio/L16;rate=16000", &bytes(i16::to_be_bytes)), RawKind::Big16);
        assert_eq!(kind("audio/L16;rate=16000", &bytes(i16::to_le_bytes)), RawKind::Little16);
        assert_eq!(kind("audio/L16;rate=16000", &[0; 100]), RawKind::Little16);
        assert_eq!(kind("audio/pcm", &bytes(i16::to_be_bytes)), RawKind::Little16);
    }
}
