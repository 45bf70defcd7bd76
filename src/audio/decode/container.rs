//! Everything but Ogg/Opus, through symphonia: WAV, FLAC, MP3, AAC, M4A, Ogg/Vorbis, Ogg/FLAC,
//! Matroska.
//!
//! Works on the whole file. A header may claim what it likes: channels and rate are checked before
//! a decoder is made, the duration while decoding, and the packets may not add up to more bytes
//! than the file can hold.

use std::{io::Cursor, sync::LazyLock};

use symphonia::core::{
    codecs::{
        CodecParameters,
        audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known},
    },
    errors::Error,
    formats::{
        FormatOptions, FormatReader, TrackType,
        probe::{Hint, Probe, ProbeOptions},
    },
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{DecodeError, format::Format, mp4, sane, wav};
use crate::audio::{
    Limits, SampleRate,
    limits::{MAX_CHANNELS, MAX_PROBE_BYTES, MAX_RATE, MIN_RATE},
    resample::Resampler,
};

/// symphonia's own probe looks through 1 MB of rubbish; ours through less.
static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let options = ProbeOptions { max_probe_depth: MAX_PROBE_BYTES, ..ProbeOptions::default() };
    let mut probe = Probe::new_with_options(&options);
    symphonia::default::register_enabled_formats(&mut probe);
    probe
});

/// Decodes a whole file to 16 kHz mono.
pub(super) fn decode(
    bytes: Vec<u8>,
    format: Format,
    limits: Limits,
) -> Result<Vec<f32>, DecodeError> {
    let size = bytes.len();
    let tidied = if format == Format::Wav { wav::tidy(&bytes) } else { None };
    let bytes = tidied.unwrap_or(bytes);
    let codec = named_codec(&bytes, format);
    let priming = if format == Format::Mp4 { mp4::priming(&bytes) } else { 0 };
    let stream =
        MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
    let mut reader = PROBE
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unopened(&error, format, codec))?;

    let mut mix = Mix::new(limits, priming);
    let mut budget = Budget { packets: size, bytes: size.saturating_mul(2) };
    let ended = loop {
        match link(reader.as_mut(), &mut mix, &mut budget, format, codec) {
            // The tracks changed: an Ogg file with chained streams.
            Err(Stop::Chained) => {}
            Err(Stop::Failed(error)) => break Err(error),
            Ok(()) => break Ok(()),
        }
    };
    let too_long = matches!(ended, Err(DecodeError::TooLong { .. }));
    let speech = mix.finish();
    match ended {
        Err(error) if too_long || speech.is_empty() => Err(error),
        // What was decoded before the break counts.
        _ if speech.is_empty() => Err(DecodeError::Empty),
        _ => Ok(speech),
    }
}

/// How much a reader may still hand out. A table in a hostile MP4 can name one piece of the file
/// four billion times.
struct Budget {
    packets: usize,
    bytes: usize,
}

enum Stop {
    Chained,
    Failed(DecodeError),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Failed(error)
    }
}

/// Decodes the default audio track to its end.
fn link(
    reader: &mut dyn FormatReader,
    mix: &mut Mix,
    budget: &mut Budget,
    format: Format,
    codec: Option<&'static str>,
) -> Result<(), Stop> {
    let track =
        reader.first_track_known_codec(TrackType::Audio).ok_or_else(|| no_track(format, codec))?;
    let id = track.id;
    let Some(CodecParameters::Audio(params)) = &track.codec_params else {
        return Err(no_track(format, codec).into());
    };
    // symphonia guesses the length of an MP3 without a Xing header and would cut off what lies
    // behind its guess.
    let trim = format != Format::Frames || track.delay.is_some();
    let mut decoder = decoder(params, format, trim, codec)?;
    let mut samples: Vec<f32> = Vec::new();
    let mut broken = None;
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            // An unexpected end is an end.
            Ok(None) | Err(Error::IoError(_)) => break,
            Err(Error::ResetRequired) => return Err(Stop::Chained),
            Err(error) => return Err(failed(&error, format).into()),
        };
        budget.packets = budget.packets.checked_sub(1).ok_or_else(over_budget)?;
        budget.bytes = budget.bytes.checked_sub(packet.data.len()).ok_or_else(over_budget)?;
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
                check(Some(rate), Some(channels))?;
                buffer.copy_to_vec_interleaved(&mut samples);
                mix.push(&samples, channels, SampleRate(rate))?;
            }
            // One bad packet is passed over.
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => broken = Some(error),
            Err(error) => return Err(failed(&error, format).into()),
        }
    }
    match broken {
        Some(error) if mix.is_empty() => Err(failed(&error, format).into()),
        _ => Ok(()),
    }
}

fn decoder(
    params: &AudioCodecParameters,
    format: Format,
    trim: bool,
    codec: Option<&'static str>,
) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let channels = params.channels.as_ref().map(symphonia::core::audio::Channels::count);
    check(params.sample_rate, channels)?;
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default().gapless(trim))
        .map_err(|error| match error {
            Error::Unsupported(_) if params.codec == well_known::CODEC_ID_OPUS => {
                no_track(format, Some("Opus"))
            }
            Error::Unsupported(_) if codec.is_some() => no_track(format, codec),
            error => failed(&error, format),
        })
}

/// Refuses what a header claims beyond the limits.
fn check(rate: Option<u32>, channels: Option<usize>) -> Result<(), DecodeError> {
    if let Some(rate) = rate.filter(|rate| !(MIN_RATE..=MAX_RATE).contains(rate)) {
        return Err(DecodeError::unsupported(format!("a sample rate of {rate} Hz")));
    }
    match channels {
        Some(count) if count > MAX_CHANNELS => {
            Err(DecodeError::unsupported(format!("{count} channels")))
        }
        _ => Ok(()),
    }
}

fn over_budget() -> Stop {
    Stop::Failed(DecodeError::corrupt("its tables name more data than the file holds"))
}

fn no_track(format: Format, codec: Option<&'static str>) -> DecodeError {
    DecodeError::unsupported(match codec {
        Some(codec) => format!("{} with {codec}", format.name()),
        None => format!("{} without audio that we know", format.name()),
    })
}

fn unopened(error: &Error, format: Format, codec: Option<&'static str>) -> DecodeError {
    match (format, codec) {
        (_, Some(_)) => no_track(format, codec),
        // Nothing told the format, and no frame of MP3 or AAC was found.
        (Format::Frames, _) => DecodeError::unsupported("unknown"),
        _ => failed(error, format),
    }
}

fn failed(error: &Error, format: Format) -> DecodeError {
    let text = format!("{}: {error}", format.name());
    match error {
        Error::Unsupported(_) => DecodeError::unsupported(text),
        _ => DecodeError::corrupt(text),
    }
}

/// Names a codec that symphonia does not know, for the error only.
fn named_codec(bytes: &[u8], format: Format) -> Option<&'static str> {
    let names: &[(&[u8], &'static str)] = match format {
        Format::Mp4 => &[
            (b"samr", "AMR"),
            (b"sawb", "AMR-WB"),
            (b"Opus", "Opus"),
            (b"alac", "ALAC"),
            (b"ac-3", "AC-3"),
            (b"ec-3", "E-AC-3"),
        ],
        Format::Ogg => &[(b"Speex   ", "Speex"), (b"\x80theora", "Theora")],
        _ => &[],
    };
    let start = &bytes[..bytes.len().min(256)];
    names
        .iter()
        .find(|(tag, _)| {
            // An MP4 has its tables at either end.
            let place = if format == Format::Mp4 { bytes } else { start };
            place.windows(tag.len()).any(|window| window == *tag)
        })
        .map(|(_, name)| *name)
}

/// The nearest rate that shares a divisor with 16 kHz. A rate such as 44 101 Hz would take the
/// resampler a block of a whole second; off by 0.3 % at most, it takes it 10 ms.
fn usual(rate: SampleRate) -> SampleRate {
    SampleRate((rate.0 + 12) / 25 * 25)
}

/// Mixes down and resamples, and holds the duration limit.
struct Mix {
    limits: Limits,
    /// Frames of encoder delay still to drop.
    skip: usize,
    resampler: Option<(SampleRate, Resampler)>,
    mono: Vec<f32>,
    speech: Vec<f32>,
}

impl Mix {
    fn new(limits: Limits, skip: usize) -> Self {
        Self { limits, skip, resampler: None, mono: Vec::new(), speech: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.resampler.is_none()
    }

    /// Takes interleaved samples. The rate may change from call to call.
    fn push(
        &mut self,
        interleaved: &[f32],
        channels: usize,
        rate: SampleRate,
    ) -> Result<(), DecodeError> {
        let skipped = self.skip.min(interleaved.len() / channels.max(1));
        self.skip -= skipped;
        let interleaved = &interleaved[skipped * channels..];
        if channels == 0 || interleaved.is_empty() {
            return Ok(());
        }
        let rate = usual(rate);
        if self.resampler.as_ref().is_none_or(|(old, _)| *old != rate) {
            self.flush();
        }
        let (_, resampler) =
            self.resampler.get_or_insert_with(|| (rate, Resampler::new(rate, SampleRate::SPEECH)));
        #[expect(clippy::cast_precision_loss, reason = "at most 8 channels")]
        let share = 1.0 / channels as f32;
        self.mono.clear();
        self.mono.extend(interleaved.chunks_exact(channels).map(|frame| {
            // Before the mix, or one infinite sample would spoil a whole block.
            frame.iter().map(|&sample| sane(sample)).sum::<f32>() * share
        }));
        let ready = resampler.push(&self.mono);
        self.speech.extend(ready.into_iter().map(sane));
        if self.speech.len() as u64 > self.limits.speech_samples() {
            return Err(DecodeError::TooLong { limit_seconds: self.limits.seconds });
        }
        Ok(())
    }

    fn flush(&mut self) {
        if let Some((_, resampler)) = self.resampler.take() {
            self.speech.extend(resampler.finish().into_iter().map(sane));
        }
    }

    fn finish(mut self) -> Vec<f32> {
        self.flush();
        self.speech
    }
}
