//! Tells events by HTTP to those who want them, each as a CloudEvent with a Standard Webhooks signature.
//!
//! Invariants: events of one contact are told in order, the next only when the one before was taken or
//! given up; contacts do not wait for each other; what was told is told again only if the process died
//! before it could note so. Source: Standard Webhooks specification, CloudEvents 1.0 HTTP binding.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use reqwest::Client;
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::cloud_event;
use super::post::{Refused, post};
use crate::clock::Clock;
use crate::remote::waits::jittered;
use crate::store::{EventHookRow, EventHooks, EventLog, EventRow, EventSearch, StoreError};

/// Events that are read ahead of the first that is not told: one contact whose events are not taken
/// holds nobody up before these are used.
const WINDOW: usize = 1_000;
/// Requests to one webhook at a time.
const AT_ONCE: usize = 32;
/// Wait before an event is told again, the first time; then it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Longest wait while the other side takes other events, and for how long one taken says so.
const LIVELY_WAIT: Duration = Duration::from_secs(1);
const LIVELY_FOR: Duration = Duration::from_secs(10);
/// Time after which an event that is not taken is given up, milliseconds.
const GIVE_UP_MS: i64 = 24 * 60 * 60 * 1000;
/// Time between two looks at who wants events.
const LOOK: Duration = Duration::from_secs(1);
/// Least time between two notes of how far a webhook is.
const NOTE: Duration = Duration::from_millis(250);

/// Opens the secrets of webhooks.
#[async_trait]
pub trait HookSecrets: Send + Sync {
    /// Returns the secret of one; `None` if it cannot be opened now.
    async fn secret(&self, hook: &str) -> Option<SecretString>;
}

/// Tells events.
pub struct HookTeller {
    /// Whom.
    pub hooks: Arc<dyn EventHooks>,
    /// What.
    pub log: Arc<dyn EventLog>,
    /// Signed with what.
    pub secrets: Arc<dyn HookSecrets>,
    /// The client; it follows no redirect to another origin.
    pub client: Client,
    /// The time.
    pub clock: Clock,
}

impl HookTeller {
    /// Tells events for ever, each webhook in a task of its own.
    pub async fn run(self) {
        let teller = Arc::new(self);
        let mut tasks: HashMap<(String, u32), HookTask> = HashMap::new();
        loop {
            match teller.hooks.event_hooks().await {
                Ok(hooks) => {
                    let active = hooks.into_iter().filter(|hook| hook.active);
                    let wanted: HashMap<_, _> =
                        active.map(|hook| ((hook.id.clone(), hook.version), hook)).collect();
                    tasks.retain(|key, task| wanted.contains_key(key) && !task.0.is_finished());
                    for (key, hook) in wanted {
                        tasks.entry(key).or_insert_with(|| HookTask::start(&teller, hook));
                    }
                }
                Err(error) => error.log("webhooks of events could not be read"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Runs one webhook until it is dropped.
struct HookTask(JoinHandle<()>);

impl HookTask {
    fn start(teller: &Arc<HookTeller>, hook: EventHookRow) -> Self {
        let (teller, written) = (Arc::clone(teller), teller.log.events_written());
        Self(tokio::spawn(async move {
            let id = hook.id.clone();
            if let Err(error) = HookRun::new(&teller, hook, written).run().await {
                // The next look begins it anew, from what is noted.
                error.log("events could not be told");
                tracing::debug!(webhook.id = id, "a webhook of events begins anew");
            }
        }))
    }
}

impl Drop for HookTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Says what became of an event.
enum Told {
    /// It was taken.
    Taken,
    /// It was given up.
    GivenUp(String),
    /// Nothing is wanted there any more.
    Gone,
}

/// Tells one webhook.
struct HookRun<'a> {
    teller: &'a HookTeller,
    hook: Arc<EventHookRow>,
    written: watch::Receiver<u64>,
    /// Events that are read and not told, by their ids.
    window: BTreeMap<i64, EventRow>,
    /// The last that was read.
    read: i64,
    /// Those that were given up once.
    again: HashSet<i64>,
    /// When these were looked for.
    looked: Option<Instant>,
    /// Whose events are being told.
    busy: HashSet<String>,
    /// When the last event was taken.
    pulse: Pulse,
}

/// Tells when a webhook took an event.
type Pulse = Arc<Mutex<Option<Instant>>>;

impl<'a> HookRun<'a> {
    fn new(teller: &'a HookTeller, hook: EventHookRow, written: watch::Receiver<u64>) -> Self {
        let read = hook.delivered;
        let (window, again) = (BTreeMap::new(), HashSet::new());
        let (looked, busy, hook) = (None, HashSet::new(), Arc::new(hook));
        Self { teller, hook, written, window, read, again, looked, busy, pulse: Pulse::default() }
    }

    async fn run(mut self) -> Result<(), StoreError> {
        let mut telling = FuturesUnordered::new();
        let mut noted = Instant::now();
        let mut reached = self.hook.delivered;
        loop {
            self.written.mark_unchanged();
            self.fill().await?;
            while telling.len() < AT_ONCE
                && let Some(event) = self.next()
            {
                self.busy.insert(event.contact.clone());
                telling.push(tell(
                    self.teller,
                    Arc::clone(&self.hook),
                    Arc::clone(&self.pulse),
                    event,
                ));
            }
            let now_at = self.reached();
            if now_at > reached && (telling.is_empty() || noted.elapsed() >= NOTE) {
                self.note(now_at).await?;
                (reached, noted) = (now_at, Instant::now());
            }
            tokio::select! {
                Some((event, told)) = telling.next() => {
                    self.busy.remove(&event.contact);
                    match told {
                        Told::Taken if self.again.remove(&event.id) => {
                            self.teller.hooks.raise_event(&self.hook.id, event.id).await?;
                        }
                        Told::Taken => {}
                        Told::GivenUp(error) => self.bury(&event, &error).await?,
                        Told::Gone => return self.stop().await,
                    }
                    self.window.remove(&event.id);
                }
                _ = self.written.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Reads more events: those that are to be told again, and new ones.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let (hooks, id) = (&self.teller.hooks, &self.hook.id);
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            for dead in hooks.dead_events(id, true, AT_ONCE).await? {
                self.again.insert(dead.event.id);
                self.window.insert(dead.event.id, dead.event);
            }
            self.looked = Some(Instant::now());
        }
        let room = WINDOW.saturating_sub(self.window.len());
        if room == 0 {
            return Ok(());
        }
        let search = EventSearch {
            after: self.read,
            types: self.hook.types.clone(),
            number: self.hook.number.clone(),
            conversation: None,
            limit: room,
        };
        let page = self.teller.log.events(search).await?;
        self.read = page.upto;
        self.window.extend(page.events.into_iter().map(|event| (event.id, event)));
        Ok(())
    }

    /// Returns the first event of somebody whose events are not being told.
    fn next(&self) -> Option<EventRow> {
        self.window.values().find(|event| !self.busy.contains(&event.contact)).cloned()
    }

    /// Returns up to which event all are told.
    fn reached(&self) -> i64 {
        self.window.keys().next().map_or(self.read, |first| first - 1)
    }

    async fn note(&self, reached: i64) -> Result<(), StoreError> {
        let now_ms = self.teller.clock.now_ms();
        self.teller.hooks.event_hook_reached(&self.hook.id, reached, None, now_ms).await
    }

    async fn bury(&self, event: &EventRow, error: &str) -> Result<(), StoreError> {
        tracing::error!(
            webhook.id = self.hook.id,
            event.id = event.id,
            event.r#type = event.name,
            error,
            "an event was given up: it can be told again by POST /event-webhooks/{{id}}/replay"
        );
        let now_ms = self.teller.clock.now_ms();
        self.teller.hooks.bury_event(&self.hook.id, event.id, error, now_ms).await
    }

    /// Ends it: the other side wants nothing any more.
    async fn stop(self) -> Result<(), StoreError> {
        tracing::warn!(webhook.id = self.hook.id, "a webhook answered 410: it gets no more events");
        let now_ms = self.teller.clock.now_ms();
        let hook = EventHookRow { active: false, ..(*self.hook).clone() };
        self.teller.hooks.put_event_hook(hook, now_ms).await.map(drop)
    }
}

/// Tells an event until it is taken or given up.
async fn tell(
    teller: &HookTeller,
    hook: Arc<EventHookRow>,
    pulse: Pulse,
    event: EventRow,
) -> (EventRow, Told) {
    let body = cloud_event(&event).to_string();
    let mut wait = FIRST_WAIT;
    loop {
        let error = match post(teller, &hook, event.id, &body).await {
            Ok(()) => {
                *pulse.lock().expect("no holder panics") = Some(Instant::now());
                return (event, Told::Taken);
            }
            Err(Refused::Gone) => return (event, Told::Gone),
            Err(Refused::Because(error)) => error,
        };
        let now_ms = teller.clock.now_ms();
        if now_ms - event.at_ms >= GIVE_UP_MS {
            return (event, Told::GivenUp(error));
        }
        tracing::warn!(
            webhook.id = hook.id,
            event.id = event.id,
            error,
            retry.after_s = wait.as_secs_f64(),
            "an event was not taken"
        );
        let noted = teller.hooks.event_hook_reached(&hook.id, 0, Some(error), now_ms).await;
        if let Err(error) = noted {
            error.log("that an event was not taken could not be noted");
        }
        let taken = *pulse.lock().expect("no holder panics");
        let lively = taken.is_some_and(|taken| taken.elapsed() < LIVELY_FOR);
        let longest = if lively { LIVELY_WAIT } else { LONGEST_WAIT };
        tokio::time::sleep(jittered(wait.min(longest))).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
