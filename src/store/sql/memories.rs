//! Notes on conversations, on the `summaries` table.

use super::db::{DbRow, params};
use async_trait::async_trait;

use super::{SqlStore, metering};
use crate::store::{FreshNotes, Lane, Memories, StoreError, SummaryRow};
use crate::turn::Personal;

#[async_trait]
impl Memories for SqlStore {
    async fn note(
        &self,
        lane: &Lane,
        FreshNotes { agent, text, spent }: FreshNotes<'_>,
        upto_ms: i64,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (lane, agent, prices) = (lane.clone(), agent.to_owned(), self.prices.clone());
        let call = self.writer.call(move |db| {
            let kept = db
                .prepare_cached(
                    "INSERT INTO summaries (contact_id, number, text, upto_ms, made_ms)
                 SELECT id, ?2, ?3, ?4, ?5 FROM contacts WHERE id = ?1
                 ON CONFLICT (contact_id, number) DO UPDATE SET text = excluded.text,
                     upto_ms = excluded.upto_ms, made_ms = excluded.made_ms",
                )?
                .execute(params![lane.contact_id, lane.number.0, text.reveal(), upto_ms, now_ms])?;
            let person = (kept > 0).then_some(lane.contact_id);
            metering::notes(db, &prices, (&lane.number, &agent, person), &spent, now_ms)
        });
        call.await
    }

    async fn notes_on(&self, contact_id: i64) -> Result<Vec<SummaryRow>, StoreError> {
        let call = self.reader.call(move |db| {
            let mut notes = db.prepare_cached(
                "SELECT number, text, made_ms FROM summaries WHERE contact_id = ?1 ORDER BY number",
            )?;
            let row = |row: &DbRow<'_>| {
                let text = Personal(row.get(1)?);
                Ok(SummaryRow { number: row.get(0)?, text, made_ms: row.get(2)? })
            };
            Ok(notes.query_map([contact_id], row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }
}
