//! A number's access token: read anew from its file when Meta refuses it.
//!
//! Tokens of system users are rotated; whoever replaces the file needs no restart. Invariant: the
//! token is never part of an error or a log line.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

/// Holds the token in use, and where a newer one may be.
#[derive(Debug)]
pub(super) struct Token {
    current: RwLock<SecretString>,
    file: Option<PathBuf>,
    /// Older ones that are still valid, newest last.
    former: Mutex<Vec<SecretString>>,
}

impl Token {
    pub(super) fn new(current: SecretString, file: Option<PathBuf>) -> Self {
        Self { current: RwLock::new(current), file, former: Mutex::default() }
    }

    /// Returns the same, with older ones to try when the newest is refused, newest first.
    pub(super) fn or_former(self, mut former: Vec<SecretString>) -> Self {
        former.reverse();
        Self { former: Mutex::new(former), ..self }
    }

    /// Returns the token to use now.
    pub(super) fn current(&self) -> SecretString {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether there is another token than `refused` now; looks into the file for one.
    pub(super) async fn renewed(&self, refused: &SecretString) -> bool {
        let same = |token: &str| token == refused.expose_secret();
        if !same(self.current().expose_secret()) {
            return true;
        }
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(former) = former {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = former;
            tracing::warn!("the newest access token was refused: an older one is used");
            return true;
        }
        let Some(file) = &self.file else { return false };
        let new = match tokio::fs::read_to_string(file).await {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                tracing::warn!(
                    file = %file.display(), error = %error,
                    "the access token was refused, and its file cannot be read"
                );
                return false;
            }
        };
        if new.is_empty() || same(&new) {
            return false;
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new.into();
        tracing::info!(file = %file.display(), "the access token was read anew");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_token_is_found_once_the_file_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let old = SecretString::from("old");
        let token = Token::new(old.clone(), Some(file.clone()));
        assert!(!token.renewed(&old).await, "there is no file");
        for content in ["old\n", "", " \n"] {
            std::fs::write(&file, content).unwrap();
            assert!(!token.renewed(&old).await, "{content:?}");
        }
        std::fs::write(&file, "new\n").unwrap();
        assert!(token.renewed(&old).await);
        assert_eq!(token.current().expose_secret(), "new");
        assert!(token.renewed(&old).await, "somebody else has found it");
        assert!(!token.renewed(&token.current()).await);
        assert!(!Token::new(old.clone(), None).renewed(&old).await);
    }

    #[tokio::test]
    async fn a_token_that_is_refused_gives_way_to_an_older_one_that_is_still_valid() {
        let secrets = |words: &[&str]| words.iter().map(|&word| word.into()).collect::<Vec<_>>();
        let newest = SecretString::from("newest");
        let token = Token::new(newest.clone(), None).or_former(secrets(&["older", "oldest"]));
        for older in ["older", "oldest"] {
            assert!(token.renewed(&token.current()).await);
            assert_eq!(token.current().expose_secret(), older);
        }
        assert!(!token.renewed(&token.current()).await, "there is no other");
        assert!(token.renewed(&newest).await, "who had the newest has another to try");
    }
}
