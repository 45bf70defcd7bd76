//! Serves media of the fake Graph API: upload, look-up, download, deletion.
//!
//! Invariant: whatever Meta accepts at upload and rejects later is accepted here too; the failure
//! comes as a status.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::Inner;
use super::rules::{self, GraphError, Head};
use super::state::{CallKind, StoredMedia};
use super::voice_check;
use crate::turn::MediaId;

/// Holds the file of an upload form.
struct FilePart {
    name: String,
    mime_type: String,
    bytes: Bytes,
}

/// Handles `POST /{version}/{number}/media`.
pub(super) async fn upload(
    State(shared): State<Arc<Inner>>,
    Path((version, number)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, GraphError> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let head = Head { method: &method, headers: &headers };
    let form = read_form(request).await;
    let body = match &form {
        Ok((file, fields)) => json!({
            "fields": fields,
            "file_name": file.name,
            "mime_type": file.mime_type,
            "bytes": file.bytes.len(),
        }),
        Err(_) => Value::Null,
    };
    shared.admit(CallKind::MediaUpload, &head, body)?;
    shared.check_path(&method, &version, Some(&number))?;
    let (file, fields) = form?;
    if fields["messaging_product"] != "whatsapp" {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    rules::check_upload_type(&file.mime_type)?;
    let about = match &shared.faults {
        Some(_) => format!("upload/{}", hex::encode(&Sha256::digest(&file.bytes)[..8])),
        None => String::new(),
    };
    shared.disturb_call(&about)?;
    let id = shared.store_media(file.bytes, file.mime_type, &file.name, about);
    Ok(Json(json!({ "id": id })))
}

/// Reads the file and the text fields of a form, whatever their order.
async fn read_form(request: Request) -> Result<(FilePart, Value), GraphError> {
    let broken = |_| GraphError::parameter("The body is not a readable multipart form.");
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| GraphError::parameter("The body is not a multipart form."))?;
    let (mut file, mut fields) = (None, json!({}));
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            file = Some(FilePart {
                name: field.file_name().unwrap_or_default().to_owned(),
                mime_type: field.content_type().unwrap_or_default().to_owned(),
                bytes: field.bytes().await.map_err(broken)?,
            });
        } else {
            fields[name] = field.text().await.map_err(broken)?.into();
        }
    }
    let file = file.ok_or_else(|| GraphError::parameter("The parameter file is required."))?;
    Ok((file, fields))
}

#[derive(Deserialize)]
pub(super) struct LookUp {
    phone_number_id: Option<String>,
}

/// Handles `GET /{version}/{media}`.
pub(super) fn look_up(
    shared: &Inner,
    version: &str,
    id: &str,
    query: &LookUp,
    headers: &HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::GET, headers };
    shared.admit(CallKind::MediaLookup, &head, json!({ "id": id }))?;
    shared.check_path(&Method::GET, version, query.phone_number_id.as_deref())?;
    let base = shared.media_base().cloned().or_else(|| base_of(headers));
    let media = shared.state().media(id).cloned();
    let (Some(media), Some(base)) = (media, base) else {
        return Err(GraphError::no_object(&Method::GET, id));
    };
    shared.disturb_call(&media.about)?;
    Ok(Json(json!({
        "messaging_product": "whatsapp",
        "url": shared.link(&media.id, &base),
        "mime_type": media.mime_type,
        "sha256": hex::encode(Sha256::digest(&media.bytes)),
        "file_size": media.bytes.len(),
        "id": media.id,
    })))
}

/// Returns the address the client used, for a simulator that does not know its own.
fn base_of(headers: &HeaderMap) -> Option<Url> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Url::parse(&format!("http://{host}")).ok()
}

/// Handles `GET /sim/media/{token}`: a media address, valid for 5 minutes.
pub(super) async fn download(
    State(shared): State<Arc<Inner>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    let head = Head { method: &Method::GET, headers: &headers };
    let now_ms = shared.now_ms();
    let media = shared.state().linked(&token, now_ms).cloned();
    let id = media.as_ref().map(|media| media.id.clone());
    shared.admit(CallKind::MediaDownload, &head, json!({ "id": id }))?;
    let media = media.ok_or_else(GraphError::no_link)?;
    shared.hand_out(media)
}

/// Handles `DELETE /{version}/{media}`.
pub(super) async fn delete(
    State(shared): State<Arc<Inner>>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::DELETE, headers: &headers };
    shared.admit(CallKind::MediaDelete, &head, json!({ "id": id }))?;
    shared.check_path(&Method::DELETE, &version, None)?;
    if shared.state().drop_media(&id) {
        Ok(Json(json!({ "success": true })))
    } else {
        Err(GraphError::no_object(&Method::DELETE, &id))
    }
}

impl Inner {
    /// Stores a file and judges whether it is a voice note.
    pub(super) fn store_media(
        &self,
        bytes: Bytes,
        mime_type: String,
        file_name: &str,
        about: String,
    ) -> MediaId {
        let id = MediaId(self.new_id("media.sim."));
        let voice = voice_check::check_upload(&mime_type, file_name, &bytes);
        self.state().add_media(StoredMedia { id: id.clone(), bytes, mime_type, about, voice });
        id
    }

    /// Makes a new address for a file.
    pub(super) fn link(&self, media: &MediaId, base: &Url) -> String {
        let token = self.new_id("");
        let address = format!("{}/sim/media/{token}", base.as_str().trim_end_matches('/'));
        let now_ms = self.now_ms();
        self.state().add_link(token, media.clone(), now_ms);
        address
    }
}
