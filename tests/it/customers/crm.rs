//! A server of a business that says who has a phone number, for tests: shares no code with hark.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;

/// How the server answers.
#[derive(Clone, Debug)]
pub(crate) enum Answers {
    With(u16, &'static str, String),
    MovesTo(String),
    Never,
}

/// A server of the business.
#[derive(Clone)]
pub(crate) struct Crm {
    answers: Arc<Mutex<Answers>>,
    /// Whom it was asked about, and with which token.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    pub(crate) url: String,
}

impl Crm {
    pub(crate) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let crm = Self { answers: Arc::new(Mutex::new(answers)), asked: <_>::default(), url };
        let router = Router::new().route("/customers/{phone}", get(answer)).with_state(crm.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        crm
    }

    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn answers(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }
}

async fn answer(State(crm): State<Crm>, Path(phone): Path<String>, headers: HeaderMap) -> Response {
    let token = headers.get("authorization").map_or("", |token| token.to_str().unwrap());
    crm.asked.lock().unwrap().push((phone, token.to_owned()));
    let answers = crm.answers.lock().unwrap().clone();
    match answers {
        Answers::With(status, kind, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(header::CONTENT_TYPE, kind)], Body::from(body)).into_response()
        }
        Answers::MovesTo(url) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
        Answers::Never => std::future::pending().await,
    }
}

pub(crate) fn ann() -> Answers {
    let ann = r#"{"name": "Ann Lee", "language": "de", "plan": "gold", "open": [4711]}"#;
    Answers::With(200, "application/json", ann.to_owned())
}
