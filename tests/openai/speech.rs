//! The speech half of the fake: `/v1/audio/speech`, paced, in every format, with every fault.
//!
//! A sentence is a tone: its pitch tells the first letter, its length the number of letters. So a
//! note says which sentences it holds, and in which order.

use std::collections::VecDeque;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use hark::audio::{AudioLimits, NoteEncoder, Pcm, SampleRate, decode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Letters spoken in a second.
const LETTERS_PER_SECOND: f64 = 15.0;

/// How the next request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// As it should be.
    Fine,
    /// As it should be, after this many milliseconds.
    Late(u64),
    /// In pieces of this many bytes.
    Pieces(usize),
    /// Samples at another rate than 24 kHz.
    Rate(u32),
    /// This body, as sound.
    Body(Bytes),
    /// This body, of this content type.
    Typed(String, Bytes),
    /// This status and body, perhaps with `Retry-After` in seconds.
    Status(u16, Option<u32>, String),
    /// Never; the connection stays open.
    Never,
    /// So many bytes of sound, and nothing more; the connection stays open.
    Stall(usize),
    /// So many bytes of sound, and the connection breaks.
    Break(usize),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) json: Value,
    pub(crate) authorization: Option<String>,
}

#[derive(Default)]
struct Record {
    answers: VecDeque<Answer>,
    requests: Vec<Request>,
    bodies: Vec<Bytes>,
    active: usize,
    most_active: usize,
}

/// The server.
#[derive(Clone, Default)]
pub(crate) struct Speech {
    record: Arc<Mutex<Record>>,
    /// Seconds of work a second of sound.
    rtf: f64,
    /// The base to configure, up to `/v1`.
    pub(crate) url: String,
}

impl Speech {
    /// Starts it on a free port; sound comes at once.
    pub(crate) async fn start() -> Self {
        Self::start_paced(0.0).await
    }

    /// Starts it; sound comes at this many seconds a second.
    pub(crate) async fn start_paced(rtf: f64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let speech = Self { url, ..Self::paced(rtf) };
        let router = speech.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        speech
    }

    /// One that is served by somebody else.
    pub(crate) fn paced(rtf: f64) -> Self {
        Self { rtf, ..Self::default() }
    }

    /// Its routes.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/v1/audio/speech", post(speak))
            .route("/v1/models", get(async || Json(json!({ "object": "list", "data": [] }))))
            .with_state(self.clone())
    }

    /// How the next requests are answered, one after the other; all others are fine.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.record.lock().unwrap().answers.extend(answers);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.record.lock().unwrap().requests.clone()
    }

    /// The sound of the fine answers, in the order of the requests.
    pub(crate) fn bodies(&self) -> Vec<Bytes> {
        self.record.lock().unwrap().bodies.clone()
    }

    /// Requests that are being answered now, and the most there were at once.
    pub(crate) fn active(&self) -> (usize, usize) {
        let record = self.record.lock().unwrap();
        (record.active, record.most_active)
    }
}

/// A request that is being answered; dropped when it is, or when the other side has gone.
struct Active(Speech);

impl Active {
    fn new(speech: &Speech) -> Self {
        let mut record = speech.record.lock().unwrap();
        record.active += 1;
        record.most_active = record.most_active.max(record.active);
        drop(record);
        Self(speech.clone())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.record.lock().unwrap().active -= 1;
    }
}

async fn speak(
    State(speech): State<Speech>,
    headers: HeaderMap,
    Json(json): Json<Value>,
) -> Response {
    let active = Active::new(&speech);
    let authorization =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let answer = {
        let mut record = speech.record.lock().unwrap();
        record.requests.push(Request { json: json.clone(), authorization });
        record.answers.pop_front().unwrap_or(Answer::Fine)
    };
    let text = json["input"].as_str().unwrap();
    let format = json["response_format"].as_str().unwrap();
    let mut pieces = 4_800;
    // The type says nothing: hark has to look at the bytes.
    let mut kind = "audio/mpeg".to_owned();
    let (body, end) = match answer {
        Answer::Fine => (sound(text, format, 24_000), End::Whole),
        Answer::Late(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            (sound(text, format, 24_000), End::Whole)
        }
        Answer::Pieces(bytes) => {
            pieces = bytes;
            (sound(text, format, 24_000), End::Whole)
        }
        Answer::Rate(rate) => (sound(text, format, rate), End::Whole),
        Answer::Body(body) => (body, End::Whole),
        Answer::Typed(named, body) => {
            kind = named;
            (body, End::Whole)
        }
        Answer::Status(status, after, words) => return refusal(status, after, words),
        Answer::Never => std::future::pending().await,
        Answer::Stall(bytes) => (sound(text, format, 24_000).slice(..bytes), End::Stall),
        Answer::Break(bytes) => (sound(text, format, 24_000).slice(..bytes), End::Break),
    };
    speech.record.lock().unwrap().bodies.push(body.clone());
    let pause = pause(text, body.len(), pieces, speech.rtf);
    ([("content-type", kind)], paced(body, pieces, pause, end, active)).into_response()
}

fn refusal(status: u16, after: Option<u32>, words: String) -> Response {
    let mut answer = (StatusCode::from_u16(status).unwrap(), words).into_response();
    if let Some(after) = after {
        answer.headers_mut().insert("retry-after", after.into());
    }
    answer
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Whole,
    Stall,
    Break,
}

/// The time between two pieces of a body.
#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn pause(text: &str, length: usize, piece: usize, rtf: f64) -> Duration {
    let share = piece as f64 / length.max(1) as f64;
    Duration::from_secs_f64(rtf * share.min(1.0) * seconds(text))
}

fn paced(body: Bytes, piece: usize, pause: Duration, end: End, active: Active) -> Body {
    Body::from_stream(stream::unfold((body, active), move |(mut body, active)| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if body.is_empty() {
            return match end {
                End::Whole => None,
                End::Stall => std::future::pending().await,
                End::Break => {
                    // What was sent is to arrive first.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Some((Err(std::io::Error::other("broken")), (body, active)))
                }
            };
        }
        let next = body.split_to(piece.min(body.len()));
        Some((Ok(next), (body, active)))
    }))
}

/// The pitch of a sentence: 300 Hz for one that begins with "a", 100 Hz more for each letter on.
pub(crate) fn pitch_hz(text: &str) -> usize {
    let first = text.bytes().next().unwrap().to_ascii_lowercase();
    300 + 100 * usize::from(first - b'a')
}

/// The pitches of at least 0.2 s, in the order they are heard, rounded to 100 Hz.
pub(crate) fn pitches(note: &[u8]) -> Vec<usize> {
    let speech = decode(note, AudioLimits::default()).unwrap();
    let pitch = |tenth: &[f32]| {
        let up = tenth.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        (up * 10 + 50) / 100 * 100
    };
    let heard: Vec<usize> = speech.samples().chunks_exact(1_600).map(pitch).collect();
    let steady = heard.windows(2).filter(|pair| pair[0] == pair[1]);
    let mut steady: Vec<usize> = steady.map(|pair| pair[0]).collect();
    steady.dedup();
    steady
}

/// The length of a sentence.
#[expect(clippy::cast_precision_loss, reason = "a sentence")]
pub(crate) fn seconds(text: &str) -> f64 {
    text.chars().count() as f64 / LETTERS_PER_SECOND
}

/// A sentence in a format of the API.
pub(crate) fn sound(text: &str, format: &str, rate: u32) -> Bytes {
    let samples = tone(text, rate);
    match format {
        "pcm" => Bytes::from(sixteen_bits(&samples)),
        "wav" => Bytes::from(wav(&samples, rate)),
        "opus" => opus(&samples, rate),
        other => panic!("no format {other}"),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some seconds of sound"
)]
fn tone(text: &str, rate: u32) -> Vec<f32> {
    let samples = (seconds(text) * f64::from(rate)).round() as usize;
    let step = std::f64::consts::TAU * pitch_hz(text) as f64 / f64::from(rate);
    (0..samples).map(|at| (0.4 * (step * at as f64).sin()) as f32).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a sample is below 1")]
fn sixteen_bits(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
}

/// A WAV file as servers write it that do not know the length yet.
fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(rate.to_le_bytes());
    file.extend((2 * rate).to_le_bytes());
    file.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
    file.extend(sixteen_bits(samples));
    file
}

fn opus(samples: &[f32], rate: u32) -> Bytes {
    let rate = SampleRate(rate);
    let mut encoder = NoteEncoder::new(rate).unwrap();
    let mut file = encoder.push(&Pcm { samples: samples.to_vec(), rate }).unwrap();
    file.extend(encoder.finish().unwrap());
    file.into()
}

/// What ffmpeg makes of a sentence; `arguments` end in `-f` and a format.
pub(crate) fn converted(text: &str, arguments: &str) -> Bytes {
    let mut command = Command::new("ffmpeg");
    command.args("-loglevel error -i pipe:0".split(' ')).args(arguments.split(' ')).arg("pipe:1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ffmpeg = command.spawn().unwrap_or_else(|e| panic!("ffmpeg: {e}; run `make deps`"));
    let (mut stdin, file) = (ffmpeg.stdin.take().unwrap(), sound(text, "wav", 48_000));
    let feed = std::thread::spawn(move || stdin.write_all(&file).unwrap());
    let output = ffmpeg.wait_with_output().unwrap();
    feed.join().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments}");
    output.stdout.into()
}
