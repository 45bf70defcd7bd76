//! What the bridge remembers: how far it has read, what has come and is not done, and which
//! conversation is which.
//!
//! One SQLite file that only its owner may read and one bridge may have. Invariant: every change is
//! on disk when its call returns; what is done goes with what it leaves, in one transaction.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::error::BridgeError;
use crate::turn::Personal;

/// How long a bridge that was killed may take to be gone.
const GONE: Duration = Duration::from_secs(2);
/// Notes without words that are remembered.
const REMEMBERED: i64 = 10_000;

/// Something that has come.
#[derive(Clone, Debug)]
pub(super) struct BridgeItem {
    pub(super) id: i64,
    pub(super) kind: String,
    /// The turn it is of.
    pub(super) about: Option<String>,
    /// JSON.
    pub(super) body: Personal,
}

/// Something that comes.
#[derive(Clone, Debug)]
pub(super) struct NewItem {
    /// What makes it one.
    pub(super) origin: String,
    /// Whose order it keeps.
    pub(super) lane: String,
    pub(super) kind: String,
    pub(super) about: Option<String>,
    pub(super) body: String,
    /// Of hark's events: it matters although nothing is open in its conversation.
    pub(super) always: bool,
}

/// What is left behind by an item that is done.
pub(super) enum ItemLeaves {
    Nothing,
    /// The conversation's ticket is closed.
    Closed(String),
    /// Its history was posted for this ticket.
    Documented(String, String),
    /// A voice note was posted without words.
    Wordless(String),
    /// The words of such a note were posted.
    Worded(String),
    /// A turn that says what was written did not get through, and that was told.
    FailureTold(String),
}

/// The file.
#[derive(Clone)]
pub(super) struct BridgeState(Arc<Mutex<Connection>>);

impl BridgeState {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// `State` with what is wrong: another bridge has it, say.
    pub(super) fn open(path: &Path) -> Result<Self, BridgeError> {
        let unusable = |error: String| BridgeError::State(format!("{}: {error}", path.display()));
        make_private(path).map_err(|error| unusable(error.to_string()))?;
        let opened = Connection::open(path).and_then(|mut db| {
            db.busy_timeout(GONE)?;
            db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            db.pragma_update(None, "foreign_keys", true)?;
            let tables = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let version: i64 = tables.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if version == 0 {
                tables.execute_batch(include_str!("state.sql"))?;
                tables.pragma_update(None, "user_version", 1)?;
            }
            tables.commit()?;
            Ok(db)
        });
        let db = opened.map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => {
                unusable("another bridge runs on it".to_owned())
            }
            _ => unusable(error.to_string()),
        })?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// Does something with the file, on a thread that may wait for the disk.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BridgeError> {
        let db = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut db.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let done = done.await.map_err(|error| BridgeError::State(error.to_string()))?;
        done.map_err(BridgeError::from)
    }

    /// Does it in a transaction.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BridgeError> {
        let call = self.call(move |db| {
            let change = db.transaction()?;
            let done = work(&change)?;
            change.commit()?;
            Ok(done)
        });
        call.await
    }

    /// Returns a setting; `new` becomes it if there is none.
    pub(super) async fn setting(&self, name: &str, new: String) -> Result<String, BridgeError> {
        let name = name.to_owned();
        let call = self.write(move |db| {
            let keep = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            db.execute(keep, params![name, new])?;
            db.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
        });
        call.await
    }

    /// Returns a setting, if it is there.
    pub(super) async fn known(&self, name: &'static str) -> Result<Option<String>, BridgeError> {
        let find = "SELECT value FROM settings WHERE name = ?1";
        self.call(move |db| db.query_row(find, [name], |row| row.get(0)).optional()).await
    }

    /// Returns behind which event to go on.
    pub(super) async fn position(&self) -> Result<Option<i64>, BridgeError> {
        Ok(self.known("position").await?.and_then(|position| position.parse().ok()))
    }

    /// Takes events of hark, as far as they concern the bridge, and notes that all up to a position
    /// are. Returns whether there is anything new to do.
    pub(super) async fn take_events(
        &self,
        events: Vec<NewItem>,
        upto: i64,
    ) -> Result<bool, BridgeError> {
        let call = self.write(move |db| {
            let mut new = false;
            for event in &events {
                if event.always || concerns(db, event)? {
                    new |= insert(db, event)?;
                }
            }
            let note = "INSERT INTO settings (name, value) VALUES ('position', ?1)
                        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            db.execute(note, [upto.to_string()])?;
            Ok(new)
        });
        call.await
    }

    /// Takes what Chatwoot tells; of messages each once. Returns whether it is new.
    pub(super) async fn take_webhook(
        &self,
        item: NewItem,
        message: Option<i64>,
    ) -> Result<bool, BridgeError> {
        let call = self.write(move |db| {
            let said = "SELECT 1 FROM said WHERE message = ?1";
            if message.is_some() && db.prepare_cached(said)?.exists([message])? {
                return Ok(false);
            }
            insert(db, &item)
        });
        call.await
    }

    /// Returns the lanes in which something waits.
    pub(super) async fn lanes(&self) -> Result<Vec<String>, BridgeError> {
        let call = self.call(|db| {
            let mut lanes = db.prepare_cached("SELECT DISTINCT lane FROM items")?;
            lanes.query_map([], |row| row.get(0))?.collect()
        });
        call.await
    }

    /// Returns what is first in a lane.
    pub(super) async fn head(&self, lane: &str) -> Result<Option<BridgeItem>, BridgeError> {
        let lane = lane.to_owned();
        let call = self.call(move |db| {
            let head =
                "SELECT id, kind, about, body FROM items WHERE lane = ?1 ORDER BY id LIMIT 1";
            db.prepare_cached(head)?.query_row([lane], item).optional()
        });
        call.await
    }

    /// Returns what follows an item and is of the same turn, of a kind.
    pub(super) async fn later(
        &self,
        item: &BridgeItem,
        kind: &'static str,
    ) -> Result<Option<BridgeItem>, BridgeError> {
        let (id, about) = (item.id, item.about.clone());
        let call = self.call(move |db| {
            let later = "SELECT id, kind, about, body FROM items
                         WHERE id > ?1 AND about = ?2 AND kind = ?3 ORDER BY id LIMIT 1";
            db.prepare_cached(later)?.query_row(params![id, about, kind], self::item).optional()
        });
        call.await
    }

    /// Takes items out that are done.
    pub(super) async fn done(
        &self,
        items: Vec<i64>,
        leaves: ItemLeaves,
    ) -> Result<(), BridgeError> {
        let call = self.write(move |db| {
            for item in items {
                db.prepare_cached("DELETE FROM items WHERE id = ?1")?.execute([item])?;
            }
            leave(db, &leaves)
        });
        call.await
    }

    /// Notes that something is about to be made in Chatwoot; returns whether it may have been made.
    pub(super) async fn begin(&self, source: &str, item: i64) -> Result<bool, BridgeError> {
        let source = source.to_owned();
        let call = self.write(move |db| {
            let begin = "INSERT INTO begun (source, item) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            Ok(db.prepare_cached(begin)?.execute(params![source, item])? == 0)
        });
        call.await
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<BridgeItem> {
    let body = Personal(row.get(3)?);
    Ok(BridgeItem { id: row.get(0)?, kind: row.get(1)?, about: row.get(2)?, body })
}

/// Returns whether an event is of a conversation in which something is open or still to do, or of a
/// turn that says what was written in Chatwoot.
fn concerns(db: &Connection, event: &NewItem) -> rusqlite::Result<bool> {
    let conversation = event.lane.strip_prefix(super::LANE_OF_HARK).unwrap_or_default();
    let concerns = "SELECT 1 FROM conversations WHERE hark = ?1 AND ticket IS NOT NULL
                    UNION ALL SELECT 1 FROM items WHERE lane = ?2
                    UNION ALL SELECT 1 FROM said WHERE turn = ?3
                    UNION ALL SELECT 1 FROM wordless WHERE turn = ?3";
    db.prepare_cached(concerns)?.exists(params![conversation, event.lane, event.about])
}

fn insert(db: &Connection, item: &NewItem) -> rusqlite::Result<bool> {
    let insert = "INSERT INTO items (origin, lane, kind, about, body) VALUES (?1, ?2, ?3, ?4, ?5)
                  ON CONFLICT (origin) DO NOTHING";
    let values = params![item.origin, item.lane, item.kind, item.about, item.body];
    Ok(db.prepare_cached(insert)?.execute(values)? > 0)
}

fn leave(db: &Connection, leaves: &ItemLeaves) -> rusqlite::Result<()> {
    let left = match leaves {
        ItemLeaves::Nothing => return Ok(()),
        ItemLeaves::Closed(hark) => db.execute(
            "UPDATE conversations SET ticket = NULL, reason = NULL, summary = NULL WHERE hark = ?1",
            [hark],
        ),
        ItemLeaves::Documented(hark, ticket) => db.execute(
            "UPDATE conversations SET documented = ?2, summary = NULL WHERE hark = ?1",
            [hark, ticket],
        ),
        ItemLeaves::Wordless(turn) => {
            db.execute("INSERT OR IGNORE INTO wordless (turn) VALUES (?1)", [turn])?;
            let old = "DELETE FROM wordless WHERE rowid <= (SELECT max(rowid) FROM wordless) - ?1";
            db.execute(old, [REMEMBERED])
        }
        ItemLeaves::Worded(turn) => db.execute("DELETE FROM wordless WHERE turn = ?1", [turn]),
        ItemLeaves::FailureTold(turn) => {
            db.execute("UPDATE said SET failed = 1 WHERE turn = ?1", [turn])
        }
    };
    left.map(drop)
}

/// Makes the file, if there is none, so that only its owner may read it.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
