//! Decodes complete files: FLAC, MP4 and 3gp, Ogg/Vorbis, Ogg/FLAC, Matroska and `WebM`, AIFF.
//! [`super::pieces`] cuts what was appended to each other, symphonia splits each piece into packets,
//! [`super::track`] decodes those. WAV, MP3 and AAC have readers of their own.
//!
//! A header may claim what it likes: channels and rate are checked before a decoder is made, the
//! duration while decoding, and the packets may not add up to more bytes than the file can hold.
//! All work is done in steps of a few packets. Cutting a file and opening a piece are one step each:
//! for 16 MiB a tenth of a second.

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
    frames::{self, FrameFile},
    mix::Mix,
    mp4,
    pieces::pieces,
    track::{PacketOutcome, TrackDecoder},
    vorbis,
    wav::WavFile,
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

/// Decodes a complete file, whatever was appended to it, to 16 kHz mono.
pub(super) struct WholeFile {
    mix: Mix,
    size: usize,
    content: FileContent,
}

enum FileContent {
    Wav(Box<WavFile>),
    Frames(FrameFile),
    Uncut(Vec<u8>, Format),
    Pieces(Pieces),
}

impl WholeFile {
    pub(super) fn open(mut bytes: Vec<u8>, mut format: Format, mix: Mix) -> Self {
        let size = bytes.len();
        // Tags of MP3 stand before other formats, too.
        if format == Format::Frames
            && let Some(length) = frames::tag(&bytes)
            && let Ok(tagged @ (Format::Flac | Format::Wav | Format::Aiff)) =
                Format::detect(&bytes[length.min(bytes.len())..])
        {
            bytes.drain(..length);
            format = tagged;
        }
        let content = match format {
            Format::Wav => FileContent::Wav(Box::new(WavFile::new(bytes))),
            Format::Frames => FileContent::Frames(FrameFile::new(bytes, mix.limits())),
            _ => FileContent::Uncut(bytes, format),
        };
        Self { mix, size, content }
    }

    /// Returns how many bytes it has.
    pub(super) fn size(&self) -> u64 {
        self.size as u64
    }

    /// Decodes a little; returns the last samples and how many bytes could not be heard once the
    /// file is over.
    pub(super) fn step(&mut self) -> Result<Option<(Vec<f32>, u64)>, DecodeError> {
        let mix = &mut self.mix;
        let unheard = match &mut self.content {
            FileContent::Wav(file) => file.step(mix)?,
            FileContent::Frames(file) => file.step(mix)?,
            FileContent::Uncut(bytes, format) => {
                if *format == Format::Flac
                    && let Some((rate, channels, frames)) = flac::declared(bytes)
                {
                    mix.check_declared(rate, channels, frames)?;
                }
                let pieces = Pieces::cut(std::mem::take(bytes), *format);
                self.content = FileContent::Pieces(pieces);
                None
            }
            FileContent::Pieces(pieces) => pieces.step(mix)?,
        };
        match unheard {
            Some(_) if self.mix.is_empty() => Err(DecodeError::Empty),
            Some(unheard) => Ok(Some((self.mix.finish(), unheard))),
            None => Ok(None),
        }
    }

    /// Returns the samples that became ready.
    pub(super) fn take(&mut self) -> Vec<f32> {
        self.mix.take()
    }
}

/// Decodes the pieces of a file in order. What was decoded before or after a broken one counts.
struct Pieces {
    format: Format,
    left: std::vec::IntoIter<Vec<u8>>,
    open: Option<(FileReader, u64)>,
    unheard: u64,
    refused: Option<DecodeError>,
}

impl Pieces {
    fn cut(bytes: Vec<u8>, format: Format) -> Self {
        let (pieces, unheard) = pieces(bytes, format);
        Self { format, left: pieces.into_iter(), open: None, unheard, refused: None }
    }

    fn step(&mut self, mix: &mut Mix) -> Result<Option<u64>, DecodeError> {
        let (size, done) = if let Some((reader, size)) = &mut self.open {
            (*size, reader.step(mix))
        } else if let Some(piece) = self.left.next() {
            let size = piece.len() as u64;
            let opened = FileReader::open(piece, self.format, mix);
            let opened = opened.map(|reader| {
                self.open = Some((reader, size));
                None
            });
            (size, opened)
        } else {
            return match self.refused.take() {
                Some(error) if mix.is_empty() => Err(error),
                _ => Ok(Some(self.unheard)),
            };
        };
        match done {
            Ok(None) => return Ok(None),
            Ok(Some(lost)) => self.unheard += lost,
            Err(error) if error.is_a_limit() => return Err(error),
            Err(error) => {
                self.refused.get_or_insert(error);
                self.unheard += size;
            }
        }
        self.open = None;
        Ok(None)
    }
}

/// Packets that are decoded in one step, at most.
const PACKETS: usize = 16;

/// Decodes one file.
pub(super) struct FileReader {
    file: File,
    size: usize,
    reader: Box<dyn FormatReader>,
    /// The default audio track, once its decoder is made.
    sound: Option<TrackDecoder>,
    budget: PacketBudget,
    /// There was no sound before this file.
    silent: bool,
    broken: Option<Error>,
}

impl FileReader {
    pub(super) fn open(mut bytes: Vec<u8>, format: Format, mix: &Mix) -> Result<Self, DecodeError> {
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
        let budget = PacketBudget { packets, bytes: size.saturating_mul(2), seen: 0, lost: 0 };
        let (source, options) = (Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
        let stream = MediaSourceStream::new(source, options);
        let reader = PROBE
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| file.unopened(&error))?;
        let silent = mix.is_empty();
        Ok(Self { file, size, reader, sound: None, budget, silent, broken: None })
    }

    /// Decodes some packets into `mix`; returns the bytes of what could not be heard once the file
    /// is over.
    pub(super) fn step(&mut self, mix: &mut Mix) -> Result<Option<u64>, DecodeError> {
        let left = (self.size.saturating_sub(self.budget.seen)) as u64;
        match self.packets(mix) {
            Ok(false) => Ok(None),
            Err(error) if error.is_a_limit() => Err(error),
            Err(error) if self.silent && mix.is_empty() => Err(error),
            // What was decoded before the break counts.
            Err(_) => Ok(Some(self.budget.lost + left)),
            // symphonia drops frames that differ from the stream info.
            Ok(true)
                if self.file.format == Format::Flac && self.budget.seen < self.size / 10 * 9 =>
            {
                Ok(Some((self.size - self.budget.seen) as u64))
            }
            Ok(true) => Ok(Some(self.budget.lost)),
        }
    }

    /// Decodes some packets of the default audio track; returns whether they were the last.
    fn packets(&mut self, mix: &mut Mix) -> Result<bool, DecodeError> {
        let Self { file, reader, budget, broken, .. } = self;
        for _ in 0..PACKETS {
            if mix.is_enough() {
                break;
            }
            let sound = match &mut self.sound {
                Some(sound) => sound,
                none => none.insert(TrackDecoder::open(reader.as_ref(), file, mix)?),
            };
            if sound.go_on(mix)? {
                continue;
            }
            let packet = match reader.next_packet() {
                Ok(Some(packet)) => packet,
                // An unexpected end counts as the end.
                Ok(None) | Err(Error::IoError(_)) => {
                    return match broken.take() {
                        Some(error) if mix.is_empty() => Err(failed(&error, file.format)),
                        _ => Ok(true),
                    };
                }
                // The tracks changed.
                Err(Error::ResetRequired) => {
                    (self.sound, *broken) = (None, None);
                    continue;
                }
                Err(error) => return Err(failed(&error, file.format)),
            };
            budget.packets = budget.packets.checked_sub(1).ok_or_else(over_budget)?;
            budget.bytes = budget.bytes.checked_sub(packet.data.len()).ok_or_else(over_budget)?;
            budget.seen += packet.data.len();
            if packet.track_id == sound.id
                && let PacketOutcome::Broken(error) = sound.packet(&packet, file, mix)?
            {
                budget.lost += packet.data.len() as u64;
                *broken = Some(error);
            }
        }
        Ok(false)
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

fn over_budget() -> DecodeError {
    DecodeError::corrupt("its tables name more data than the file holds")
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
