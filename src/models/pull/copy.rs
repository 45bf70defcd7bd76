//! Takes a file of this machine where others are downloaded.

use std::io;
use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::part::PartFile;
use super::{Progress, PullError};

/// Bytes that are copied in one go.
const AT_ONCE: usize = 1 << 16;

/// Returns the size of the file.
pub(super) async fn size(file: &Path) -> Result<u64, PullError> {
    let about = tokio::fs::metadata(file).await.map_err(|source| unreadable(file, source))?;
    Ok(about.len())
}

/// Copies `file` into `part`, which is empty.
pub(super) async fn fill(
    file: &Path,
    part: &mut PartFile,
    report: &mut impl FnMut(Progress<'_>),
) -> Result<(), PullError> {
    let mut source = File::open(file).await.map_err(|source| unreadable(file, source))?;
    let mut bytes = vec![0; AT_ONCE];
    while part.missing() > 0 {
        let read = source.read(&mut bytes).await.map_err(|source| unreadable(file, source))?;
        if read == 0 {
            return Err(unreadable(file, io::ErrorKind::UnexpectedEof.into()));
        }
        if read as u64 > part.missing() {
            return Err(PullError::TooLong {
                url: file.display().to_string(),
                bytes: part.bytes(),
            });
        }
        part.write(&bytes[..read]).await?;
        report(Progress::At(part.done()));
    }
    Ok(())
}

fn unreadable(file: &Path, source: io::Error) -> PullError {
    PullError::Source { path: file.to_owned(), source }
}
