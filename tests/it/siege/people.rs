//! People who only want an answer: they number what they say, and their provider posts it until it
//! is taken, as Meta does.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::CANARY;
use crate::harness::{APP_SECRET, NUMBER, update};

/// Every so many messages are voice notes, and as many are posted once more.
const VOICE: usize = 8;
/// Between two reactions, which measure the webhook all the time.
const PULSE: Duration = Duration::from_millis(20);
/// The voice note that everybody sends.
pub(super) const NOTE: &str = "honest.ogg";
/// One that fills whisper's window.
pub(super) const LONG_NOTE: &str = "long.ogg";

/// A message that was answered 200.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) person: usize,
    pub(super) id: String,
    pub(super) at: Instant,
}

/// A webhook of somebody honest: when it was posted, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posted {
    pub(super) at: Instant,
    pub(super) took: Duration,
}

/// What honest people did so far in one part of the siege; its clones are the same.
#[derive(Clone, Default)]
pub(super) struct Diary {
    /// The part, which every id names.
    part: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
    posted: Arc<Mutex<Vec<Posted>>>,
    /// Answers to them that were not 200, by status.
    refused: Arc<Mutex<Vec<u16>>>,
}

impl Diary {
    pub(super) fn new(part: &'static str) -> Self {
        Self { part, ..Self::default() }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How long the webhooks took that were posted since then.
    pub(super) fn posted_since(&self, since: Instant) -> Vec<Duration> {
        let posted = self.posted.lock().unwrap();
        posted.iter().filter(|posted| posted.at >= since).map(|posted| posted.took).collect()
    }

    pub(super) fn refused(&self) -> Vec<u16> {
        self.refused.lock().unwrap().clone()
    }
}

/// Posts webhooks signed with the number's secret.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) client: reqwest::Client,
    pub(super) webhook: String,
}

impl Provider {
    /// Posts a body once; returns the status.
    pub(super) async fn post(&self, body: impl Into<Bytes>) -> Option<u16> {
        let body = body.into();
        let signature = update::sign(APP_SECRET, &body);
        let request = self.client.post(&self.webhook).header("x-hub-signature-256", signature);
        // As any provider's: a request may wait for ever for a connection that a kill took.
        let request = request.timeout(Duration::from_secs(10));
        Some(request.body(body).send().await.ok()?.status().as_u16())
    }

    /// Sends the voice note at this address as a person who sends nothing else.
    pub(super) async fn send_note(&self, url: &str, diary: &Diary) {
        let id = format!("wamid.{}.note", diary.part);
        let message = voice_note("15557778888", &id, url);
        self.insist(&update::messages(NUMBER, &[message]), diary).await;
        diary.asked.lock().unwrap().push(Asked { person: usize::MAX, id, at: Instant::now() });
    }

    /// Posts a body until it is answered 200.
    pub(super) async fn insist(&self, body: &Value, diary: &Diary) {
        let body = Bytes::from(body.to_string());
        let mut pause = Duration::from_millis(20);
        loop {
            let at = Instant::now();
            let status = self.post(body.clone()).await;
            match status {
                Some(200) => {
                    diary.posted.lock().unwrap().push(Posted { at, took: at.elapsed() });
                    return;
                }
                Some(status) => diary.refused.lock().unwrap().push(status),
                // It was killed, and is not back yet.
                None => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}

/// People who write.
pub(super) struct People {
    pub(super) count: usize,
    /// Each writes about once in this time.
    pub(super) pace: Duration,
    /// The address of the note that they send.
    pub(super) note: String,
    pub(super) seed: u64,
}

impl People {
    /// Lets them write until `stop`.
    pub(super) fn write(
        &self,
        provider: &Provider,
        diary: &Diary,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for person in 0..self.count {
            let random = Rng::with_seed(self.seed + person as u64);
            let writing =
                Person { place: person, random, pace: self.pace, note: self.note.clone() };
            let (provider, diary, stop) = (provider.clone(), diary.clone(), stop.clone());
            tasks.spawn(async move { writing.write(&provider, &diary, &stop).await });
        }
        let (provider, diary, stop) = (provider.clone(), diary.clone(), stop.clone());
        tasks.spawn(async move { pulse(&provider, &diary, &stop).await });
        tasks
    }
}

/// One of them.
struct Person {
    place: usize,
    random: Rng,
    pace: Duration,
    note: String,
}

impl Person {
    async fn write(mut self, provider: &Provider, diary: &Diary, stop: &CancellationToken) {
        let person = self.place;
        for number in 0.. {
            let wait = tokio::time::sleep(self.pace.mul_f64(0.5 + self.random.f64()));
            if stop.run_until_cancelled(wait).await.is_none() {
                return;
            }
            let id = format!("wamid.{}.{person}.{number}", diary.part);
            let message = message(person, number, &id, &self.note);
            let body = update::messages(NUMBER, &[message]);
            provider.insist(&body, diary).await;
            let at = Instant::now();
            diary.asked.lock().unwrap().push(Asked { person, id, at });
            if number % VOICE == 1 {
                provider.insist(&body, diary).await;
            }
        }
    }
}

/// Posts reactions, which are kept and start no turn.
async fn pulse(provider: &Provider, diary: &Diary, stop: &CancellationToken) {
    for beat in 0_u64.. {
        let reaction = json!({
            "id": format!("wamid.{}.pulse.{beat}", diary.part), "from": "15557779999",
            "type": "reaction", "reaction": { "message_id": "wamid.x", "emoji": "+" },
        });
        provider.insist(&update::messages(NUMBER, &[reaction]), diary).await;
        if stop.run_until_cancelled(tokio::time::sleep(PULSE)).await.is_none() {
            return;
        }
    }
}

fn message(person: usize, number: usize, id: &str, note: &str) -> Value {
    let from = format!("1555777{person:04}");
    if number % VOICE == 2 {
        return voice_note(&from, id, note);
    }
    let body = format!("This is {CANARY}, question {number}.");
    json!({ "id": id, "from": from, "type": "text", "text": { "body": body } })
}

fn voice_note(from: &str, id: &str, url: &str) -> Value {
    let media = url.rsplit('/').next();
    let audio = json!({
        "mime_type": "audio/ogg; codecs=opus", "sha256": "", "id": media, "voice": true,
        "url": url,
    });
    json!({ "id": id, "from": from, "type": "audio", "audio": audio })
}
