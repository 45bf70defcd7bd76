//! The voice notes that are built into the binary, with what is said in them.

use std::collections::HashMap;

use bytes::Bytes;
use include_dir::{Dir, include_dir};

use crate::stt::NoteKey;

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/audio-fixtures");

/// Holds one recorded question.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// File name without its ending, e.g. `en_hours`.
    pub name: &'static str,
    /// The Ogg/Opus file.
    pub note: Bytes,
    /// What is said.
    pub transcript: &'static str,
}

/// Returns all of them, by name.
pub fn all() -> Vec<Fixture> {
    let mut fixtures: Vec<Fixture> = FOLDER
        .files()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "ogg"))
        .filter_map(|file| {
            let name = file.path().file_stem()?.to_str()?;
            let text = FOLDER.get_file(file.path().with_extension("txt"))?;
            Some(Fixture {
                name,
                note: Bytes::from_static(file.contents()),
                transcript: text.contents_utf8()?.trim(),
            })
        })
        .collect();
    fixtures.sort_by_key(|fixture| fixture.name);
    fixtures
}

/// Returns what the scripted transcriber knows: the fixtures' texts.
pub fn known() -> HashMap<NoteKey, String> {
    let known = all().into_iter();
    known
        .map(|fixture| (NoteKey::from_note(&fixture.note), fixture.transcript.to_owned()))
        .collect()
}
