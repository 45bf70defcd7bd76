//! Downloading models from a server that breaks off, lies and sends web pages.
//!
//! Most tests use a small model of their own; the program itself knows only the real ones, whose
//! bytes are not here, so it is shown being lied to.

mod program;
mod server;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hark::provider::download_client;
use hark::stt::models::manifest::{self, Model};
use hark::stt::models::pull::{Pace, Progress, Pull, PullError, Pulled};
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
        let client = download_client();
        let pull = Pull { client: &client, mirror, folder: self.0.path(), pace };
        pull.pull(&model(), report).await
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

/// Pulls from a server that lies in one way and checks that it is refused with these words, that
/// it was asked once, and that nothing is left.
async fn refused(words: &[&str], answer: impl Fn() -> Answer + Send + Sync + 'static) {
    let server = Server::start(move |_, _| answer()).await;
    let folder = Folder::new();
    let error = folder.pull(&server.url).await.expect_err("it was lied to").to_string();
    for word in words {
        assert!(error.contains(word), "{error}\nsays nothing of {word}");
    }
    assert_eq!(folder.names(), [""; 0], "{error}");
    assert_eq!(server.asked().len(), 1, "{error}");
}

#[tokio::test]
async fn a_model_is_pulled_once() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let (folder, mut told) = (Folder::new(), Vec::new());
    let report = |progress: Progress<'_>| told.push(format!("{progress:?}"));
    let pulled = folder.pull_at(&server.url, PACE, report).await.unwrap();
    assert_eq!(pulled, Pulled::Downloaded);
    folder.has_the_model();
    assert_eq!((&*told[0], &**told.last().unwrap()), ("Begin(0)", "At(200001)"));
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
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let server = Server::start(|number, asked| {
        let answer = Answer::honest(&file(), asked);
        if number < 2 { answer.cut(70_000) } else { answer }
    })
    .await;
    let (folder, mut told) = (Folder::new(), Vec::new());
    let report = |progress: Progress<'_>| {
        if let Progress::Again { problem, wait } = progress {
            told.push((problem.to_string(), wait.as_millis()));
        }
    };
    folder.pull_at(&server.url, PACE, report).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [0, 70_000, 140_000]);
    let waits: Vec<u128> = told.iter().map(|(_, wait)| *wait).collect();
    assert_eq!(waits, [1, 2], "each pause is longer");
    assert!(told[0].0.contains("broke off after 70000 of 200001 bytes"), "{}", told[0].0);
}

#[tokio::test]
async fn what_has_arrived_outlives_the_process() {
    let broken = Server::start(|_, asked| Answer::honest(&file(), asked).cut(50_000)).await;
    let folder = Folder::new();
    let error = folder.pull(&broken.url).await.unwrap_err();
    assert!(matches!(error, PullError::BrokeOff { done: 150_000, .. }), "{error}");
    assert_eq!(broken.froms(), [0, 50_000, 100_000], "three tries, then it gives up");
    assert_eq!(folder.names(), ["ggml-small-one.bin.part"]);

    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let mut begin = None;
    let report = |progress: Progress<'_>| {
        if let Progress::Begin(done) = progress {
            begin = Some(done);
        }
    };
    folder.pull_at(&server.url, PACE, report).await.unwrap();
    folder.has_the_model();
    assert_eq!((server.froms(), begin), (vec![150_000], Some(150_000)));
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_is_read_from_the_start() {
    let server = Server::start(|_, _| Answer::whole(&file())).await;
    // The bytes of another file: nothing of them may be left.
    let folder = Folder::with_part(&vec![7; 90_000]);
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [90_000]);
}

#[tokio::test]
async fn a_range_that_does_not_fit_is_asked_for_from_the_start() {
    let ranges: [&'static str; 6] = [
        "206 Partial Content\nContent-Range: bytes 0-200000/200001",
        "206 Partial Content\nContent-Range: bytes 90000-200000/300000",
        "206 Partial Content\nContent-Range: bytes 90000-99999/200001",
        "206 Partial Content\nContent-Range: pages 1-2/3",
        "206 Partial Content",
        "416 Range Not Satisfiable\nContent-Range: bytes */200001",
    ];
    for head in ranges {
        let server = Server::start(move |_, asked| match asked.from {
            0 => Answer::whole(&file()),
            _ => Answer::new(head, "something else"),
        })
        .await;
        let folder = Folder::with_part(&file()[..90_000]);
        folder.pull(&server.url).await.unwrap_or_else(|error| panic!("{head}: {error}"));
        folder.has_the_model();
        assert_eq!(server.froms(), [90_000, 0], "{head}");
    }
}

#[tokio::test]
async fn a_lie_while_resuming_leaves_what_is_there() {
    let lies = [
        "200 OK\nContent-Type: text/html\nContent-Length: 6",
        "200 OK\nContent-Length: 6",
        "200 OK\nContent-Length: 300000",
        "206 Partial Content\nContent-Range: bytes 90000-200000/200001\nContent-Length: 6",
        "403 Forbidden",
    ];
    for lie in lies {
        let server = Server::start(move |_, _| Answer::new(lie, "<html>")).await;
        let folder = Folder::with_part(&file()[..90_000]);
        folder.pull(&server.url).await.expect_err(lie);
        assert!(folder.read("ggml-small-one.bin.part") == file()[..90_000], "{lie}");
        assert_eq!(folder.names(), ["ggml-small-one.bin.part"], "{lie}");
    }
}

#[tokio::test]
async fn a_part_that_is_too_long_is_begun_again() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let folder = Folder::with_part(&vec![1; 200_002]);
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [0]);
}

#[tokio::test]
async fn a_whole_part_needs_no_server() {
    let folder = Folder::with_part(&file());
    folder.pull(&"http://127.0.0.1:9".parse().unwrap()).await.unwrap();
    folder.has_the_model();
}

#[tokio::test]
async fn a_length_that_is_a_lie_is_refused() {
    let announces = |length: &str| format!("announces {length} bytes where 200001 are due");
    let short = || Answer::new("200 OK\nContent-Length: 5", &file()[..5]);
    refused(&[&announces("5")], short).await;
    let long = || Answer::new("200 OK\nContent-Length: 200006", file());
    refused(&[&announces("200006")], long).await;
    refused(&[&announces("0")], || Answer::new("200 OK\nContent-Length: 0", "")).await;
}

#[tokio::test]
async fn more_bytes_than_the_model_has_are_not_read() {
    refused(&["sends more than the 200001 bytes"], || {
        Answer::new("200 OK", vec![b'x'; 4096]).for_ever()
    })
    .await;
    refused(&["sends more than the 200001 bytes"], || {
        Answer::new("200 OK", [file(), b"one more".to_vec()].concat())
    })
    .await;
    let chunk = || format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let head = "200 OK\nTransfer-Encoding: chunked";
    refused(&["sends more than"], move || Answer::new(head, chunk()).for_ever()).await;
}

#[tokio::test]
async fn fewer_bytes_without_a_length_are_a_download_that_broke_off() {
    let server = Server::start(|_, asked| match asked.from {
        0 => Answer::new("200 OK", file()).cut(120_000),
        _ => Answer::rest(&file(), asked),
    })
    .await;
    let folder = Folder::new();
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [0, 120_000]);
}

#[tokio::test]
async fn a_web_page_is_refused_as_one() {
    let words = ["web page", "login", "/someone/models/resolve/0123abcd/ggml-small-one.bin"];
    let page = "<!DOCTYPE html><title>Sign in</title>";
    refused(&words, move || Answer::new("200 OK\nContent-Type: text/html; charset=utf-8", page))
        .await;
    refused(&words, move || Answer::whole(format!("\n  {page}").as_bytes())).await;
    // As long as the model, and called a file.
    refused(&words, move || {
        let mut body = page.as_bytes().to_vec();
        body.resize(200_001, b' ');
        let head = "200 OK\nContent-Type: application/octet-stream\nContent-Length: 200001";
        Answer::new(head, body)
    })
    .await;
}

#[tokio::test]
async fn other_bytes_are_refused_and_never_get_the_name() {
    let other = || [&file()[..200_000], b"?"].concat();
    let got = encode(Sha256::digest(other()));
    refused(&["checksum", &model().sha256, &got, "run the same command again"], move || {
        Answer::whole(&other())
    })
    .await;

    // A file that is there stays, whatever it is.
    let server = Server::start(|_, _| Answer::whole(&vec![7; 200_001])).await;
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("ggml-small-one.bin"), "as it was").unwrap();
    folder.pull(&server.url).await.unwrap_err();
    assert_eq!(folder.names(), ["ggml-small-one.bin"]);
    assert_eq!(folder.read("ggml-small-one.bin"), b"as it was");
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
async fn a_damaged_part_costs_one_download_and_no_more() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let folder = Folder::with_part(&vec![7; 90_000]);
    let error = folder.pull(&server.url).await.unwrap_err();
    assert!(matches!(error, PullError::Checksum { .. }), "{error}");
    assert_eq!(folder.names(), [""; 0]);
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [90_000, 0]);
}

#[tokio::test]
async fn a_status_that_is_final_is_named() {
    refused(&["404", "no such file", "mirror"], || Answer::new("404 Not Found", "<html>")).await;
    refused(&["403", "login"], || Answer::new("403 Forbidden", "")).await;
    refused(&["401", "login"], || Answer::new("401 Unauthorized", "")).await;
    refused(&["204", "no file"], || Answer::new("204 No Content", "")).await;
    // A part that nobody asked for.
    let head = "206 Partial Content\nContent-Range: bytes 0-200000/200001";
    refused(&["206", "no file"], move || Answer::new(head, file())).await;
}

#[tokio::test]
async fn a_status_that_passes_is_waited_for() {
    let server = Server::start(|number, asked| match number {
        0 => Answer::new("503 Service Unavailable", ""),
        1 => Answer::new("429 Too Many Requests\nRetry-After: 0", ""),
        _ => Answer::honest(&file(), asked),
    })
    .await;
    let folder = Folder::new();
    folder.pull(&server.url).await.unwrap();
    folder.has_the_model();

    let server = Server::start(|_, _| Answer::new("500 Oh No", "")).await;
    let folder = Folder::new();
    let error = folder.pull(&server.url).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1 answered 500"), "{error}");
    assert_eq!((server.asked().len(), folder.names().len()), (3, 0));
}

#[tokio::test]
async fn a_server_may_say_how_long_to_wait_within_reason() {
    let server =
        Server::start(|_, _| Answer::new("429 Too Many Requests\nRetry-After: 86400", "")).await;
    let folder = Folder::new();
    let (told, mut waits) = tokio::sync::mpsc::channel(1);
    let report = |progress: Progress<'_>| {
        if let Progress::Again { wait, .. } = progress {
            told.try_send(wait).unwrap();
        }
    };
    tokio::select! {
        result = folder.pull_at(&server.url, PACE, report) => panic!("it did not wait: {result:?}"),
        wait = waits.recv() => assert_eq!(wait, Some(Duration::from_secs(30))),
    }
}

#[tokio::test]
async fn nobody_there_and_silence_are_told_apart_from_lies() {
    let gone = Server::start(|_, _| Answer::whole(b"")).await.url.clone();
    let folder = Folder::new();
    let error = folder.pull(&gone).await.unwrap_err().to_string();
    assert!(error.starts_with("no answer from 127.0.0.1: "), "{error}");
    assert_eq!(folder.names(), [""; 0]);

    let hasty = Pace { stall: Duration::from_millis(300), ..PACE };
    let silent =
        Server::start(|_, asked| Answer::honest(&file(), asked).cut(60_000).silent()).await;
    let error = folder.pull_at(&silent.url, hasty, |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("180000 of 200001 bytes: hardly anything arrives"), "{error}");
    assert_eq!(silent.froms(), [0, 60_000, 120_000]);
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
    let mirror = "http://127.0.0.1:9".parse().unwrap();
    let pull = Pull { client: &client, mirror: &mirror, folder: &inside, pace: PACE };
    let error = pull.pull(&model(), |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("a-file/models"), "{error}");
}

#[tokio::test]
async fn a_model_without_a_source_is_not_asked_for() {
    let folder = Folder::new();
    let client = download_client();
    let mirror = "http://127.0.0.1:9".parse().unwrap();
    let pull = Pull { client: &client, mirror: &mirror, folder: folder.0.path(), pace: PACE };
    let error = pull.pull(&Model { from: None, ..model() }, |_| {}).await.unwrap_err();
    assert!(matches!(error, PullError::NoSource(_)), "{error}");
}
