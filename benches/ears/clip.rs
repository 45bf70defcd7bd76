//! The recordings: the corpus, folders with `.txt` beside sound, and noises.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use hark::audio::{AudioLimits, Speech, decode};
use hark::turn::LanguageCode;
use serde::Deserialize;

/// The languages of the corpus, and those among which an agent's language is open here.
pub(crate) const FIVE: [&str; 5] = ["de", "en", "es", "fr", "pt"];

/// The longest recording that is read.
const LIMITS: AudioLimits = AudioLimits { bytes: 64 << 20, seconds: 900 };

/// Holds one recording that is to be heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clip {
    /// Its path below the folder that was asked for, e.g. `de/fleurs-de-000.ogg`.
    pub(crate) name: String,
    pub(crate) source: Source,
    /// The language spoken, if the folder tells.
    pub(crate) language: Option<LanguageCode>,
    /// What is said; without a word it is a noise.
    pub(crate) words: String,
}

/// Says where a recording's bytes are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    File(PathBuf),
    /// Of our own making.
    Made(Bytes),
}

/// Holds a recording's sound.
pub(crate) struct Sound {
    pub(crate) bytes: Bytes,
    pub(crate) speech: Speech,
}

impl Clip {
    /// Reads and decodes the file; an error says what is wrong with it, and not its name.
    pub(crate) fn open(&self) -> Result<Sound, String> {
        let bytes = match &self.source {
            Source::File(file) => fs::read(file).map(Bytes::from),
            Source::Made(bytes) => Ok(bytes.clone()),
        };
        let bytes = bytes.map_err(|error| format!("cannot be read: {error}"))?;
        let speech = decode(&bytes, LIMITS).map_err(|error| format!("is not decoded: {error}"))?;
        Ok(Sound { bytes, speech })
    }

    /// Returns whether somebody speaks.
    pub(crate) fn has_words(&self) -> bool {
        !self.words.trim().is_empty()
    }
}

/// Reads what is said in `speech/` of the corpus.
pub(crate) fn corpus(folder: &Path) -> anyhow::Result<Vec<Clip>> {
    #[derive(Deserialize)]
    struct Entry {
        path: String,
        #[serde(default)]
        transcript: String,
    }
    let manifest = folder.join("manifest.json");
    let text = fs::read(&manifest).with_context(|| manifest.display().to_string())?;
    let entries: Vec<Entry> =
        serde_json::from_slice(&text).with_context(|| manifest.display().to_string())?;
    let mut clips = Vec::new();
    for Entry { path, transcript } in entries {
        let Some(name) = path.strip_prefix("speech/") else { continue };
        // The long dialogues beside them are no voice notes.
        if let Some(language) = language_of(name).filter(|code| FIVE.contains(&code.as_str())) {
            clips.push(Clip {
                name: name.to_owned(),
                source: Source::File(folder.join(&path)),
                language: Some(language),
                words: transcript,
            });
        }
    }
    clips.sort_by(|a, b| a.name.cmp(&b.name));
    if clips.is_empty() {
        bail!("{}: names no file of speech/", manifest.display());
    }
    Ok(clips)
}

/// Reads every sound with a `.txt` beside it. A folder below `folder`, or else its own name, tells
/// the language if it is a code of two letters.
pub(crate) fn folder(folder: &Path) -> anyhow::Result<Vec<Clip>> {
    let mut clips = Vec::new();
    for (sound, words) in beside(folder)? {
        let Some(words) = words else { continue };
        let words = fs::read_to_string(&words).with_context(|| words.display().to_string())?;
        let name = name_below(folder, &sound);
        let own = folder.file_name().map(|own| format!("{}/{name}", own.to_string_lossy()));
        let language = language_of(&name).or_else(|| language_of(&own.unwrap_or_default()));
        clips.push(Clip { name, source: Source::File(sound), language, words });
    }
    if clips.is_empty() {
        bail!("{}: has no sound with a .txt beside it", folder.display());
    }
    Ok(clips)
}

/// Takes every file of a folder as a noise: any word heard in it is one too many.
pub(crate) fn noises(folder: &Path) -> anyhow::Result<Vec<Clip>> {
    let files = beside(folder)?.into_keys();
    let noise = |file: PathBuf| Clip {
        name: name_below(folder, &file),
        source: Source::File(file),
        language: None,
        words: String::new(),
    };
    let clips: Vec<Clip> = files.map(noise).collect();
    if clips.is_empty() {
        bail!("{}: has no sound", folder.display());
    }
    Ok(clips)
}

/// Keeps `most` of each language, as far apart as they stand.
pub(crate) fn thin(clips: Vec<Clip>, most: usize) -> Vec<Clip> {
    let mut by_language: BTreeMap<Option<LanguageCode>, Vec<Clip>> = BTreeMap::new();
    for clip in clips {
        by_language.entry(clip.language.clone()).or_default().push(clip);
    }
    let mut kept = Vec::new();
    for clips in by_language.into_values() {
        let count = clips.len();
        let most = most.min(count);
        // The last of each of `most` parts.
        let last = |at: usize| (at * most) / count != ((at + 1) * most) / count;
        kept.extend(
            clips.into_iter().enumerate().filter(|(at, _)| last(*at)).map(|(_, clip)| clip),
        );
    }
    kept
}

/// Finds every file below `folder` but notes, each with the `.txt` beside it.
fn beside(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Option<PathBuf>>> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        if path.is_dir() {
            found.extend(beside(&path)?);
        } else if !is_note(&path) {
            let words = path.with_extension("txt");
            found.insert(path, words.exists().then_some(words));
        }
    }
    Ok(found)
}

fn is_note(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let note = |ending: &str| ["txt", "json", "md", "csv", "tsv", "py", "sh"].contains(&ending);
    hidden || ending.is_none_or(|ending| note(&ending))
}

fn name_below(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// Returns the language that the innermost folder with such a name is called after.
fn language_of(name: &str) -> Option<LanguageCode> {
    let is_code =
        |folder: &&str| folder.len() == 2 && folder.bytes().all(|b| b.is_ascii_lowercase());
    name.rsplit('/').skip(1).find(is_code).map(LanguageCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn sound_with_words_beside_it_is_found_and_its_folder_tells_the_language() {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("de/eins.ogg", ""),
            ("de/eins.txt", "Guten Tag"),
            ("more/two.wav", ""),
            ("more/two.txt", "hello"),
            ("more/pt/tres.ogg", ""),
            ("more/pt/tres.txt", "bom dia"),
            ("fr/sans.ogg", ""),
            ("README.md", ""),
        ] {
            write(root.path(), name, text);
        }
        let clips = folder(root.path()).unwrap();
        let seen: Vec<_> = clips
            .iter()
            .map(|clip| (clip.name.as_str(), clip.language.clone(), clip.words.as_str()))
            .collect();
        let expected = [
            ("de/eins.ogg", Some("de".into()), "Guten Tag"),
            ("more/pt/tres.ogg", Some("pt".into()), "bom dia"),
            ("more/two.wav", None, "hello"),
        ];
        assert_eq!(seen, expected);
        let german = folder(&root.path().join("de")).unwrap();
        assert_eq!(
            (german[0].name.as_str(), &german[0].language),
            ("eins.ogg", &Some("de".into()))
        );
        assert_eq!(noises(root.path()).unwrap().len(), 4);
        assert!(folder(&root.path().join("fr")).is_err());
        let missing = clips[0].open().map(|_| ()).unwrap_err();
        assert!(missing.starts_with("is not decoded"), "{missing}");
    }

    #[test]
    fn the_corpus_is_what_its_manifest_names_in_the_five_languages() {
        let root = tempfile::tempdir().unwrap();
        let manifest = r#"[
            {"path": "vad/silero.bin"},
            {"path": "speech/long/talk.opus", "transcript": "long"},
            {"path": "speech/en/a.ogg", "transcript": "hello"}
        ]"#;
        write(root.path(), "manifest.json", manifest);
        let clips = corpus(root.path()).unwrap();
        assert_eq!(clips.len(), 1);
        assert_eq!((clips[0].name.as_str(), clips[0].words.as_str()), ("en/a.ogg", "hello"));
        assert!(clips[0].open().is_err());
    }

    #[test]
    fn a_few_of_each_language_are_kept_from_everywhere() {
        let clip = |name: String, language: &str| Clip {
            name,
            source: Source::Made(Bytes::new()),
            language: Some(language.into()),
            words: String::new(),
        };
        let mut clips: Vec<Clip> = (0..9).map(|n| clip(format!("de{n}"), "de")).collect();
        clips.push(clip("en0".into(), "en"));
        let names: Vec<String> = thin(clips.clone(), 3).into_iter().map(|clip| clip.name).collect();
        assert_eq!(names, ["de2", "de5", "de8", "en0"]);
        assert_eq!(thin(clips, 20).len(), 10);
    }
}
