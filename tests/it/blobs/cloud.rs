//! Sound at S3: a small server that speaks as much of its API as hark uses, and checks whose key signed
//! a request. It is no S3: what a real one says is tried with `make blobs-cloud`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use reqwest::Method as Asked;

use super::{audio, one_turn, speaking};
use crate::harness::update::{fixture, voice_note};
use crate::harness::{NUMBER, PERSON};
use crate::openai::serve;
use crate::program::Hark;

const KEY_ID: &str = "AKIDTEST";
const SECRET: &str = "secret-of-the-bucket";

/// What lies in the bucket, and the type of each.
type Bucket = Arc<Mutex<BTreeMap<String, (String, Bytes)>>>;

fn s3(bucket: Bucket) -> Router {
    Router::new().fallback(answer).with_state(bucket)
}

async fn answer(State(bucket): State<Bucket>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let headers = &parts.headers;
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|by| by.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/"))) {
        let xml = "<Error><Code>InvalidAccessKeyId</Code><Message>unknown key</Message></Error>";
        return (StatusCode::FORBIDDEN, xml).into_response();
    }
    let name = parts.uri.path().trim_start_matches("/bucket/").to_owned();
    let mut bucket = bucket.lock().unwrap();
    match parts.method {
        Method::PUT => {
            let kind = headers.get("content-type").unwrap().to_str().unwrap().to_owned();
            bucket.insert(name, (kind, body));
            (StatusCode::OK, [("etag", "\"1\"")]).into_response()
        }
        Method::DELETE => {
            bucket.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => {
            let absent = || (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>");
            let found = bucket.get(&name).map(|(kind, bytes)| given(headers, kind, bytes));
            found.unwrap_or_else(|| absent().into_response())
        }
    }
}

/// Gives a file out, or the range of it that is asked for.
fn given(headers: &HeaderMap, kind: &str, bytes: &Bytes) -> Response {
    let modified = ("last-modified", "Fri, 27 Nov 2026 10:00:00 GMT".to_owned());
    let about = [("etag", "\"1\"".to_owned()), modified, ("content-type", kind.to_owned())];
    let Some(range) = headers.get("range") else {
        return (StatusCode::OK, about, bytes.clone()).into_response();
    };
    let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let last = last.min(bytes.len() - 1);
    let said = [("content-range", format!("bytes {first}-{last}/{}", bytes.len()))];
    (StatusCode::PARTIAL_CONTENT, about, said, bytes.slice(first..=last)).into_response()
}

#[tokio::test]
async fn sound_is_kept_read_and_deleted_at_s3() {
    let bucket = Bucket::default();
    let endpoint = serve(s3(bucket.clone())).await;
    let app = speaking()
        .set("blobs.url", "s3://bucket/calls")
        .set("blobs.endpoint", endpoint.trim_end_matches("/v1"))
        .set("blobs.access_key_id", KEY_ID)
        .set("blobs.secret_access_key", SECRET)
        .await;
    let operator = app.token("operator").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 1);
    let turn = one_turn(&app).await;
    app.wait_until("both are there", async || {
        audio(&app, &operator, &turn, "in", None).await.status() == 200
            && audio(&app, &operator, &turn, "out", None).await.status() == 200
    })
    .await;
    let names: Vec<String> = bucket.lock().unwrap().keys().cloned().collect();
    let name = |side| format!("calls/{NUMBER}/{}/{turn}-{side}.ogg", &turn[..2]);
    assert_eq!(names, [name("in"), name("out")]);
    assert!(bucket.lock().unwrap().values().all(|(kind, _)| kind == "audio/ogg"));
    let part = audio(&app, &operator, &turn, "in", Some(("range", "bytes=10-19"))).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), fixture("en_hours.ogg")[10..20]);
    // Somebody empties a part of the bucket.
    bucket.lock().unwrap().remove(&name("out"));
    let gone = super::problem(audio(&app, &operator, &turn, "out", None).await, 404).await;
    assert!(gone.contains("somebody else deleted it"), "{gone}");
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    assert_eq!(contacts["items"][0]["phone"], PERSON);
    let path = format!("/contacts/{}", contacts["items"][0]["id"].as_str().unwrap());
    app.api(&operator, Asked::DELETE, &path).send().await.expect(204);
    assert!(bucket.lock().unwrap().is_empty());
}

/// What the doctor finds of `[blobs]`.
async fn found(blobs: &str) -> Vec<String> {
    let file = format!("[blobs]\n{blobs}\n");
    let hark = Hark::new().file("hark.toml", &file).file("a-file", "");
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(hark.path("hark.toml"), owner).unwrap();
    let ran = hark.run(&["doctor", "--json"]).await;
    assert!(!ran.text().contains(SECRET), "{}", ran.text());
    let findings: serde_json::Value =
        serde_json::from_str(ran.text().lines().next().unwrap()).unwrap();
    let findings = findings["findings"].as_array().unwrap().iter();
    let of_blobs = findings.filter(|f| f["key"].as_str().unwrap().starts_with("blobs"));
    of_blobs.map(|f| format!("{} {} {}", f["key"], f["message"], f["fix"])).collect()
}

#[track_caller]
fn check(found: &[String], words: &[&str]) {
    assert!(found.len() == 1 && words.iter().all(|word| found[0].contains(word)), "{found:?}");
}

#[tokio::test]
async fn the_doctor_tries_the_place_and_names_what_is_wrong() {
    let bucket = Bucket::default();
    let endpoint = serve(s3(bucket.clone())).await;
    let endpoint = endpoint.trim_end_matches("/v1");
    let keys = |id: &str| {
        format!(
            "url = \"s3://bucket\"\nendpoint = \"{endpoint}\"\naccess_key_id = \"{id}\"\n\
             secret_access_key = \"{SECRET}\""
        )
    };
    assert_eq!(found("").await, [""; 0], "the folder can be made");
    assert_eq!(found(&keys(KEY_ID)).await, [""; 0]);
    assert!(bucket.lock().unwrap().is_empty(), "it leaves nothing behind");
    check(&found(&keys("OTHER")).await, &["blobs.url", "does not let hark in", "correct the keys"]);
    check(&found("url = \"s3://bucket\"").await, &["blobs.access_key_id", "is missing"]);
    check(&found("url = \"ftp://host/x\"").await, &["blobs.url", "ftp://", "write a folder"]);
    check(&found("url = \"a-file/sound\"").await, &["blobs.url", "cannot be created"]);
    check(&found("retention_days = 40000").await, &["blobs.retention_days", "0 to 36500"]);
    check(&found("secret_acces_key = \"x\"").await, &["blobs", "secret_acces_key"]);
}
