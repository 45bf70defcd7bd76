//! Opens the shelf of the sound that is kept, as the configuration says.

use std::path::Path;
use std::sync::Arc;

use crate::blobs::SoundShelf;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::remote::http_client;
use crate::store::SqlStore;

/// Opens the shelf beside the store at this path.
///
/// # Errors
/// A key of `[blobs]` that cannot be used. Whether the place answers is not asked.
pub(super) fn shelf(
    config: &Config,
    path: &Path,
    store: &Arc<SqlStore>,
    clock: Clock,
) -> Result<Arc<SoundShelf>, ConfigError> {
    let place = config.blobs.place(path).map_err(|wrong| config.error("blobs.url", wrong))?;
    let blobs = place.open(&config.blobs, &http_client());
    let blobs = blobs.map_err(|wrong| config.error(&wrong.key, wrong.problem))?;
    Ok(Arc::new(SoundShelf::new(store.clone(), blobs, config.blobs.retention(), clock)))
}
