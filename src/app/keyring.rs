//! Where the key of the store's secrets comes from: `HARK_SECRET_KEY`, else a file beside the store,
//! made when the first secret is kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{Config, ConfigError};
use crate::http::api::ApiRefusal;
use crate::store::vault::{KeyError, KeySource, Vault, read_key, write_key};
use crate::store::{Directory, Sealed, StoreError};

/// Says why secrets cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum LockedError {
    /// There is no key, or not the right one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret does not open although its key is right: the row is damaged.
    #[error("{0} in the store cannot be decrypted: set it anew")]
    Damaged(String),
}

impl From<LockedError> for ApiRefusal {
    fn from(error: LockedError) -> Self {
        match error {
            LockedError::Store(error) => Self::Store(error),
            other => Self::Locked(other.to_string()),
        }
    }
}

impl LockedError {
    /// Says it as a fault of the configuration, which it is if the key is.
    pub(super) fn into_start_error(self, keyring: &Keyring) -> anyhow::Error {
        match self {
            Self::Key(error) => ConfigError {
                origin: keyring.source.origin(),
                key: "HARK_SECRET_KEY".to_owned(),
                problem: error.to_string(),
            }
            .into(),
            other => other.into(),
        }
    }
}

/// Finds and makes the key.
pub(super) struct Keyring {
    source: KeySource,
    held: Mutex<Option<Arc<Vault>>>,
}

impl Keyring {
    pub(super) fn new(config: &Config, store: &Path) -> Self {
        let given = config.store.secret_key.clone().map(KeySource::Given);
        let source = given.unwrap_or_else(|| KeySource::beside(store));
        Self { source, held: Mutex::default() }
    }

    /// Returns where the key is from.
    pub(super) fn source(&self) -> &KeySource {
        &self.source
    }

    /// Opens the vault of the store's secrets; `None` if none was ever kept.
    pub(super) async fn open(
        &self,
        store: &dyn Directory,
    ) -> Result<Option<Arc<Vault>>, LockedError> {
        let Some(check) = store.seal_check().await? else { return Ok(None) };
        if let Some(held) = self.held().filter(|held| held.made(&check)) {
            return Ok(Some(held));
        }
        let vault = Arc::new(self.find(&check)?);
        self.hold(&vault);
        Ok(Some(vault))
    }

    /// Does the same; where no secret was kept yet, the key is made.
    pub(super) async fn open_or_make(
        &self,
        store: &dyn Directory,
    ) -> Result<Arc<Vault>, LockedError> {
        if let Some(vault) = self.open(store).await? {
            return Ok(vault);
        }
        let vault = match &self.source {
            KeySource::Given(key) => Vault::new(key, &self.source.origin())?,
            KeySource::File(path) => {
                let key = if let Some(key) = read_key(path)? {
                    key
                } else {
                    let key = Vault::new_key();
                    write_key(path, &key)?;
                    tracing::info!(
                        file = %path.display(),
                        "the key of the store's secrets was made: keep it with the backups"
                    );
                    key
                };
                Vault::new(&key, &self.source.origin())?
            }
        };
        if !vault.made(&store.keep_seal_check(vault.check()).await?) {
            // Another process was first, with another key.
            return Err(KeyError::Wrong { origin: self.source.origin() }.into());
        }
        let vault = Arc::new(vault);
        self.hold(&vault);
        Ok(vault)
    }

    /// Reads the key that made `check`; one that a rotation was cut off with is put in its place.
    fn find(&self, check: &Sealed) -> Result<Vault, KeyError> {
        let origin = self.source.origin();
        let path = match &self.source {
            KeySource::Given(key) => {
                let vault = Vault::new(key, &origin)?;
                return if vault.made(check) { Ok(vault) } else { Err(KeyError::Wrong { origin }) };
            }
            KeySource::File(path) => path,
        };
        let key = read_key(path)?;
        if let Some(key) = &key {
            let vault = Vault::new(key, &origin)?;
            if vault.made(check) {
                return Ok(vault);
            }
        }
        let next = next_key(path);
        if let Some(key) = read_key(&next)? {
            let vault = Vault::new(&key, &next.display().to_string())?;
            if vault.made(check) {
                let renamed = std::fs::rename(&next, path);
                renamed.map_err(|error| KeyError::File { path: origin, error })?;
                return Ok(vault);
            }
        }
        Err(match key {
            Some(_) => KeyError::Wrong { origin },
            None => KeyError::Missing { path: origin },
        })
    }

    fn held(&self) -> Option<Arc<Vault>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, vault: &Arc<Vault>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(vault));
    }
}

/// Returns where a new key lies until everything is sealed with it.
pub(super) fn next_key(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
