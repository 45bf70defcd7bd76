//! The vault: seals secrets for the store, with one key of 32 bytes.
//!
//! AES-256-GCM, a random nonce of 12 bytes before each text. Invariant: what was sealed for one place
//! does not open in another, since the place is authenticated with it; a key is never shown.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use super::Sealed;

/// What the check of a key holds.
const CHECK: &[u8] = b"hark";
/// Where it is sealed for.
const CHECK_PLACE: &str = "vault";

/// Seals and opens.
pub struct Vault(LessSafeKey);

/// Says why there is no key, or not the right one.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is not 32 bytes: write it anew.
    #[error(
        "{origin} is not a key: 32 bytes in hexadecimal digits or Base64 are, such as `openssl rand -hex 32` prints"
    )]
    Malformed {
        /// Where it is from.
        origin: String,
    },
    /// The secrets were sealed with another key: bring that one back.
    #[error(
        "the secrets of the store were encrypted with another key than {origin}: bring that key back, or restore the store's backup with its key"
    )]
    Wrong {
        /// Where the key is from.
        origin: String,
    },
    /// There are secrets and no key: bring it back.
    #[error(
        "the store has encrypted secrets and {path} is not there: put it back, or set HARK_SECRET_KEY to the key"
    )]
    Missing {
        /// The file.
        path: String,
    },
    /// The file cannot be read or made.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Says where the key is from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `HARK_SECRET_KEY`.
    Given(SecretString),
    /// A file.
    File(PathBuf),
}

impl KeySource {
    /// Returns the file for the key of a store: beside it, its name with `.key`.
    pub fn beside(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push(".key");
        Self::File(name.into())
    }

    /// Names it.
    pub fn origin(&self) -> String {
        match self {
            Self::Given(_) => "HARK_SECRET_KEY".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl Vault {
    /// Takes a key as people write it: 64 hexadecimal digits, or Base64.
    ///
    /// # Errors
    /// `Malformed`, with where it is from.
    pub fn new(key: &SecretString, origin: &str) -> Result<Self, KeyError> {
        let text = key.expose_secret().trim();
        let bytes = hex::decode(text).ok().or_else(|| BASE64_STANDARD.decode(text).ok());
        let key = bytes.and_then(|bytes| UnboundKey::new(&AES_256_GCM, &bytes).ok());
        let malformed = || KeyError::Malformed { origin: origin.to_owned() };
        Ok(Self(LessSafeKey::new(key.ok_or_else(malformed)?)))
    }

    /// Returns a new key, as 64 hexadecimal digits.
    pub fn new_key() -> SecretString {
        hex::encode(random::<32>()).into()
    }

    /// Seals `secret` for a place, such as `106540352242922/app_secret`.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Sealed {
        let nonce = random::<NONCE_LEN>();
        let mut text = secret.to_vec();
        let tag = self.0.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut text,
        );
        tag.expect("a secret is shorter than 64 GiB");
        Sealed([&nonce[..], &text].concat())
    }

    /// Opens what was sealed for this place with this key; `None` if it was not.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(place.as_bytes()), &mut text).ok()?;
        Some(opened.to_vec())
    }

    /// Does the same for a text.
    pub fn open_text(&self, place: &str, sealed: &Sealed) -> Option<SecretString> {
        String::from_utf8(self.open(place, sealed)?).ok().map(Into::into)
    }

    /// Makes what shows later that a key is this one.
    pub fn check(&self) -> Sealed {
        self.seal(CHECK_PLACE, CHECK)
    }

    /// Returns whether this key made `check`.
    pub fn made(&self, check: &Sealed) -> bool {
        self.open(CHECK_PLACE, check).as_deref() == Some(CHECK)
    }
}

/// Reads the key of a file; `None` if there is no file.
///
/// # Errors
/// `File` with what the system says.
pub fn read_key(path: &Path) -> Result<Option<SecretString>, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyError::File { path: path.display().to_string(), error }),
    }
}

/// Writes a key into a new file that only its owner may read.
///
/// # Errors
/// `File`, if it is there too.
pub fn write_key(path: &Path, key: &SecretString) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(format!("{}\n", key.expose_secret()).as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| KeyError::File { path: path.display().to_string(), error })
}

/// Returns random bytes that nobody can guess.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_with_its_key_alone() {
        let (vault, other) = (new_vault(), new_vault());
        let sealed = vault.seal("1/app_secret", b"EAAG-secret");
        assert!(!sealed.0.windows(4).any(|bytes| bytes == b"EAAG"));
        assert_ne!(sealed, vault.seal("1/app_secret", b"EAAG-secret"), "a nonce is used once");
        assert_eq!(vault.open("1/app_secret", &sealed).as_deref(), Some(&b"EAAG-secret"[..]));
        assert_eq!(vault.open("2/app_secret", &sealed), None);
        assert_eq!(other.open("1/app_secret", &sealed), None);
        for short in [&[][..], &sealed.0[..11], &sealed.0[..20]] {
            assert_eq!(vault.open("1/app_secret", &Sealed(short.to_vec())), None);
        }
        assert!(vault.made(&vault.check()) && !other.made(&vault.check()));
    }

    #[test]
    fn a_key_is_read_as_people_write_it() {
        let read = |text: &str| Vault::new(&text.into(), "here").map(drop);
        let key = Vault::new_key();
        assert!(
            read(key.expose_secret()).is_ok()
                && read(&format!("{}\n", key.expose_secret())).is_ok()
        );
        assert!(read(&BASE64_STANDARD.encode([7; 32])).is_ok());
        for wrong in ["", "password", "00", &"0".repeat(63)] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.starts_with("here is not a key") && error.contains("openssl"), "{error}");
        }
    }

    fn new_vault() -> Vault {
        Vault::new(&Vault::new_key(), "here").unwrap()
    }
}
