//! Finds model files and checks whether they are what the manifest says.
//!
//! Reads folders and files and writes nothing. Blocks: a large model takes seconds to read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::manifest::Model;

/// Says how a file compares with a row of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Exactly the model.
    Good,
    /// Another size: cut off, or something else. Nothing more was read.
    Size {
        /// Size of the file.
        bytes: u64,
    },
    /// The right size, but other bytes.
    Checksum {
        /// SHA-256 of the file, in hexadecimal.
        sha256: String,
    },
}

/// Compares a file with the size, where it is known, and the SHA-256 that it should have.
///
/// # Errors
/// If the file cannot be read.
pub fn check(file: &Path, size: Option<u64>, sha256: &str) -> io::Result<Condition> {
    let bytes = file.metadata()?.len();
    if size.is_some_and(|size| size != bytes) {
        return Ok(Condition::Size { bytes });
    }
    let mut hash = Sha256::new();
    hash_next(&File::open(file)?, bytes, &mut hash)?;
    Ok(compare(hash, sha256))
}

/// Compares bytes with a row of the manifest.
pub fn check_bytes(bytes: &[u8], model: &Model) -> Condition {
    let length = bytes.len() as u64;
    if length == model.bytes {
        compare(Sha256::new_with_prefix(bytes), &model.sha256)
    } else {
        Condition::Size { bytes: length }
    }
}

/// Feeds the next `length` bytes of `file` to `hash`, fewer if it ends; returns how many.
pub(super) fn hash_next(file: &File, length: u64, hash: &mut Sha256) -> io::Result<u64> {
    let (mut file, mut buffer, mut bytes) = (file.take(length), vec![0; 1 << 16], 0);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn compare(hash: Sha256, expected: &str) -> Condition {
    let sha256 = hex::encode(hash.finalize());
    if sha256 == expected { Condition::Good } else { Condition::Checksum { sha256 } }
}

/// Lists the files in `folder` whose names end in `ending`, sorted; empty if there is no such
/// folder.
///
/// # Errors
/// If the folder cannot be read.
pub fn files(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending));
        if named && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::manifest;

    #[test]
    fn a_cut_and_a_changed_file_are_told_from_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.bin");
        std::fs::write(&file, "hello").unwrap();
        // The checksum is `printf hello | sha256sum`.
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let model =
            Model { bytes: 5, sha256: sha256.into(), ..manifest::named("tiny").unwrap().clone() };
        let check = |file: &Path| check(file, Some(model.bytes), &model.sha256);
        assert_eq!(check(&file).unwrap(), Condition::Good);
        assert_eq!(super::check(&file, None, &model.sha256).unwrap(), Condition::Good);
        assert_eq!(check_bytes(b"hello", &model), Condition::Good);
        std::fs::write(&file, "hell").unwrap();
        assert_eq!(check(&file).unwrap(), Condition::Size { bytes: 4 });
        std::fs::write(&file, "hullo").unwrap();
        assert!(matches!(check(&file).unwrap(), Condition::Checksum { .. }));
        check(&folder.path().join("b.bin")).unwrap_err();
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_files() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.bin", "a.bin", "a.bin.part", "a.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("c.bin")).unwrap();
        let named = |ending| files(folder.path(), ending).unwrap();
        assert_eq!(named(".bin"), ["a.bin", "b.bin"].map(|file| folder.path().join(file)));
        assert_eq!(named(".bin.part").len(), 1);
        assert!(files(&folder.path().join("none"), ".bin").unwrap().is_empty());
    }
}
