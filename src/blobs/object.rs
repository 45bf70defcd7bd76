//! A [`BlobStore`] over the `object_store` crate: the same for a folder and for every cloud.
//!
//! Invariant: every call has a time limit, since a turn's sound must not wait for ever either.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutOptions,
    PutPayload,
};
use tokio::time::timeout;

use super::{BlobError, BlobStore, BlobStream};
use crate::remote::SILENCE;
use crate::remote::words::plain;

/// Limits how long a file takes to be written or deleted: 16 MB at half a megabyte a second.
const LIMIT: Duration = Duration::from_secs(40);

/// Most characters of a reason: some servers answer with a page.
const REASON: usize = 300;

/// Keeps files in one store.
pub(super) struct ObjectBlobs<S> {
    pub(super) store: S,
    /// What is before every name.
    pub(super) prefix: Path,
    /// What messages call it.
    pub(super) place: String,
    /// The folder, which is made when the first file is written.
    pub(super) folder: Option<PathBuf>,
}

impl<S> ObjectBlobs<S> {
    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), Path::join)
    }

    /// Makes the folder, for its owner alone; leaves one that is there as it is.
    fn make_folder(&self) -> Result<(), BlobError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        private_folder(folder).map_err(|error| of_io(&error))
    }
}

#[async_trait]
impl<S: ObjectStore> BlobStore for ObjectBlobs<S> {
    fn place(&self) -> String {
        self.place.clone()
    }

    async fn put(&self, key: &str, kind: &str, pieces: Vec<Bytes>) -> Result<(), BlobError> {
        self.make_folder()?;
        let mut attributes = Attributes::new();
        // A folder has no place for it.
        if self.folder.is_none() {
            attributes.insert(Attribute::ContentType, kind.to_owned().into());
        }
        let options = PutOptions { attributes, ..PutOptions::default() };
        let path = self.path(key);
        let put = self.store.put_opts(&path, PutPayload::from_iter(pieces), options);
        in_time(LIMIT, put).await.map(|_tag| ())
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<BlobStream, BlobError> {
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
        let path = self.path(key);
        let pieces = in_time(SILENCE, self.store.get_opts(&path, options)).await?.into_stream();
        let limited = stream::unfold(Some(pieces), async |pieces| {
            let mut pieces = pieces?;
            match timeout(SILENCE, pieces.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
                Ok(Some(Err(error))) => Some((Err(of_store(&error)), None)),
                Ok(None) => None,
                Err(_late) => Some((Err(late()), None)),
            }
        });
        Ok(limited.boxed())
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let path = self.path(key);
        match in_time(LIMIT, self.store.delete(&path)).await {
            Err(BlobError::Absent) => Ok(()),
            deleted => deleted,
        }
    }
}

async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = object_store::Result<T>>,
) -> Result<T, BlobError> {
    let done = timeout(limit, call).await.map_err(|_elapsed| late())?;
    done.map_err(|error| of_store(&error))
}

fn late() -> BlobError {
    BlobError::Away("it does not answer".to_owned())
}

/// Makes a folder and those above it, closed to others.
fn private_folder(folder: &std::path::Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn of_io(error: &io::Error) -> BlobError {
    let reason = error.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => BlobError::Absent,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            BlobError::Denied(reason)
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full(reason),
        _ => BlobError::Away(reason),
    }
}

/// Sorts an error by what is to be done about it; the system's own is behind others.
fn of_store(error: &object_store::Error) -> BlobError {
    use object_store::Error as Of;

    if let Of::NotFound { .. } = error {
        return BlobError::Absent;
    }
    if let Some(system) = of_system(error)
        && !matches!(system.kind(), io::ErrorKind::Other | io::ErrorKind::NotFound)
    {
        return of_io(system);
    }
    let reason = plain(&error.to_string()).chars().take(REASON).collect();
    match error {
        Of::PermissionDenied { .. } | Of::Unauthenticated { .. } => BlobError::Denied(reason),
        _ => BlobError::Away(reason),
    }
}

/// Finds the system's own error behind another.
fn of_system<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    error.downcast_ref().or_else(|| error.source().and_then(of_system))
}
