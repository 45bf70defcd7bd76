//! A fake WhatsApp, shipped: the Graph API hark calls, and the webhooks Meta would send.
//!
//! `hark demo`, `hark simulate` and the tests talk to it over real HTTP, as to Meta.
//! Invariant: it is as strict as Meta where Meta's strictness has caused trouble (types, names and
//! channels of voice notes, identities, tokens), and every queue and store in it has a limit.

mod control;
mod d360;
mod faults;
mod graph;
mod handle;
mod info;
mod media;
mod messages;
mod rich;
mod rules;
mod said;
mod state;
#[cfg(test)]
mod testing;
mod voice_check;
mod webhook;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::clock::Clock;
use crate::turn::PhoneNumberId;

pub use control::mime_type_of;
pub use d360::{Door, WebhookTarget};
pub use faults::{FaultKind, FaultPlan};
pub use handle::{PersonMessage, PersonSays};
pub use state::{Call, CallKind, ConversationMessage, Direction, MessageMedia, MessageStatus};
pub use webhook::GivenUp;

/// Holds what a simulator needs to know.
#[derive(Clone, Debug)]
pub struct SimulatorSettings {
    /// Address of hark's webhook.
    pub webhook: Url,
    /// Secret that webhooks are signed with.
    pub app_secret: SecretString,
    /// Whose API it speaks.
    pub door: Door,
    /// The business number it simulates.
    pub phone_number_id: PhoneNumberId,
    /// The only token it accepts; `None` accepts any, but a request without one is refused.
    pub access_token: Option<SecretString>,
    /// Base of media addresses; `None` is the address it listens on.
    pub public_url: Option<Url>,
    /// Source of its times.
    pub clock: Clock,
    /// Part of every id, so that ids of two runs never collide.
    pub id_seed: String,
}

/// Simulates WhatsApp with one business number; its clones are the same simulator.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Inner>,
}

impl Simulator {
    /// Makes a simulator and starts the two tasks that post its webhooks; they end with the last
    /// clone of it. Must be called within a tokio runtime.
    #[must_use]
    pub fn new(settings: SimulatorSettings, client: reqwest::Client) -> Self {
        Self::build(settings, client, None)
    }

    /// Makes one as [`Self::new`] that has faults: the same seed has the same ones.
    #[must_use]
    pub fn with_faults(
        settings: SimulatorSettings,
        client: reqwest::Client,
        plan: FaultPlan,
        seed: u64,
    ) -> Self {
        Self::build(settings, client, Some(faults::FaultDice::new(plan, seed)))
    }

    fn build(
        settings: SimulatorSettings,
        client: reqwest::Client,
        faults: Option<faults::FaultDice>,
    ) -> Self {
        let courier = webhook::Courier {
            client,
            target: Arc::new(Mutex::new(WebhookTarget {
                url: settings.webhook.clone(),
                headers: Vec::new(),
            })),
            door: settings.door,
            app_secret: settings.app_secret.clone(),
        };
        let pending = watch::Sender::new(0);
        let shared = Inner {
            inbound: webhook::Outbox::open(courier.clone(), pending.clone()),
            statuses: webhook::Outbox::open(courier.clone(), pending.clone()),
            courier,
            pending,
            settings,
            origin: OnceLock::new(),
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            faults,
            held: Arc::new(Semaphore::new(faults::HELD)),
            gathering: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Builds the routes of the Graph API and the control API.
    pub fn router(&self) -> Router {
        let api = match self.shared.settings.door {
            Door::Meta => graph::router(Arc::clone(&self.shared)),
            Door::D360 => d360::router(Arc::clone(&self.shared)),
        };
        api.merge(control::router(self.clone()))
    }

    /// Serves until `cancel`, then finishes open requests. From this call on, even before the
    /// future is polled, media addresses point to `listener` unless `public_url` says otherwise.
    ///
    /// # Errors
    /// If the listener fails.
    pub fn serve(
        self,
        listener: TcpListener,
        cancel: CancellationToken,
    ) -> impl Future<Output = std::io::Result<()>> + Send {
        let origin = listener.local_addr().map(origin_of);
        if let Ok(Some(origin)) = origin {
            self.shared.origin.get_or_init(|| origin);
        }
        async move {
            axum::serve(listener, self.router())
                .with_graceful_shutdown(async move { cancel.cancelled().await })
                .await
        }
    }
}

/// Returns the address at which a client on this machine reaches a listener.
fn origin_of(mut address: SocketAddr) -> Option<Url> {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    Url::parse(&format!("http://{address}")).ok()
}

/// Holds what the handlers share.
struct Inner {
    settings: SimulatorSettings,
    /// Address it listens on, once it does.
    origin: OnceLock<Url>,
    state: Mutex<state::SimulatorState>,
    /// Counts changes of `state`, for everyone who waits for one.
    changes: watch::Sender<u64>,
    /// Webhooks that are queued and not answered yet.
    pending: watch::Sender<usize>,
    /// Two queues, so that a backlog of statuses does not delay what people say.
    inbound: webhook::Outbox,
    statuses: webhook::Outbox,
    /// Posts what waits for no other.
    courier: webhook::Courier,
    /// What is to go wrong; `None` for nothing.
    faults: Option<faults::FaultDice>,
    /// Webhooks that may be held back.
    held: Arc<Semaphore>,
    /// What becomes one webhook.
    gathering: Mutex<faults::WebhookBatch>,
}

impl Inner {
    /// Locks the state, only for a look or a change.
    fn state(&self) -> MutexGuard<'_, state::SimulatorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn now_ms(&self) -> i64 {
        self.settings.clock.now_ms()
    }

    /// Makes an id from the seed and a running number.
    fn new_id(&self, prefix: &str) -> String {
        let number = self.state().next_number();
        format!("{prefix}{}.{number}", self.settings.id_seed)
    }

    /// Returns the base of media addresses, if it is known yet.
    fn media_base(&self) -> Option<&Url> {
        if self.settings.door == Door::D360 {
            return Some(d360::file_host());
        }
        self.settings.public_url.as_ref().or_else(|| self.origin.get())
    }
}

#[cfg(test)]
mod tests;
