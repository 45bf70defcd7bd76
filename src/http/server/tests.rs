//! Real connections: silent, slow, cut off, too many, and at a stop.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::*;

/// Nothing a test waits for takes longer on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// Serves `/` at once, `/body` after the body, and `/refused` without reading it.
async fn start(connections: usize) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let router = Router::new()
        .route("/", get(async || "here"))
        .route("/body", post(async |body: axum::body::Bytes| body.len().to_string()))
        .route("/refused", post(async || (StatusCode::UNAUTHORIZED, "no")));
    let server = Server { listener, router, connections };
    let served = tokio::spawn(server.serve(stop.clone()));
    Running { address, stop, served }
}

impl Running {
    async fn says(&self, words: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        stream
    }

    async fn asks(&self, words: &str) -> String {
        heard(&mut self.says(words).await).await
    }
}

/// Reads until the other side closes; empty if it does so without a word.
async fn heard(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it is closed");
    if let Err(error) = read {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    String::from_utf8(all).unwrap()
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_new_connection_closes_the_idlest_and_is_answered() {
    let running = start(3).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(running.says("").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The first is not the idlest any more.
    silent[0].write_all(b"GET / HT").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(running.asks(ASK).await.ends_with("here"));
    assert_eq!(heard(&mut silent[1]).await, "");
    silent[0].write_all(b"TP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(heard(&mut silent[0]).await.ends_with("here"), "it was heard last");
}

#[tokio::test]
async fn many_silent_connections_keep_nobody_out() {
    let running = start(8).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(running.says("POST /body HTTP/1.1\r\ncontent-length: 9\r\n\r\nab").await);
        assert!(running.asks(ASK).await.ends_with("here"));
    }
}

#[tokio::test]
async fn a_body_nobody_reads_is_no_reason_to_lose_the_answer() {
    let running = start(8).await;
    let head = "POST /refused HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n";
    let mut stream = running.says(head).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    // What comes after the answer, but for a second.
    for _ in 0..20 {
        stream.write_all(&[b' '; 10_000]).await.unwrap();
    }
    let answer = heard(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.ends_with("no"), "{answer}");
}

#[tokio::test]
async fn a_stop_waits_for_no_half_sent_request_and_finishes_whole_ones() {
    let running = start(16).await;
    let mut half = Vec::new();
    for said in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"] {
        half.push(running.says(said).await);
    }
    let body = "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab";
    half.push(running.says(body).await);
    let mut whole = running.says(body).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    running.stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    whole.write_all(b"cd").await.unwrap();
    assert!(heard(&mut whole).await.ends_with('4'));
    timeout(PATIENCE, running.served).await.expect("it ends").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn only_http_1_is_spoken_and_a_head_has_a_limit() {
    let running = start(8).await;
    let preface = running.asks("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!preface.contains("HTTP/2"), "{preface:?}");
    let upgrade = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings, close\r\n\
                   upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    assert!(running.asks(upgrade).await.starts_with("HTTP/1.1 200"));
    let long = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", "a".repeat(100_000));
    assert!(running.asks(&long).await.starts_with("HTTP/1.1 431"));
}
