//! A model of one's own: pulled from an address, with its SHA-256.

use hark::models::pull::{PullError, Pulled, Wanted};
use hex::encode;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::server::{Answer, Server};
use super::{Folder, PACE, file, names};
use crate::program::Hark;

/// A model that loads, under a name of its own.
const MINE: &[u8] = include_bytes!("../../../models/hark-micro-en.bin");

fn sum(bytes: &[u8]) -> String {
    encode(Sha256::digest(bytes))
}

/// The small model, at an address instead of in the manifest.
fn wanted(server: &Url) -> Wanted {
    Wanted::at(server.join("/deep/ggml-small-one.bin").unwrap(), sum(&file())).unwrap()
}

fn hark() -> Hark {
    let hark = Hark::new();
    let cache = hark.path("cache").display().to_string();
    hark.env("XDG_CACHE_HOME", &cache)
}

#[tokio::test]
async fn an_address_is_asked_for_its_size_and_pulled_once() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let folder = Folder::new();
    let wanted = wanted(&server.url);
    assert_eq!(folder.get(&wanted, PACE, |_| {}).await.unwrap(), Pulled::Downloaded);
    folder.has_the_model();
    assert_eq!(folder.get(&wanted, PACE, |_| {}).await.unwrap(), Pulled::Already);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "its size, then all of it");
    assert!(asked.iter().all(|asked| asked.path == "/deep/ggml-small-one.bin"), "{asked:?}");
    assert!(asked[0].head.contains("range: bytes=0-0\r\n"), "{}", asked[0].head);
}

#[tokio::test]
async fn an_address_goes_on_where_it_broke_off() {
    let sized = || Answer::new("206 Partial Content\nContent-Range: bytes 0-0/200001", "l");
    let server = Server::start(move |number, asked| match number {
        0 => sized(),
        1 => Answer::honest(&file(), asked).cut(60_000),
        _ => Answer::honest(&file(), asked),
    })
    .await;
    let folder = Folder::with_part(&file()[..50_000]);
    folder.get(&wanted(&server.url), PACE, |_| {}).await.unwrap();
    folder.has_the_model();
    assert_eq!(server.froms(), [0, 50_000, 110_000]);
}

#[tokio::test]
async fn an_address_that_does_not_say_its_size_is_refused() {
    for head in [
        "200 OK",
        "200 OK\nContent-Length: 0",
        "206 Partial Content\nContent-Range: bytes 0-0/*",
        "206 Partial Content\nContent-Range: bytes 0-0/99999999999999",
    ] {
        let server = Server::start(move |_, _| Answer::new(head, "")).await;
        let folder = Folder::new();
        let error = folder.get(&wanted(&server.url), PACE, |_| {}).await.unwrap_err();
        assert!(matches!(error, PullError::NoSize { .. }), "{head}: {error}");
        assert_eq!((folder.names().len(), server.asked().len()), (0, 1), "{head}");
    }
}

#[cfg(feature = "stt-whisper")]
#[tokio::test]
async fn a_model_that_was_pulled_by_its_address_is_found_by_its_name() {
    let server = Server::start(|_, asked| Answer::honest(MINE, asked)).await;
    let note = include_bytes!("../../../audio-fixtures/en_hours.ogg");
    let hark = hark().file("hark.toml", "[stt]\nmodel = \"mine\"\n").file("note.ogg", note);
    let url = server.url.join("ggml-mine.bin").unwrap();
    let pull = ["models", "pull", url.as_str(), "--sha256", &sum(MINE).to_uppercase()];
    let ran = hark.run(&pull).await;
    println!("$ hark {}\n{}{}", pull.join(" "), ran.stderr, ran.text());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("ggml-mine.bin is complete, and its checksum is right"));
    assert!(ran.stderr.contains("[stt] model = \"mine\""), "{}", ran.stderr);
    let file = hark.path("cache/hark/models/ggml-mine.bin").display().to_string();
    assert_eq!(ran.text().trim(), file);
    for arguments in [&["--json"][..], &["--json", "--model", &file]] {
        let ran = hark.run(&[&["transcribe", "note.ogg"], arguments].concat()).await;
        assert_eq!(ran.json(0)[0]["error"], serde_json::Value::Null);
    }
}

#[tokio::test]
async fn another_file_at_an_address_leaves_nothing() {
    let server = Server::start(|_, asked| Answer::honest(&file(), asked)).await;
    let (hark, url) = (hark(), server.url.join("mine.bin").unwrap());
    let ran = hark.run(&["models", "pull", url.as_str(), "--sha256", &sum(b"other")]).await;
    assert_eq!((ran.code, ran.text()), (1, ""), "{}", ran.stderr);
    for word in ["checksum of mine.bin differs", &sum(b"other"), &sum(&file())] {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
    assert_eq!(names(&hark.path("cache/hark/models")), [""; 0]);
}

#[tokio::test]
async fn an_address_without_its_sum_is_wrong_usage() {
    let some = "ab".repeat(32);
    let check = async |arguments: &[&str], words: &str| {
        let ran = hark().run(&[&["models", "pull"], arguments].concat()).await;
        assert_eq!((ran.code, ran.text()), (2, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    };
    let url = "https://a.invalid/mine.bin";
    check(&[url], "--sha256 HEX is missing").await;
    check(&[url, "--sha256", "abcd"], "64 hexadecimal digits").await;
    check(&[url, "--sha256", &some, "--mirror", "https://b.invalid"], "--mirror").await;
    check(&["tiny", "--sha256", &some], "--sha256 is for an address").await;
    check(&["https://a.invalid/mine.gguf", "--sha256", &some], "ggml-mine.bin").await;
    check(&["https://a.invalid/ggml-base.bin", "--sha256", &some], "another file").await;
    check(&["https://a:b@c.invalid/mine.bin", "--sha256", &some], "password").await;
}

#[tokio::test]
async fn without_a_way_to_an_address_the_ways_around_are_named() {
    let (hark, some) = (hark(), "ab".repeat(32));
    let url = "http://127.0.0.1:9/mine.bin";
    let ran = hark.run(&["models", "pull", url, "--sha256", &some]).await;
    assert_eq!((ran.code, ran.text()), (1, ""));
    let file = hark.path("cache/hark/models/mine.bin").display().to_string();
    for word in ["127.0.0.1 cannot be reached", url, &file, &some, "HTTPS_PROXY"] {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("--mirror"), "{}", ran.stderr);
}

#[cfg(feature = "stt-whisper")]
#[tokio::test]
async fn an_address_as_the_model_is_refused_with_the_command_to_run() {
    let note = include_bytes!("../../../audio-fixtures/en_hours.ogg");
    let model = "https://me:secret@a.invalid/deep/ggml-mine.bin";
    let toml = format!("[stt]\nmodel = {model:?}\n");
    let hark = hark().file("note.ogg", note).file("deep/hark.toml", toml);
    for (arguments, origin) in [
        (["--model", model], "--model: stt.model: "),
        (["--config", "deep/hark.toml"], "deep/hark.toml: stt.model: "),
    ] {
        let ran = hark.run(&[&["transcribe", "note.ogg"], &arguments[..]].concat()).await;
        assert_eq!((ran.code, ran.text()), (64, ""), "{}", ran.stderr);
        for word in [
            origin,
            "`hark models pull https://a.invalid/deep/ggml-mine.bin --sha256 HEX`",
            "model = \"mine\"",
        ] {
            assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}
