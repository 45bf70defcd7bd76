//! Access to the API on the `tokens` and `idempotency` tables.

use super::db::{DbResult, DbRow, OptionalRow as _, params};
use async_trait::async_trait;

use super::SqlStore;
use super::json::from_word;
use crate::store::{Claim, ClaimTimes, Sealed, StoreError, TokenRow, Tokens};

const TOKENS: &str =
    "SELECT id, name, role, hash, created_ms, last_used_ms, revoked_ms FROM tokens";

#[async_trait]
impl Tokens for SqlStore {
    async fn add_token(&self, token: TokenRow) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            let TokenRow { id, name, role, hash, created_ms, .. } = &token;
            db.prepare_cached(
                "INSERT INTO tokens (id, name, role, hash, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, name, role.name(), hash, created_ms])?;
            Ok(())
        });
        call.await
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let call = self.reader.call(|db| {
            let mut tokens = db.prepare_cached(&format!("{TOKENS} ORDER BY created_ms, id"))?;
            Ok(tokens.query_map(params![], token_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        let id = id.to_owned();
        let call = self.reader.call(move |db| {
            let mut token = db.prepare_cached(&format!("{TOKENS} WHERE id = ?1"))?;
            Ok(token.query_row([&id], token_row).optional()?)
        });
        call.await
    }

    async fn token_used(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let id = id.to_owned();
        let call = self.writer.call(move |db| {
            db.prepare_cached("UPDATE tokens SET last_used_ms = ?2 WHERE id = ?1")?
                .execute(params![id, now_ms])?;
            Ok(())
        });
        call.await
    }

    async fn revoke_token(&self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let id = id.to_owned();
        let call = self.writer.call(move |db| {
            let revoked = db
                .prepare_cached(
                    "UPDATE tokens SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL",
                )?
                .execute(params![id, now_ms])?;
            Ok(revoked > 0)
        });
        call.await
    }

    async fn claim(
        &self,
        principal: &str,
        key: &str,
        request: &str,
        times: ClaimTimes,
    ) -> Result<Claim, StoreError> {
        let (principal, key, request) = (principal.to_owned(), key.to_owned(), request.to_owned());
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "DELETE FROM idempotency
                 WHERE created_ms < ?1 OR (sealed IS NULL AND created_ms < ?2)",
            )?
            .execute([times.since_ms, times.stuck_ms])?;
            let known: Option<(String, Option<Vec<u8>>)> = db
                .prepare_cached(
                    "SELECT request, sealed FROM idempotency WHERE principal = ?1 AND key = ?2",
                )?
                .query_row([&principal, &key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(match known {
                Some((known, _)) if known != request => Claim::OtherRequest,
                Some((_, Some(answer))) => Claim::Answered(Sealed(answer)),
                Some((_, None)) => Claim::Running,
                None => {
                    db.prepare_cached(
                        "INSERT INTO idempotency (principal, key, request, created_ms)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        principal,
                        key,
                        request,
                        times.now_ms
                    ])?;
                    Claim::Mine
                }
            })
        });
        call.await
    }

    async fn settle_claim(
        &self,
        principal: &str,
        key: &str,
        answer: Option<Sealed>,
    ) -> Result<(), StoreError> {
        let (principal, key) = (principal.to_owned(), key.to_owned());
        let call = self.writer.call(move |db| {
            match &answer {
                Some(answer) => db
                    .prepare_cached(
                        "UPDATE idempotency SET sealed = ?3 WHERE principal = ?1 AND key = ?2",
                    )?
                    .execute(params![principal, key, answer.0])?,
                None => db
                    .prepare_cached("DELETE FROM idempotency WHERE principal = ?1 AND key = ?2")?
                    .execute([&principal, &key])?,
            };
            Ok(())
        });
        call.await
    }
}

fn token_row(row: &DbRow<'_>) -> DbResult<TokenRow> {
    Ok(TokenRow {
        id: row.get(0)?,
        name: row.get(1)?,
        role: from_word(&row.get::<String>(2)?)?,
        hash: row.get(3)?,
        created_ms: row.get(4)?,
        last_used_ms: row.get(5)?,
        revoked_ms: row.get(6)?,
    })
}
