//! A shop's own server: answers, and every way in which one does not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::openai::serve;

/// One request as it came.
#[derive(Clone, Debug)]
pub(super) struct ShopAsked {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// `null` where there is none.
    pub(super) body: Value,
}

#[derive(Clone)]
pub(super) struct Shop {
    asked: Arc<Mutex<Vec<ShopAsked>>>,
    together: Arc<Barrier>,
    base: String,
}

impl Shop {
    pub(super) async fn start() -> Self {
        let (asked, together) = (Arc::default(), Arc::new(Barrier::new(2)));
        let shop = Self { asked, together, base: String::new() };
        let router = Router::new().fallback(answer).with_state(shop.clone());
        let base = serve(router).await.trim_end_matches("/v1").to_owned();
        Self { base, ..shop }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn asked(&self) -> Vec<ShopAsked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(shop): State<Shop>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().unwrap().to_string();
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let key = key.to_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    shop.asked.lock().unwrap().push(ShopAsked { method, path: path.clone(), headers, body });
    let typed = |kind: &'static str, body: String| ([("content-type", kind)], body).into_response();
    let kind = path.split('/').nth(1).unwrap_or_default();
    let last = path.split('/').nth(2).unwrap_or_default();
    match kind {
        "orders" => typed(
            "application/json; charset=utf-8",
            format!(
                " {{\"state\":\"sent\",\"id\":{}}}\n",
                json!(last.replace("%20", " ").replace("%2F", "/"))
            ),
        ),
        "together" => {
            shop.together.wait().await;
            typed("text/plain", format!("order {last}"))
        }
        "slow" => std::future::pending().await,
        "page" => typed("text/html", "<!doctype html><title>Log in</title>".to_owned()),
        "hidden-page" => typed("application/json", "<html><h1>Bad gateway</h1>".to_owned()),
        "absent" => {
            (StatusCode::NOT_FOUND, axum::Json(json!({ "error": "no order 7" }))).into_response()
        }
        "broken" => (StatusCode::INTERNAL_SERVER_ERROR, "stack trace").into_response(),
        "echo" => (StatusCode::FORBIDDEN, format!("wrong key {key}")).into_response(),
        "mirror" => typed("text/plain", format!("you sent {key}")),
        "big" => typed("application/json", format!("\"{}\"", "x".repeat(70_000))),
        "picture" => typed("image/png", "PNG".to_owned()),
        "cut" => typed("application/json", "{\"state\":".to_owned()),
        "empty" => StatusCode::NO_CONTENT.into_response(),
        "moved" => {
            (StatusCode::FOUND, [("location", "http://127.0.0.2:9/orders/7")]).into_response()
        }
        "near" => (StatusCode::FOUND, [("location", "/orders/8")]).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
