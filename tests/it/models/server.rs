//! A server that answers as a test wants, lies included: it writes heads and bytes as they are.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use url::Url;

/// A request, as far as tests look at it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// N of `Range: bytes=N-` or `bytes=N-M`, 0 without.
    pub(crate) from: usize,
    /// The whole head, in lower case.
    pub(crate) head: String,
}

/// An answer.
pub(crate) struct Answer {
    head: String,
    body: Vec<u8>,
    then: Then,
}

/// What comes after the body.
enum Then {
    Close,
    /// The body again, until the other side has enough.
    Repeat,
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing until this, then the rest.
    Wait(Arc<Notify>, Vec<u8>),
}

impl Answer {
    /// `head` is the status and, each in a line, the headers.
    pub(crate) fn new(head: &str, body: impl Into<Vec<u8>>) -> Self {
        let head = format!("HTTP/1.1 {}\r\n", head.replace('\n', "\r\n"));
        Self { head, body: body.into(), then: Then::Close }
    }

    /// Status 200, a true length, and `body`.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self::new(&format!("200 OK\nContent-Length: {}", body.len()), body)
    }

    /// Status 206 and what is asked for of `file`.
    pub(crate) fn rest(file: &[u8], asked: &Asked) -> Self {
        let (from, all) = (asked.from, file.len());
        let head = format!(
            "206 Partial Content\nContent-Range: bytes {from}-{}/{all}\nContent-Length: {}",
            all - 1,
            all - from
        );
        Self::new(&head, &file[from..])
    }

    /// What an honest server answers.
    pub(crate) fn honest(file: &[u8], asked: &Asked) -> Self {
        if asked.from == 0 { Self::whole(file) } else { Self::rest(file, asked) }
    }

    /// Closes the connection after so many bytes of the body.
    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    pub(crate) fn for_ever(self) -> Self {
        Self { then: Then::Repeat, ..self }
    }

    pub(crate) fn silent(self) -> Self {
        Self { then: Then::Silence, ..self }
    }

    /// Sends half the body, and the rest when told to.
    pub(crate) fn held(mut self, go: Arc<Notify>) -> Self {
        let rest = self.body.split_off(self.body.len() / 2);
        Self { then: Then::Wait(go, rest), ..self }
    }
}

/// A running server; gone when dropped.
pub(crate) struct Server {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one; `answer` gets the number of the request, from 0, and the request.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (record, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let request = read(&mut stream).await;
                    let answer = {
                        let mut record = record.lock().unwrap();
                        record.push(request.clone());
                        answer(record.len() - 1, &request)
                    };
                    // The other side may leave when it has read enough.
                    write(&mut stream, answer).await.ok();
                });
            }
        });
        Self { url, asked, task }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Where each request so far wanted to begin.
    pub(crate) fn froms(&self) -> Vec<usize> {
        self.asked().iter().map(|asked| asked.from).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request has an end"));
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let head = head.to_ascii_lowercase();
    let from = head
        .split_once("range: bytes=")
        .map_or(0, |(_, range)| range.split_once('-').expect("a range").0.parse().unwrap());
    Asked { path, from, head }
}

async fn write(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let Answer { head, body, then } = answer;
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await?;
    stream.write_all(&body).await?;
    match then {
        Then::Close => {}
        Then::Repeat => loop {
            stream.write_all(&body).await?;
        },
        Then::Silence => {
            // Until the other side closes.
            stream.read_u8().await?;
        }
        Then::Wait(go, rest) => {
            go.notified().await;
            stream.write_all(&rest).await?;
        }
    }
    stream.shutdown().await
}
