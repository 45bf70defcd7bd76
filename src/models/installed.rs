//! Finds model files and checks whether they are what the manifest says.
//!
//! Reads folders and files and writes nothing. Blocks: a large model takes seconds to read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::sum::{Sum, Summing};

/// Says how a file compares with what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Exactly that.
    Good,
    /// Another size: cut off, or something else. Nothing more was read.
    Size {
        /// Size of the file.
        bytes: u64,
    },
    /// The right size, but other bytes.
    Checksum {
        /// The sum of the file.
        got: Sum,
    },
}

/// Compares a file with the size, where it is known, and the sum that it should have.
///
/// # Errors
/// If the file cannot be read.
pub fn check(file: &Path, size: Option<u64>, due: &Sum) -> io::Result<Condition> {
    let bytes = file.metadata()?.len();
    if size.is_some_and(|size| size != bytes) {
        return Ok(Condition::Size { bytes });
    }
    let mut summing = Summing::new(due);
    sum_next(&File::open(file)?, bytes, &mut summing)?;
    Ok(compare(&summing, due))
}

/// Returns the SHA-256 of a file.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn sha256(file: &Path) -> io::Result<String> {
    let mut summing = Summing::new(&Sum::Unknown);
    sum_next(&File::open(file)?, u64::MAX, &mut summing)?;
    Ok(summing.sha256())
}

/// Compares bytes with the size and the sum that they should have.
pub fn check_bytes(bytes: &[u8], size: u64, due: &Sum) -> Condition {
    let length = bytes.len() as u64;
    if length == size {
        let mut summing = Summing::new(due);
        summing.update(bytes);
        compare(&summing, due)
    } else {
        Condition::Size { bytes: length }
    }
}

/// Feeds the next `length` bytes of `file` to `summing`, fewer if it ends; returns how many.
pub(super) fn sum_next(file: &File, length: u64, summing: &mut Summing) -> io::Result<u64> {
    let (mut file, mut buffer, mut bytes) = (file.take(length), vec![0; 1 << 16], 0);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                summing.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn compare(summing: &Summing, due: &Sum) -> Condition {
    summing.differs(due).map_or(Condition::Good, |got| Condition::Checksum { got })
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

    #[test]
    fn a_cut_and_a_changed_file_are_told_from_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.bin");
        std::fs::write(&file, "hello").unwrap();
        // The checksum is `printf hello | sha256sum`.
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let due = Sum::Sha256(sha256.into());
        let check = |file: &Path| check(file, Some(5), &due);
        assert_eq!(check(&file).unwrap(), Condition::Good);
        assert_eq!(super::check(&file, None, &due).unwrap(), Condition::Good);
        assert_eq!(super::sha256(&file).unwrap(), sha256);
        assert_eq!(check_bytes(b"hello", 5, &due), Condition::Good);
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
