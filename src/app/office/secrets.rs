//! The key of the secrets, changed: everything is encrypted anew in one transaction.
//!
//! A new key of a file lies beside the old one until the transaction is on disk. A process that dies
//! in between leaves either the old key in use, or the new one, which the next start puts in place.

use secrecy::SecretString;

use super::Office;
use crate::app::keyring::{LockedError, next_key};
use crate::http::api::ApiRefusal;
use crate::store::vault::{KeyError, KeySource, Vault, read_key, write_key};
use crate::store::{Directory as _, Sealed};

impl Office {
    /// Encrypts all secrets with a new key: `given`, where the old one is `HARK_SECRET_KEY`, else one
    /// that is made. Returns how many entries were encrypted anew.
    ///
    /// # Errors
    /// No key, a wrong one, or a store that is away: then nothing has changed.
    pub async fn rotate_key(&self, given: Option<&SecretString>) -> Result<usize, ApiRefusal> {
        let old = self.keyring.open(self.store.as_ref()).await?;
        let Some(old) = old else {
            let problem = "no secret is kept yet, so that there is no key to change";
            return Err(ApiRefusal::Conflict(problem.to_owned()));
        };
        match self.keyring.source() {
            KeySource::Given(_) => {
                let Some(given) = given else {
                    let problem = "the key is HARK_SECRET_KEY: give the new one in \
                                   HARK_NEW_SECRET_KEY, and start hark with it afterwards";
                    return Err(ApiRefusal::invalid("", problem));
                };
                let new = Vault::new(given, "HARK_NEW_SECRET_KEY").map_err(locked)?;
                self.reseal(old, new).await
            }
            KeySource::File(path) => {
                let next = next_key(path);
                // One that an earlier try left was never used: it would have been found.
                let key = match read_key(&next).map_err(locked)? {
                    Some(left) => left,
                    None => given.cloned().unwrap_or_else(Vault::new_key),
                };
                if !next.exists() {
                    write_key(&next, &key).map_err(locked)?;
                }
                let new = Vault::new(&key, &next.display().to_string()).map_err(locked)?;
                let count = self.reseal(old, new).await?;
                std::fs::rename(&next, path).map_err(|error| {
                    locked(KeyError::File { path: path.display().to_string(), error })
                })?;
                self.live().await;
                Ok(count)
            }
        }
    }

    async fn reseal(&self, old: std::sync::Arc<Vault>, new: Vault) -> Result<usize, ApiRefusal> {
        let check = new.check();
        let reseal = move |place: &str, sealed: &Sealed| {
            old.open(place, sealed).map(|secret| new.seal(place, &secret))
        };
        Ok(self.store.reseal(check, Box::new(reseal)).await?)
    }
}

fn locked(error: KeyError) -> ApiRefusal {
    LockedError::from(error).into()
}
