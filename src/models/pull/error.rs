//! Why a model was not pulled, and whether trying again may help.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::models::lock::LockError;
use crate::models::sum::Sum;
use crate::turn::Retry;

/// Says why a model was not pulled. Whatever it is, no file has got the model's name.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages show what each field is")]
pub enum PullError {
    /// The model is not for downloading: build it in, or take another.
    #[error("`{0}` is not downloaded: it is part of hark where hark was built with it")]
    NoSource(String),
    /// Somebody else is at it: wait for them.
    #[error("another `hark models pull` is writing {}; wait for it to end", .0.display())]
    InUse(PathBuf),
    /// The disk is full: make room. What has arrived is kept.
    #[error("there is no room for {} (the model has {bytes} bytes): free some, or choose another \
             folder with --dir; what has arrived is kept", .file.display())]
    NoRoom { file: PathBuf, bytes: u64 },
    /// The file system does not play along: correct the folder or its permissions.
    #[error("{} cannot be written", .path.display())]
    Disk { path: PathBuf, source: io::Error },
    /// There is no way to the server, and nothing has come of it yet: go another way.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    /// Nobody is there: tried again.
    #[error("no answer from {host}: {reason}")]
    NoAnswer { host: String, reason: String },
    /// The answer broke off: tried again, the rest only.
    #[error("the download broke off after {done} of {bytes} bytes: {reason}")]
    BrokeOff { done: u64, bytes: u64, reason: String },
    /// The server is there and will not answer now: tried again later.
    #[error("{host} answered {status}: it has trouble of its own, or too many requests")]
    Busy { host: String, status: u16, wait: Duration },
    /// The server will not give the file: correct the mirror or the address.
    #[error("{url} answered {status}{}", .hint)]
    Refused { url: String, status: u16, hint: &'static str },
    /// A redirect that is not followed: correct the mirror or the address.
    #[error("{host} redirects without end, or from https to http; use another server")]
    Redirect { host: String },
    /// A page for people instead of a file: a proxy or a login is in between.
    #[error(
        "{url} gave a web page instead of the model: a proxy or a login page is in between, \
             or the server has no such file; open the address in a browser to see it"
    )]
    WebPage { url: String },
    /// The server announces a file of another size: it is another file.
    #[error(
        "{url} announces {announced} bytes where {expected} are due: it is another file, or \
             the server does not tell the truth; use another server"
    )]
    Length { url: String, announced: u64, expected: u64 },
    /// Nobody knows how much will come: use another server.
    #[error(
        "{url} does not say how large the file is, or that it has more than 16 GiB; use another \
             server"
    )]
    NoSize { url: String },
    /// More arrives than the model has: it is another file.
    #[error(
        "{url} sends more than the {bytes} bytes of the model: it is another file; it was \
             removed, use another server"
    )]
    TooLong { url: String, bytes: u64 },
    /// The right number of other bytes: damaged on the way, or forged.
    #[error(
        "the checksum of {file} differs, it was removed\n  expected {expected}\n  \
             got      {got}\nrun the same command again; if it differs again, the server \
             has another file: use another server"
    )]
    Checksum { file: String, expected: Sum, got: Sum },
    /// What was pulled before cannot be looked up or written down: see the error.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file of this machine cannot be read: correct its path or its permissions.
    #[error("{} cannot be read: {source}", .path.display())]
    Source { path: PathBuf, source: io::Error },
}

impl PullError {
    /// Returns when the same request may be made again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::BrokeOff { .. } => {
                Retry::After(Duration::ZERO)
            }
            Self::Busy { wait, .. } => Retry::After(*wait),
            _ => Retry::Never,
        }
    }

    pub(super) fn disk(path: &Path, bytes: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoRoom { file: path, bytes }
            }
            _ => Self::Disk { path, source },
        }
    }
}
