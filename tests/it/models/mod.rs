//! Downloading models from a server that breaks off, lies and sends web pages.
//!
//! Most tests use a small model of their own; the program itself knows only the real ones, whose
//! bytes are not here, so it is shown being lied to.

mod address;
mod lies;
mod program;
mod resume;
mod server;
mod voices;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hark::models::manifest::{self, Model};
use hark::models::pull::{Pace, Progress, Pull, PullError, Pulled, Wanted};
use hark::remote::download_client;
use hex::encode;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::Notify;
use url::Url;

use self::server::{Answer, Server};

/// Impatient: tests have no time to lose.
const PACE: Pace =
    Pace { tries: 3, first_wait: Duration::from_millis(1), stall: Duration::from_secs(20) };

/// The bytes of a small model: no two parts of it are alike.
fn file() -> Vec<u8> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    // Models begin so, and none with a `<`.
    b"lmgg".iter().copied().chain((4..200_001).map(|_| noise())).collect()
}

/// Its row in the manifest.
fn model() -> Model {
    Model {
        name: "small-one".into(),
        file: "ggml-small-one.bin".into(),
        from: Some("someone/models/resolve/0123abcd".into()),
        bytes: 200_001,
        sha256: encode(Sha256::digest(file())),
        ..manifest::named("tiny").unwrap().clone()
    }
}

/// A folder that models are pulled into.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One with the first `bytes` of the model from an earlier time.
    fn with_part(bytes: &[u8]) -> Self {
        let folder = Self::new();
        std::fs::write(folder.0.path().join("ggml-small-one.bin.part"), bytes).unwrap();
        folder
    }

    async fn pull(&self, mirror: &Url) -> Result<Pulled, PullError> {
        self.pull_at(mirror, PACE, |_| {}).await
    }

    async fn pull_at(
        &self,
        mirror: &Url,
        pace: Pace,
        report: impl FnMut(Progress<'_>),
    ) -> Result<Pulled, PullError> {
        self.get(&Wanted::official(&model(), mirror)?, pace, report).await
    }

    async fn get(
        &self,
        wanted: &Wanted,
        pace: Pace,
        report: impl FnMut(Progress<'_>),
    ) -> Result<Pulled, PullError> {
        let client = download_client();
        Pull { client: &client, folder: self.0.path(), pace }.pull(wanted, report).await
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        names(self.0.path())
    }

    /// Checks that the model is there, and nothing else.
    #[track_caller]
    fn has_the_model(&self) {
        assert_eq!(self.names(), ["ggml-small-one.bin"]);
        assert!(self.read("ggml-small-one.bin") == file(), "other bytes");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_model_is_pulled_once() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let (folder, mut told) = (Folder::new(), Vec::new());
    let report = |progress: Progress<'_>| told.push(format!("{progress:?}"));
    let pulled = folder.pull_at(&server.url, PACE, report).await.unwrap();
    assert_eq!(pulled, Pulled::Downloaded);
    folder.has_the_model();
    assert_eq!(
        (&*told[0], &**told.last().unwrap()),
        ("Begin { done: 0, of: 200001 }", "At(200001)")
    );
    assert_eq!(folder.pull(&server.url).await.unwrap(), Pulled::Already);
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "the second time the file is only read");
    assert_eq!(asked[0].path, "/someone/models/resolve/0123abcd/ggml-small-one.bin");
    assert!(asked[0].head.contains("accept-encoding: identity\r\n"), "{}", asked[0].head);
    assert!(!asked[0].head.contains("range:"), "{}", asked[0].head);
}

#[tokio::test]
async fn a_mirror_may_lie_deeper_than_the_root() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    for path in ["/deep/mirror", "/deep/mirror/"] {
        Folder::new().pull(&server.url.join(path).unwrap()).await.unwrap();
    }
    for asked in server.asked() {
        assert_eq!(asked.path, "/deep/mirror/someone/models/resolve/0123abcd/ggml-small-one.bin");
    }
}

#[tokio::test]
async fn a_damaged_file_is_replaced() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    for damaged in [file()[..1000].to_vec(), vec![7; 200_001]] {
        let folder = Folder::new();
        std::fs::write(folder.0.path().join("ggml-small-one.bin"), damaged).unwrap();
        assert_eq!(folder.pull(&server.url).await.unwrap(), Pulled::Downloaded);
        folder.has_the_model();
    }
}

#[tokio::test]
async fn a_redirect_is_followed_to_another_server() {
    let store = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let to = store.url.clone();
    let server = Server::start(move |_, asked| match &*asked.path {
        "/here" => Answer::new(&format!("302 Found\nLocation: {to}blob?signature=abc"), ""),
        _ => Answer::new("307 Temporary Redirect\nLocation: /here", ""),
    })
    .await;
    let folder = Folder::with_part(&file()[..90_000]);
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();
    assert_eq!((server.asked().len(), store.froms()), (2, vec![90_000]));
    assert_eq!(store.asked()[0].path, "/blob?signature=abc");
    assert!(!store.asked()[0].head.contains("referer"), "{}", store.asked()[0].head);
}

#[tokio::test]
async fn redirects_without_end_are_not_followed() {
    let server = Server::start(|_, _| Answer::new("302 Found\nLocation: /again", "")).await;
    let folder = Folder::new();
    let error = folder.pull(&server.url).await.unwrap_err();
    assert!(matches!(error, PullError::Redirect { .. }), "{error}");
    assert_eq!((server.asked().len(), folder.names().len()), (6, 0));
}

#[tokio::test]
async fn two_at_once_do_not_write_the_same_file() {
    let (go, arrived) = (Arc::new(Notify::new()), Notify::new());
    let hold = Arc::clone(&go);
    let server = Server::start(move |_, _| Answer::whole(&file()).held(Arc::clone(&hold))).await;
    let folder = Folder::new();
    let first = folder.pull_at(&server.url, PACE, |progress| {
        if matches!(progress, Progress::At(_)) {
            arrived.notify_one();
        }
    });
    let second = async {
        arrived.notified().await;
        let second = folder.pull(&server.url).await;
        go.notify_one();
        second
    };
    let (first, second) = tokio::join!(first, second);
    let error = second.unwrap_err();
    assert!(matches!(error, PullError::InUse(_)), "{error}");
    first.unwrap();
    folder.has_the_model();
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let folder = Folder::new();
    // Every write to it fails as on a full disk.
    symlink("/dev/full", folder.0.path().join("ggml-small-one.bin.part")).unwrap();
    let error = folder.pull(&server.url).await.unwrap_err();
    assert!(matches!(error, PullError::NoRoom { bytes: 200_001, .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("no room") && error.contains("ggml-small-one.bin.part"), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("a-file"), "").unwrap();
    let client = download_client();
    let inside = folder.0.path().join("a-file").join("models");
    let wanted = Wanted::official(&model(), &"http://127.0.0.1:9".parse().unwrap()).unwrap();
    let pull = Pull { client: &client, folder: &inside, pace: PACE };
    let error = pull.pull(&wanted, |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("a-file/models"), "{error}");
}

#[test]
fn a_model_without_a_source_is_not_asked_for() {
    let mirror = "http://127.0.0.1:9".parse().unwrap();
    let error = Wanted::official(&Model { from: None, ..model() }, &mirror).unwrap_err();
    assert!(matches!(error, PullError::NoSource(_)), "{error}");
}
