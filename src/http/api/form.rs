//! Forms with files, read as they come.
//!
//! Invariant: of what is sent no more than the limit is held, of two requests at a time, and who announces
//! more is refused before it is read.

use std::time::Duration;

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::problem::ApiRefusal;
use crate::knowledge::MAX_BYTES;

/// Most bytes of a form: two of the largest files.
const FORM_LIMIT: usize = 2 * MAX_BYTES;
/// Requests whose files are held at a time.
const UPLOADS: usize = 2;
/// Limits how long a form may take to come.
const UPLOAD_TIME: Duration = Duration::from_secs(100);

/// Makes the places for requests whose files are held.
pub fn uploads() -> Semaphore {
    Semaphore::new(UPLOADS)
}

/// A part of a form.
pub(super) struct FormPart {
    /// Its name in the form.
    pub(super) name: String,
    /// The name of the file, if it is one.
    pub(super) file: Option<String>,
    /// What is in it.
    pub(super) contents: Vec<u8>,
}

/// Returns whether a request sends a form.
pub(super) fn is_form(request: &Request) -> bool {
    kind_of(request) == "multipart/form-data"
}

/// Reads the parts of a form, and what tells the request from another.
pub(super) async fn parts(request: Request) -> Result<(Vec<FormPart>, String), ApiRefusal> {
    let read = tokio::time::timeout(UPLOAD_TIME, all_parts(request)).await;
    read.map_err(|_late| ApiRefusal::TooSlow)?
}

async fn all_parts(request: Request) -> Result<(Vec<FormPart>, String), ApiRefusal> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > FORM_LIMIT as u64) {
        return Err(ApiRefusal::TooLarge(FORM_LIMIT));
    }
    let mut digest = Sha256::new().chain_update("POST\0").chain_update(request.uri().path());
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_odd| ApiRefusal::MediaType("multipart/form-data"))?;
    let cut = |error: MultipartError| {
        ApiRefusal::Malformed(format!("the form cannot be read: {}", error.body_text()))
    };
    let (mut parts, mut bytes) = (Vec::new(), 0);
    while let Some(mut field) = form.next_field().await.map_err(cut)? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let mut contents = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(cut)? {
            bytes += piece.len();
            if bytes > FORM_LIMIT {
                return Err(ApiRefusal::TooLarge(FORM_LIMIT));
            }
            contents.extend_from_slice(&piece);
        }
        for name in [&name, file.as_deref().unwrap_or_default()] {
            digest.update([0]);
            digest.update(name);
        }
        digest.update([0]);
        digest.update(Sha256::digest(&contents));
        parts.push(FormPart { name, file, contents });
    }
    Ok((parts, hex::encode(digest.finalize())))
}

/// Reads the one table that a request is about, as its body or in a form, and what tells the request
/// from another.
pub(super) async fn table_file(request: Request) -> Result<(Vec<u8>, String), ApiRefusal> {
    let (contents, digest) = if is_form(&request) {
        let (mut parts, digest) = parts(request).await?;
        match (parts.pop(), parts.is_empty()) {
            (Some(part), true) => (part.contents, digest),
            _ => return Err(ApiRefusal::invalid("", "send one file, and nothing beside it")),
        }
    } else if kind_of(&request).starts_with("text/") {
        let read = tokio::time::timeout(UPLOAD_TIME, body(request)).await;
        read.map_err(|_late| ApiRefusal::TooSlow)??
    } else {
        return Err(ApiRefusal::MediaType("text/csv"));
    };
    if contents.len() > MAX_BYTES {
        return Err(ApiRefusal::TooLarge(MAX_BYTES));
    }
    Ok((contents, digest))
}

async fn body(request: Request) -> Result<(Vec<u8>, String), ApiRefusal> {
    let digest = Sha256::new().chain_update("POST\0").chain_update(request.uri().path());
    let mut contents = Vec::new();
    let mut body = request.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        let cut = |_cut| ApiRefusal::Malformed("the body was cut off".to_owned());
        contents.extend_from_slice(&piece.map_err(cut)?);
        if contents.len() > MAX_BYTES {
            return Err(ApiRefusal::TooLarge(MAX_BYTES));
        }
    }
    let digest = hex::encode(digest.chain_update([0]).chain_update(&contents).finalize());
    Ok((contents, digest))
}

/// Returns the type of a request's body, without its parameters.
fn kind_of(request: &Request) -> String {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}
