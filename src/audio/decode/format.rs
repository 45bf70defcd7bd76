//! Detects the format by the first bytes; never by name or MIME type.
//!
//! Formats that we do not decode are named here, so that the answer to the sender and the log can
//! name them.

use super::{DecodeError, amr::Band};

/// Bytes that the decision needs.
pub(super) const ENOUGH: usize = 36;

/// Names what can be opened: Ogg by [`super::ogg_opus`] or [`super::container`], AMR by
/// [`super::amr`], the rest by [`super::container`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Ogg,
    Amr(Band),
    Wav,
    Flac,
    Mp4,
    Matroska,
    Aiff,
    /// MP3 or AAC in ADTS, perhaps after a tag or some garbage.
    Frames,
}

/// Starts of files that we do not decode, and their names.
const REFUSED: &[(&[u8], &str)] = &[
    (b"#!AMR_MC", "AMR with several channels"),
    (b"#!AMR-WB_MC", "AMR with several channels"),
    (b"#!EVS", "EVS"),
    (b"caff", "CAF"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b".snd", "AU"),
    (b"MThd", "MIDI"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"<", "text"),
    (b"{", "text"),
];

impl Format {
    /// Detects the format.
    ///
    /// # Errors
    /// `Empty` without bytes, `Unsupported` for a known format that we do not decode.
    pub(super) fn detect(start: &[u8]) -> Result<Self, DecodeError> {
        if start.is_empty() {
            return Err(DecodeError::Empty);
        }
        if let Some((_, name)) = REFUSED.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(DecodeError::unsupported(*name));
        }
        let kind = start.get(8..12).unwrap_or_default();
        Ok(match start.get(..4).unwrap_or(start) {
            b"OggS" => Self::Ogg,
            b"RIFF" | b"RF64" | b"RIFX" | b"BW64" if kind == b"WAVE" => Self::Wav,
            b"RIFF" => return Err(DecodeError::unsupported("RIFF that is not WAVE")),
            b"FORM" => Self::Aiff,
            b"fLaC" => Self::Flac,
            b"\x1a\x45\xdf\xa3" => Self::Matroska,
            _ if start.starts_with(Band::Narrow.magic()) => Self::Amr(Band::Narrow),
            _ if start.starts_with(Band::Wide.magic()) => Self::Amr(Band::Wide),
            _ if start.get(4..8).is_some_and(|kind| kind == b"ftyp") => Self::Mp4,
            _ => Self::Frames,
        })
    }

    /// Returns the name for errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ogg => "Ogg",
            Self::Amr(_) => "AMR",
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska",
            Self::Aiff => "AIFF",
            Self::Frames => "MP3 or AAC",
        }
    }
}
