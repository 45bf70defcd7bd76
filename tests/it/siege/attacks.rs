//! The attackers: each does one thing for as long as it may, as fast as it is let.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::CANARY;
use super::graph::LyingGraph;
use super::people::Provider;
use crate::harness::{NUMBER, VERIFY_TOKEN, update};

/// Attackers of one kind side by side.
const SIDE_BY_SIDE: u64 = 8;
/// Connections that say little or nothing.
const SILENT: usize = 1_100;
const SLOW: usize = 200;
/// Strangers who write; each is answered, so that each has a pace.
const STRANGERS: usize = 2_000;

/// What is done to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attack {
    Nothing,
    Unsigned,
    Signed,
    Mutated,
    Silent,
    SlowBodies,
    HostileSound,
    HostileWords,
    LyingGraph,
    Everything,
}

/// In the order in which they come.
pub(super) const ATTACKS: [Attack; 10] = [
    Attack::Nothing,
    Attack::Unsigned,
    Attack::Signed,
    Attack::Mutated,
    Attack::Silent,
    Attack::SlowBodies,
    Attack::HostileSound,
    Attack::HostileWords,
    Attack::LyingGraph,
    Attack::Everything,
];

/// How often each status came back; 0 for no answer.
pub(super) type Answers = BTreeMap<u16, usize>;

/// What attackers know and have.
#[derive(Clone)]
pub(super) struct Attackers {
    pub(super) provider: Provider,
    /// `127.0.0.1:1234`.
    pub(super) address: String,
    pub(super) graph: LyingGraph,
    /// Addresses of hostile files.
    pub(super) files: Arc<Vec<String>>,
    pub(super) lies_a_part: usize,
    pub(super) seed: u64,
}

impl Attackers {
    /// Attacks until `stop`; returns what they were answered.
    pub(super) async fn attack(&self, attack: Attack, stop: &CancellationToken) -> Answers {
        let all = [attack];
        let chosen = if attack == Attack::Everything { &ATTACKS[1..9] } else { &all[..] };
        let mut tasks = JoinSet::new();
        for attack in chosen {
            self.begin(*attack, stop, &mut tasks);
        }
        let mut answers = Answers::new();
        while let Some(told) = tasks.join_next().await {
            for (status, count) in told.expect("an attacker does not panic") {
                *answers.entry(status).or_default() += count;
            }
        }
        self.graph.lie(0);
        answers
    }

    fn begin(&self, attack: Attack, stop: &CancellationToken, tasks: &mut JoinSet<Answers>) {
        let flood = |tasks: &mut JoinSet<Answers>, pause, side_by_side: u64, shoot: Shoot| {
            for attacker in 0..side_by_side {
                let random = Rng::with_seed(self.seed + attacker * 1_000 + attack as u64);
                tasks.spawn(self.clone().flood(shoot, random, pause, stop.clone()));
            }
        };
        let at_once = Duration::ZERO;
        match attack {
            Attack::Nothing | Attack::Everything => {
                let stop = stop.clone();
                tasks.spawn(async move {
                    stop.cancelled().await;
                    Answers::new()
                });
            }
            Attack::Unsigned => flood(tasks, at_once, SIDE_BY_SIDE, unsigned),
            Attack::Signed => flood(tasks, at_once, SIDE_BY_SIDE, signed),
            Attack::Mutated => flood(tasks, at_once, SIDE_BY_SIDE, mutated),
            Attack::HostileSound => flood(tasks, Duration::from_millis(500), 2, sound),
            Attack::HostileWords => flood(tasks, Duration::from_millis(500), 2, words),
            Attack::Silent => {
                for _ in 0..SILENT {
                    tasks.spawn(self.clone().silent(stop.clone()));
                }
            }
            Attack::SlowBodies => {
                for _ in 0..SLOW {
                    tasks.spawn(self.clone().slow_body(stop.clone()));
                }
            }
            Attack::LyingGraph => {
                self.graph.lie(self.lies_a_part);
                self.begin(Attack::Nothing, stop, tasks);
            }
        }
    }

    async fn flood(
        self,
        shoot: Shoot,
        mut random: Rng,
        pause: Duration,
        stop: CancellationToken,
    ) -> Answers {
        let mut answers = Answers::new();
        while !stop.is_cancelled() {
            let status = match shoot(&self, &mut random) {
                Shot::Signed(body) => self.provider.post(body).await,
                Shot::Any(request) => {
                    request.send().await.ok().map(|answer| answer.status().as_u16())
                }
            };
            *answers.entry(status.unwrap_or(0)).or_default() += 1;
            tokio::time::sleep(pause).await;
        }
        answers
    }

    /// Sends half a head, and comes again when it is sent away.
    async fn silent(self, stop: CancellationToken) -> Answers {
        let waits = async {
            loop {
                if let Ok(mut stream) = TcpStream::connect(&self.address).await {
                    stream.write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-").await.ok();
                    stream.read_u8().await.ok();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        stop.run_until_cancelled(waits).await;
        Answers::new()
    }

    /// Announces 3 MiB with a signature's form, and sends them in crumbs.
    async fn slow_body(self, stop: CancellationToken) -> Answers {
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 3145728\r\n\
             X-Hub-Signature-256: sha256={}\r\n\r\n",
            "0".repeat(64)
        );
        let waits = async {
            loop {
                if let Ok(mut stream) = TcpStream::connect(&self.address).await {
                    let mut sent = stream.write_all(head.as_bytes()).await;
                    while sent.is_ok() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        sent = stream.write_all(&[b' '; 16_384]).await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        stop.run_until_cancelled(waits).await;
        Answers::new()
    }
}

/// Makes the next request.
type Shoot = fn(&Attackers, &mut Rng) -> Shot;

enum Shot {
    /// A body that is signed as the provider does.
    Signed(Bytes),
    Any(Box<reqwest::RequestBuilder>),
}

fn unsigned(attackers: &Attackers, random: &mut Rng) -> Shot {
    let Provider { client, webhook } = &attackers.provider;
    let text = hostile_text(random);
    let body = update::messages(NUMBER, &[stranger(random, &text)]).to_string();
    let request = match random.u8(0..6) {
        0 => client.post(webhook).body(body),
        1 => client.post(webhook).header("x-hub-signature-256", "sha256=zz").body(body),
        2 => {
            let wrong = format!("sha256={:064x}", random.u128(..));
            client.post(webhook).header("x-hub-signature-256", wrong).body(body)
        }
        3 => {
            let (challenge, token) = ("c".repeat(random.usize(0..4_000)), random.u64(..));
            let query = format!("hub.mode=subscribe&hub.challenge={challenge}");
            client.get(format!("{webhook}?{query}&hub.verify_token={VERIFY_TOKEN}%1b{token}"))
        }
        4 => client.put(webhook).body(body),
        _ => client.get(format!("http://{}/metrics", attackers.address)),
    };
    Shot::Any(Box::new(request))
}

fn signed(_: &Attackers, random: &mut Rng) -> Shot {
    let text = hostile_text(random);
    let body = match random.u8(0..4) {
        0 => update::messages(&text.repeat(random.usize(1..50)), &[stranger(random, &text)]),
        1 => update::messages(
            NUMBER,
            &[json!({
                "id": id(random), "from": phone(random), "type": "reaction", "reaction": {},
            })],
        ),
        2 => update::messages(
            NUMBER,
            &[json!({
                "id": id(random), "from": phone(random), "type": text, text.clone(): { "a": text },
            })],
        ),
        _ => update::statuses(
            NUMBER,
            &[json!({
                "id": id(random), "status": "failed", "recipient_id": phone(random),
                "biz_opaque_callback_data": text,
                "errors": [{ "code": 131_053, "title": text, "message": text }],
            })],
        ),
    };
    Shot::Signed(body.to_string().into())
}

/// Breaks a good body in one to four places.
fn mutated(_: &Attackers, random: &mut Rng) -> Shot {
    const ODD: [&[u8]; 8] =
        [b"1e999", b"\"\\ud800\"", b"\xef\xbb\xbf", b"[[[[[[[[", b"null", b"\"", b"\0", b"-"];
    let reaction = json!({ "id": id(random), "from": phone(random), "type": "reaction" });
    let mut body = update::messages(NUMBER, &[reaction]).to_string().into_bytes();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(..body.len());
        match random.u8(0..4) {
            0 => body[at] ^= 1 << random.u8(0..8),
            1 => body.truncate(at.max(1)),
            2 => {
                let odd = random.choice(ODD).expect("it has some");
                body.splice(at..at, odd.iter().copied());
            }
            _ => {
                let end = (at + random.usize(1..9)).min(body.len());
                body.drain(at.max(1)..end.max(1));
            }
        }
    }
    Shot::Signed(body.into())
}

fn sound(attackers: &Attackers, random: &mut Rng) -> Shot {
    let url = random.choice(&*attackers.files).expect("there are some");
    let audio = json!({ "mime_type": "audio/ogg", "id": "hostile", "voice": true, "url": url });
    let message =
        json!({ "id": id(random), "from": phone(random), "type": "audio", "audio": audio });
    Shot::Signed(update::messages(NUMBER, &[message]).to_string().into())
}

fn words(_: &Attackers, random: &mut Rng) -> Shot {
    let text = match random.u8(0..20) {
        // Minutes of speech, if somebody let it.
        0 => "7".repeat(4_000),
        _ => hostile_text(random),
    };
    Shot::Signed(update::messages(NUMBER, &[stranger(random, &text)]).to_string().into())
}

fn stranger(random: &mut Rng, text: &str) -> Value {
    let (id, from) = (id(random), phone(random));
    json!({ "id": id, "from": from, "type": "text", "text": { "body": text } })
}

fn id(random: &mut Rng) -> String {
    format!("wamid.stranger.{:x}", random.u64(..))
}

fn phone(random: &mut Rng) -> String {
    format!("1666777{:04}", random.usize(..STRANGERS))
}

/// Words that a log must not repeat, with what a terminal or a reader of lines would obey.
fn hostile_text(random: &mut Rng) -> String {
    let ends = ["\u{1b}[31m", "\r\n2026-01-01T00:00:00Z ERROR hark: forged", "\u{202e}", "\u{7f}"];
    let end = random.choice(ends).expect("it has some");
    format!("{CANARY}{end} at 1 (666) 777-{:04}", random.usize(..STRANGERS))
}
