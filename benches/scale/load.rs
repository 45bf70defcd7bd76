//! Signed webhooks at a constant rate, and how long each took to be durable.
//!
//! Open loop: each request has a due time, and its latency counts from then, so that a service that
//! stalls cannot hide it. The messages are reactions, which are stored and start no turn.

use std::fmt;
use std::time::{Duration, Instant};

use hark::clock::Clock;
use hark::provider::door;
use hark::remote::http_client;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::mpsc;

/// What is posted where, how often.
pub(crate) struct Load {
    /// The service's webhook.
    pub(crate) url: String,
    /// The number's `app_secret`.
    pub(crate) secret: SecretString,
    /// The number's `phone_number_id`.
    pub(crate) number: String,
    /// Webhooks a second.
    pub(crate) rate: u32,
    pub(crate) seconds: u32,
    /// Kept connections.
    pub(crate) connections: usize,
}

/// Holds a webhook that is due.
struct Shot {
    due: Instant,
    id: String,
    body: Vec<u8>,
    signature: String,
}

/// Says how one went: milliseconds since it was due, and its id if it was answered 200.
struct Hit {
    took_ms: f64,
    acknowledged: Option<String>,
}

/// How all of them went.
pub(crate) struct Hits {
    all: Vec<Hit>,
    /// How long it took to post them.
    took: Duration,
    /// Of those that were answered 200, sorted.
    times_ms: Vec<f64>,
}

impl Load {
    /// Posts all.
    pub(crate) async fn run(self) -> anyhow::Result<Hits> {
        let count = self.rate as usize * self.seconds as usize;
        let mut lines = Vec::new();
        let mut shooters = Vec::new();
        for _ in 0..self.connections.max(1) {
            // Everything fits in, so that a stalled service never slows the pace.
            let (line, shots) = mpsc::channel(count.max(1));
            lines.push(line);
            shooters.push(tokio::spawn(shoot(self.url.clone(), shots)));
        }
        let every = Duration::from_secs(1) / self.rate.max(1);
        let pacer =
            std::thread::spawn(move || pace(&lines, &self.secret, &self.number, count, every));
        let mut hits = Vec::with_capacity(count);
        for shooter in shooters {
            hits.extend(shooter.await?);
        }
        let took = pacer.join().map_err(|_| anyhow::anyhow!("the pacer panicked"))?;
        let answered = hits.iter().filter(|hit| hit.acknowledged.is_some());
        let mut times_ms: Vec<f64> = answered.map(|hit| hit.took_ms).collect();
        times_ms.sort_by(f64::total_cmp);
        Ok(Hits { all: hits, took, times_ms })
    }
}

impl Hits {
    /// Returns the ids that were answered 200.
    pub(crate) fn acknowledged(&self) -> Vec<&str> {
        self.all.iter().filter_map(|hit| hit.acknowledged.as_deref()).collect()
    }

    /// Returns the time below which so many thousandths of the answers took, in milliseconds.
    pub(crate) fn at(&self, part: usize) -> f64 {
        let place = (self.times_ms.len() * part).div_ceil(1000).saturating_sub(1);
        self.times_ms.get(place).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} posted in {:.2} s, {} errors; ms from due to answered: p50 {:.2}, p90 {:.2}, \
             p99 {:.2}, p99.9 {:.2}, max {:.2}",
            self.all.len(),
            self.took.as_secs_f64(),
            self.all.len() - self.times_ms.len(),
            self.at(500),
            self.at(900),
            self.at(990),
            self.at(999),
            self.at(1000),
        )
    }
}

/// Hands out each webhook when it is due, to one connection after the other.
fn pace(
    lines: &[mpsc::Sender<Shot>],
    secret: &SecretString,
    number: &str,
    count: usize,
    every: Duration,
) -> Duration {
    let run = Clock::System.now_ms();
    // The first shots open the connections; this gives them a moment.
    let start = Instant::now() + Duration::from_millis(100);
    let mut due = start;
    for (index, line) in (0..count).zip(lines.iter().cycle()) {
        let id = format!("wamid.load.{run}.{index}");
        let body = reaction(number, &id, index);
        let signature = door::sign(secret, &body);
        let wait = due.saturating_duration_since(Instant::now());
        #[expect(clippy::disallowed_methods, reason = "a runtime's timers are 1 ms coarse")]
        std::thread::sleep(wait);
        if line.try_send(Shot { due, id, body, signature }).is_err() {
            break;
        }
        due += every;
    }
    start.elapsed()
}

/// Makes a reaction as Meta posts it, from one of a thousand people.
fn reaction(number: &str, id: &str, index: usize) -> Vec<u8> {
    let from = format!("1555{:07}", index % 1000);
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": number },
            "contacts": [{ "profile": { "name": "Load" }, "wa_id": from }],
            "messages": [{
                "from": from, "id": id,
                "timestamp": (Clock::System.now_ms() / 1000).to_string(),
                "type": "reaction",
                "reaction": { "message_id": "wamid.before", "emoji": "👍" },
            }],
        } }] }],
    });
    body.to_string().into_bytes()
}

/// Posts what is due over one kept connection.
async fn shoot(url: String, mut shots: mpsc::Receiver<Shot>) -> Vec<Hit> {
    let client = http_client();
    let mut hits = Vec::new();
    while let Some(Shot { due, id, body, signature }) = shots.recv().await {
        let request = client
            .post(&url)
            .header("content-type", "application/json")
            .header("x-hub-signature-256", signature)
            .body(body);
        let answer = async {
            let response = request.send().await?.error_for_status()?;
            // Read to the end, or the connection cannot be used again.
            response.bytes().await
        };
        let acknowledged = answer.await.is_ok().then_some(id);
        hits.push(Hit { took_ms: due.elapsed().as_secs_f64() * 1000.0, acknowledged });
    }
    hits
}
