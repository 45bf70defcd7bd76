//! Decodes complete files: FLAC, MP4 and 3gp, Ogg/Vorbis, Ogg/FLAC, Matroska and `WebM`, AIFF.
//! [`super::pieces`] cuts what was appended to each other, symphonia splits each piece into packets,
//! [`super::track`] decodes those. WAV, MP3 and AAC have readers of their own.
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
    DecodeError,
    format::Format,
    frames,
    mix::Mix,
    mp4,
    pieces::pieces,
    track::{PacketOutcome, TrackDecoder},
    vorbis, wav,
};
use crate::audio::limits::{MAX_PACKETS_PER_SECOND, MAX_PROBE_BYTES};

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
        if self.codec.is_some() { self.no_track() } else { failed(error, self.format) }
    }
}

/// Decodes a complete file, whatever was appended to it, to 16 kHz mono; returns how many bytes of
/// it could not be heard, too.
pub(super) fn decode(
    mut bytes: Vec<u8>,
    mut format: Format,
    mut mix: Mix,
) -> Result<(Vec<f32>, u64), DecodeError> {
    // Tags of MP3 stand before other formats, too.
    if format == Format::Frames
        && let Some(length) = frames::tag(&bytes)
        && let Ok(tagged @ (Format::Flac | Format::Wav | Format::Aiff)) =
            Format::detect(&bytes[length.min(bytes.len())..])
    {
        bytes.drain(..length);
        format = tagged;
    }
    let unheard = match format {
        Format::Wav => wav::read(&bytes, &mut mix)?,
        Format::Frames => frames::read(&bytes, &mut mix)?,
        _ => all(bytes, format, &mut mix)?,
    };
    if mix.is_empty() {
        return Err(DecodeError::Empty);
    }
    Ok((mix.finish(), unheard))
}

/// Decodes the pieces of a file in order. What was decoded before or after a broken one counts.
fn all(bytes: Vec<u8>, format: Format, mix: &mut Mix) -> Result<u64, DecodeError> {
    let (pieces, mut unheard) = pieces(bytes, format);
    let mut refused = None;
    for piece in pieces {
        let size = piece.len() as u64;
        match file(piece, format, mix) {
            Ok(lost) => unheard += lost,
            Err(error @ DecodeError::TooLong { .. }) => return Err(error),
            Err(error) => {
                refused.get_or_insert(error);
                unheard += size;
            }
        }
    }
    match refused {
        Some(error) if mix.is_empty() => Err(error),
        _ => Ok(unheard),
    }
}

/// Decodes one file into `mix`; returns the bytes of what could not be heard.
pub(super) fn file(mut bytes: Vec<u8>, format: Format, mix: &mut Mix) -> Result<u64, DecodeError> {
    match format {
        Format::Mp4 if mp4::endless(&bytes) => {
            return Err(DecodeError::corrupt("MP4: its tables are longer than any sound"));
        }
        Format::Mp4 => mp4::mend(&mut bytes),
        Format::Ogg => vorbis::check_ogg(&bytes)?,
        _ => {}
    }
    let file = File::new(&bytes, format);
    let size = bytes.len();
    let packets = size.min(mix.limits().seconds as usize * MAX_PACKETS_PER_SECOND);
    let mut budget = PacketBudget { packets, bytes: size.saturating_mul(2), seen: 0, lost: 0 };
    let stream =
        MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
    let mut reader = PROBE
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| file.unopened(&error))?;
    let silent = mix.is_empty();
    let ended = loop {
        match link(reader.as_mut(), mix, &mut budget, &file) {
            // The tracks changed.
            Err(Stop::Chained) => {}
            Err(Stop::Failed(error)) => break Err(error),
            Ok(()) => break Ok(()),
        }
    };
    match ended {
        Err(error @ DecodeError::TooLong { .. }) => Err(error),
        Err(error) if silent && mix.is_empty() => Err(error),
        // What was decoded before the break counts.
        Err(_) => Ok(budget.lost + size.saturating_sub(budget.seen) as u64),
        // symphonia drops frames that differ from the stream info.
        Ok(()) if format == Format::Flac && budget.seen < size / 10 * 9 => {
            Ok((size - budget.seen) as u64)
        }
        Ok(()) => Ok(budget.lost),
    }
}

/// Limits what a reader may still hand out. A table in a hostile MP4 can name one piece of the file
/// four billion times.
struct PacketBudget {
    packets: usize,
    bytes: usize,
    /// Bytes of all packets so far.
    seen: usize,
    /// Bytes of those that are broken.
    lost: u64,
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
        budget.seen += packet.data.len();
        if packet.track_id == sound.id
            && let PacketOutcome::Broken(error) = sound.packet(&packet, file, mix)?
        {
            budget.lost += packet.data.len() as u64;
            broken = Some(error);
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
