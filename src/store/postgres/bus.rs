//! What processes that serve from one database tell each other: that a message waits, that an event was
//! written.
//!
//! One thread listens and tells. What is told within a moment is told once, since all notices of a
//! database are committed one after the other. A notice that is missed costs its readers the time
//! until they look by themselves. The thread also reads the server's clock, which all share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ::postgres::fallible_iterator::FallibleIterator as _;
use tokio::sync::watch;

use super::connect::Connector;
use super::session::PgSession;
use crate::clock::SharedClock;
use crate::store::sql::{Db, DbResult};

/// What is told within it is told once.
const TOGETHER: Duration = Duration::from_millis(20);
/// Time between two looks at the server's clock.
const CLOCK: Duration = Duration::from_secs(5);
/// Wait after a connection was lost, before the next.
const RETRY: Duration = Duration::from_millis(500);

/// What this process has to tell the others.
#[derive(Default)]
pub(super) struct Notices {
    lanes: AtomicBool,
    events: AtomicBool,
    ended: AtomicBool,
}

impl Notices {
    /// Notes that messages wait.
    pub(super) fn lanes(&self) {
        self.lanes.store(true, Ordering::Relaxed);
    }

    /// Notes that events were written.
    pub(super) fn events(&self) {
        self.events.store(true, Ordering::Relaxed);
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Who is told what others say.
#[derive(Clone)]
pub(super) struct Hearers {
    pub(super) lanes: watch::Sender<u64>,
    pub(super) events: watch::Sender<u64>,
    pub(super) clock: Arc<SharedClock>,
}

/// Starts the thread.
pub(super) fn start(
    connector: Connector,
    notices: Arc<Notices>,
    told: Hearers,
) -> std::io::Result<()> {
    thread::Builder::new().name("store-bus".into()).spawn(move || {
        let me = format!("{:016x}", fastrand::u64(..));
        while !notices.ended.load(Ordering::Relaxed) {
            let served = connector.connect().map(|session| serve(&session, &me, &notices, &told));
            if let Err(error) = served
                .map_err(|error| error.to_string())
                .and_then(|lost| lost.map_err(|error| error.to_string()))
            {
                tracing::debug!(error, "other nodes cannot be heard");
                #[expect(clippy::disallowed_methods, reason = "a thread of its own")]
                thread::sleep(RETRY);
            }
        }
    })?;
    Ok(())
}

/// Listens and tells until the process ends or the connection is lost.
fn serve(session: &PgSession, me: &str, notices: &Notices, told: &Hearers) -> DbResult<()> {
    session.run("LISTEN hark")?;
    // Something may have been told while nobody listened.
    told.lanes.send_modify(|count| *count += 1);
    told.events.send_modify(|count| *count += 1);
    let mut looked: Option<Instant> = None;
    while !notices.ended.load(Ordering::Relaxed) {
        if looked.is_none_or(|looked| looked.elapsed() >= CLOCK) {
            let asked = Instant::now();
            let now_ms = session.now_ms()?;
            // Read in the middle of the time that it took.
            told.clock.set(now_ms, asked + asked.elapsed() / 2);
            looked = Some(asked);
        }
        let said = session.notices(TOGETHER)?;
        let others = || said.iter().filter(|said| !said.starts_with(me));
        if others().any(|said| said.contains("lanes")) {
            told.lanes.send_modify(|count| *count += 1);
        }
        if others().any(|said| said.contains("events")) {
            told.events.send_modify(|count| *count += 1);
        }
        let lanes = if notices.lanes.swap(false, Ordering::Relaxed) { " lanes" } else { "" };
        let events = if notices.events.swap(false, Ordering::Relaxed) { " events" } else { "" };
        if !lanes.is_empty() || !events.is_empty() {
            session.run(&format!("NOTIFY hark, '{me}{lanes}{events}'"))?;
        }
    }
    Ok(())
}

impl PgSession {
    /// Returns the server's time, Unix milliseconds.
    pub(in crate::store) fn now_ms(&self) -> DbResult<i64> {
        let now = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
        let mut now = Db::postgres(self).prepare_cached(now)?;
        now.query_row([0_i64; 0], |row| row.get(0))
    }

    /// Waits for notices for `time` after the last, and returns what they say.
    fn notices(&self, time: Duration) -> DbResult<Vec<String>> {
        self.with(|client| {
            let mut notices = client.notifications();
            let mut said = Vec::new();
            let until = Instant::now() + time;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let Some(notice) = notices.timeout_iter(left).next()? else { return Ok(said) };
                said.push(notice.payload().to_owned());
            }
        })
    }
}
