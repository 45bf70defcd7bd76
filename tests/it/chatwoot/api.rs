//! The routes of the server that speaks Chatwoot's API.

use std::collections::HashMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Multipart, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{any, get, post};
use axum::{Json, RequestExt as _};
use serde_json::{Value, json};

use super::desk::{ACCOUNT, DeskFile, FakeDesk, INBOX, Mood, TOKEN, WEB_INBOX};

pub(super) fn routes(desk: FakeDesk) -> Router {
    let account = Router::new()
        .route("/inboxes/{id}", get(inbox))
        .route("/contacts", post(make_contact))
        .route("/contacts/search", get(search))
        .route("/contacts/{id}/conversations", get(conversations_of))
        .route("/conversations", post(make_conversation))
        .route("/conversations/{id}", get(conversation))
        .route("/conversations/{id}/messages", get(messages).post(make_message))
        .route("/conversations/{id}/toggle_status", post(toggle_status))
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(desk.clone(), admitted));
    Router::new()
        .nest(&format!("/api/v1/accounts/{ACCOUNT}"), account)
        // What Chatwoot answers for an account that it does not have.
        .route("/api/v1/accounts/{*rest}", any(async || refuse(404, "Resource could not be found")))
        .route("/rails/active_storage/blobs/redirect/{file}/{name}", get(redirect))
        .route("/rails/active_storage/disk/{file}/{name}", get(file))
        .fallback(async || (StatusCode::NOT_FOUND, Html("<h1>404</h1>")))
        .with_state(desk)
}

fn refuse(status: u16, error: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(json!({ "error": error }))).into_response()
}

/// Lets in whoever has the token.
async fn admitted(State(desk): State<FakeDesk>, request: Request, next: Next) -> Response {
    let mood = desk.inner().mood.unwrap_or(Mood::Well);
    if mood == Mood::Away {
        return (StatusCode::BAD_GATEWAY, Html("<h1>502 Bad Gateway</h1>")).into_response();
    }
    let token = request.headers().get("api_access_token").and_then(|token| token.to_str().ok());
    if token != Some(TOKEN) {
        return refuse(401, "Invalid Access Token");
    }
    let posts = request.method() == "POST" && request.uri().path().ends_with("/messages");
    let answer = next.run(request).await;
    if mood == Mood::LosesAnswers && posts && answer.status().is_success() {
        desk.mood(Mood::Well);
        return (StatusCode::GATEWAY_TIMEOUT, Html("<h1>504</h1>")).into_response();
    }
    answer
}

async fn unknown(State(desk): State<FakeDesk>, request: Request) -> Response {
    desk.inner().wrong.push(format!("{} {}", request.method(), request.uri()));
    refuse(404, "Resource could not be found")
}

async fn inbox(Path(id): Path<u64>, State(desk): State<FakeDesk>) -> Response {
    let channel = match id {
        INBOX => "Channel::Api",
        WEB_INBOX => "Channel::WebWidget",
        _ => return refuse(404, "Resource could not be found"),
    };
    let url = desk.inner().webhook.clone();
    Json(json!({ "id": id, "name": "WhatsApp", "channel_type": channel, "webhook_url": url }))
        .into_response()
}

async fn make_contact(State(desk): State<FakeDesk>, Json(new): Json<Value>) -> Response {
    if new["inbox_id"] != INBOX {
        return refuse(404, "Resource could not be found");
    }
    let mut inner = desk.inner();
    let phone = new["phone_number"].as_str();
    if phone.is_some_and(|phone| {
        !phone.starts_with('+') || !phone[1..].bytes().all(|b| b.is_ascii_digit())
    }) {
        return refuse_invalid("Phone number should be in e164 format", "phone_number");
    }
    for (key, words) in [
        ("identifier", "Identifier has already been taken"),
        ("phone_number", "Phone number has already been taken"),
    ] {
        if !new[key].is_null() && inner.contacts.iter().any(|one| one[key] == new[key]) {
            return refuse_invalid(words, key);
        }
    }
    let id = 70 + inner.contacts.len();
    let source = format!("3a1f-{id}");
    let inbox = json!({ "source_id": source, "inbox": { "id": INBOX } });
    let contact = json!({ "id": id, "name": new["name"], "identifier": new["identifier"],
                          "phone_number": new["phone_number"], "contact_inboxes": [inbox] });
    let name = new["name"].as_str().unwrap().to_owned();
    inner.story.push(format!("Chatwoot: contact {id}, {name}, {}", phone.unwrap_or("no number")));
    inner.contacts.push(contact.clone());
    Json(json!({ "payload": { "contact": contact, "contact_inbox": inbox } })).into_response()
}

fn refuse_invalid(words: &str, attribute: &str) -> Response {
    let body = json!({ "message": words, "attributes": [attribute] });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

async fn search(
    State(desk): State<FakeDesk>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(q) = query.get("q").filter(|q| !q.is_empty()) else {
        return refuse(422, "Specify search string with parameter q");
    };
    let holds = |value: &Value| value.as_str().is_some_and(|value| value.contains(q.trim()));
    let inner = desk.inner();
    let found: Vec<&Value> = inner
        .contacts
        .iter()
        .filter(|one| ["name", "identifier", "phone_number"].iter().any(|key| holds(&one[*key])))
        .collect();
    Json(json!({ "meta": { "count": found.len(), "current_page": 1 }, "payload": found }))
        .into_response()
}

async fn conversations_of(Path(id): Path<i64>, State(desk): State<FakeDesk>) -> Response {
    let inner = desk.inner();
    let found: Vec<&Value> =
        inner.conversations.iter().filter(|one| one["contact_id"] == id).collect();
    Json(json!({ "payload": found })).into_response()
}

async fn make_conversation(State(desk): State<FakeDesk>, Json(new): Json<Value>) -> Response {
    let mut inner = desk.inner();
    let known = inner.contacts.iter().any(|one| one["id"] == new["contact_id"]);
    if !known || new["inbox_id"] != INBOX || !new["source_id"].is_string() {
        return refuse(404, "Resource could not be found");
    }
    let id = 41 + inner.conversations.len();
    let conversation = json!({
        "id": id, "inbox_id": INBOX, "contact_id": new["contact_id"],
        "status": new["status"].as_str().unwrap_or("open"), "can_reply": true, "channel": "Channel::Api",
        "custom_attributes": new["custom_attributes"],
    });
    inner.story.push(format!("Chatwoot: conversation {id}, {}", new["custom_attributes"]));
    inner.conversations.push(conversation.clone());
    drop(inner);
    desk.call_later("conversation_created", conversation.clone());
    Json(conversation).into_response()
}

async fn conversation(Path(id): Path<i64>, State(desk): State<FakeDesk>) -> Response {
    desk.find(id)
        .map_or_else(|| refuse(404, "Resource could not be found"), |one| Json(one).into_response())
}

async fn toggle_status(
    Path(id): Path<i64>,
    State(desk): State<FakeDesk>,
    Json(new): Json<Value>,
) -> Response {
    let status = new["status"].as_str().unwrap_or_default().to_owned();
    if desk.find(id).is_none() {
        return refuse(404, "Resource could not be found");
    }
    if !["open", "resolved", "pending", "snoozed"].contains(&&*status) {
        desk.inner().wrong.push(format!("status {status}"));
        return refuse(422, "'' is not a valid status");
    }
    if let Some(changed) = desk.set_status(id, &status) {
        desk.tell(format!("Chatwoot: conversation {id} is {status}"));
        desk.call_later("conversation_status_changed", changed);
    }
    let payload = json!({ "success": true, "conversation_id": id, "current_status": status });
    Json(json!({ "meta": {}, "payload": payload })).into_response()
}

async fn messages(
    Path(id): Path<i64>,
    State(desk): State<FakeDesk>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let before = query.get("before").map_or(i64::MAX, |before| before.parse().unwrap());
    let inner = desk.inner();
    let mut page: Vec<&Value> = inner
        .messages
        .iter()
        .filter(|one| one["conversation"]["id"] == id && one["id"].as_i64().unwrap() < before)
        .collect();
    page.drain(..page.len().saturating_sub(20));
    Json(json!({ "meta": {}, "payload": page })).into_response()
}

async fn make_message(
    Path(id): Path<i64>,
    State(desk): State<FakeDesk>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    if desk.find(id).is_none() {
        return refuse(404, "Resource could not be found");
    }
    let form = headers["content-type"].to_str().unwrap().starts_with("multipart/form-data");
    let (new, files) = if form {
        match read_form(request).await {
            Ok(read) => read,
            Err(wrong) => {
                desk.inner().wrong.push(wrong);
                return refuse(422, "the form cannot be read");
            }
        }
    } else {
        let Ok(Json(new)) = request.extract::<Json<Value>, _>().await else {
            return refuse(400, "no JSON");
        };
        (new, Vec::new())
    };
    let kind = new["message_type"].as_str().unwrap_or("outgoing").to_owned();
    let private = new["private"] == true || new["private"] == "true";
    let named = new["source_id"].as_str().is_some_and(|source| !source.is_empty());
    let says = new["content"].as_str().is_some_and(|words| !words.is_empty());
    // The bridge speaks for the person, or to the desk; never for an agent.
    if !named
        || !says
        || (kind == "outgoing") != private
        || !["incoming", "outgoing"].contains(&&*kind)
    {
        desk.inner().wrong.push(format!("message {new}"));
    }
    let sender = if kind == "incoming" {
        json!({ "type": "contact" })
    } else {
        json!({ "id": 9, "name": "hark", "type": "user" })
    };
    let message = json!({
        "message_type": kind, "private": private, "content": new["content"], "sender": sender,
        "source_id": new["source_id"], "content_attributes": new["content_attributes"],
    });
    let message = desk.add_message(id, message, files);
    desk.call_later("message_created", message.clone());
    if kind == "incoming"
        && let Some(changed) = desk.set_status(id, "open")
    {
        desk.call_later("conversation_status_changed", changed);
    }
    Json(message).into_response()
}

async fn read_form(request: Request) -> Result<(Value, Vec<DeskFile>), String> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|odd| odd.to_string())?;
    let (mut fields, mut files) = (json!({}), Vec::new());
    while let Some(field) = form.next_field().await.map_err(|odd| odd.to_string())? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "attachments[]" => {
                let kind = field.content_type().ok_or("no content type")?.to_owned();
                field.file_name().ok_or("no file name")?;
                let bytes: Bytes = field.bytes().await.map_err(|odd| odd.to_string())?;
                files.push(DeskFile { kind, bytes: bytes.to_vec(), elsewhere: None });
            }
            "content" | "message_type" | "private" | "source_id" => {
                fields[&name] = json!(field.text().await.map_err(|odd| odd.to_string())?);
            }
            _ => return Err(format!("form field {name}")),
        }
    }
    Ok((fields, files))
}

async fn redirect(
    Path((id, name)): Path<(usize, String)>,
    headers: HeaderMap,
    State(desk): State<FakeDesk>,
) -> Response {
    let mut inner = desk.inner();
    if headers.contains_key("api_access_token") {
        inner.wrong.push("a file was asked for with the token".to_owned());
    }
    match inner.files.get(id) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(DeskFile { elsewhere: Some(url), .. }) => Redirect::temporary(url).into_response(),
        Some(_) => {
            Redirect::temporary(&format!("/rails/active_storage/disk/{id}/{name}")).into_response()
        }
    }
}

async fn file(Path((id, _)): Path<(usize, String)>, State(desk): State<FakeDesk>) -> Response {
    let file = desk.inner().files[id].clone();
    ([("content-type", file.kind)], file.bytes).into_response()
}
