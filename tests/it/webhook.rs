//! The webhook: what is taken, what is refused, and what an answer of 200 means.

use serde_json::{Value, json};

use crate::harness::{APP_SECRET, NUMBER, PERSON, TestApp, VERIFY_TOKEN, update};
use crate::program::Hark;

fn counts(accepted: u32, duplicates: u32, ignored: u32) -> Value {
    json!({
        "status": "accepted", "accepted": accepted, "duplicates": duplicates, "ignored": ignored,
    })
}

async fn check_handshake(query: &str, expected: Option<&str>) {
    let app = TestApp::start().await;
    for path in ["/webhook", "/api/meta-webhook"] {
        let (status, body) = app.get(&format!("{path}?{query}")).await;
        match expected {
            Some(challenge) => assert_eq!((status, body.as_str()), (200, challenge)),
            None => assert_eq!(status, 403, "{body}"),
        }
    }
}

#[tokio::test]
async fn handshake_echoes_the_challenge_for_the_right_token_only() {
    let right = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=4711");
    check_handshake(&right, Some("4711")).await;
    check_handshake("hub.mode=subscribe&hub.verify_token=other&hub.challenge=4711", None).await;
    check_handshake(&right.replace("subscribe", "unsubscribe"), None).await;
    check_handshake("", None).await;
}

#[tokio::test]
async fn unsigned_unreadable_and_oversized_bodies_are_refused() {
    let app = TestApp::start().await;
    let body = update::messages(NUMBER, &[update::text("wamid.1", "hi")]).to_string();
    let wrong = update::sign("other-secret", body.as_bytes());
    let of_other_bytes = update::sign(APP_SECRET, format!("{body} ").as_bytes());
    for signature in [None, Some(wrong.as_str()), Some(of_other_bytes.as_str()), Some("sha256=")] {
        let (status, _) = app.post_webhook("/webhook", body.clone(), signature).await;
        assert_eq!(status, 401, "{signature:?}");
    }
    let junk = "{\"entry\": [";
    let signature = update::sign(APP_SECRET, junk.as_bytes());
    assert_eq!(app.post_webhook("/webhook", junk, Some(&signature)).await.0, 400);
    let large = vec![b' '; 3 * 1024 * 1024 + 1];
    let signature = update::sign(APP_SECRET, &large);
    assert_eq!(app.post_webhook("/webhook", large, Some(&signature)).await.0, 413);
    assert_eq!(app.counts().await.queued, 0);
}

#[tokio::test]
async fn of_what_has_no_signature_s_form_no_body_is_waited_for() {
    let app = TestApp::start().await;
    let digits = "a".repeat(64);
    let forms = ["", "sha256=", "sha256=zz", &digits, &format!("sha1={digits}")];
    let short = format!("sha256={}", &digits[1..]);
    for form in forms.into_iter().chain([short.as_str()]) {
        let answer = app
            .say(&format!(
                "POST /webhook HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\
                 x-hub-signature-256: {form}\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{form}: {answer}");
    }
}

#[tokio::test]
async fn the_largest_body_is_taken() {
    let app = TestApp::start().await;
    let mut body = br#"{"entry":[]}"#.to_vec();
    body.resize(3 * 1024 * 1024, b' ');
    let signature = update::sign(APP_SECRET, &body);
    assert_eq!(app.post_webhook("/webhook", body, Some(&signature)).await.0, 200);
}

#[tokio::test]
async fn every_element_of_a_mixed_batch_is_counted() {
    let app = TestApp::start().await;
    app.text(PERSON, "the first").await;
    let known = app.simulator.messages()[0].id.0.clone();
    let mut body = update::messages(
        NUMBER,
        &[update::text("wamid.new", "second"), update::text(&known, "again"), json!({ "x": 1 })],
    );
    let stranger = update::messages("999", &[update::text("wamid.stranger", "hi")]);
    let status = json!({ "id": "wamid.elsewhere", "status": "read", "timestamp": "1" });
    let statuses = update::statuses(NUMBER, &[status]);
    for other in [stranger, statuses] {
        body["entry"].as_array_mut().unwrap().push(other["entry"][0].clone());
    }
    assert_eq!(app.post_signed(&body).await, (200, counts(1, 1, 3)));
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_number_that_is_not_ours_is_ignored() {
    let app = TestApp::start().await;
    let body = update::messages("999", &[update::text("wamid.1", "hi")]);
    assert_eq!(app.post_signed(&body).await, (200, counts(0, 0, 1)));
}

#[tokio::test]
async fn duplicate_webhook_is_answered_once() {
    let app = TestApp::start().await;
    let body = update::messages(NUMBER, &[update::text("wamid.1", "hi")]);
    let copies = futures_util::future::join_all((0..20).map(|_| app.post_signed(&body))).await;
    let duplicate = (200, json!({ "status": "duplicate", "message_id": "wamid.1" }));
    let new = copies.iter().filter(|answer| **answer == (200, counts(1, 0, 0))).count();
    let known = copies.iter().filter(|answer| **answer == duplicate).count();
    assert_eq!((new, known), (1, 19), "{copies:?}");
    app.run_until_idle().await;
    assert_eq!(app.post_signed(&body).await, duplicate);
    app.run_until_idle().await;
    assert_eq!(app.sent_one().reply_to.unwrap().0, "wamid.1");
}

#[tokio::test]
async fn a_redelivery_after_a_restart_is_a_duplicate() {
    let mut app = TestApp::start().await;
    let body = update::messages(NUMBER, &[update::text("wamid.1", "hi")]);
    app.post_signed(&body).await;
    app.restart().await;
    assert_eq!(app.post_signed(&body).await.1["status"], "duplicate");
    app.run_until_idle().await;
    app.sent_one();
}

#[tokio::test]
async fn a_secret_speaks_for_its_own_numbers_only() {
    let app = TestApp::start()
        .set("numbers.1.phone_number_id", "222222222222222")
        .set("numbers.1.app_secret", "second-secret")
        .set("numbers.1.access_token", "t")
        .set("numbers.1.status", "paused")
        .await;
    let mut body = update::messages(NUMBER, &[update::text("wamid.1", "hi")]);
    let second = update::messages("222222222222222", &[update::text("wamid.2", "hi")]);
    body["entry"].as_array_mut().unwrap().push(second["entry"][0].clone());
    let body = body.to_string();
    let signature = update::sign("second-secret", body.as_bytes());
    let answer = app.post_webhook("/api/meta-webhook", body, Some(&signature)).await;
    assert_eq!(answer, (200, counts(1, 0, 1)));
    assert_eq!((app.counts().await.stored, app.counts().await.queued), (1, 0));
}

#[tokio::test]
async fn late_messages_are_kept_and_not_answered() {
    let app = TestApp::start().await;
    let at = |hours: i64| (app.now_ms() / 1000 - hours * 3600).to_string();
    let mut late = update::text("wamid.late", "hi");
    late["timestamp"] = at(25).into();
    let mut fresh = update::text("wamid.fresh", "hi");
    fresh["timestamp"] = at(23).into();
    let body = update::messages(NUMBER, &[late, fresh]);
    assert_eq!(app.post_signed(&body).await, (200, counts(2, 0, 0)));
    app.run_until_idle().await;
    assert_eq!(app.counts().await.expired, 1);
    assert_eq!(app.sent_one().reply_to.unwrap().0, "wamid.fresh");
}

#[tokio::test]
async fn a_paused_number_keeps_messages_and_does_not_answer() {
    let app = TestApp::start().set("numbers.0.status", "paused").await;
    app.text(PERSON, "anyone there?").await;
    app.run_until_idle().await;
    assert_eq!(app.counts().await.stored, 1);
    assert!(app.calls().is_empty());
}

#[tokio::test]
async fn messages_that_ask_nothing_are_kept_and_start_no_turn() {
    let app = TestApp::start().await;
    let types = ["reaction", "system", "edit", "revoke", "request_welcome"];
    let mut silent: Vec<Value> = types
        .iter()
        .map(|kind| json!({ "id": format!("wamid.{kind}"), "from": PERSON, "type": kind }))
        .collect();
    let mut in_group = update::text("wamid.group", "hi all");
    in_group["group_id"] = "120363".into();
    silent.push(in_group);
    assert_eq!(app.post_signed(&update::messages(NUMBER, &silent)).await, (200, counts(6, 0, 0)));
    app.run_until_idle().await;
    assert_eq!(app.counts().await.stored, 6);
    assert!(app.calls().is_empty() && app.turns().await.is_empty());
}

#[tokio::test]
async fn details_are_for_those_who_run_the_service() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/metrics").await.0, 404);
    for path in ["/health", "/healthz"] {
        assert_eq!(app.get(path).await, (200, json!({"status": "ok"}).to_string()));
        assert!(app.admin(path).await.1.contains("\"version\":\"0."));
    }
    assert_eq!(app.admin("/webhook").await.0, 404);
    app.database().execute_batch("DROP TABLE probe").unwrap();
    assert_eq!(app.get("/readyz").await, (503, json!({"status": "not ready"}).to_string()));
    let detail = json!({"status": "store not writable"}).to_string();
    assert_eq!(app.admin("/readyz").await, (503, detail));
}

#[tokio::test]
async fn a_usual_admin_address_that_is_taken_keeps_no_service_from_answering() {
    let number = "[[numbers]]\nphone_number_id = \"900\"\naccess_token = \"t\"\napp_secret = \"s\"\n\
                  [stt]\nengine = \"scripted\"\n[server]\nlisten = \"127.0.0.1:0\"\n";
    // Taken by the first of the two, or by somebody else on this machine.
    let service = async || Hark::new().file("hark.toml", number).start(&["serve"]).await;
    let (first, second) = (service().await, service().await);
    second.said_one_of(&["/metrics is not served: 127.0.0.1:8081 cannot be listened on"]).await;
    let chosen = format!("{number}admin_listen = \"{}\"\n", second.address);
    let refused = Hark::new().file("hark.toml", chosen).run(&["serve"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("(server.admin_listen)"), "{}", refused.stderr);
    assert_eq!((first.stop().await, second.stop().await), (0, 0));
}

#[tokio::test]
async fn health_and_metrics_are_served() {
    let app = TestApp::start().await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent_one();
    for path in ["/health", "/healthz", "/readyz"] {
        assert_eq!(app.get(path).await.0, 200, "{path}");
    }
    let metrics = app.metrics().await;
    for line in [
        "hark_stage_seconds_bucket{stage=\"send\"",
        "hark_turn_seconds_count",
        "hark_turns_total{outcome=\"voice_note\"}",
        "hark_webhook_seconds_count",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}
