//! Measures a webhook from the socket to the disk: `webhook/<what>/<messages in it>`.
//!
//! `signed_text` is one request over a kept connection on loopback, through the real router, and is
//! answered when SQLite has synced it: the disk decides. Throughput at a given rate is what
//! `webhook_load` measures.

use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hark::clock::Clock;
use hark::config;
use hark::http::{HealthState, WebhookState, router};
use hark::provider::{door, payload};
use hark::queue::RunningTurns;
use hark::queue::Wake;
use hark::queue::inbox::{EmbeddedInbox, Inbox};
use hark::registry::Registry;
use hark::remote::http_client;
use hark::store::{Access, SqlStore};
use hark::telemetry;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const NUMBER: &str = "106540352242922";

/// Makes a text message as Meta posts it, with its signature.
fn signed_text(secret: &SecretString, id: u64) -> (Vec<u8>, String) {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER },
            "contacts": [{ "profile": { "name": "Ann" }, "wa_id": "16505551234" }],
            "messages": [{
                "from": "16505551234", "id": format!("wamid.bench.{id}"),
                "timestamp": (Clock::System.now_ms() / 1000).to_string(),
                "type": "text", "text": { "body": "Does it come in another color?" },
            }],
        } }] }],
    });
    let body = serde_json::to_vec(&body).expect("JSON is written");
    let signature = door::sign(secret, &body);
    (body, signature)
}

fn webhook(criterion: &mut Criterion) {
    let secret = SecretString::from("app secret of the bench");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = runtime.block_on(serve(folder.path(), &secret));
    let client = http_client();
    let mut id = 0;
    let mut group = criterion.benchmark_group("webhook/signed_text");
    group.bench_function("1", |bencher| {
        bencher.to_async(&runtime).iter_batched(
            || {
                id += 1;
                let (body, signature) = signed_text(&secret, id);
                client.post(&url).header("x-hub-signature-256", signature).body(body)
            },
            |request| async {
                let response = request.send().await.expect("it is answered");
                assert_eq!(response.status(), 200);
                response.bytes().await.expect("it is answered")
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();

    let (body, signature) = signed_text(&secret, 0);
    let mut group = criterion.benchmark_group("webhook/verify_parse");
    group.bench_function("1", |bencher| {
        bencher.iter(|| {
            assert!(door::verify(&secret, &body, &signature));
            payload::parse(&body).expect("it is JSON")
        });
    });
    group.finish();
}

/// Serves the webhook on a store in `folder`; no lane runs, so no message is answered.
async fn serve(folder: &std::path::Path, secret: &SecretString) -> String {
    let file = folder.join("hark.toml");
    let toml = format!(
        "[[numbers]]\nphone_number_id = \"{NUMBER}\"\naccess_token = \"t\"\napp_secret = \"{}\"\n",
        secret.expose_secret()
    );
    std::fs::write(&file, toml).expect("it can be written to");
    let config = config::load(Some(&file), &BTreeMap::new()).expect("the file is right");
    let registry = Arc::new(Registry::new(config.snapshot()));
    let store = SqlStore::open(folder.join("hark.db"), Access::Serve);
    let store = Arc::new(store.expect("a new store opens"));
    let inbox = EmbeddedInbox::new(
        store,
        Clock::System,
        registry.clone(),
        Wake::default(),
        RunningTurns::default(),
    );
    let inbox: Arc<dyn Inbox> = Arc::new(inbox);
    let (metrics, stopping) = (telemetry::init_metrics(), CancellationToken::new());
    let health = HealthState::new(inbox.clone(), metrics, stopping);
    let webhook = WebhookState::new(inbox, registry).expect("threads start");
    let router = router(webhook, health.into());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/webhook")
}

criterion_group!(benches, webhook);
criterion_main!(benches);
