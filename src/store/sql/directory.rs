//! The directory on the `numbers`, `agents`, `secrets`, `vault` and `revision` tables.

use super::db::{Db, DbResult, DbRow, Lock, OptionalRow as _, params};
use async_trait::async_trait;

use super::SqlStore;
use super::library::all_sources;
use crate::store::{
    AgentRow, Changed, Directory, DirectoryRows, Expected, NumberRow, Reseal, Sealed, SecretRow,
    StoreError,
};

/// All versions of all agents, as `agent_row` reads them.
const AGENTS: &str = "SELECT name, version, spec, sealed, restores, created_ms FROM agents a";

/// Chooses the latest version of each.
const LATEST: &str = "WHERE spec IS NOT NULL
    AND version = (SELECT max(version) FROM agents WHERE name = a.name) ORDER BY name";

#[async_trait]
impl Directory for SqlStore {
    async fn revision(&self) -> Result<i64, StoreError> {
        self.reader.call(|db| Ok(revision(db)?)).await
    }

    async fn directory(&self) -> Result<DirectoryRows, StoreError> {
        let call = self.reader.call(|db| {
            // One look: a change in between would be half seen.
            Ok(db.at_once(|| rows(db))?)
        });
        call.await
    }

    async fn put_number(
        &self,
        id: &str,
        spec: &str,
        expected: Expected,
        secrets: Vec<SecretRow>,
        now_ms: i64,
    ) -> Result<Changed, StoreError> {
        let (id, spec) = (id.to_owned(), spec.to_owned());
        let call = self.writer.alone(Lock::Setup, move |db| {
            let version = match expected.meets(number_version(db, &id)?) {
                Ok(version) => version,
                Err(changed) => return Ok(changed),
            };
            db.prepare_cached(
                "INSERT INTO numbers (id, spec, version, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT (id) DO UPDATE SET spec = excluded.spec,
                     version = excluded.version, changed_ms = excluded.changed_ms",
            )?
            .execute(params![id, spec, version, now_ms])?;
            for secret in &secrets {
                db.prepare_cached("DELETE FROM secrets WHERE owner = ?1 AND name = ?2")?
                    .execute([&id, &secret.name])?;
            }
            for secret in &secrets {
                insert_secret(db, secret)?;
            }
            grow(db)?;
            Ok(Changed::Now(version))
        });
        call.await
    }

    async fn remove_number(&self, id: &str, version: u32) -> Result<Changed, StoreError> {
        let id = id.to_owned();
        let call = self.writer.alone(Lock::Setup, move |db| {
            let next = match Expected::Version(version).meets(number_version(db, &id)?) {
                Ok(next) => next,
                Err(changed) => return Ok(changed),
            };
            db.prepare_cached("DELETE FROM numbers WHERE id = ?1")?.execute([&id])?;
            db.prepare_cached("DELETE FROM secrets WHERE owner = ?1")?.execute([&id])?;
            grow(db)?;
            Ok(Changed::Now(next))
        });
        call.await
    }

    async fn add_secret(&self, secret: SecretRow, version: u32) -> Result<Changed, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            let changed = renew(db, &secret.owner, version, secret.created_ms)?;
            if let Changed::Now(_) = changed {
                insert_secret(db, &secret)?;
            }
            Ok(changed)
        });
        call.await
    }

    async fn remove_secret(
        &self,
        owner: &str,
        id: &str,
        version: u32,
        now_ms: i64,
    ) -> Result<Changed, StoreError> {
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let call = self.writer.alone(Lock::Setup, move |db| {
            let found: Option<u32> = db
                .prepare_cached("SELECT 1 FROM secrets WHERE owner = ?1 AND id = ?2")?
                .query_row([&owner, &id], |row| row.get(0))
                .optional()?;
            if found.is_none() {
                return Ok(Changed::Absent);
            }
            let changed = renew(db, &owner, version, now_ms)?;
            if let Changed::Now(_) = changed {
                db.prepare_cached("DELETE FROM secrets WHERE owner = ?1 AND id = ?2")?
                    .execute([&owner, &id])?;
            }
            Ok(changed)
        });
        call.await
    }

    async fn keep_secret(&self, secret: SecretRow) -> Result<SecretRow, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            let kept = db
                .prepare_cached(
                    "SELECT id, owner, name, sealed, created_ms FROM secrets
                     WHERE owner = ?1 AND name = ?2 ORDER BY created_ms LIMIT 1",
                )?
                .query_row([&secret.owner, &secret.name], secret_row)
                .optional()?;
            if let Some(kept) = kept {
                return Ok(kept);
            }
            insert_secret(db, &secret)?;
            grow(db)?;
            Ok(secret.clone())
        });
        call.await
    }

    async fn set_secret(&self, secret: SecretRow) -> Result<(), StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            db.prepare_cached("DELETE FROM secrets WHERE owner = ?1 AND name = ?2")?
                .execute([&secret.owner, &secret.name])?;
            Ok(insert_secret(db, &secret)?)
        });
        call.await
    }

    async fn secret(&self, owner: &str, name: &str) -> Result<Option<SecretRow>, StoreError> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let call = self.reader.call(move |db| {
            let newest = "SELECT id, owner, name, sealed, created_ms FROM secrets
                          WHERE owner = ?1 AND name = ?2 ORDER BY created_ms DESC LIMIT 1";
            let mut newest = db.prepare_cached(newest)?;
            Ok(newest.query_row([&owner, &name], secret_row).optional()?)
        });
        call.await
    }

    async fn put_agent(
        &self,
        agent: AgentRow,
        expected: Expected,
        now_ms: i64,
    ) -> Result<Changed, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            let last: Option<(u32, bool)> = db
                .prepare_cached(
                    "SELECT version, spec IS NOT NULL FROM agents WHERE name = ?1
                     ORDER BY version DESC LIMIT 1",
                )?
                .query_row([&agent.name], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let there = last.and_then(|(version, is_there)| is_there.then_some(version));
            if let Err(changed) = expected.meets(there) {
                return Ok(changed);
            }
            // A name that is used again goes on counting: the record names versions.
            let version = last.map_or(1, |(version, _)| version + 1);
            let sealed = agent.sealed.as_ref().map(|sealed| &sealed.0);
            db.prepare_cached(
                "INSERT INTO agents (name, version, spec, sealed, restores, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                agent.name,
                version,
                agent.spec,
                sealed,
                agent.restores,
                now_ms
            ])?;
            grow(db)?;
            Ok(Changed::Now(version))
        });
        call.await
    }

    async fn agent_versions(&self, name: &str) -> Result<Vec<AgentRow>, StoreError> {
        let name = name.to_owned();
        let call = self.reader.call(move |db| {
            let mut versions =
                db.prepare_cached(&format!("{AGENTS} WHERE name = ?1 ORDER BY version DESC"))?;
            Ok(versions.query_map([&name], agent_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn seal_check(&self) -> Result<Option<Sealed>, StoreError> {
        self.reader.call(|db| Ok(seal_check(db)?)).await
    }

    async fn keep_seal_check(&self, check: Sealed) -> Result<Sealed, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            if let Some(kept) = seal_check(db)? {
                return Ok(kept);
            }
            set_seal_check(db, &check)?;
            Ok(check.clone())
        });
        call.await
    }

    async fn reseal(&self, check: Sealed, reseal: Reseal) -> Result<usize, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            let anew = |place: &str, sealed: &Sealed| {
                let lost = || format!("{place} does not open with the key in use").into();
                reseal(place, sealed).ok_or_else(|| StoreError::Backend(lost()))
            };
            let secrets: Vec<SecretRow> = secrets(db)?;
            for secret in &secrets {
                let sealed = anew(&secret.place(), &secret.sealed)?;
                db.prepare_cached("UPDATE secrets SET sealed = ?2 WHERE id = ?1")?
                    .execute(params![secret.id, sealed.0])?;
            }
            let agents: Vec<AgentRow> = db
                .prepare_cached(&format!("{AGENTS} WHERE sealed IS NOT NULL"))?
                .query_map(params![], agent_row)?
                .collect::<Result<_, _>>()?;
            for agent in &agents {
                let Some(sealed) = &agent.sealed else { continue };
                let sealed = anew(&AgentRow::place(&agent.name), sealed)?;
                db.prepare_cached(
                    "UPDATE agents SET sealed = ?3 WHERE name = ?1 AND version = ?2",
                )?
                .execute(params![agent.name, agent.version, sealed.0])?;
            }
            db.prepare_cached("DELETE FROM idempotency")?.execute(params![])?;
            set_seal_check(db, &check)?;
            grow(db)?;
            Ok(secrets.len() + agents.len())
        });
        call.await
    }
}

fn revision(db: &Db<'_>) -> DbResult<i64> {
    db.prepare_cached("SELECT number FROM revision")?.query_row(params![], |row| row.get(0))
}

/// Lets every node see that something changed.
pub(super) fn grow(db: &Db<'_>) -> DbResult<()> {
    db.prepare_cached("UPDATE revision SET number = number + 1")?.execute(params![]).map(drop)
}

fn rows(db: &Db<'_>) -> DbResult<DirectoryRows> {
    let numbers = db
        .prepare_cached(
            "SELECT id, spec, version, created_ms, changed_ms FROM numbers ORDER BY id",
        )?
        .query_map(params![], |row| {
            Ok(NumberRow {
                id: row.get(0)?,
                spec: row.get(1)?,
                version: row.get(2)?,
                created_ms: row.get(3)?,
                changed_ms: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let agents = db
        .prepare_cached(&format!("{AGENTS} {LATEST}"))?
        .query_map(params![], agent_row)?
        .collect::<Result<_, _>>()?;
    let (revision, secrets, sources) = (revision(db)?, secrets(db)?, all_sources(db)?);
    Ok(DirectoryRows { revision, numbers, agents, secrets, sources })
}

fn secrets(db: &Db<'_>) -> DbResult<Vec<SecretRow>> {
    db.prepare_cached(
        "SELECT id, owner, name, sealed, created_ms FROM secrets ORDER BY created_ms, id",
    )?
    .query_map(params![], secret_row)?
    .collect()
}

fn number_version(db: &Db<'_>, id: &str) -> DbResult<Option<u32>> {
    db.prepare_cached("SELECT version FROM numbers WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Makes a number newer by a version, if it has the one that is expected.
fn renew(db: &Db<'_>, id: &str, version: u32, now_ms: i64) -> Result<Changed, StoreError> {
    let next = match Expected::Version(version).meets(number_version(db, id)?) {
        Ok(next) => next,
        Err(changed) => return Ok(changed),
    };
    db.prepare_cached("UPDATE numbers SET version = ?2, changed_ms = ?3 WHERE id = ?1")?
        .execute(params![id, next, now_ms])?;
    grow(db)?;
    Ok(Changed::Now(next))
}

fn insert_secret(db: &Db<'_>, secret: &SecretRow) -> DbResult<()> {
    let SecretRow { id, owner, name, sealed, created_ms } = secret;
    db.prepare_cached(
        "INSERT INTO secrets (id, owner, name, sealed, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![id, owner, name, sealed.0, created_ms])
    .map(drop)
}

fn seal_check(db: &Db<'_>) -> DbResult<Option<Sealed>> {
    db.prepare_cached("SELECT sealed FROM vault")?
        .query_row(params![], |row| row.get(0).map(Sealed))
        .optional()
}

fn set_seal_check(db: &Db<'_>, check: &Sealed) -> DbResult<()> {
    db.prepare_cached(
        "INSERT INTO vault (id, sealed) VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed",
    )?
    .execute([&check.0])
    .map(drop)
}

fn secret_row(row: &DbRow<'_>) -> DbResult<SecretRow> {
    Ok(SecretRow {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        sealed: Sealed(row.get(3)?),
        created_ms: row.get(4)?,
    })
}

fn agent_row(row: &DbRow<'_>) -> DbResult<AgentRow> {
    Ok(AgentRow {
        name: row.get(0)?,
        version: row.get(1)?,
        spec: row.get(2)?,
        sealed: row.get::<Option<Vec<u8>>>(3)?.map(Sealed),
        restores: row.get(4)?,
        created_ms: row.get(5)?,
    })
}
