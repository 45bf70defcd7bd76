//! A source of knowledge: one file, read into passages, and known by what is in it.
//!
//! Between the readers and the index. Invariant: two sources with the same key have the same passages,
//! so that nothing is read or indexed twice.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{KnowledgeError, read};

/// Most files of a folder, those of its folders included.
const MOST_FILES: usize = 10_000;
/// How deep folders may be.
const DEPTH: usize = 16;

/// Names a source by what is in it: the SHA-256 of its name and its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(pub [u8; 32]);

impl SourceKey {
    /// Makes the key of a file.
    #[must_use]
    pub fn of(name: &str, contents: &[u8]) -> Self {
        let sum = Sha256::new().chain_update(name).chain_update([0]).chain_update(contents);
        Self(sum.finalize().into())
    }
}

/// Holds one thing that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The question that it answers; `None` for running text.
    pub question: Option<String>,
    /// What is said.
    pub answer: String,
    /// Searched and never said.
    pub also: String,
    /// Where in its file it is: below which headings, or on which page; empty if that says nothing.
    pub place: String,
}

impl Passage {
    /// Makes one that answers no question in particular.
    pub(super) fn without_question(answer: String, also: String) -> Self {
        Self { answer, also, ..Self::default() }
    }

    /// Returns the words that stand for its meaning.
    pub(super) fn meant(&self) -> String {
        let parts =
            [self.place.as_str(), self.question.as_deref().unwrap_or_default(), &self.answer];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }
}

/// Holds what is in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgeSource {
    /// Its name, as answers cite it.
    pub name: String,
    /// What tells it from every other.
    pub key: SourceKey,
    /// Its passages, in order.
    pub passages: Vec<Passage>,
}

impl KnowledgeSource {
    /// Reads a file that is called so.
    ///
    /// # Errors
    /// A file that cannot be read in full, by its name, and the line where there is one.
    pub fn read(name: &str, contents: &[u8]) -> Result<Self, KnowledgeError> {
        let passages = read::passages(name, contents)?;
        Ok(Self { name: name.to_owned(), key: SourceKey::of(name, contents), passages })
    }
}

/// Names a file whose contents are known and not read into passages yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name: of a file of a folder the way from there, with slashes.
    pub name: String,
    /// What is in it.
    pub contents: Vec<u8>,
}

impl SourceFile {
    /// Opens the files at `paths`, and all in those that are folders, in order of their names. Returns
    /// also what was left out of the folders, since it is of no type that is read.
    ///
    /// # Errors
    /// A file or folder that cannot be opened, and a folder with too much in it.
    pub fn open(paths: &[PathBuf]) -> Result<(Vec<Self>, Vec<PathBuf>), KnowledgeError> {
        let (mut files, mut left_out) = (Vec::new(), Vec::new());
        for path in paths {
            if !path.is_dir() {
                let folder = path.parent().unwrap_or(Path::new(""));
                files.push(Self::open_one(path.clone(), folder)?);
                continue;
            }
            let mut found = Vec::new();
            walk(path, DEPTH, &mut found)?;
            found.sort();
            for file in found {
                if read::is_read(&file.display().to_string()) {
                    files.push(Self::open_one(file, path)?);
                } else {
                    left_out.push(file);
                }
            }
        }
        Ok((files, left_out))
    }

    /// Opens a file, whose name is its way from `folder`.
    fn open_one(path: PathBuf, folder: &Path) -> Result<Self, KnowledgeError> {
        let name = shown(path.strip_prefix(folder).unwrap_or(&path));
        let contents = contents(&path)?;
        Ok(Self { path, name, contents })
    }

    /// Returns the key of the source that it is.
    #[must_use]
    pub fn key(&self) -> SourceKey {
        SourceKey::of(&self.name, &self.contents)
    }

    /// Reads it.
    ///
    /// # Errors
    /// As [`KnowledgeSource::read`], by its path.
    pub fn read(&self) -> Result<KnowledgeSource, KnowledgeError> {
        let passages = read::passages(&self.path.display().to_string(), &self.contents)?;
        Ok(KnowledgeSource { name: self.name.clone(), key: self.key(), passages })
    }
}

/// Writes a relative path with slashes.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Reads a file, up to the largest that is read.
fn contents(path: &Path) -> Result<Vec<u8>, KnowledgeError> {
    let mut contents = Vec::new();
    // One byte more than is read shows that a file is too large.
    let limit = read::MAX_BYTES as u64 + 1;
    let read = File::open(path).and_then(|opened| opened.take(limit).read_to_end(&mut contents));
    let unreadable = |error| KnowledgeError::Unreadable { file: path.display().to_string(), error };
    read.map_err(unreadable)?;
    Ok(contents)
}

/// Finds the files below a folder; hidden ones are not looked at.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), KnowledgeError> {
    let file = || folder.display().to_string();
    let unreadable = |error| KnowledgeError::Unreadable { file: file(), error };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        let too_much = |reason: String| KnowledgeError::File { file: file(), reason };
        if path.is_dir() {
            if depth == 0 {
                return Err(too_much(format!("has folders deeper than {DEPTH}: leave some out")));
            }
            walk(&path, depth - 1, found)?;
        } else {
            if found.len() == MOST_FILES {
                return Err(too_much(format!("has more than {MOST_FILES} files: leave some out")));
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_files_by_their_ways() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("menu/.git")).unwrap();
        for (name, text) in [
            ("menu/cakes.md", "Lemon."),
            ("menu/a.txt", "Tea."),
            ("menu/logo.png", "x"),
            ("menu/.git/b.txt", "no"),
            ("faq.csv", "question,answer\na,b\n"),
        ] {
            std::fs::write(root.join(name), text).unwrap();
        }
        let (files, left_out) =
            SourceFile::open(&[root.join("faq.csv"), root.join("menu")]).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["faq.csv", "a.txt", "cakes.md"]);
        assert_eq!(left_out, [root.join("menu/logo.png")]);
        let (files, _) = SourceFile::open(&[root.to_path_buf()]).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["faq.csv", "menu/a.txt", "menu/cakes.md"]);
        assert!(SourceFile::open(&[root.join("none.csv")]).is_err());
    }

    #[test]
    fn what_is_in_a_file_and_its_name_make_it_another() {
        let key = |name: &str, contents: &str| SourceKey::of(name, contents.as_bytes());
        assert_eq!(key("a.txt", "x"), key("a.txt", "x"));
        assert_ne!(key("a.txt", "x"), key("b.txt", "x"));
        assert_ne!(key("a.txt", "x"), key("a.txt", "y"));
    }
}
