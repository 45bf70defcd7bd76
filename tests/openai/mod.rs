//! A server that speaks `OpenAI`'s API, for tests and for trying hark without an account.
//!
//! Shares no code with hark. The tests take this folder in as a module; `main.rs` runs it as
//! `cargo run --example openai_server`. Each part of the API stands in a file of its own.

pub(crate) mod chat;
pub(crate) mod ears;
pub(crate) mod embeddings;
pub(crate) mod speech;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

/// Everything the server answers: each half of the API is merged in here.
pub(crate) fn router(chat: chat::Chat) -> Router {
    Router::new().merge(chat::router(chat)).merge(embeddings::router(<_>::default()))
}

/// Serves a router on a port of its own, for as long as the runtime lives.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v1")
}
