//! What is to be downloaded: where it is, its name here, and what it must turn out to be.

use url::Url;

use super::PullError;
use crate::models::manifest::{self, Model};

/// Describes a file to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub url: Url,
    /// Its name in the folder.
    pub file: String,
    /// Its size, if known before.
    pub bytes: Option<u64>,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Wanted {
    /// Wants a model of the manifest from `mirror`, [`HUGGING_FACE`](super::HUGGING_FACE) or a
    /// server that has the same paths.
    ///
    /// # Errors
    /// `NoSource` for a model that is not downloaded.
    pub fn official(model: &Model, mirror: &Url) -> Result<Self, PullError> {
        let from = model.from.as_ref().ok_or_else(|| PullError::NoSource(model.name.clone()))?;
        let mut url = mirror.clone();
        url.set_path(&format!("{}/{from}/{}", url.path().trim_end_matches('/'), model.file));
        let (file, sha256) = (model.file.clone(), model.sha256.clone());
        Ok(Self { url, file, bytes: Some(model.bytes), sha256 })
    }

    /// Wants the file at `url`, which is not in the manifest.
    ///
    /// # Errors
    /// An address whose path does not end with the name of a model's file, or with the name of
    /// another model: by its name a file is known.
    pub fn at(url: Url, sha256: String) -> Result<Self, String> {
        let file = url.path().rsplit('/').next().unwrap_or_default().to_owned();
        let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let stem = file.strip_suffix(".bin").unwrap_or_default();
        if stem.is_empty() || stem.starts_with('.') || !stem.chars().all(usual) {
            return Err("its path must end with a file's name, such as ggml-mine.bin".into());
        }
        match manifest::named(&file).filter(|model| model.sha256 != sha256) {
            Some(model) => Err(format!(
                "{file} is the name of the model `{}`, and this is another file: give it another \
                 name on the server, or a path of yours to [stt] model",
                model.name
            )),
            None => Ok(Self { url, file, bytes: None, sha256 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Result<Wanted, String> {
        Wanted::at(url.parse().expect("an address"), "ab".repeat(32))
    }

    #[test]
    fn an_address_ends_with_the_name_of_the_file() {
        let wanted = at("https://a.example/deep/ggml-mine.q5_0.bin").unwrap();
        assert_eq!((wanted.file.as_str(), wanted.bytes), ("ggml-mine.q5_0.bin", None));
        for url in ["https://a.example", "https://a.example/mine.gguf", "https://a.example/x/"] {
            assert!(at(url).unwrap_err().contains("ggml-mine.bin"), "{url}");
        }
        for name in [".bin", "..bin", "a%2Fb.bin", "..%2f..%2fa.bin", "%00.bin"] {
            at(&format!("https://a.example/{name}")).expect_err(name);
        }
    }

    #[test]
    fn no_other_file_gets_the_name_of_a_known_model() {
        for name in ["ggml-base.bin", "hark-micro-en.bin", "base.bin"] {
            let error = at(&format!("https://a.example/{name}")).expect_err(name);
            assert!(error.contains("another file"), "{error}");
        }
        let base = manifest::named("base").unwrap();
        let url: Url = "https://a.example/ggml-base.bin".parse().unwrap();
        Wanted::at(url, base.sha256.clone()).expect("it is the model itself");
    }
}
