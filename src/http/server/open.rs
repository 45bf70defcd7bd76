//! The connections that are open: what each does, for how long it may, and which one is the idlest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::telemetry::Seldom;

/// Limits how long a request's head may take, the wait for the first one included.
const HEAD: Duration = Duration::from_secs(10);
/// Limits the pause between two requests: longer than the two minutes for which proxies keep a
/// connection, so that theirs ends first and no request meets a closed one.
const IDLE: Duration = Duration::from_mins(3);
/// Limits how long a request may still take to come once the service stops.
pub(super) const LAST: Duration = Duration::from_secs(2);
/// Between two looks at a connection that has no limit of ours: the webhook has its own.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Names what a connection does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It was opened and has said nothing.
    Nothing,
    /// It sends the head of a request.
    Head,
    /// It sends a body.
    Body,
    /// All has come, and is being answered.
    Waits,
    /// It was answered and may ask again.
    Pauses,
}

/// Holds what is known of a connection.
pub(super) struct Connection {
    now: Mutex<Now>,
    close: Notify,
}

struct Now {
    doing: Doing,
    since: Instant,
    /// When the last byte came.
    heard: Instant,
    /// When it has to go because the service stops.
    last: Option<Instant>,
}

impl Connection {
    fn new() -> Self {
        let now = Instant::now();
        let now = Now { doing: Doing::Nothing, since: now, heard: now, last: None };
        Self { now: Mutex::new(now), close: Notify::new() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().expect("no holder panics")
    }

    fn does(&self, doing: Doing) {
        let mut now = self.now();
        (now.doing, now.since) = (doing, Instant::now());
    }

    /// Notes that bytes came.
    pub(super) fn is_heard(&self) {
        let mut now = self.now();
        now.heard = Instant::now();
        if matches!(now.doing, Doing::Nothing | Doing::Pauses) {
            // The time for the first head runs since the connection was opened.
            if now.doing == Doing::Pauses {
                now.since = now.heard;
            }
            now.doing = Doing::Head;
        }
    }

    /// Notes that the head of a request is there.
    pub(super) fn asks(&self) {
        self.does(Doing::Body);
    }

    /// Notes that its body is there, too.
    pub(super) fn has_asked(&self) {
        self.does(Doing::Waits);
    }

    /// Notes that it has its answer.
    pub(super) fn is_answered(&self) {
        self.does(Doing::Pauses);
    }

    /// Returns whether the head of a request is there and not answered.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.now().doing, Doing::Body | Doing::Waits)
    }

    /// Leaves it [`LAST`] for what it still has to send or to read.
    pub(super) fn hurry(&self) {
        self.now().last = Some(Instant::now() + LAST);
    }

    /// Waits until it has taken too long for what it does.
    pub(super) async fn expired(&self) {
        loop {
            let ends = {
                let now = self.now();
                match now.doing {
                    Doing::Waits => None,
                    Doing::Body => now.last,
                    Doing::Nothing | Doing::Head => now.last.or(Some(now.since + HEAD)),
                    Doing::Pauses => now.last.or(Some(now.since + IDLE)),
                }
            };
            if ends.is_some_and(|ends| ends <= Instant::now()) {
                return;
            }
            let look = Instant::now() + LOOK_AGAIN;
            sleep_until(ends.map_or(look, |ends| ends.min(look))).await;
        }
    }

    /// Waits until it has to make room for another.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }
}

/// Holds the connections of one listener.
pub(super) struct OpenConnections(Arc<Table>);

struct Table {
    most: usize,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
}

/// Holds the place of one connection, until dropped.
pub(super) struct Admitted {
    pub(super) connection: Arc<Connection>,
    id: u64,
    table: Arc<Table>,
}

impl OpenConnections {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Table { most: most.max(1), next: AtomicU64::new(0), open: Mutex::default() }))
    }

    /// Finds a place for a new connection; `None` if all others are being answered.
    pub(super) fn admit(&self, seldom: &Arc<Seldom>) -> Option<Admitted> {
        let full = self.0.open().len() >= self.0.most;
        if full {
            let most = self.0.most;
            seldom.tell("full", move |count| {
                tracing::warn!(
                    count,
                    most,
                    "connections were closed for new ones: the idlest first"
                );
            });
            if !self.close_idlest() {
                return None;
            }
        }
        let connection = Arc::new(Connection::new());
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.open().insert(id, Arc::clone(&connection));
        Some(Admitted { connection, id, table: Arc::clone(&self.0) })
    }

    /// Closes the connection that has said nothing for the longest; returns whether there is one.
    pub(super) fn close_idlest(&self) -> bool {
        let mut open = self.0.open();
        let idlest = open
            .iter()
            .filter_map(|(id, connection)| {
                let now = connection.now();
                (now.doing != Doing::Waits).then_some((now.heard, *id))
            })
            .min();
        let closed = idlest.and_then(|(_, id)| open.remove(&id));
        if let Some(connection) = &closed {
            connection.close.notify_one();
        }
        closed.is_some()
    }
}

impl Table {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().expect("no holder panics")
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.table.open().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has a connection live through `events`, then waits for its end.
    async fn check(what: &str, events: impl AsyncFnOnce(&Connection), seconds: u64) {
        let connection = Connection::new();
        let begun = Instant::now();
        let expired = connection.expired();
        let lives = async {
            events(&connection).await;
            std::future::pending::<()>().await;
        };
        tokio::select! { () = expired => {}, () = lives => {} }
        assert_eq!(begun.elapsed().as_secs(), seconds, "{what}");
    }

    #[tokio::test(start_paused = true)]
    async fn everything_has_its_time() {
        let second = || tokio::time::sleep(Duration::from_secs(1));
        check("silence", async |_| {}, 10).await;
        let drips = async |c: &Connection| loop {
            c.is_heard();
            second().await;
        };
        check("a head, byte by byte", drips, 10).await;
        let asked = async |c: &Connection| {
            c.is_heard();
            c.asks();
            c.has_asked();
            c.is_answered();
        };
        check("a pause", asked, 180).await;
        let again = async |c: &Connection| {
            asked(c).await;
            for _ in 0..100 {
                second().await;
            }
            c.is_heard();
        };
        check("the head of the next request", again, 110).await;
        let long = async |c: &Connection| {
            c.is_heard();
            c.asks();
            tokio::time::sleep(Duration::from_secs(25)).await;
            c.has_asked();
            tokio::time::sleep(Duration::from_mins(1)).await;
            c.hurry();
            second().await;
            c.is_answered();
        };
        check("an answer, that is read for two seconds once the service stops", long, 90).await;
    }
}
