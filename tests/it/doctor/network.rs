//! What the network says: providers that refuse, are slow to be asked or show another time, and a
//! webhook that cannot be reached.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::any;
use hark::clock::Clock;
use hark::simulator::CallKind;
use serde_json::json;
use tokio::net::TcpListener;

use super::{SECRET, TOKEN, WORD, findings, good, hark, is, whatsapp};

/// Serves one answer to everything; returns its address.
async fn server(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(move || std::future::ready(answer.clone())));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn each_refusal_of_the_provider_has_its_fix() {
    let (simulator, api) = whatsapp().await;
    let good = good(&api);
    let check = async |toml: &str, expected: &[(&str, &str, &str, &str)]| {
        is(&findings(&hark(toml), 1).await, expected);
    };
    let token = "numbers[0].access_token";
    check(
        &good.replace(TOKEN, "wrong-token"),
        &[(token, "error", "refuses the token", "system-user")],
    )
    .await;
    let id = good.replace("\"900\"", "\"901\"");
    check(
        &id,
        &[("numbers[0].phone_number_id", "error", "no number of this id", "Phone number ID")],
    )
    .await;
    let secret = good.replace(SECRET, "wrong-secret");
    check(
        &secret,
        &[("numbers[0].app_secret", "error", "not the secret of app_id", "App settings")],
    )
    .await;
    let version = good.clone() + "api_version = \"latest\"\n";
    check(&version, &[("numbers[0].api_version", "error", "version", "leave api_version out")])
        .await;
    let display = good.replace("010 0000", "010 0001");
    check(&display, &[("numbers[0].display_number", "warning", "is not the number", "correct")])
        .await;
    for (status, code, key, level, words) in [
        (400, 10, token, "error", "lacks a permission"),
        (403, 200, token, "error", "lacks a permission"),
        (400, 80007, "numbers[0].phone_number_id", "warning", "rate limit"),
        (400, 130_429, "numbers[0].phone_number_id", "warning", "rate limit"),
        (503, 2, "numbers[0].phone_number_id", "warning", "trouble of its own"),
        (400, 131_031, "numbers[0].phone_number_id", "error", "restricted"),
    ] {
        simulator.fail_next(CallKind::NumberInfo, status, code, 1);
        check(&good, &[(key, level, words, "")]).await;
    }
}

#[tokio::test]
async fn a_wrong_provider_address_is_told_from_a_wrong_token() {
    let refused = good("http://127.0.0.1:1");
    let check = async |toml: &str, words: &str| {
        let found = findings(&hark(&toml.replace("app_id = \"77\"\n", "")), 1).await;
        is(&found, &[("numbers[0].api_url", "error", words, "api_url")]);
    };
    check(&refused, "could not be reached").await;
    check(&good(&server("<html>").await), "answer is not JSON").await;
    check(&good(&server(StatusCode::NOT_FOUND).await), "HTTP 404").await;
}

#[tokio::test]
async fn numbers_are_asked_one_after_the_other_and_paused_ones_not_at_all() {
    let times: Arc<Mutex<Vec<std::time::Instant>>> = Arc::default();
    let seen = Arc::clone(&times);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(move || {
        seen.lock().unwrap().push(std::time::Instant::now());
        std::future::ready(axum::Json(json!({ "id": "1" })))
    }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut toml = String::new();
    for (id, status) in [("1", "active"), ("2", "paused"), ("3", "active")] {
        toml += &format!(
            "[[numbers]]\nphone_number_id = \"{id}\"\nprovider = \"simulator\"\nstatus = \
             \"{status}\"\naccess_token = \"t\"\napp_id = \"77\"\napp_secret = \"s\"\napi_url = \"{api}\"\n"
        );
    }
    let ran = hark(&toml).run(&["doctor"]).await;
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(ran.text().contains("skipped  numbers       numbers[1] is paused"), "{}", ran.text());
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 3, "two numbers and their one app");
    // A pause is never shorter than asked for, less what the network may catch up.
    let pause = std::time::Duration::from_millis(400);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= pause), "{times:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_found_by_the_providers_date() {
    let check = async |date: &'static str, level: Option<&str>, which: &str| {
        let answer = ([("date", date)], axum::Json(json!({ "id": "900" })));
        let toml = good(&server(answer).await);
        let found = findings(&hark(&toml), i32::from(level.is_some())).await;
        let expected: Vec<_> =
            level.iter().map(|level| ("clock", *level, which, "timedatectl")).collect();
        is(&found, &expected);
    };
    check("Sat, 01 Jan 2022 00:00:00 GMT", Some("error"), "s fast").await;
    check("Fri, 01 Jan 2100 00:00:00 GMT", Some("error"), "s slow").await;
    check("some time ago", None, "").await;
    let minute = httpdate::fmt_http_date(
        std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(Clock::System.now_ms().unsigned_abs() - 60_000),
    );
    check(minute.leak(), Some("warning"), "s fast").await;
}

#[tokio::test]
async fn a_webhook_that_meta_could_not_reach_is_found() {
    let (_, api) = whatsapp().await;
    let check = async |public_url: &str, key: &str, message: &str, fix: &str| {
        let hark = hark(&good(&api)).env("HARK__SERVER__PUBLIC_URL", public_url);
        is(&findings(&hark, 1).await, &[(key, "error", message, fix)]);
    };
    let url = "server.public_url";
    check("http://127.0.0.1:1", url, "does not take connections", "hark serve").await;
    check("http://no-such-host.invalid", url, "not known", "DNS").await;
    let plain = server("hello").await;
    check(&plain.replace("http:", "https:"), url, "trusted TLS", "public authority").await;
    check(&plain, url, "something else answers", "/webhook").await;
    for (status, message, fix) in [
        (StatusCode::NOT_FOUND, "no webhook at this address", "/webhook"),
        (StatusCode::BAD_GATEWAY, "the proxy reaches no hark", "[server] listen"),
        (StatusCode::FORBIDDEN, "something before hark forbids", "filter"),
        (StatusCode::FOUND, "it redirects", "redirects to"),
    ] {
        check(&server(status).await, url, message, fix).await;
    }
    let other = hark(&good(&api).replace(WORD, "another-word"));
    let service = other.start(&["serve"]).await;
    let message = "another verify token (HTTP 403)";
    check(&service.url("/"), "webhook.verify_token", message, "reload hark serve").await;
    assert_eq!(service.stop().await, 0);
}
