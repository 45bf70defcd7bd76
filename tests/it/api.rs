//! The API's own rules: tokens and roles, versions, keys, problems, lists, and the document of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::api::holds;
use crate::harness::{NUMBER, PERSON, TestApp};

const EVERY: [(Method, &str); 7] = [
    (Method::GET, "/numbers"),
    (Method::POST, "/agents"),
    (Method::PUT, "/numbers/1"),
    (Method::GET, "/tokens"),
    (Method::GET, "/turns"),
    (Method::DELETE, "/contacts/1-1"),
    (Method::GET, "/findings"),
];

#[tokio::test]
async fn without_a_token_nothing_is_told_or_done() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let wrong = [admin[..admin.len() - 1].to_owned() + "x", "hark_".to_owned(), "x".repeat(9000)];
    for (method, path) in EVERY {
        for token in &wrong {
            let refused = app.api(token, method.clone(), path).json(&json!({})).send().await;
            refused.problem(401, "bad-token");
            let challenge = refused.headers["www-authenticate"].to_str().unwrap();
            assert_eq!(challenge, "Bearer realm=\"hark\", error=\"invalid_token\"", "{path}");
        }
        let url = format!("/api/v1{path}");
        if method == Method::GET {
            let (status, body) = app.get(&url).await;
            assert!(status == 401 && body.contains("hark token create"), "{path}: {body}");
        }
    }
    let id = app.api_get(&admin, "/tokens").send().await.expect(200)["items"][0].clone();
    assert!(!id.to_string().contains(&admin) && id["last_used_at"].is_string(), "{id}");
    assert!(!holds(&app.store_bytes(), &admin), "a token is kept as its hash");
    let path = format!("/tokens/{}", id["id"].as_str().unwrap());
    app.api(&admin, Method::DELETE, &path).send().await.expect(204);
    app.api_get(&admin, "/tokens").send().await.problem(401, "bad-token");
}

#[tokio::test]
async fn an_operator_reads_turns_and_people_and_changes_nothing_else() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let operator = app.token("operator").await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent();
    for path in ["/turns", "/contacts", "/numbers", "/agents", "/findings"] {
        app.api_get(&operator, path).send().await.expect(200);
    }
    let numbers = app.api_get(&operator, "/numbers").send().await.expect(200);
    assert_eq!(numbers["items"][0]["verify_token"], Value::Null);
    for (method, path) in [
        (Method::POST, "/numbers"),
        (Method::PUT, "/numbers/1"),
        (Method::DELETE, "/numbers/1"),
        (Method::POST, "/numbers/1/check"),
        (Method::POST, "/numbers/1/secrets"),
        (Method::DELETE, "/numbers/1/secrets/2"),
        (Method::POST, "/agents"),
        (Method::PUT, "/agents/hark"),
        (Method::DELETE, "/agents/hark"),
        (Method::POST, "/agents/hark/rollback"),
        (Method::GET, "/tokens"),
        (Method::POST, "/tokens"),
        (Method::DELETE, "/tokens/1"),
    ] {
        let refused = app.api(&operator, method.clone(), path).json(&json!({})).of_version(1);
        refused.send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let send = |method: Method, path: &str, body: &str, kind: &str| {
        let request = app.api(&admin, method, path).header("Content-Type", kind);
        request.body(body.to_owned()).send()
    };
    let json_type = "application/json";
    send(Method::GET, "/nothing", "", json_type).await.problem(404, "not-found");
    send(Method::GET, "/turns/none", "", json_type).await.problem(404, "not-found");
    send(Method::PATCH, "/turns", "", json_type).await.problem(405, "method");
    send(Method::POST, "/tokens", "{}", "text/plain").await.problem(415, "media-type");
    send(Method::POST, "/tokens", "{", json_type).await.problem(400, "malformed");
    let large = format!("\"{}\"", " ".repeat(2 << 20));
    send(Method::POST, "/tokens", &large, json_type).await.problem(413, "too-large");
    let answer =
        send(Method::POST, "/tokens", "{\"name\": 1, \"role\": \"admin\"}", json_type).await;
    assert_eq!(answer.problem(422, "invalid"), "name: has the wrong type: expected a string");
    send(Method::GET, "/turns?limit=0", "", json_type).await.problem(400, "malformed");
    send(Method::GET, "/turns?limit=x", "", json_type).await.problem(400, "malformed");
    send(Method::GET, "/turns?from=now", "", json_type).await.problem(400, "malformed");
    send(Method::GET, "/turns?cursor=%00", "", json_type).await.problem(400, "malformed");
    send(Method::GET, "/turns?colour=red", "", json_type).await.problem(400, "malformed");
    send(Method::GET, "/turns/%FF", "", json_type).await.problem(400, "malformed");
    let put = format!("/numbers/{NUMBER}");
    send(Method::PUT, &put, "{}", json_type).await.problem(428, "no-version");
    let odd = app.api(&admin, Method::PUT, &put).header("If-Match", "*").json(&json!({}));
    odd.send().await.problem(400, "malformed");
    let (_second, number) = app.second_number("200", "secret", "token").await;
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let stale = app.api(&admin, Method::PUT, "/numbers/200").json(&json!({})).of_version(9);
    assert!(stale.send().await.problem(412, "stale").contains("version 1"));
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let make = async |key: &str, name: &str| {
        let body = json!({ "name": name, "role": "operator" });
        app.api_post(&admin, "/tokens", &body).header("Idempotency-Key", key).send().await
    };
    let (first, second) = tokio::join!(make("a", "one"), make("a", "one"));
    let first = if first.status == 201 { first } else { second };
    let again = make("a", "one").await;
    assert_eq!((again.status, &again.body), (201, &first.body), "the same token");
    assert!(make("a", "two").await.problem(422, "invalid").contains("Idempotency-Key"));
    assert_ne!(make("b", "one").await.expect(201)["id"], first.body["id"]);
    let token = first.body["token"].as_str().unwrap();
    assert!(!holds(&app.store_bytes(), token), "what is kept to be repeated is encrypted");
    assert_eq!(app.api_get(&admin, "/tokens").send().await.expect(200)["items"][3], Value::Null);
}

#[tokio::test]
async fn turns_are_found_and_listed_in_parts() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let operator = app.token("operator").await;
    for word in ["alpha", "Beta", "gamma"] {
        app.text(PERSON, word).await;
        app.run_until_idle().await;
    }
    app.text("15550002222", "delta").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 4);
    let found = async |query: &str| {
        let list = app.api_get(&operator, &format!("/turns?{query}")).send().await.expect(200);
        let heard = |turn: &Value| turn["heard"].as_str().unwrap().to_owned();
        let heard: Vec<_> = list["items"].as_array().unwrap().iter().map(heard).collect();
        (heard, list["next"].as_str().unwrap_or_default().to_owned())
    };
    let (first, next) = found("limit=3").await;
    assert_eq!(first, ["delta", "gamma", "Beta"]);
    let (rest, end) = found(&format!("limit=3&cursor={next}")).await;
    assert_eq!((rest, end), (vec!["alpha".to_owned()], String::new()));
    assert_eq!(found("q=bet").await.0, ["Beta"]);
    assert_eq!(found("contact=15550002222").await.0, ["delta"]);
    assert_eq!(found(&format!("number={NUMBER}&agent=hark&outcome=text")).await.0.len(), 4);
    for none in ["number=1", "agent=nobody", "outcome=failed", "to=2020-01-01T00:00:00Z"] {
        assert!(found(none).await.0.is_empty(), "{none}");
    }
    assert_eq!(found("from=2020-01-01T00:00:00Z").await.0.len(), 4);
    let list = app.api_get(&operator, "/turns?limit=1").send().await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let one = app.api_get(&operator, &format!("/turns/{id}")).send().await.expect(200);
    assert_eq!(one, list["items"][0]);
    let at = one["created_at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.contains('T'), "{at}");
}

#[tokio::test]
async fn a_person_is_handed_out_and_forgotten() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let operator = app.token("operator").await;
    app.text("15550002222", "the other one's words").await;
    app.text(PERSON, "words to be forgotten").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    let contacts = contacts["items"].as_array().unwrap();
    let one = contacts.iter().find(|contact| contact["phone"] == PERSON).unwrap();
    let path = format!("/contacts/{}", one["id"].as_str().unwrap());
    assert_eq!(app.api_get(&operator, &path).send().await.expect(200), *one);
    let export = app.api_get(&operator, &format!("{path}/export")).send().await.expect(200);
    assert_eq!(export["messages"][0]["body"]["text"], "words to be forgotten");
    assert_eq!(export["turns"][0]["heard"], "words to be forgotten");
    app.api(&operator, Method::DELETE, &path).send().await.expect(204);
    app.api_get(&operator, &path).send().await.problem(404, "not-found");
    let bytes = app.store_bytes();
    assert!(!holds(&bytes, "to be forgotten") && !holds(&bytes, PERSON), "it is in the file still");
    assert!(holds(&bytes, "the other one's words"));
    let listed = app.api_get(&operator, "/contacts?limit=1").send().await.expect(200);
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["next"]), (1, &Value::Null));
    // The person starts anew, with another id.
    app.text(PERSON, "hello again").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn the_document_names_every_path_and_its_problems() {
    let app = TestApp::start().await;
    let (status, body) = app.get("/api/v1/openapi.json").await;
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 49, "{:?}", paths.keys());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let (responses, place) = (&operation["responses"], format!("{method} {path}"));
            assert_eq!(operation["security"], json!([{ "token": [] }]), "{place}");
            assert!(operation["summary"].is_string(), "{place}");
            for status in ["400", "401", "403", "503"] {
                let content = &responses[status]["content"]["application/problem+json"];
                assert_eq!(
                    content["schema"]["$ref"], "#/components/schemas/ProblemDetails",
                    "{place}"
                );
            }
            if !operation["requestBody"].is_null() {
                assert!(["413", "415", "422"].iter().all(|s| !responses[*s].is_null()), "{place}");
            }
        }
    }
    assert_eq!(app.admin("/api/v1/openapi.json").await.1, body, "on both addresses");
}
