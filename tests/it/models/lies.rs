//! Servers that send something else, say something else, or say nothing.

use std::time::Duration;

use hark::models::pull::{Pace, Progress};
use hex::encode;
use sha2::{Digest as _, Sha256};

use super::server::{Answer, Server};
use super::{Folder, PACE, file, model};

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
async fn a_status_that_is_final_is_named() {
    refused(&["404", "no such file", "mirror"], || Answer::new("404 Not Found", "<html>")).await;
    refused(&["403", "login"], || Answer::new("403 Forbidden", "")).await;
    refused(&["401", "login"], || Answer::new("401 Unauthorized", "")).await;
    refused(&["204", "not a file"], || Answer::new("204 No Content", "")).await;
    // A part that nobody asked for.
    let head = "206 Partial Content\nContent-Range: bytes 0-200000/200001";
    refused(&["206", "not a file"], move || Answer::new(head, file())).await;
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
    let waits = |progress: Progress<'_>| assert!(!matches!(progress, Progress::Again { .. }));
    let error = folder.pull_at(&gone, PACE, waits).await.unwrap_err().to_string();
    assert!(error.starts_with("127.0.0.1 cannot be reached: "), "{error}");
    assert_eq!(folder.names(), [""; 0]);

    let hasty = Pace { stall: Duration::from_millis(300), ..PACE };
    let silent =
        Server::start(|_, asked| Answer::honest(&file(), asked).cut(60_000).silent()).await;
    let error = folder.pull_at(&silent.url, hasty, |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("180000 of 200001 bytes: hardly anything arrives"), "{error}");
    assert_eq!(silent.froms(), [0, 60_000, 120_000]);
}
