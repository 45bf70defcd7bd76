//! A Graph API that takes every message at once and remembers whom it was for: the simulator would be
//! the slowest part.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The server; its clones are the same.
#[derive(Clone)]
pub(crate) struct TakingGraph {
    pub(crate) url: String,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By person: the places of the messages that were answered, as their ids end.
    answered: Mutex<HashMap<String, Vec<usize>>>,
    count: AtomicUsize,
    news: Notify,
}

impl TakingGraph {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let graph = Self { url, kept: Arc::default() };
        let router = Router::new().fallback(answer).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(graph)
    }

    /// Returns how many answers it took.
    pub(crate) fn count(&self) -> usize {
        self.kept.count.load(Ordering::Relaxed)
    }

    /// Waits until it took so many.
    pub(crate) async fn taken(&self, count: usize) {
        while self.count() < count {
            self.kept.news.notified().await;
        }
    }

    /// Returns how many people were answered, and how many of them not each message once and in order.
    pub(crate) fn lanes(&self, each: usize) -> (usize, usize) {
        let answered = self.kept.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = |places: &&Vec<usize>| !places.iter().copied().eq(0..each);
        (answered.len(), answered.values().filter(wrong).count())
    }
}

async fn answer(State(graph): State<TakingGraph>, Json(body): Json<Value>) -> Json<Value> {
    if body["status"] == "read" {
        return Json(json!({ "success": true }));
    }
    let to = body["to"].as_str().unwrap_or_default().to_owned();
    let answers = body["context"]["message_id"].as_str().unwrap_or_default();
    let place = answers.rsplit('.').next().and_then(|place| place.parse().ok());
    let kept = &graph.kept;
    let mut answered = kept.answered.lock().unwrap_or_else(PoisonError::into_inner);
    answered.entry(to.clone()).or_default().push(place.unwrap_or(usize::MAX));
    drop(answered);
    let count = kept.count.fetch_add(1, Ordering::Relaxed);
    kept.news.notify_one();
    Json(json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": to, "wa_id": to }],
        "messages": [{ "id": format!("wamid.out.{count}") }],
    }))
}
