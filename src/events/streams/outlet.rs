//! Adds every event to a stream, in the order of the store, under its own id.
//!
//! Of several processes one does it, which its key beside the stream says: all of them would read every
//! event for nothing. Should two believe it, nothing is there twice: the stream itself knows how far it is,
//! and an event that is there already is refused by the server. One that was emptied is filled again with
//! what is kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::streams::StreamRangeReply;
use redis::{RedisError, ServerError, Value};

use super::{Away, RedisStreams};
use crate::events::cloud_event;
use crate::remote::redis::{RedisConnection, RedisTrouble};
use crate::store::{EventLog, EventRow, EventSearch, StoreError};

/// Events that are added in one go.
const AT_ONCE: usize = 200;
/// Time between two looks while nothing is written.
const LOOK: Duration = Duration::from_secs(1);
/// How long whoever adds events may be silent before somebody else does.
const SILENT: Duration = Duration::from_secs(3);

/// Adds events to the stream.
pub struct EventOutlet {
    /// The stream.
    pub streams: RedisStreams,
    /// The events.
    pub log: Arc<dyn EventLog>,
}

/// What the server says of an event that is there, or that was and is not any more.
const IS_THERE: &str = "equal or smaller than the target stream top item";

/// Says what became of events that were to be added.
enum Added {
    All,
    /// Another process on the store has added some of them, or more.
    ByOthers,
}

/// Says why it stands still.
enum Stuck {
    Server(RedisTrouble),
    Store(StoreError),
}

impl<E: Into<RedisTrouble>> From<E> for Stuck {
    fn from(error: E) -> Self {
        Self::Server(error.into())
    }
}

impl EventOutlet {
    /// Adds events for ever.
    pub async fn run(self) {
        let mut away = Away::new("events");
        loop {
            match self.follow(&mut away).await {
                Stuck::Server(trouble) => away.wait(trouble).await,
                Stuck::Store(error) => {
                    error.log("events could not be read for their stream");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    /// Adds events until something goes wrong.
    async fn follow(&self, away: &mut Away) -> Stuck {
        let follow = async {
            let mut server = self.streams.server.connect().await?;
            let mut written = self.log.events_written();
            let (mut place, mut trimmed, mut asked) = (None, 0, None::<Instant>);
            loop {
                written.mark_unchanged();
                if asked.is_none_or(|asked| asked.elapsed() >= LOOK) {
                    if !self.is_for_this_node(&mut server).await? {
                        (place, asked) = (None, None);
                        away.back();
                        tokio::time::sleep(LOOK).await;
                        continue;
                    }
                    asked = Some(Instant::now());
                }
                let at = match place {
                    Some(at) => at,
                    None => self.position(&mut server).await?,
                };
                let search = EventSearch { after: at, limit: AT_ONCE, ..EventSearch::default() };
                let page = self.log.events(search).await.map_err(Stuck::Store)?;
                place = match self.add(&mut server, &page.events).await? {
                    Added::All => Some(page.upto),
                    Added::ByOthers => None,
                };
                // Not before: one that is full answers, too.
                away.back();
                self.erase(&mut server, &mut trimmed).await?;
                if page.events.len() < AT_ONCE {
                    tokio::select! {
                        _ = written.changed() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        };
        let ended: Result<std::convert::Infallible, Stuck> = follow.await;
        match ended {
            Err(stuck) => stuck,
            Ok(never) => match never {},
        }
    }

    /// Returns whether this node adds the events, and keeps others from it if so.
    async fn is_for_this_node(&self, server: &mut RedisConnection) -> Result<bool, Stuck> {
        let (key, node) = (server.beside(&self.streams.events, "node"), &self.streams.node);
        let silent_ms = u64::try_from(SILENT.as_millis()).unwrap_or(u64::MAX);
        let mut take = redis::cmd("SET");
        take.arg(&key).arg(node).arg("NX").arg("PX").arg(silent_ms);
        if take.query_async::<Option<String>>(server).await?.is_some() {
            return Ok(true);
        }
        let whose: Option<String> = redis::cmd("GET").arg(&key).query_async(server).await?;
        let is_ours = whose.as_ref() == Some(node);
        if is_ours {
            let mut keep = redis::cmd("PEXPIRE");
            let () = keep.arg(&key).arg(silent_ms).query_async(server).await?;
        }
        Ok(is_ours)
    }

    /// Finds the last event that the stream has had.
    async fn position(&self, server: &mut RedisConnection) -> Result<i64, Stuck> {
        let key = &self.streams.events;
        let there: bool = redis::cmd("EXISTS").arg(key).query_async(server).await?;
        let info: Vec<Value> = if there {
            redis::cmd("XINFO").arg("STREAM").arg(key).query_async(server).await?
        } else {
            Vec::new()
        };
        // Read later: another process may just have added one.
        let newest = self.log.newest_event().await.map_err(Stuck::Store)?;
        if !there {
            return Ok((newest - i64::from(self.streams.events_kept)).max(0));
        }
        let last = last_id(&info).ok_or_else(|| self.foreign())?;
        if last > newest || !self.same(server, last).await? {
            return Err(self.foreign().into());
        }
        Ok(last)
    }

    /// Returns whether an event is the same there and here, as far as both have it.
    async fn same(&self, server: &mut RedisConnection, id: i64) -> Result<bool, Stuck> {
        let search = EventSearch { after: id - 1, limit: 1, ..EventSearch::default() };
        let ours = self.log.events(search).await.map_err(Stuck::Store)?.events;
        let Some(ours) = ours.into_iter().find(|event| event.id == id) else { return Ok(true) };
        let mut range = redis::cmd("XRANGE");
        range.arg(&self.streams.events).arg(id).arg(id);
        let theirs: StreamRangeReply = range.query_async(server).await?;
        let Some(theirs) = theirs.ids.first() else { return Ok(true) };
        let theirs: Option<String> = theirs.get("event");
        let theirs = theirs.and_then(|event| serde_json::from_str(&event).ok());
        let theirs: serde_json::Value = theirs.unwrap_or_default();
        let ours = cloud_event(&ours);
        // What is known of a person may have changed since.
        Ok(["id", "type", "time", "source"].iter().all(|key| ours[key] == theirs[key]))
    }

    fn foreign(&self) -> RedisTrouble {
        RedisTrouble(format!(
            "the stream {} has the events of another store: name another one at [redis] events, or \
             delete it",
            self.streams.events
        ))
    }

    async fn add(
        &self,
        server: &mut RedisConnection,
        events: &[EventRow],
    ) -> Result<Added, RedisTrouble> {
        if events.is_empty() {
            return Ok(Added::All);
        }
        let mut pipe = redis::pipe();
        for event in events {
            pipe.cmd("XADD").arg(&self.streams.events);
            pipe.arg("MAXLEN").arg("~").arg(self.streams.events_kept).arg(event.id);
            pipe.arg("type").arg(&event.name);
            pipe.arg("event").arg(cloud_event(event).to_string()).ignore();
        }
        match pipe.query_async::<()>(server).await {
            Ok(()) => Ok(Added::All),
            Err(error) if only_says_that_they_are_there(&error) => Ok(Added::ByOthers),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes there what was deleted here: with a person, or because it is old.
    async fn erase(&self, server: &mut RedisConnection, trimmed: &mut i64) -> Result<(), Stuck> {
        let gone = self.log.erased_events(AT_ONCE).await.map_err(Stuck::Store)?;
        if gone.ids.is_empty() && gone.before == *trimmed {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for id in &gone.ids {
            pipe.cmd("XDEL").arg(&self.streams.events).arg(*id).ignore();
        }
        pipe.cmd("XTRIM").arg(&self.streams.events).arg("MINID").arg(gone.before).ignore();
        let () = pipe.query_async(server).await?;
        *trimmed = gone.before;
        self.log.events_erased(gone.ids).await.map_err(Stuck::Store)
    }
}

/// Returns whether a server refused events for no other reason than that they are there.
fn only_says_that_they_are_there(error: &RedisError) -> bool {
    let refused = error.clone().into_server_errors();
    refused.is_some_and(|refused| {
        let is_there =
            |error: &ServerError| error.details().is_some_and(|it| it.contains(IS_THERE));
        !refused.is_empty() && refused.iter().all(|(_, error)| is_there(error))
    })
}

/// Reads the last id that a stream gave; `None` if it is none of ours.
fn last_id(info: &[Value]) -> Option<i64> {
    let text = |value: &Value| redis::from_redis_value::<String>(value.clone()).ok();
    let pair = info
        .chunks_exact(2)
        .find(|pair| text(&pair[0]).is_some_and(|name| name == "last-generated-id"))?;
    let (id, rest) =
        text(&pair[1])?.split_once('-').map(|(id, rest)| (id.to_owned(), rest == "0"))?;
    rest.then(|| id.parse().ok())?
}
