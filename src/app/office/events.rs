//! Events, as the API tells them on.

use async_trait::async_trait;
use tokio::sync::watch;

use super::Office;
use super::conversations::conversation_id;
use crate::events::cloud_event;
use crate::http::api::{ApiRefusal, EventLine, EventLines, EventQuery, EventsApi};
use crate::store::{EventLog as _, EventRow, EventSearch};

#[async_trait]
impl EventsApi for Office {
    async fn events(
        &self,
        query: &EventQuery,
        after: i64,
        most: usize,
    ) -> Result<EventLines, ApiRefusal> {
        let types = query.types.as_deref().unwrap_or_default();
        let types = types.split(',').map(str::trim).filter(|name| !name.is_empty());
        let search = EventSearch {
            after,
            types: types.map(str::to_owned).collect(),
            number: query.number.clone(),
            conversation: query.conversation.as_deref().map(conversation_id).transpose()?,
            limit: most,
        };
        let page = self.store.events(search).await?;
        let line =
            |row: EventRow| EventLine { id: row.id, event: cloud_event(&row), name: row.name };
        let lines = page.events.into_iter().map(line).collect();
        Ok(EventLines { lines, upto: page.upto })
    }

    async fn newest_event(&self) -> Result<i64, ApiRefusal> {
        Ok(self.store.newest_event().await?)
    }

    fn events_written(&self) -> watch::Receiver<u64> {
        self.store.events_written()
    }
}
