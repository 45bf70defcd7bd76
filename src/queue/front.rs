//! Known message ids in Redis, in front of the store.
//!
//! Providers send a message again until it is answered 200, and some again later: what Redis knows is
//! answered without the store. Invariant: an id is put there only when the store has it, under the
//! store's name, so that neither a crash nor another store marks what was never kept. Whatever is
//! wrong with Redis, the store's unique index decides.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::remote::redis::{RedisConnection, RedisServer, RedisTrouble};
use crate::telemetry;
use crate::turn::{MessageId, PhoneNumberId};

/// How long an answer may take before the store is asked instead.
const SOON: Duration = Duration::from_millis(20);
/// How long an id is known, in seconds: providers try again for up to a week.
const KNOWN_S: u64 = 7 * 24 * 60 * 60;
/// Groups of ids that may wait to be put there; what does not fit is not known, and no harm done.
const WAITING: usize = 1_024;
/// Time between two looks at a server that answers, and at one that does not.
const LOOK: Duration = Duration::from_secs(1);
/// The oldest version that is supported, and what Valkey says of itself.
const OLDEST: (u32, u32) = (6, 2);

/// Knows message ids.
pub struct KnownIds {
    server: RedisServer,
    /// What every key begins with.
    prefix: String,
    /// The connection, while the server answers soon.
    open: Mutex<Option<RedisConnection>>,
    fresh: mpsc::Sender<Vec<String>>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Vec<String>>>,
}

impl KnownIds {
    /// Makes that of a store with this name.
    pub fn new(server: RedisServer, store: &str) -> Self {
        let (fresh, waiting) = mpsc::channel(WAITING);
        let waiting = tokio::sync::Mutex::new(waiting);
        // What is in braces has all of them on one server of a cluster, so that one look asks for many.
        let prefix = format!("hark:{{{store}}}:seen:");
        Self { server, prefix, open: Mutex::default(), fresh, waiting }
    }

    /// Returns whether the server answers.
    pub fn is_up(&self) -> bool {
        self.connection().is_some()
    }

    /// Returns of each message whether the store is known to have it.
    pub(super) async fn known(&self, messages: &[(PhoneNumberId, MessageId)]) -> Vec<bool> {
        let nothing = vec![false; messages.len()];
        let Some(mut server) = self.connection() else { return nothing };
        let mut asked = redis::pipe();
        for message in messages {
            asked.exists(self.key(message));
        }
        if let Ok(Ok(known)) = timeout(SOON, asked.query_async(&mut server)).await {
            return known;
        }
        // Whoever comes next does not wait for it, too; `run` says why and connects again.
        self.set(None);
        nothing
    }

    /// Notes that the store has these messages.
    pub(super) fn kept<'a>(&self, messages: impl Iterator<Item = &'a (PhoneNumberId, MessageId)>) {
        let keys: Vec<String> = messages.map(|message| self.key(message)).collect();
        if !keys.is_empty() && self.is_up() {
            let _not_known = self.fresh.try_send(keys);
        }
    }

    /// Keeps a connection and puts ids there, for ever.
    pub async fn run(&self) {
        let mut waiting = self.waiting.lock().await;
        let mut told = false;
        loop {
            let trouble = match self.serve(&mut waiting, &mut told).await {
                Ok(never) => match never {},
                Err(trouble) => trouble,
            };
            self.set(None);
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    error = %trouble,
                    "known messages are looked up in the store, until Redis answers again"
                );
            }
            sleep(LOOK).await;
        }
    }

    async fn serve(
        &self,
        waiting: &mut mpsc::Receiver<Vec<String>>,
        told: &mut bool,
    ) -> Result<std::convert::Infallible, RedisTrouble> {
        let mut server = self.server.connect().await?;
        let odd = oddities(&mut server).await?;
        if std::mem::replace(told, false) {
            tracing::info!("Redis answers again");
        } else {
            for odd in odd {
                tracing::warn!("{odd}");
            }
        }
        self.set(Some(server.clone()));
        let mut refused = false;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                keys = waiting.recv() => {
                    let mut put = redis::pipe();
                    for key in keys.unwrap_or_default() {
                        put.set_ex(key, 1, KNOWN_S).ignore();
                    }
                    match put.query_async::<()>(&mut server).await {
                        // One that is full still knows what it knew.
                        Err(error) if !error.is_io_error() => {
                            if !std::mem::replace(&mut refused, true) {
                                let error = RedisTrouble::from(error);
                                tracing::warn!(%error, "Redis takes no more message ids");
                            }
                        }
                        put => refused = put.map(|()| false)?,
                    }
                }
                _ = look.tick() => {
                    // The server that has them, in a cluster.
                    let mut ask = redis::cmd("EXISTS");
                    let asked = ask.arg(&self.prefix).query_async::<bool>(&mut server);
                    timeout(SOON, asked).await.map_err(|_| late())??;
                    if !self.is_up() {
                        // It was too slow for somebody who asked, and is not any more.
                        self.set(Some(server.clone()));
                    }
                }
            }
        }
    }

    fn key(&self, (number, message): &(PhoneNumberId, MessageId)) -> String {
        format!("{}{number}:{}", self.prefix, message.0)
    }

    fn connection(&self) -> Option<RedisConnection> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, connection: Option<RedisConnection>) {
        telemetry::front_is_up(connection.is_some());
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

fn late() -> RedisTrouble {
    RedisTrouble(format!("the server of [redis] takes longer than {} ms", SOON.as_millis()))
}

/// Says what is wrong with a server that answers, or with those of a cluster: the version, and what it
/// does when it is full.
///
/// # Errors
/// It does not say.
pub async fn oddities(server: &mut RedisConnection) -> Result<Vec<String>, RedisTrouble> {
    let mut odd: Vec<String> = server.infos().await?.iter().flat_map(|said| odd_in(said)).collect();
    odd.sort();
    odd.dedup();
    Ok(odd)
}

fn odd_in(said: &str) -> Vec<String> {
    let value =
        |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let mut odd = Vec::new();
    let version = value("redis_version").unwrap_or_default();
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST {
        let (major, minor) = OLDEST;
        odd.push(format!(
            "the server of [redis] is of version {version}: hark needs {major}.{minor} or newer"
        ));
    }
    let policy = value("maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" {
        odd.push(format!(
            "the server of [redis] deletes keys when it is full (maxmemory-policy {policy}): events on \
             its stream may go untold; set it to noeviction"
        ));
    }
    odd
}
