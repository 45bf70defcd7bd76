//! Secrets in files of their own.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustls::crypto::ring;
use secrecy::{ExposeSecret as _, SecretString};

/// A secret in a file: one that is there, or one that is to be written.
pub(super) struct SecretFile {
    path: PathBuf,
    fresh: Option<SecretString>,
}

impl SecretFile {
    /// Returns the file that was named, else one of this name in the folder, if there is one.
    pub(super) fn known(
        named: Option<PathBuf>,
        folder: &Path,
        name: &str,
    ) -> anyhow::Result<Option<Self>> {
        if let Some(path) = named {
            std::fs::metadata(&path).with_context(|| path.display().to_string())?;
            return Ok(Some(Self { path, fresh: None }));
        }
        let path = folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        eprintln!("{} is there already and is used", path.display());
        Ok(Some(Self { path, fresh: None }))
    }

    /// Makes a file of this name in the folder.
    pub(super) fn new(folder: &Path, name: &str, secret: SecretString) -> Self {
        Self { path: folder.join(name), fresh: Some(secret) }
    }

    /// Makes a file with a secret that nobody can guess.
    pub(super) fn random(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let mut bytes = [0; 16];
        let filled = ring::default_provider().secure_random.fill(&mut bytes);
        if filled.is_err() {
            bail!("the system gives no random numbers");
        }
        Ok(Self::new(folder, name, hex::encode(bytes).into()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the secret, from the file if it is there.
    pub(super) fn reveal(&self) -> anyhow::Result<SecretString> {
        if let Some(secret) = &self.fresh {
            return Ok(secret.clone());
        }
        let text = std::fs::read_to_string(&self.path);
        Ok(text.with_context(|| self.path.display().to_string())?.trim().into())
    }

    /// Writes the file; returns its path, or `None` if it was there.
    pub(super) fn write(&self, force: bool) -> anyhow::Result<Option<&Path>> {
        let Some(secret) = &self.fresh else { return Ok(None) };
        let line = format!("{}\n", secret.expose_secret());
        create(&self.path, line.as_bytes(), Readers::Owner, force)?;
        Ok(Some(&self.path))
    }
}

/// Says who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever the user's mask lets.
    All,
    /// Its owner alone.
    Owner,
}

/// Creates a file, in place of one that is there if `force` says so. What is there stays until the
/// new one is whole, and of one that could not be written nothing stays.
pub(super) fn create(
    path: &Path,
    content: &[u8],
    readers: Readers,
    force: bool,
) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let fresh = if force { Path::new(&beside) } else { path };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let writing = || format!("writing {} (--force replaces one)", path.display());
    let mut file = options.open(fresh).with_context(writing)?;
    let whole = file.write_all(content).and_then(|()| file.sync_all());
    let placed = whole.and_then(|()| if force { std::fs::rename(fresh, path) } else { Ok(()) });
    if placed.is_err() {
        // Half a secret would be taken for one that is there.
        std::fs::remove_file(fresh).with_context(writing)?;
    }
    placed.with_context(writing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (taken, file) = (folder.path().join("folder"), folder.path().join("file"));
        std::fs::create_dir_all(taken.join("full")).unwrap();
        assert!(create(&taken, b"new", Readers::Owner, true).is_err());
        std::fs::write(&file, "old").unwrap();
        assert!(create(&file, b"new", Readers::Owner, false).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
        create(&file, b"new", Readers::Owner, true).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        let there = std::fs::read_dir(folder.path()).unwrap().count();
        assert!(taken.join("full").is_dir() && there == 2, "{there}");
    }
}
