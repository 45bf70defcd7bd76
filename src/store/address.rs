//! Where the store is: a file, or a PostgreSQL server.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Says where the store is. It is shown without a password.
#[derive(Clone, Debug)]
pub enum StoreAddress {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// `postgres://user@host:port/database`, with or without a password.
        url: SecretString,
        /// Connections of this process.
        connections: u32,
        /// Beside which other files of the store lie: its key, sound.
        beside: PathBuf,
    },
}

impl StoreAddress {
    /// Returns the path beside which other files of the store lie.
    pub fn beside(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Postgres { beside, .. } => beside,
        }
    }

    /// Returns whether there may be a store: a file is there, or a server is named.
    pub fn may_exist(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Postgres { .. } => true,
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres { url, .. } => match Url::parse(url.expose_secret()) {
                Ok(mut url) => {
                    url.set_query(None);
                    // An address without a host has no password either.
                    url.set_password(None).ok();
                    url.fmt(f)
                }
                Err(_) => f.write_str("postgres://"),
            },
        }
    }
}

impl From<&Path> for StoreAddress {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for StoreAddress {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<PathBuf> for StoreAddress {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&StoreAddress> for StoreAddress {
    fn from(address: &StoreAddress) -> Self {
        address.clone()
    }
}
