//! Kept sound on the `sounds` table.

use super::db::{DbResult, DbRow, OptionalRow as _, params};
use async_trait::async_trait;

use super::SqlStore;
use super::json::from_word;
use crate::store::{SoundIndex, SoundRow, StoreError};
use crate::turn::{SoundSide, TurnId};

const COLUMNS: &str = "SELECT turn, side, key, type, bytes, kept_ms, kept_until_ms FROM sounds";

#[async_trait]
impl SoundIndex for SqlStore {
    async fn announce(&self, sound: SoundRow) -> Result<bool, StoreError> {
        let call = self.writer.call(move |db| {
            let bytes = i64::try_from(sound.bytes).unwrap_or(i64::MAX);
            let announced = db
                .prepare_cached(
                    "INSERT INTO sounds (turn, side, key, type, bytes, kept_ms, kept_until_ms)
                     SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM turns WHERE id = ?1
                     ON CONFLICT (turn, side) DO UPDATE SET key = excluded.key,
                         type = excluded.type, bytes = excluded.bytes, kept_ms = excluded.kept_ms,
                         kept_until_ms = excluded.kept_until_ms WHERE sounds.written_ms IS NULL",
                )?
                .execute(params![
                    sound.turn.0,
                    sound.side.name(),
                    sound.key,
                    sound.kind,
                    bytes,
                    sound.kept_ms,
                    sound.kept_until_ms
                ])?;
            Ok(announced > 0)
        });
        call.await
    }

    async fn written(
        &self,
        turn: &TurnId,
        side: SoundSide,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let turn = turn.clone();
        let call = self.writer.call(move |db| {
            let written = db
                .prepare_cached("UPDATE sounds SET written_ms = ?3 WHERE turn = ?1 AND side = ?2")?
                .execute(params![turn.0, side.name(), now_ms])?;
            Ok(written > 0)
        });
        call.await
    }

    async fn sound(
        &self,
        turn: &TurnId,
        side: SoundSide,
        now_ms: i64,
    ) -> Result<Option<SoundRow>, StoreError> {
        let turn = turn.clone();
        let call = self.reader.call(move |db| {
            let mut sound = db.prepare_cached(&format!(
                "{COLUMNS} WHERE turn = ?1 AND side = ?2 AND written_ms IS NOT NULL
                     AND kept_until_ms > ?3"
            ))?;
            Ok(sound.query_row(params![turn.0, side.name(), now_ms], sound_row).optional()?)
        });
        call.await
    }

    async fn overdue(
        &self,
        now_ms: i64,
        after: Option<SoundRow>,
        limit: usize,
    ) -> Result<Vec<SoundRow>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.reader.call(move |db| {
            let (until_ms, turn, side) = match &after {
                Some(after) => (after.kept_until_ms, after.turn.0.as_str(), after.side.name()),
                None => (i64::MIN, "", ""),
            };
            let mut overdue = db.prepare_cached(&format!(
                "{COLUMNS} WHERE kept_until_ms <= ?1 AND (kept_until_ms, turn, side) > (?2, ?3, ?4)
                 ORDER BY kept_until_ms, turn, side LIMIT ?5"
            ))?;
            let rows =
                overdue.query_map(params![now_ms, until_ms, turn, side, limit], sound_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn deleted(&self, sound: &SoundRow) -> Result<(), StoreError> {
        let (turn, side) = (sound.turn.clone(), sound.side);
        let call = self.writer.call(move |db| {
            db.prepare_cached("DELETE FROM sounds WHERE turn = ?1 AND side = ?2")?
                .execute(params![turn.0, side.name()])?;
            Ok(())
        });
        call.await
    }

    async fn keep_at_most(&self, retention_ms: i64) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "UPDATE sounds SET kept_until_ms = kept_ms + ?1 WHERE kept_until_ms > kept_ms + ?1",
            )?
            .execute([retention_ms])?;
            Ok(())
        });
        call.await
    }
}

fn sound_row(row: &DbRow<'_>) -> DbResult<SoundRow> {
    let bytes: i64 = row.get(4)?;
    Ok(SoundRow {
        turn: TurnId(row.get(0)?),
        side: from_word(&row.get::<String>(1)?)?,
        key: row.get(2)?,
        kind: row.get(3)?,
        bytes: bytes.try_into().unwrap_or_default(),
        kept_ms: row.get(5)?,
        kept_until_ms: row.get(6)?,
    })
}
