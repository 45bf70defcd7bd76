//! Decodes complete files: WAV, FLAC, MP3, AAC, MP4 and 3gp, Ogg/Vorbis, Ogg/FLAC, Matroska and
//! `WebM`, AIFF. symphonia splits them into packets, [`super::track`] decodes those.
//!
//! A header may claim what it likes: channels and rate are checked before a decoder is made, the
//! duration while decoding, and the packets may not add up to more bytes than the file can hold.

use std::{io::Cursor, sync::LazyLock};

use symphonia::core::{
    errors::Error,
    formats::{
        FormatOptions, FormatReader,
        probe::{Hint, Probe, ProbeOptions},
    },
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{
    DecodeError, flac,
    format::Format,
    mix::Mix,
    mp4,
    track::{PacketOutcome, TrackDecoder},
    vorbis,
    wav::{self, Wav},
};
use crate::audio::{
    AudioLimits,
    limits::{MAX_PACKETS_PER_SECOND, MAX_PROBE_BYTES},
};

/// symphonia's own probe searches 1 MB of garbage; ours searches less.
static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let options = ProbeOptions { max_probe_depth: MAX_PROBE_BYTES, ..ProbeOptions::default() };
    let mut probe = Probe::new_with_options(&options);
    symphonia::default::register_enabled_formats(&mut probe);
    probe
});

/// Holds what is known of a file beside what symphonia reads.
pub(super) struct File {
    pub(super) format: Format,
    /// Audio tracks of an MP4.
    pub(super) tracks: Vec<mp4::Track>,
    /// A codec in it that we do not decode, for errors.
    pub(super) codec: Option<&'static str>,
}

impl File {
    fn new(bytes: &[u8], format: Format) -> Self {
        let tracks = if format == Format::Mp4 { mp4::tracks(bytes) } else { Vec::new() };
        let in_mp4 = tracks.iter().find_map(mp4::Track::unknown);
        Self { format, tracks, codec: in_mp4.or_else(|| named_codec(bytes, format)) }
    }

    pub(super) fn track(&self, id: u32) -> Option<&mp4::Track> {
        self.tracks.iter().find(|track| track.id == id)
    }

    pub(super) fn no_track(&self) -> DecodeError {
        DecodeError::unsupported(match self.codec {
            Some(codec) => format!("{} with {codec}", self.format.name()),
            None => format!("{} without audio that we know", self.format.name()),
        })
    }

    fn unopened(&self, error: &Error) -> DecodeError {
        match (self.format, self.codec) {
            (_, Some(_)) => self.no_track(),
            // Nothing identified the format, and no frame of MP3 or AAC was found.
            (Format::Frames, _) => DecodeError::unsupported("unknown"),
            _ => failed(error, self.format),
        }
    }
}

/// Decodes a complete file to 16 kHz mono.
pub(super) fn decode(
    mut bytes: Vec<u8>,
    format: Format,
    limits: AudioLimits,
) -> Result<Vec<f32>, DecodeError> {
    if format == Format::Wav {
        match wav::read(&bytes, limits)? {
            Wav::Speech(speech) if speech.is_empty() => return Err(DecodeError::Empty),
            Wav::Speech(speech) => return Ok(speech),
            Wav::Other(tidied) => bytes = tidied,
        }
    }
    match format {
        Format::Flac => {
            bytes = flac::tidy(&bytes).unwrap_or(bytes);
            if flac::changes_rate(&bytes) {
                return Err(DecodeError::unsupported("FLAC whose rate changes"));
            }
        }
        Format::Mp4 if mp4::endless(&bytes) => {
            return Err(DecodeError::corrupt("MP4: its tables are longer than any sound"));
        }
        Format::Mp4 => mp4::mend(&mut bytes),
        Format::Ogg => vorbis::check_ogg(&bytes)?,
        _ => {}
    }
    let file = File::new(&bytes, format);
    let size = bytes.len();
    let packets = size.min(limits.seconds as usize * MAX_PACKETS_PER_SECOND);
    let mut budget = PacketBudget { packets, bytes: size.saturating_mul(2), heard: 0 };
    let stream =
        MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
    let mut reader = PROBE
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| file.unopened(&error))?;

    let mut mix = Mix::new(limits);
    let ended = loop {
        match link(reader.as_mut(), &mut mix, &mut budget, &file) {
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
        // symphonia drops frames that differ from the stream info, which leaves gaps.
        Ok(()) if format == Format::Flac && budget.heard < size / 10 * 9 => {
            Err(DecodeError::unsupported("FLAC whose frames are not as its head says"))
        }
        // What was decoded before the break counts.
        _ if speech.is_empty() => Err(DecodeError::Empty),
        _ => Ok(speech),
    }
}

/// Limits what a reader may still hand out. A table in a hostile MP4 can name one piece of the file
/// four billion times.
struct PacketBudget {
    packets: usize,
    bytes: usize,
    /// Bytes of the packets that were decoded.
    heard: usize,
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
    budget: &mut PacketBudget,
    file: &File,
) -> Result<(), Stop> {
    let mut sound = TrackDecoder::open(reader, file, mix)?;
    let mut broken = None;
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            // An unexpected end counts as the end.
            Ok(None) | Err(Error::IoError(_)) => break,
            Err(Error::ResetRequired) => return Err(Stop::Chained),
            Err(error) => return Err(failed(&error, file.format).into()),
        };
        budget.packets = budget.packets.checked_sub(1).ok_or_else(over_budget)?;
        budget.bytes = budget.bytes.checked_sub(packet.data.len()).ok_or_else(over_budget)?;
        if packet.track_id == sound.id {
            match sound.packet(&packet, file, mix)? {
                PacketOutcome::Whole => budget.heard += packet.data.len(),
                PacketOutcome::Broken(error) => broken = Some(error),
            }
        }
    }
    match broken {
        Some(error) if mix.is_empty() => Err(failed(&error, file.format).into()),
        _ => Ok(()),
    }
}

fn over_budget() -> Stop {
    Stop::Failed(DecodeError::corrupt("its tables name more data than the file holds"))
}

pub(super) fn failed(error: &Error, format: Format) -> DecodeError {
    let text = format!("{}: {error}", format.name());
    match error {
        Error::Unsupported(_) => DecodeError::unsupported(text),
        _ => DecodeError::corrupt(text),
    }
}

/// Names a codec of Ogg that symphonia does not know.
fn named_codec(bytes: &[u8], format: Format) -> Option<&'static str> {
    let names: [(&[u8], &str); 2] = [(b"Speex   ", "Speex"), (b"\x80theora", "Theora")];
    let start = &bytes[..bytes.len().min(256)];
    let mut named = names.iter().filter(|_| format == Format::Ogg);
    named
        .find(|(tag, _)| start.windows(tag.len()).any(|window| window == *tag))
        .map(|(_, name)| *name)
}
