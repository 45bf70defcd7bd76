//! What is to be downloaded: where it is, its name here, and what it must turn out to be.

use std::path::PathBuf;

use url::Url;

use super::PullError;
use crate::models::lock::LockedFile;
use crate::models::manifest::{self, Model};
use crate::models::sum::Sum;
use crate::models::voices::{self, GRAPH, ListedVoice};

/// Describes a file to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is; a `file:` address is of this machine.
    pub url: Url,
    /// Its name in the folder.
    pub file: String,
    /// Its size, if known before.
    pub bytes: Option<u64>,
    /// Its sum.
    pub sum: Sum,
    /// Whether the folder's `models.lock` remembers its SHA-256, since hark does not know it.
    pub pin: bool,
}

impl Wanted {
    /// Wants a model of the manifest from `mirror`, [`HUGGING_FACE`](super::HUGGING_FACE) or a
    /// server that has the same paths.
    ///
    /// # Errors
    /// `NoSource` for a model that is not downloaded.
    pub fn official(model: &Model, mirror: &Url) -> Result<Self, PullError> {
        let from = model.from.as_ref().ok_or_else(|| PullError::NoSource(model.name.clone()))?;
        let (file, sum) = (model.file.clone(), Sum::Sha256(model.sha256.clone()));
        let url = below(mirror, &format!("{from}/{file}"));
        Ok(Self { url, file, bytes: Some(model.bytes), sum, pin: false })
    }

    /// Wants the files of a voice of the catalogue, from such a server.
    ///
    /// # Errors
    /// As [`Wanted::official`].
    pub fn voice(voice: &ListedVoice, mirror: &Url) -> Result<Vec<Self>, PullError> {
        let from = voice.from.as_ref().ok_or_else(|| PullError::NoSource(voice.name.clone()))?;
        let wanted = voice.files().map(|(file, there, known)| Self {
            url: below(mirror, &format!("{from}/{there}")),
            file,
            bytes: Some(known.bytes),
            sum: known.sum.clone(),
            pin: !matches!(known.sum, Sum::Sha256(_)),
        });
        Ok(wanted.collect())
    }

    /// Wants the file at `url`, which is not in the manifest.
    ///
    /// # Errors
    /// An address whose path does not end with the name of a model's file, or with the name of
    /// another model: by its name a file is known.
    pub fn at(url: Url, sha256: String) -> Result<Self, String> {
        let Some(file) = file_name(&url, ".bin") else {
            return Err("its path must end with a file's name, such as ggml-mine.bin".into());
        };
        match manifest::named(&file).filter(|model| model.sha256 != sha256) {
            Some(model) => Err(format!(
                "{file} is the name of the model `{}`, and this is another file: give it another \
                 name on the server, or a path of yours to [stt] model",
                model.name
            )),
            None => Ok(Self { url, file, bytes: None, sum: Sum::Sha256(sha256), pin: false }),
        }
    }

    /// Wants the graph of a voice at `url`, which is not in the catalogue.
    ///
    /// # Errors
    /// An address whose path does not end with the name of a voice's graph, or with the name of a voice
    /// that hark knows.
    pub fn graph_at(url: Url, sha256: String) -> Result<Self, String> {
        let Some(file) = file_name(&url, GRAPH) else {
            return Err("its path must end with a file's name, such as mine.onnx".into());
        };
        match voices::named(&file) {
            Some(voice) => Err(format!(
                "{file} is a voice that hark knows: `hark models pull {}`, with --mirror for a \
                 server of yours; give another voice another name",
                voice.name
            )),
            None => Ok(Self { url, file, bytes: None, sum: Sum::Sha256(sha256), pin: true }),
        }
    }

    /// Wants the card of the graph that this is; without its sum, whatever comes the first time.
    #[must_use]
    pub fn card(&self, sha256: Option<String>) -> Self {
        let mut url = self.url.clone();
        url.set_path(&format!("{}.json", url.path()));
        let sum = sha256.map_or(Sum::Unknown, Sum::Sha256);
        Self { url, file: format!("{}.json", self.file), bytes: None, sum, pin: true }
    }

    /// Returns the same, held to what an earlier pull has got where no SHA-256 is asked for.
    pub(super) fn held_to(&self, known: Option<&LockedFile>) -> Self {
        let sum = match (known, &self.sum) {
            (Some(known), Sum::Md5(_) | Sum::Unknown) => Sum::Pinned(known.sha256.clone()),
            (_, sum) => sum.clone(),
        };
        Self { sum, ..self.clone() }
    }

    /// Returns the file of this machine that it is, if it is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok())?
    }
}

/// Returns the address of a path on a server, which may lie deeper than its root.
fn below(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    url
}

/// Returns the name of the file at an address, if it has the `ending` and is a usual one.
fn file_name(url: &Url, ending: &str) -> Option<String> {
    let file = url.path().rsplit('/').next()?;
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let stem = file.strip_suffix(ending)?;
    let named = !stem.is_empty() && !stem.starts_with('.') && stem.chars().all(usual);
    named.then(|| file.to_owned())
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

    #[test]
    fn a_voice_at_an_address_has_a_name_of_its_own_and_a_card_beside_it() {
        let graph = |url: &str| Wanted::graph_at(url.parse().expect("an address"), "ab".repeat(32));
        let mine = graph("https://a.example/de/mine-low.onnx").unwrap();
        let card = mine.card(None);
        assert_eq!(card.url.as_str(), "https://a.example/de/mine-low.onnx.json");
        assert_eq!((card.file.as_str(), card.sum), ("mine-low.onnx.json", Sum::Unknown));
        let known = graph("https://a.example/de_DE-kerstin-low.onnx").unwrap_err();
        assert!(known.contains("hark models pull de_DE-kerstin-low"), "{known}");
        for url in ["https://a.example/x.onnx.json", "https://a.example/a%2Fb.onnx"] {
            assert!(graph(url).unwrap_err().contains("mine.onnx"), "{url}");
        }
    }

    #[test]
    fn what_was_pulled_before_decides_unless_a_sum_is_asked_for() {
        let known = LockedFile { sha256: "cd".repeat(32), from: String::new() };
        let graph = Wanted::graph_at("https://a.example/x.onnx".parse().unwrap(), "ab".repeat(32));
        let graph = graph.unwrap();
        assert_eq!(graph.held_to(Some(&known)), graph);
        let card = graph.card(None);
        assert_eq!(card.held_to(Some(&known)).sum, Sum::Pinned("cd".repeat(32)));
        assert_eq!(card.held_to(None), card);
    }
}
