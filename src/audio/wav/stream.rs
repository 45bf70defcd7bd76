//! WAV, or PCM without a header, as it arrives from an engine: mono samples of one rate.

use super::{Encoding, WavChunks, WavFormat, WavPart};
use crate::audio::{
    DecodeError, Resampler, SampleRate,
    downmix::{ChannelOrder, downmix},
    limits::check_sound,
    pcm::sane,
};

/// Most bytes of a stream before its samples: a picture may be among them.
const MAX_STREAM_HEADER: u64 = 1 << 20;

/// Describes samples that come without a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPcm {
    /// How often a second.
    pub rate: SampleRate,
    /// How many of each moment.
    pub channels: usize,
    /// How each is stored.
    pub kind: RawKind,
}

/// Names how a sample without a header is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// A 16-bit integer, its lowest byte first.
    Little16,
    /// A 16-bit integer, its highest byte first.
    Big16,
    /// A 32-bit number of IEEE 754, its lowest byte first.
    Float32,
    /// G.711 mu-law.
    MuLaw,
    /// G.711 A-law.
    ALaw,
}

impl RawPcm {
    /// Describes what most servers mean by PCM: 16-bit little-endian mono.
    #[must_use]
    pub fn mono(rate: SampleRate) -> Self {
        Self { rate, channels: 1, kind: RawKind::Little16 }
    }
}

/// Reads WAV, or PCM without a header, as it arrives, and mixes it down to mono.
///
/// All samples have the rate of the first. Any split of the bytes gives the same samples.
#[derive(Default)]
pub struct WavStream {
    /// There is no header: all bytes are samples.
    raw: bool,
    chunks: WavChunks,
    pcm: PcmReader,
}

impl WavStream {
    /// Makes a reader of bytes without a header.
    ///
    /// # Errors
    /// `Unsupported` for a rate or channels beyond the limits.
    pub fn raw(raw: RawPcm) -> Result<Self, DecodeError> {
        check_sound(Some(raw.rate.0), Some(raw.channels))?;
        let encoding = Encoding::raw(raw.kind);
        let layout = StreamLayout { channels: raw.channels.max(1), encoding };
        let pcm = PcmReader { layout: Some(layout), rate: Some(raw.rate), ..PcmReader::default() };
        Ok(Self { raw: true, chunks: WavChunks::default(), pcm })
    }

    /// Takes the next bytes and appends their samples, in [-1, 1], to `out`; some of the last may
    /// wait for the bytes that follow.
    ///
    /// # Errors
    /// `Corrupt` or `Unsupported` if this is not WAV that can be read.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), DecodeError> {
        if self.raw {
            self.pcm.take(bytes, out);
            return Ok(());
        }
        self.chunks.push(bytes);
        self.parts(false, out)
    }

    /// Ends the input and appends the samples that [`Self::push`] has not.
    ///
    /// # Errors
    /// Those of [`Self::push`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), DecodeError> {
        self.parts(true, out)?;
        self.pcm.flush(out);
        Ok(())
    }

    fn parts(&mut self, end: bool, out: &mut Vec<f32>) -> Result<(), DecodeError> {
        let Self { chunks, pcm, .. } = self;
        while let Some(part) = chunks.next(end)? {
            match part {
                WavPart::Begins(format, _) => pcm.begin(format, out)?,
                WavPart::Data(data) => pcm.take(data, out),
            }
        }
        if chunks.skipped() > MAX_STREAM_HEADER {
            return Err(DecodeError::corrupt("WAV: the header is too long"));
        }
        Ok(())
    }

    /// Returns the rate, once the header has been read.
    #[must_use]
    pub fn rate(&self) -> Option<SampleRate> {
        self.pcm.rate
    }
}

/// Describes the samples of a stream.
#[derive(Clone, Copy, Debug)]
struct StreamLayout {
    channels: usize,
    encoding: Encoding,
}

/// Makes mono samples of one rate out of bytes.
#[derive(Default)]
struct PcmReader {
    layout: Option<StreamLayout>,
    /// The rate of the first samples.
    rate: Option<SampleRate>,
    /// Brings samples of another rate to the first one.
    resampler: Option<Resampler>,
    /// An incomplete frame.
    held: Vec<u8>,
    interleaved: Vec<f32>,
}

impl PcmReader {
    /// Prepares for samples of `format`.
    fn begin(&mut self, format: WavFormat, out: &mut Vec<f32>) -> Result<(), DecodeError> {
        self.flush(out);
        self.held.clear();
        let WavFormat { rate, channels, .. } = format;
        let first = *self.rate.get_or_insert(rate);
        self.layout = Some(StreamLayout { channels, encoding: format.encoding()? });
        self.resampler = (rate != first).then(|| Resampler::new(rate, first));
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], out: &mut Vec<f32>) {
        let Some(StreamLayout { channels, encoding, .. }) = self.layout else { return };
        self.held.extend_from_slice(bytes);
        let frame = encoding.width * channels;
        let whole = self.held.len() / frame * frame;
        self.interleaved.clear();
        encoding.append(&self.held[..whole], &mut self.interleaved);
        self.held.drain(..whole);
        match &mut self.resampler {
            None if channels == 1 => out.extend(self.interleaved.iter().copied().map(sane)),
            None => out.extend(downmix(&self.interleaved, channels, ChannelOrder::Wave)),
            Some(resampler) => {
                let mono: Vec<f32> =
                    downmix(&self.interleaved, channels, ChannelOrder::Wave).collect();
                out.extend(resampler.push(&mono).into_iter().map(sane));
            }
        }
    }

    fn flush(&mut self, out: &mut Vec<f32>) {
        if let Some(resampler) = self.resampler.take() {
            out.extend(resampler.finish().into_iter().map(sane));
        }
    }
}
