//! The library on the `sources`, `passages` and `vectors` tables.

use std::collections::HashMap;
use std::sync::Arc;

use super::db::{Db, DbResult, DbRow, Lock, OptionalRow as _, params};
use async_trait::async_trait;

use super::SqlStore;
use super::directory::grow;
use crate::knowledge::{Passage, SourceKey, Vector};
use crate::store::{Library, SourceRow, StoreError, WordsKey};

/// Rows that are written or deleted in one transaction: some milliseconds.
const BATCH: usize = 500;
/// A file that came in so long ago, and is not whole, never will be.
const GIVEN_UP_MS: i64 = 3_600_000;
/// Days after which it is noted again that a vector is used.
const NOTED_DAYS: i64 = 7;

const SOURCES: &str = "SELECT id, agent, name, key, bytes, passages, added_ms FROM sources";

#[async_trait]
impl Library for SqlStore {
    async fn put_source(
        &self,
        source: SourceRow,
        passages: Vec<Passage>,
    ) -> Result<bool, StoreError> {
        let now_ms = source.added_ms;
        let (agent, name) = (source.agent.clone(), source.name.clone());
        let begun = self.writer.alone(Lock::Setup, move |db| begin(db, &source)).await?;
        let Some(id) = begun else { return Ok(false) };
        let (passages, count) = (Arc::new(passages), 0..);
        for from in count.step_by(BATCH).take_while(|from| *from < passages.len()) {
            let passages = Arc::clone(&passages);
            let part = self.writer.alone(Lock::Setup, move |db| {
                let mut part = passages.iter().enumerate().skip(from).take(BATCH);
                part.try_for_each(|(place, passage)| insert(db, id, place, passage))
            });
            part.await?;
        }
        let put = self.writer.alone(Lock::Setup, move |db| {
            let former = "UPDATE sources SET state = 'gone' WHERE agent = ?1 AND name = ?2
                AND state = 'there'";
            db.prepare_cached(former)?.execute([&agent, &name])?;
            db.prepare_cached("UPDATE sources SET state = 'there' WHERE id = ?1")?.execute([id])?;
            Ok(grow(db)?)
        });
        put.await?;
        self.sweep_sources(now_ms).await?;
        Ok(true)
    }

    async fn remove_source(&self, agent: &str, name: &str) -> Result<bool, StoreError> {
        let (agent, name) = (agent.to_owned(), name.to_owned());
        let call = self.writer.alone(Lock::Setup, move |db| {
            let gone = "UPDATE sources SET state = 'gone' WHERE agent = ?1 AND name = ?2
                AND state = 'there'";
            let gone = db.prepare_cached(gone)?.execute([&agent, &name])?;
            if gone > 0 {
                grow(db)?;
            }
            Ok(gone > 0)
        });
        let gone = call.await?;
        self.sweep_sources(i64::MIN).await?;
        Ok(gone)
    }

    async fn sources(&self, agent: &str) -> Result<Vec<SourceRow>, StoreError> {
        let agent = agent.to_owned();
        let call = self.reader.call(move |db| {
            let all = all_sources(db)?;
            Ok(all.into_iter().filter(|source| source.agent == agent).collect())
        });
        call.await
    }

    async fn passages(
        &self,
        source: i64,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Passage>, StoreError> {
        let call = self.reader.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT question, answer, also, heading FROM passages
                 WHERE source = ?1 AND place >= ?2 ORDER BY place LIMIT ?3",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map(params![source, from, limit], |row| {
                Ok(Passage {
                    question: row.get(0)?,
                    answer: row.get(1)?,
                    also: row.get(2)?,
                    place: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn vectors(
        &self,
        model: &str,
        words: Vec<WordsKey>,
        day: i64,
    ) -> Result<HashMap<WordsKey, Vector>, StoreError> {
        let of = model.to_owned();
        let call = self.reader.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT vector, used_day FROM vectors WHERE model = ?1 AND text = ?2",
            )?;
            let (mut found, mut old) = (HashMap::new(), Vec::new());
            for key in &words {
                let row = query.query_row(params![of, key.0], |row| {
                    Ok((row.get::<Vec<u8>>(0)?, row.get::<i64>(1)?))
                });
                let Some((vector, used)) = row.optional()? else { continue };
                // One of another make is asked for anew.
                let Some(vector) = Vector::from_bytes(&vector) else { continue };
                found.insert(*key, vector);
                if used + NOTED_DAYS < day {
                    old.push(*key);
                }
            }
            Ok((found, old))
        });
        let (found, old) = call.await?;
        // Who only looks at a store cannot note it.
        if !old.is_empty()
            && let Err(error) = self.note_used(model.to_owned(), old, day).await
        {
            tracing::debug!(%error, "it was not noted that vectors are used");
        }
        Ok(found)
    }

    async fn keep_vectors(
        &self,
        model: &str,
        vectors: Vec<(WordsKey, Vector)>,
        day: i64,
    ) -> Result<(), StoreError> {
        let model = model.to_owned();
        let call = self.writer.call(move |db| {
            let mut keep = db.prepare_cached(
                "INSERT INTO vectors (model, text, vector, used_day) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (model, text) DO UPDATE SET vector = excluded.vector,
                     used_day = excluded.used_day",
            )?;
            for (key, vector) in &vectors {
                keep.execute(params![model, key.0, vector.to_bytes(), day])?;
            }
            Ok(())
        });
        call.await
    }

    async fn forget_vectors(&self, before: i64) -> Result<usize, StoreError> {
        let mut all = 0;
        loop {
            let call = self.writer.call(move |db| {
                let forgotten = "DELETE FROM vectors WHERE (model, text) IN
                    (SELECT model, text FROM vectors WHERE used_day < ?1 LIMIT ?2)";
                let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
                Ok(db.prepare_cached(forgotten)?.execute(params![before, limit])?)
            });
            match call.await? {
                0 => return Ok(all),
                forgotten => all += forgotten,
            }
        }
    }
}

impl SqlStore {
    /// Notes that vectors are used.
    async fn note_used(
        &self,
        model: String,
        words: Vec<WordsKey>,
        day: i64,
    ) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            let mut note = db.prepare_cached(
                "UPDATE vectors SET used_day = ?3 WHERE model = ?1 AND text = ?2",
            )?;
            for key in &words {
                note.execute(params![model, key.0, day])?;
            }
            Ok(())
        });
        call.await
    }

    /// Deletes the passages of what is gone, and of what never was whole, a few at a time.
    async fn sweep_sources(&self, now_ms: i64) -> Result<(), StoreError> {
        loop {
            let call = self.writer.call(move |db| {
                let dead = "SELECT id FROM sources
                    WHERE state = 'gone' OR (state = 'coming' AND added_ms < ?1) LIMIT 1";
                let dead: Option<i64> = db
                    .prepare_cached(dead)?
                    .query_row([now_ms.saturating_sub(GIVEN_UP_MS)], |row| row.get(0))
                    .optional()?;
                let Some(dead) = dead else { return Ok(false) };
                let some = "DELETE FROM passages WHERE source = ?1 AND place IN
                    (SELECT place FROM passages WHERE source = ?1 LIMIT ?2)";
                let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
                if db.prepare_cached(some)?.execute(params![dead, limit])? == 0 {
                    db.prepare_cached("DELETE FROM sources WHERE id = ?1")?.execute([dead])?;
                }
                Ok(true)
            });
            if !call.await? {
                return Ok(());
            }
        }
    }
}

/// Notes that a file comes in, unless it is there; returns its id.
fn begin(db: &Db<'_>, source: &SourceRow) -> Result<Option<i64>, StoreError> {
    let there = "SELECT 1 FROM sources WHERE agent = ?1 AND name = ?2 AND key = ?3
        AND state = 'there'";
    let same = params![source.agent, source.name, source.key.0];
    if db.prepare_cached(there)?.exists(same)? {
        return Ok(None);
    }
    let bytes = i64::try_from(source.bytes).unwrap_or(i64::MAX);
    let id = db
        .prepare_cached(
            "INSERT INTO sources (agent, name, key, bytes, passages, added_ms, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'coming') RETURNING id",
        )?
        .query_row(
            params![
                source.agent,
                source.name,
                source.key.0,
                bytes,
                source.passages,
                source.added_ms
            ],
            |row| row.get(0),
        )?;
    Ok(Some(id))
}

fn insert(db: &Db<'_>, source: i64, place: usize, passage: &Passage) -> Result<(), StoreError> {
    let Passage { question, answer, also, place: heading } = passage;
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    db.prepare_cached(
        "INSERT INTO passages (source, place, question, answer, also, heading)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![source, place, question, answer, also, heading])?;
    Ok(())
}

/// Returns all files of all agents.
pub(super) fn all_sources(db: &Db<'_>) -> DbResult<Vec<SourceRow>> {
    let query = format!("{SOURCES} WHERE state = 'there' ORDER BY agent, name");
    db.prepare_cached(&query)?.query_map(params![], source_row)?.collect()
}

fn source_row(row: &DbRow<'_>) -> DbResult<SourceRow> {
    Ok(SourceRow {
        id: row.get(0)?,
        agent: row.get(1)?,
        name: row.get(2)?,
        key: SourceKey(row.get(3)?),
        bytes: row.get::<i64>(4)?.try_into().unwrap_or_default(),
        passages: row.get(5)?,
        added_ms: row.get(6)?,
    })
}
