//! Remembers files of which hark itself knows no SHA-256: `models.lock`, in the folder of the files.
//!
//! The first pull writes down what it got; a later pull and `hark models verify` hold the file to it.
//! Invariant: it is replaced as a whole, by one process at a time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Its name.
pub const LOCK: &str = "models.lock";

const ABOUT: &str = "\
# `hark models pull` has written down what it got of files whose SHA-256 hark does not know, and holds them to it.\n\
# To take another file under the same name, remove its rows and pull again.\n\n";

/// Says why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file system does not play along: correct the folder or its permissions.
    #[error("{} cannot be read or written: {source}", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Somebody has written something else into it: mend or remove it.
    #[error(
        "{} is damaged: {problem}; mend it, or remove it, and the next pull takes what it gets",
        .path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: String,
    },
}

/// Holds what is known of the files of a folder, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ModelLock(BTreeMap<String, LockedFile>);

/// Says what a file was when it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Where it came from.
    pub from: String,
}

impl ModelLock {
    /// Reads the one of `folder`; empty if there is none.
    ///
    /// # Errors
    /// A file that cannot be read or is something else.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(LOCK);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                let problem = error.message().to_owned();
                LockError::Malformed { path, problem }
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(LockError::Disk { path, source }),
        }
    }

    /// Returns what is known of a file.
    pub fn get(&self, file: &str) -> Option<&LockedFile> {
        self.0.get(file)
    }

    /// Writes down what `file` in `folder` is.
    ///
    /// # Errors
    /// As [`ModelLock::read`]; a folder that cannot be written.
    pub fn pin(folder: &Path, file: &str, is: LockedFile) -> Result<(), LockError> {
        let path = folder.join(LOCK);
        let disk = |source| LockError::Disk { path: path.clone(), source };
        // The folder itself is locked: the file in it is replaced.
        let held = fs::File::open(folder).map_err(disk)?;
        held.lock().map_err(disk)?;
        let mut lock = Self::read(folder)?;
        if lock.get(file) == Some(&is) {
            return Ok(());
        }
        lock.0.insert(file.to_owned(), is);
        let text = toml::to_string(&lock).expect("names and texts can be written");
        let fresh = folder.join(format!("{LOCK}.new"));
        let write = || {
            let mut file = fs::File::create(&fresh)?;
            file.write_all(ABOUT.as_bytes())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            held.sync_all()
        };
        write().map_err(disk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(sum: &str) -> LockedFile {
        LockedFile { sha256: sum.repeat(32), from: "https://a.example/x.onnx".into() }
    }

    #[test]
    fn what_is_written_down_is_read_again_and_replaced_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ModelLock::read(folder.path()).unwrap(), ModelLock::default());
        for (file, sum) in [("x.onnx", "ab"), ("x.onnx.json", "cd"), ("x.onnx", "ef")] {
            ModelLock::pin(folder.path(), file, some(sum)).unwrap();
        }
        let lock = ModelLock::read(folder.path()).unwrap();
        assert_eq!(lock.get("x.onnx"), Some(&some("ef")));
        assert_eq!(lock.get("x.onnx.json"), Some(&some("cd")));
        assert_eq!((lock.get("y.onnx"), folder.path().read_dir().unwrap().count()), (None, 1));
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let folder = folder.path();
                scope.spawn(move || ModelLock::pin(folder, &format!("{n}.onnx"), some("ab")));
            }
        });
        let lock = ModelLock::read(folder.path()).unwrap();
        assert!((0..8).all(|n| lock.get(&format!("{n}.onnx")).is_some()), "{lock:?}");
    }

    #[test]
    fn a_damaged_one_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for text in
            ["<html>", "[\"x.onnx\"]\nsha256 = 7\nfrom = \"\"\n", "[\"x.onnx\"]\nsha = \"\"\n"]
        {
            fs::write(folder.path().join(LOCK), text).unwrap();
            let said = ModelLock::read(folder.path()).unwrap_err().to_string();
            assert!(
                said.contains("models.lock is damaged") && said.contains("remove it"),
                "{said}"
            );
            ModelLock::pin(folder.path(), "y.onnx", some("ab")).unwrap_err();
            assert_eq!(fs::read_to_string(folder.path().join(LOCK)).unwrap(), text);
        }
    }
}
