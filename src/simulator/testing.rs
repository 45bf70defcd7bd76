//! Provides the tests of this folder with a simulator and a webhook receiver, over HTTP on port 0.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::clock::Clock;
use crate::provider::cloud::{CloudAccess, CloudClient, CloudSettings};
use crate::provider::door;
use crate::provider::payload::{self, Updates};
use crate::remote::http_client;
use crate::simulator::{FaultPlan, Simulator, SimulatorSettings};
use crate::turn::{ContactRef, MediaRef};

pub(super) const SECRET: &str = "app secret of the tests";
pub(super) const TOKEN: &str = "token-of-the-tests";
pub(super) const PHONE: &str = "4915550001";

/// Holds a simulator, a receiver of its webhooks and a messenger pointed at it.
pub(super) struct World {
    pub simulator: Simulator,
    pub messenger: CloudClient,
    pub api_url: Url,
    pub clock: Clock,
    pub webhooks: Listener,
    _running: DropGuard,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with settings that `change` may alter.
    pub(super) async fn start_with(change: impl FnOnce(&mut SimulatorSettings)) -> Self {
        Self::build(change, None).await
    }

    /// Starts with these faults of seed 1.
    pub(super) async fn start_faulty(plan: FaultPlan) -> Self {
        Self::build(|_| {}, Some(plan)).await
    }

    async fn build(change: impl FnOnce(&mut SimulatorSettings), faults: Option<FaultPlan>) -> Self {
        let webhooks = Listener::start(StatusCode::OK).await;
        let clock = Clock::manual(1_790_000_000_000);
        let mut settings = SimulatorSettings {
            webhook: webhooks.url.join("/webhook").unwrap(),
            app_secret: SECRET.into(),
            door: crate::simulator::Door::Meta,
            phone_number_id: "900".into(),
            access_token: Some(TOKEN.into()),
            public_url: None,
            clock: clock.clone(),
            id_seed: "s".to_owned(),
        };
        change(&mut settings);
        let simulator = match faults {
            Some(plan) => Simulator::with_faults(settings, http_client(), plan, 1),
            None => Simulator::new(settings, http_client()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let cancel = CancellationToken::new();
        let handle = simulator.clone();
        tokio::spawn(simulator.serve(listener, cancel.clone()));
        Self {
            simulator: handle,
            messenger: messenger(&api_url, |_| {}),
            api_url,
            clock,
            webhooks,
            _running: cancel.drop_guard(),
        }
    }

    /// Returns what the receiver got, with every signature checked.
    pub(super) async fn received(&self) -> Vec<Updates> {
        self.simulator.settled().await;
        let requests = self.webhooks.requests();
        let read = requests.iter().map(|(headers, body)| {
            let header = headers["x-hub-signature-256"].to_str().unwrap();
            assert!(door::verify(&SECRET.into(), body, header));
            payload::parse(body).unwrap()
        });
        read.collect()
    }
}

pub(super) fn meta(api_url: &Url, number: &str) -> CloudAccess {
    CloudAccess::Meta {
        api_url: api_url.clone(),
        api_version: "v25.0".to_owned(),
        phone_number_id: number.into(),
    }
}

pub(super) fn messenger(api_url: &Url, change: impl FnOnce(&mut CloudSettings)) -> CloudClient {
    let mut settings = CloudSettings {
        access: meta(api_url, "900"),
        access_token: TOKEN.into(),
        access_token_file: None,
        former_tokens: Vec::new(),
        media_hosts: vec!["lookaside.fbsbx.com".to_owned()],
        audio_bytes_limit: 10_000,
    };
    change(&mut settings);
    CloudClient::new(settings, http_client())
}

pub(super) fn phone(number: &str) -> ContactRef {
    ContactRef { user_id: None, phone: Some(number.into()), profile_name: None }
}

pub(super) fn media(id: &str, url: Option<&str>) -> MediaRef {
    let url = url.map(str::to_owned);
    MediaRef { id: id.into(), url, mime_type: None, sha256: None }
}

/// Keeps each request and always answers the same.
pub(super) struct Listener {
    pub url: Url,
    requests: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Listener {
    pub(super) async fn start(
        answer: impl axum::response::IntoResponse + Clone + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let handler = move |headers: HeaderMap, body: Bytes| {
            kept.lock().unwrap().push((headers, body));
            std::future::ready(answer.clone())
        };
        let url = serve(Router::new().fallback(any(handler))).await;
        Self { url, requests }
    }

    pub(super) fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.requests.lock().unwrap().clone()
    }
}

/// Serves a router until the test's runtime ends.
pub(super) async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Returns the first update of kind `key` in a raw webhook body.
pub(super) fn first<'a>(body: &'a Value, key: &str) -> &'a Value {
    &body["entry"][0]["changes"][0]["value"][key][0]
}

/// Makes a file that has the pages of an Opus stream, with noise for sound.
pub(super) fn test_note(channels: u8, ms: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.extend([channels, 0x38, 0x01, 0x80, 0xBB, 0, 0, 0, 0, 0]);
    let mut file = page(2, 0, &head);
    file.extend(page(0, 0, b"OpusTags\x04\0\0\0test\0\0\0\0"));
    file.extend(page(4, 312 + ms * 48, &[0x78; 200]));
    file
}

/// Makes one page with one packet.
pub(super) fn page(flags: u8, granule: u64, body: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend([0; 12]);
    page.extend([1, u8::try_from(body.len()).unwrap()]);
    page.extend(body);
    page
}
