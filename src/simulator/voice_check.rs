//! Checks whether an uploaded file plays as a voice note, as Meta does after the send.
//!
//! Reads the Ogg pages itself, so that a mistake in hark's own encoder cannot hide here.

/// Largest audio file WhatsApp takes, in bytes.
const AUDIO_LIMIT: usize = 16 << 20;

/// Checks declared type, file name and content; returns the duration in milliseconds, or why the
/// file is not a voice note.
pub(super) fn check_upload(mime_type: &str, file_name: &str, bytes: &[u8]) -> Result<f64, String> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("audio/ogg") {
        return Err(format!("Unsupported Voice mime type {essence}"));
    }
    // Meta classifies by the extension of the name.
    if !file_name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("ogg")) {
        return Err("file name does not end in .ogg".to_owned());
    }
    if bytes.len() > AUDIO_LIMIT {
        return Err("file is larger than 16 MB".to_owned());
    }
    check_voice_note(bytes)
}

/// Checks that a file is Ogg with one mono Opus stream; returns its duration in milliseconds.
pub(super) fn check_voice_note(bytes: &[u8]) -> Result<f64, String> {
    let mut pages = OggPages { rest: bytes };
    let head = pages.next().ok_or("file is not Ogg")??;
    let opus = head.body.strip_prefix(b"OpusHead").ok_or("stream is not Opus")?;
    let [version, channels, skip_low, skip_high, ..] = *opus else {
        return Err("Opus header is too short".to_owned());
    };
    if version > 15 {
        return Err(format!("Opus header has version {version}"));
    }
    if channels != 1 {
        return Err(format!("voice has {channels} channels instead of one"));
    }
    let tags = pages.next().ok_or("Opus tags are missing")??;
    if !tags.body.starts_with(b"OpusTags") {
        return Err("Opus tags are missing".to_owned());
    }
    let mut end = 0;
    for page in pages {
        end = end.max(page?.granule);
    }
    let pre_skip = i64::from(u16::from_le_bytes([skip_low, skip_high]));
    let samples = u32::try_from(end - pre_skip).map_err(|_| "stream has no sound".to_owned())?;
    if samples == 0 { Err("stream has no sound".to_owned()) } else { Ok(f64::from(samples) / 48.0) }
}

/// Iterates over the pages of an Ogg file.
struct OggPages<'a> {
    rest: &'a [u8],
}

struct OggPage<'a> {
    /// Position at the end of the page, samples at 48 kHz; -1 if no packet ends on it.
    granule: i64,
    body: &'a [u8],
}

impl<'a> Iterator for OggPages<'a> {
    type Item = Result<OggPage<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let page = split_page(self.rest);
        self.rest = page.as_ref().map_or(&[], |(_, rest)| rest);
        Some(page.map(|(page, _)| page).ok_or_else(|| "Ogg page is broken".to_owned()))
    }
}

/// Splits the first page off. Layout: RFC 3533 section 6.
fn split_page(bytes: &[u8]) -> Option<(OggPage<'_>, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<27>()?;
    if !header.starts_with(b"OggS\0") {
        return None;
    }
    let granule = i64::from_le_bytes(header[6..14].try_into().ok()?);
    let (sizes, rest) = rest.split_at_checked(usize::from(header[26]))?;
    let length = sizes.iter().map(|size| usize::from(*size)).sum();
    let (body, rest) = rest.split_at_checked(length)?;
    Some((OggPage { granule, body }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::testing::{page, test_note};

    #[track_caller]
    fn check(mime_type: &str, file_name: &str, bytes: &[u8], problem: &str) {
        let error = check_upload(mime_type, file_name, bytes).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }

    #[test]
    fn mono_opus_in_ogg_is_a_voice_note() {
        let note = test_note(1, 1500);
        let length = check_upload("audio/ogg; codecs=opus", "voice-note.ogg", &note).unwrap();
        assert!((length - 1500.0).abs() < 0.1, "{length}");
        check_upload("audio/ogg", "A.OGG", &note).unwrap();
    }

    #[test]
    fn what_meta_rejects_later_is_named() {
        let mono = test_note(1, 1000);
        check("audio/opus", "a.ogg", &mono, "mime type audio/opus");
        check("audio/ogg", "a.opus", &mono, ".ogg");
        check("audio/ogg", "ogg", &mono, ".ogg");
        check("audio/ogg", "a.ogg", &test_note(2, 1000), "2 channels");
        check("audio/ogg", "a.ogg", &test_note(1, 0), "no sound");
        check("audio/ogg", "a.ogg", b"ID3 an mp3", "page is broken");
        check("audio/ogg", "a.ogg", b"", "not Ogg");
        check("audio/ogg", "a.ogg", &mono[..mono.len() - 1], "page is broken");
        let vorbis = page(2, 0, b"\x01vorbis");
        check("audio/ogg", "a.ogg", &vorbis, "not Opus");
    }
}
