//! What was done by whom, as the API keeps and shows it.

use async_trait::async_trait;
use axum::http::StatusCode;

use super::record::{odd_cursor, page, uncursor};
use super::{Office, time};
use crate::http::api::{ApiRefusal, AuditApi, Caller, DeedQuery, DeedView, ListPart, limit};
use crate::store::{AuditLog as _, DeedRow, DeedSearch};

#[async_trait]
impl AuditApi for Office {
    async fn deeds(&self, query: DeedQuery) -> Result<ListPart<DeedView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let before = query.cursor.as_deref().map(uncursor).transpose()?;
        let before = before.map(|id| id.parse().map_err(|_| odd_cursor())).transpose()?;
        let search = DeedSearch { token: query.token, before, limit: limit + 1 };
        let rows = self.store.deeds(search).await?;
        Ok(page(rows, limit, |row| row.id.to_string(), deed_view))
    }

    async fn note(&self, caller: &Caller, deed: String, path: String, status: StatusCode) {
        let row = DeedRow {
            id: 0,
            at_ms: self.clock.now_ms(),
            token: caller.id.clone(),
            name: caller.name.clone(),
            role: caller.role,
            deed,
            path,
            status: status.as_u16(),
        };
        // It is done, or refused, whether it can be noted or not.
        if let Err(error) = self.store.note_deed(row).await {
            error.log("what a token did could not be noted");
        }
    }
}

fn deed_view(row: DeedRow) -> DeedView {
    let DeedRow { at_ms, token, name, role, deed, path, status, .. } = row;
    DeedView { at: time(at_ms), token, name, role, deed, path, status }
}
