//! Threads that own connections to PostgreSQL.
//!
//! They take calls from one queue. What meets somebody else's writing, a deadlock or a row that has just
//! been made, is undone and runs again. A connection that is lost is made anew for the next call; a
//! call whose commit nobody answered fails, since it may or may not be kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::bus::Notices;
use super::connect::Connector;
use super::session::PgSession;
use crate::store::StoreError;
use crate::store::sql::{Db, Mode, Outage, Ran, StoreCall, Worker};

/// Calls that may wait; a caller beyond it waits for its place.
const QUEUE: usize = 256;
/// How often a call runs that meets other writing, before it fails.
const TRIES: u32 = 10;
/// The first pause before it runs again, doubled each time.
const PAUSE: Duration = Duration::from_millis(2);

type CallQueue = Arc<Mutex<mpsc::Receiver<StoreCall>>>;

/// What the threads of a pool share.
struct Shared {
    connector: Connector,
    events: watch::Sender<u64>,
    notices: Arc<Notices>,
    outage: Mutex<Outage>,
}

/// Starts threads, the first with a connection that is there; returns who hands them calls that write
/// and who hands them calls that read.
pub(super) fn start(
    connector: &Connector,
    first: Option<PgSession>,
    threads: u32,
    events: &watch::Sender<u64>,
    notices: &Arc<Notices>,
) -> std::io::Result<(Worker, Worker)> {
    let (queue, calls) = mpsc::channel(QUEUE);
    let calls: CallQueue = Arc::new(Mutex::new(calls));
    let shared = Arc::new(Shared {
        connector: connector.clone(),
        events: events.clone(),
        notices: Arc::clone(notices),
        outage: Mutex::default(),
    });
    let mut first = first;
    for _ in 0..threads.max(1) {
        let (calls, shared, session) = (Arc::clone(&calls), Arc::clone(&shared), first.take());
        std::thread::Builder::new()
            .name("store-postgres".into())
            .spawn(move || serve(&calls, &shared, session))?;
    }
    Ok((Worker::new(queue.clone(), Mode::Write), Worker::new(queue, Mode::Read)))
}

fn serve(calls: &CallQueue, shared: &Shared, mut session: Option<PgSession>) {
    loop {
        // One thread waits for the next call, the others for their turn to wait.
        let next = calls.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(mut call) = next else { return };
        loop {
            let was_open = session.as_ref().is_some_and(|session| !session.is_closed());
            if !was_open {
                session = shared.connector.connect().map_err(|error| shared.note(&error)).ok();
            }
            let Some(open) = &session else {
                call.work.finish(Some("PostgreSQL cannot be reached"));
                break;
            };
            match run(open, shared, call) {
                // The connection was lost while nobody used it: nothing ran.
                Some(unbegun) if was_open => call = unbegun,
                Some(unbegun) => {
                    unbegun.work.finish(Some("the connection to PostgreSQL was lost"));
                    break;
                }
                None => break,
            }
        }
    }
}

/// Runs a call until it is kept, has failed or cannot be; gives it back if the connection is lost
/// before anything was to be kept.
fn run(session: &PgSession, shared: &Shared, call: StoreCall) -> Option<StoreCall> {
    let StoreCall { mode, mut work } = call;
    let mut pause = PAUSE;
    for tried in 1.. {
        let db = Db::postgres(session);
        let begun = session.begin(mode);
        let ran = if begun.is_ok() { work.run(&db) } else { Ran::Failed };
        if ran != Ran::Done && session.is_closed() {
            return Some(StoreCall { mode, work });
        }
        let ended = begun.and_then(|()| session.end(mode, ran == Ran::Done));
        let again = ran == Ran::Conflict || ended.as_ref().is_err_and(super::is_conflict_of);
        if again && tried < TRIES {
            #[expect(clippy::disallowed_methods, reason = "a thread of its own, for milliseconds")]
            std::thread::sleep(pause.mul_f64(fastrand::f64()));
            pause *= 2;
            continue;
        }
        if let Err(error) = ended {
            let error = error.into();
            shared.note(&error);
            work.finish(Some(&error.to_string()));
            return None;
        }
        if ran == Ran::Done && mode != Mode::Read {
            shared.outage.lock().unwrap_or_else(PoisonError::into_inner).note(None);
            if db.told_lanes() {
                shared.notices.lanes();
            }
            if db.told_events() {
                shared.notices.events();
                shared.events.send_modify(|commits| *commits += 1);
            }
        }
        work.finish(None);
        return None;
    }
    None
}

impl Shared {
    fn note(&self, error: &StoreError) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.note(Some(&error.to_string()));
    }
}
