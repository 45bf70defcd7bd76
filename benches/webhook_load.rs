//! Posts signed webhooks at a constant rate and reports how long each took to be durable.
//!
//! Open loop: each request has a due time, and its latency counts from then, so that a service that
//! stalls cannot hide it. The messages are reactions, which are stored and start no turn.
//! Afterwards, or after the service was killed, `--check` looks for every acknowledged id in the
//! store.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Parser;
use hark::clock::Clock;
use hark::provider::door;
use hark::remote::http_client;
use rusqlite::{Connection, OpenFlags};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::mpsc;

/// Posts signed webhooks at a constant rate, or checks that every acknowledged one is stored.
#[derive(Parser)]
struct Arguments {
    /// The service's webhook, e.g. `http://127.0.0.1:8080/webhook`.
    #[arg(long, required_unless_present = "check")]
    url: Option<String>,
    /// The number's `app_secret`.
    #[arg(long, required_unless_present = "check")]
    secret: Option<String>,
    /// The number.
    #[arg(long, required_unless_present = "check")]
    phone_number_id: Option<String>,
    /// Webhooks per second.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Duration in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Kept connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// File for acknowledged ids: written, or read with `--check`.
    #[arg(long)]
    ids: PathBuf,
    /// Looks for the ids in this SQLite store instead of posting.
    #[arg(long, value_name = "DB")]
    check: Option<PathBuf>,
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.check {
        Some(store) => check(&arguments, store),
        None => load(&arguments).await,
    }
}

async fn load(arguments: &Arguments) -> anyhow::Result<()> {
    let (Some(url), Some(secret), Some(number)) =
        (&arguments.url, &arguments.secret, &arguments.phone_number_id)
    else {
        bail!("--url, --secret and --phone-number-id are required");
    };
    let (secret, number) = (SecretString::from(secret.as_str()), number.clone());
    let count = arguments.rate as usize * arguments.seconds as usize;
    let mut lines = Vec::new();
    let mut shooters = Vec::new();
    for _ in 0..arguments.connections.max(1) {
        // Everything fits in, so that a stalled service never slows the pace.
        let (line, shots) = mpsc::channel(count.max(1));
        lines.push(line);
        shooters.push(tokio::spawn(shoot(url.clone(), shots)));
    }
    let every = Duration::from_secs(1) / arguments.rate.max(1);
    let pacer = std::thread::spawn(move || pace(&lines, &secret, &number, count, every));

    let mut hits = Vec::with_capacity(count);
    for shooter in shooters {
        hits.extend(shooter.await?);
    }
    let took = pacer.join().map_err(|_| anyhow::anyhow!("the pacer panicked"))?;
    let ids: Vec<&str> = hits.iter().filter_map(|hit| hit.acknowledged.as_deref()).collect();
    std::fs::write(&arguments.ids, ids.join("\n"))
        .with_context(|| arguments.ids.display().to_string())?;
    report(&hits, took);
    Ok(())
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

fn report(hits: &[Hit], took: Duration) {
    let answered = hits.iter().filter(|hit| hit.acknowledged.is_some());
    let mut times: Vec<f64> = answered.map(|hit| hit.took_ms).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: usize| {
        let place = (times.len() * part).div_ceil(1000).saturating_sub(1);
        times.get(place).copied().unwrap_or(f64::NAN)
    };
    println!(
        "{} posted in {:.2} s, {} errors; ms from due to answered: p50 {:.2}, p90 {:.2}, \
         p99 {:.2}, p99.9 {:.2}, max {:.2}",
        hits.len(),
        took.as_secs_f64(),
        hits.len() - times.len(),
        at(500),
        at(900),
        at(990),
        at(999),
        at(1000),
    );
}

/// Looks for every acknowledged id.
fn check(arguments: &Arguments, store: &PathBuf) -> anyhow::Result<()> {
    let ids = std::fs::read_to_string(&arguments.ids)
        .with_context(|| arguments.ids.display().to_string())?;
    let store = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| store.display().to_string())?;
    let mut select = store.prepare("SELECT provider_id FROM messages")?;
    let stored: HashSet<String> =
        select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let missing = ids.lines().filter(|id| !stored.contains(*id)).count();
    let acknowledged = ids.lines().count();
    println!("{} of {acknowledged} acknowledged messages are stored", acknowledged - missing);
    if missing > 0 {
        bail!("{missing} messages are lost");
    }
    Ok(())
}
