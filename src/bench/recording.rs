//! The voice notes that a bench sends.

use std::path::Path;

use bytes::Bytes;

use crate::audio::{self, AudioLimits, NoteEncoder, Pcm, SampleRate};
use crate::simulator::{PersonSays, mime_type_of};

/// What a note may be to be sent: more than any service takes by default.
const LIMITS: AudioLimits = AudioLimits { bytes: 100 << 20, seconds: 3600 };

/// The type of a file whose name tells none.
const NOTE: &str = "audio/ogg; codecs=opus";

/// Holds one voice note.
#[derive(Clone, Debug)]
pub struct Recording {
    /// File name without its ending.
    pub name: String,
    /// The file.
    pub bytes: Bytes,
    /// Its type.
    pub mime_type: &'static str,
    /// What is said, if that is known.
    pub words: Option<String>,
    /// Length of the sound.
    pub audio_ms: f64,
}

impl Recording {
    /// Makes one of an Ogg/Opus file.
    ///
    /// # Errors
    /// Says why it cannot be decoded.
    pub fn new(
        name: impl Into<String>,
        bytes: Bytes,
        words: Option<String>,
    ) -> Result<Self, String> {
        Self::of_type(name.into(), bytes, NOTE, words)
    }

    fn of_type(
        name: String,
        bytes: Bytes,
        mime_type: &'static str,
        words: Option<String>,
    ) -> Result<Self, String> {
        let speech = audio::decode(&bytes, LIMITS).map_err(|error| format!("{name}: {error}"))?;
        let audio_ms = SampleRate(16_000).ms(speech.samples().len());
        Ok(Self { name, bytes, mime_type, words, audio_ms })
    }

    /// Reads every file of a folder but texts, by name; a `.txt` beside one has what is said. Returns
    /// with them what is wrong with the others.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn of_folder(folder: &Path) -> std::io::Result<(Vec<Self>, Vec<String>)> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() && path.extension().is_some_and(|ending| ending != "txt") {
                files.push(path);
            }
        }
        files.sort();
        let (mut recordings, mut problems) = (Vec::new(), Vec::new());
        for path in files {
            match Self::read(&path) {
                Ok(recording) => recordings.push(recording),
                Err(problem) => problems.push(problem),
            }
        }
        Ok((recordings, problems))
    }

    fn read(path: &Path) -> Result<Self, String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        let words = std::fs::read_to_string(path.with_extension("txt")).ok();
        let words = words.map(|text| text.trim().to_owned());
        Self::of_type(name, bytes.into(), mime_type_of(path).unwrap_or(NOTE), words)
    }

    /// Returns it as what a person says.
    pub(super) fn says(&self) -> PersonSays {
        let mime_type = self.mime_type.to_owned();
        PersonSays::Audio { bytes: self.bytes.clone(), mime_type, with_url: true }
    }

    /// Returns the first seconds of it as a voice note; nobody knows which words those are.
    ///
    /// # Errors
    /// If it is shorter.
    pub fn first(&self, seconds: usize) -> Result<Self, String> {
        let rate = SampleRate(16_000);
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", self.name);
        let speech = audio::decode(&self.bytes, LIMITS).map_err(|error| wrong(&error))?;
        let samples = speech.samples().get(..seconds * 16_000);
        let samples =
            samples.ok_or_else(|| wrong(&format!("is shorter than {seconds} s")))?.to_vec();
        let mut encoder = NoteEncoder::new(rate).map_err(|error| wrong(&error))?;
        let mut note = encoder.push(&Pcm { samples, rate }).map_err(|error| wrong(&error))?;
        note.extend(encoder.finish().map_err(|error| wrong(&error))?);
        Self::new(format!("{} {seconds} s", self.name), note.into(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_recordings_and_names_what_it_cannot_use() {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("audio-fixtures");
        std::fs::copy(fixtures.join("en_yes.ogg"), folder.path().join("b.ogg")).unwrap();
        std::fs::write(folder.path().join("b.txt"), "Yes.\n").unwrap();
        std::fs::write(folder.path().join("a.mp3"), b"no sound").unwrap();
        let (recordings, problems) = Recording::of_folder(folder.path()).unwrap();
        let [yes] = &recordings[..] else { panic!("{recordings:?}") };
        assert_eq!((yes.name.as_str(), yes.words.as_deref()), ("b.ogg", Some("Yes.")));
        assert!(yes.audio_ms > 500.0, "{}", yes.audio_ms);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("a.mp3: "), "{problems:?}");
    }

    #[test]
    fn the_first_seconds_are_a_note_of_that_length() {
        let note: &[u8] = include_bytes!("../../audio-fixtures/en_long.ogg");
        let long = Recording::new("long", Bytes::from_static(note), None).unwrap();
        let ten = long.first(10).unwrap();
        assert!((ten.audio_ms - 10_000.0).abs() < 1.0, "{}", ten.audio_ms);
        assert!(long.first(60).unwrap_err().contains("shorter"), "it has 11 s");
    }
}
