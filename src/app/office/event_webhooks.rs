//! Webhooks of events, as the API asks of them, and their secrets.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Office, changed, new_id, time};
use crate::app::keyring::{Keyring, LockedError};
use crate::events::cloud_event;
use crate::events::hooks::HookSecrets;
use crate::events::post::SECRET_PREFIX;
use crate::http::api::{
    ApiRefusal, DeadEventView, EventWebhookInput, EventWebhookView, EventWebhooksApi, ReplayView,
};
use crate::remote::is_web_address;
use crate::store::SqlStore;
use crate::store::vault::random;
use crate::store::{
    Directory as _, EventHookRow, EventHooks as _, EventLog as _, Sealed, SecretRow,
};

const WEBHOOK: &str = "webhook of this id";
/// The name of a webhook's secret among those of the store.
const SECRET: &str = "signing_secret";
/// Bytes that a secret may have, as Standard Webhooks says.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Most webhooks: each is told of every event.
const MOST: usize = 50;
/// Most types that one asks for, and longest of them.
const TYPES: usize = 100;
/// Longest address.
const URL_CHARS: usize = 2_000;
/// Events that were given up and are listed.
const LISTED: usize = 500;

#[async_trait]
impl EventWebhooksApi for Office {
    async fn event_webhooks(&self) -> Result<Vec<EventWebhookView>, ApiRefusal> {
        let rows = self.store.event_hooks().await?;
        Ok(rows.into_iter().map(|row| view(row, None)).collect())
    }

    async fn event_webhook(&self, id: &str) -> Result<EventWebhookView, ApiRefusal> {
        let all = EventWebhooksApi::event_webhooks(self).await?;
        all.into_iter().find(|hook| hook.id == id).ok_or_else(unknown)
    }

    async fn put_event_webhook(
        &self,
        id: Option<(&str, u32)>,
        input: EventWebhookInput,
    ) -> Result<EventWebhookView, ApiRefusal> {
        check(&input)?;
        let EventWebhookInput { url, types, number, active, secret } = input;
        let now_ms = self.clock.now_ms();
        let new = id.is_none();
        if new && self.store.event_hooks().await?.len() >= MOST {
            return Err(ApiRefusal::Conflict(format!("there are {MOST} already: remove one")));
        }
        let (id, version) = match id {
            Some((id, version)) => (id.to_owned(), version),
            None => (new_id(now_ms), 0),
        };
        let made = new && secret.is_none();
        let secret = secret.or_else(|| new.then(new_secret));
        let delivered = if new { self.store.newest_event().await? } else { 0 };
        let row = EventHookRow {
            id: id.clone(),
            url,
            types,
            number,
            active,
            delivered,
            error: None,
            failed_ms: None,
            dead: 0,
            version,
            created_ms: now_ms,
        };
        if !new {
            // Before its secret is changed.
            let now = EventWebhooksApi::event_webhook(self, &id).await?.version;
            if now != version {
                return Err(ApiRefusal::Stale { now });
            }
        }
        if let Some(secret) = &secret {
            self.keep_signing_secret(&id, secret).await?;
        }
        let put = changed(WEBHOOK, self.store.put_event_hook(row, now_ms).await?)?;
        Ok(view(put, secret.filter(|_| made)))
    }

    async fn remove_event_webhook(&self, id: &str) -> Result<(), ApiRefusal> {
        if self.store.remove_event_hook(id).await? { Ok(()) } else { Err(unknown()) }
    }

    async fn dead_events(&self, id: &str) -> Result<Vec<DeadEventView>, ApiRefusal> {
        EventWebhooksApi::event_webhook(self, id).await?;
        let rows = self.store.dead_events(id, false, LISTED).await?;
        let dead = rows.into_iter().map(|row| DeadEventView {
            event: cloud_event(&row.event),
            error: row.error,
            at: time(row.at_ms),
        });
        Ok(dead.collect())
    }

    async fn replay_events(&self, id: &str) -> Result<ReplayView, ApiRefusal> {
        EventWebhooksApi::event_webhook(self, id).await?;
        let events = self.store.replay_dead(id).await?;
        Ok(ReplayView { events: events as u64 })
    }
}

impl Office {
    /// Keeps the secret of a webhook, in the place of the one that it has.
    async fn keep_signing_secret(&self, hook: &str, secret: &str) -> Result<(), ApiRefusal> {
        let vault = self.keyring.open_or_make(self.store.as_ref()).await?;
        let now_ms = self.clock.now_ms();
        let mut row = SecretRow {
            id: new_id(now_ms),
            owner: EventHookRow::owner(hook),
            name: SECRET.to_owned(),
            sealed: Sealed(Vec::new()),
            created_ms: now_ms,
        };
        row.sealed = vault.seal(&row.place(), secret.as_bytes());
        Ok(self.store.set_secret(row).await?)
    }
}

/// Opens the secrets of webhooks, for whoever tells events.
pub(in crate::app) struct SigningSecrets {
    pub(in crate::app) store: Arc<SqlStore>,
    pub(in crate::app) keyring: Arc<Keyring>,
}

#[async_trait]
impl HookSecrets for SigningSecrets {
    async fn secret(&self, hook: &str) -> Option<SecretString> {
        let opened = async {
            let vault = self.keyring.open(self.store.as_ref()).await?;
            let row = self.store.secret(&EventHookRow::owner(hook), SECRET).await?;
            let open = |row: SecretRow| vault?.open_text(&row.place(), &row.sealed);
            Ok::<_, LockedError>(row.and_then(open))
        };
        opened.await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "the secret of a webhook cannot be opened");
            None
        })
    }
}

fn unknown() -> ApiRefusal {
    ApiRefusal::NotFound(WEBHOOK.to_owned())
}

fn new_secret() -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(random::<32>()))
}

fn check(input: &EventWebhookInput) -> Result<(), ApiRefusal> {
    if !is_web_address(&input.url) || input.url.chars().count() > URL_CHARS {
        return Err(ApiRefusal::invalid("url", "must be an http or https address"));
    }
    let long = input.types.iter().any(|name| name.is_empty() || name.len() > TYPES);
    if input.types.len() > TYPES || long {
        return Err(ApiRefusal::invalid("types", "must be names of events"));
    }
    let Some(secret) = &input.secret else { return Ok(()) };
    let secret = SecretString::from(secret.as_str());
    let key = secret.expose_secret().strip_prefix(SECRET_PREFIX);
    let key = key.and_then(|key| BASE64_STANDARD.decode(key).ok());
    if key.is_some_and(|key| SECRET_BYTES.contains(&key.len())) {
        return Ok(());
    }
    let problem = format!("must be {SECRET_PREFIX} and 24 to 64 bytes in Base64");
    Err(ApiRefusal::invalid("secret", problem))
}

fn view(row: EventHookRow, secret: Option<String>) -> EventWebhookView {
    EventWebhookView {
        id: row.id,
        url: row.url,
        types: row.types,
        number: row.number,
        active: row.active,
        delivered: row.delivered.to_string(),
        error: row.error,
        failing_since: row.failed_ms.map(time),
        dead: row.dead,
        created_at: time(row.created_ms),
        version: row.version,
        secret,
    }
}
