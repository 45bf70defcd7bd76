//! `/api/v1/events`: every step as it happens, as server-sent events.
//!
//! Invariant: who was away gets what it missed, in order, as long as it is kept; an event is sent at
//! least once, and a stream that is behind reads from the store and holds nobody up.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::problem::ApiRefusal;
use super::request::Anyone;

/// Time between two signs of life, which also tell that nobody reads any more.
const ALIVE: Duration = Duration::from_secs(15);
/// Longest time between two looks, should a notice be missed: another process may have written.
const LOOK: Duration = Duration::from_secs(1);
/// Events that are read at a time.
const AT_ONCE: usize = 100;

/// Says which events are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Those of these types, with commas between them.
    pub types: Option<String>,
    /// Those of this number.
    pub number: Option<String>,
    /// Those of this conversation.
    pub conversation: Option<String>,
    /// Those behind the one of this id, if the request has no `Last-Event-ID`; without both, those that
    /// come from now on. `0`: all that are kept.
    pub after: Option<String>,
}

/// Holds one event, ready to be sent.
#[derive(Clone, Debug)]
pub struct EventLine {
    /// What the stream is resumed with.
    pub id: i64,
    /// Its type.
    pub name: String,
    /// The CloudEvent.
    pub event: Value,
}

/// Holds some events.
#[derive(Clone, Debug)]
pub struct EventLines {
    /// The events, oldest first.
    pub lines: VecDeque<EventLine>,
    /// All that are wanted up to this id are among them: where to go on.
    pub upto: i64,
}

/// Knows the events.
#[async_trait]
pub trait EventsApi: Send + Sync {
    /// Returns up to `most` events behind `after`.
    async fn events(
        &self,
        query: &EventQuery,
        after: i64,
        most: usize,
    ) -> Result<EventLines, ApiRefusal>;

    /// Returns the id of the latest.
    async fn newest_event(&self) -> Result<i64, ApiRefusal>;

    /// Returns what changes when there are more.
    fn events_written(&self) -> watch::Receiver<u64>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Follow events
///
/// Server-sent events: `id`, `event` (the type) and `data`, a CloudEvent of version 1.0. They come in the
/// order in which they became true, each at least once. A client that sends `Last-Event-ID` gets what
/// it missed; an id without an event, at the beginning, says where the stream begins.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventQuery,
    ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that came")),
    responses((status = 200, description = "Events, for as long as the client reads",
        body = String, content_type = "text/event-stream")))]
async fn events(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<EventQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiRefusal> {
    let Query(query) = query?;
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let after: i64 = match last.or(query.after.as_deref()) {
        Some(id) => id.trim().parse().map_err(|_| {
            ApiRefusal::Malformed("Last-Event-ID must be the id of an event".to_owned())
        })?,
        None => state.events.newest_event().await?,
    };
    // Refuses what cannot be asked for before the stream begins.
    let EventLines { lines: waiting, upto } = state.events.events(&query, after, AT_ONCE).await?;
    let written = state.events.events_written();
    let follow = Follow { state, query, after: upto, waiting, written };
    // Where it begins, as an id without an event: who is cut off before the first one misses none.
    let begin = stream::once(async move { Ok(Event::default().id(after.to_string())) });
    let events = begin.chain(follow.stream());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// Follows events for one client.
struct Follow {
    state: Arc<ApiState>,
    query: EventQuery,
    after: i64,
    waiting: VecDeque<EventLine>,
    written: watch::Receiver<u64>,
}

impl Follow {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut this| async move {
            let line = this.next().await?;
            let event = Event::default().id(line.id.to_string()).event(line.name);
            Some((Ok(event.data(line.event.to_string())), this))
        })
    }

    /// Waits for the next event; `None` once the service stops.
    async fn next(&mut self) -> Option<EventLine> {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return Some(line);
            }
            // Before the look: what is written during it is noticed.
            self.written.mark_unchanged();
            match self.state.events.events(&self.query, self.after, AT_ONCE).await {
                Ok(more) => (self.waiting, self.after) = (more.lines, more.upto),
                Err(error) => tracing::warn!(error = %error, "events could not be read"),
            }
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                () = self.state.stop.cancelled() => return None,
                _ = self.written.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
