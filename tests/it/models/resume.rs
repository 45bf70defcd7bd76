//! Downloads that break off, and what is there from an earlier time.

use hark::models::pull::{Progress, PullError};

use super::server::{Answer, Server};
use super::{Folder, PACE, file};

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
        if let Progress::Begin { done, .. } = progress {
            begin = Some(done);
        }
    };
    folder.pull_at(&server.url, PACE, report).await.unwrap();
    folder.has_the_model();
    assert_eq!((server.froms(), begin), (vec![150_000], Some(150_000)));
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
