//! The bridge to Chatwoot: a help desk that is somebody else's, on nothing but hark's events and commands.
//!
//! A process of its own beside a service, which it knows by HTTP alone. What hark tells comes by `follow`
//! and goes in by `inward`; what people write in Chatwoot comes by `hook` and goes out by `outward`.
//! Invariant: what has come is in the state file before it counts as taken, and goes from it when it is done,
//! in the order of its conversation; what may have been done already is looked for before it is done again.

mod desk;
mod error;
mod fetch;
mod follow;
mod hark;
mod hook;
mod inward;
mod links;
mod outward;
mod state;
mod stream;
mod words;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use self::desk::DeskClient;
pub use self::error::{BridgeError, Shore};
use self::hark::HarkClient;
use self::state::BridgeState;
use crate::http::Server;
use crate::store::vault::random;

/// Begins the name of a lane of hark's events; the conversation's id follows.
const LANE_OF_HARK: &str = "hark ";
/// Begins the name of a lane of what Chatwoot tells.
const LANE_OF_CHATWOOT: &str = "chatwoot ";
/// Conversations that are worked on at a time.
const AT_ONCE: usize = 16;
/// Connections to the callback at a time.
const CONNECTIONS: usize = 256;

/// Says what is bridged.
pub struct BridgeSettings {
    /// Where hark answers.
    pub hark: Url,
    /// A token of hark.
    pub hark_token: SecretString,
    /// The number whose conversations are bridged; all without it.
    pub number: Option<String>,
    /// Where Chatwoot answers.
    pub chatwoot: Url,
    /// The access token of an agent.
    pub chatwoot_token: SecretString,
    /// The account.
    pub account: u64,
    /// Its inbox, of the channel API.
    pub inbox: u64,
    /// Where Chatwoot keeps files, beside its own address.
    pub files: Vec<Url>,
    /// The secret part of the callback's path; made and kept in the state file without it.
    pub callback_key: Option<SecretString>,
    /// What the inbox signs webhooks with, if that is to be checked.
    pub signing_secret: Option<SecretString>,
    /// The state file.
    pub state: PathBuf,
}

/// A bridge that is open.
pub struct Bridge {
    hark: HarkClient,
    desk: DeskClient,
    state: BridgeState,
    /// What the state is of.
    place: String,
    files: Vec<Url>,
    /// In the path of the callback.
    key: SecretString,
    signing: Option<SecretString>,
    /// Tells that something has come.
    came: Notify,
    /// Places for work.
    places: Semaphore,
}

impl Bridge {
    /// Opens the state file.
    ///
    /// # Errors
    /// `State` if it cannot be used, or is of another inbox.
    pub async fn open(settings: BridgeSettings, client: Client) -> Result<Self, BridgeError> {
        let BridgeSettings { hark, hark_token, number, chatwoot, .. } = settings;
        let (account, inbox) = (settings.account, settings.inbox);
        let state = BridgeState::open(&settings.state)?;
        let place = format!("{chatwoot} account {account}, inbox {inbox}");
        if let Some(known) = state.known("place").await?.filter(|known| *known != place) {
            let problem = format!("it is of {known}: give each inbox a file of its own");
            return Err(BridgeError::State(problem));
        }
        let key = match settings.callback_key {
            Some(key) => key,
            None => state.setting("callback", hex::encode(random::<24>())).await?.into(),
        };
        let source = format!("/chatwoot/accounts/{account}/inboxes/{inbox}");
        let hark =
            HarkClient { client: client.clone(), base: hark, token: hark_token, source, number };
        let token = settings.chatwoot_token;
        let desk = DeskClient { client, base: chatwoot, token, account, inbox };
        let (came, places) = (Notify::new(), Semaphore::new(AT_ONCE));
        let (files, signing) = (settings.files, settings.signing_secret);
        Ok(Self { hark, desk, state, place, files, key, signing, came, places })
    }

    /// Returns the path that Chatwoot is to call. It holds a secret.
    pub fn callback_path(&self) -> String {
        format!("/chatwoot/{}", self.key.expose_secret())
    }

    /// Asks both sides whether they are what they should be. One that is away is waited for later.
    ///
    /// # Errors
    /// `Setup` with what to mend.
    pub async fn check(&self) -> Result<(), BridgeError> {
        let hark = async { self.hark.events(self.state.position().await?).await };
        match hark.await {
            Ok(_) => {}
            Err(error @ BridgeError::Away { .. }) => tracing::warn!("{error}; it is waited for"),
            Err(error) => return Err(error),
        }
        match self.desk.inbox().await {
            Ok(inbox) => {
                self.state.setting("place", self.place.clone()).await?;
                let calls = inbox["webhook_url"].as_str();
                if calls.is_some_and(|url| !url.ends_with(&self.callback_path())) {
                    tracing::warn!(
                        "the inbox has another webhook URL: nothing that is written in Chatwoot \
                         comes until it is the address that was printed"
                    );
                }
                Ok(())
            }
            Err(error @ BridgeError::Away { .. }) => {
                tracing::warn!("{error}; it is waited for");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Bridges until `stop`. What is being done then is done at the next start.
    pub async fn run(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let server =
            Server { listener, router: hook::router(Arc::clone(&self)), connections: CONNECTIONS };
        let serving = server.serve(stop.clone());
        let working = async {
            tokio::select! {
                () = follow::follow(&self) => {}
                () = work::work(Arc::clone(&self)) => {}
                () = stop.cancelled() => {}
            }
        };
        tokio::join!(serving, working);
    }
}
