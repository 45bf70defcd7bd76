//! Passages that are found by what they mean, with a server that tells it or does not.

use serde_json::{Value, json};

use super::{answered, faq, send};
use crate::harness::api::holds;
use crate::harness::{Setup, TestApp};
use crate::openai::embeddings::{self, Embeddings, TOO_LONG};
use crate::openai::serve;

/// A service that asks a server what passages mean.
async fn meaning() -> (Setup, Embeddings) {
    let server = Embeddings::default();
    let url = serve(embeddings::router(server.clone())).await;
    let setup = faq().set("embeddings.url", &url).set("embeddings.model", "test-model");
    (setup.set("embeddings.api_key", "k3y-of-the-test"), server)
}

/// Adds a file whose words do not say what it is about.
async fn with_meaning(app: &TestApp, admin: &str) {
    let csv = "question,answer\n\
               Are pets welcome?,They may come in on a lead.\n\
               What are your hours?,From nine.\n";
    send(app, admin, "hark", &[("shop.csv", csv.as_bytes())]).await.expect(201);
}

async fn search(app: &TestApp, token: &str, question: &str) -> Value {
    let path = format!("/agents/hark/knowledge/search?q={}", question.replace(' ', "%20"));
    app.api_get(token, &path).send().await.expect(200)["items"].take()
}

#[tokio::test]
async fn what_means_the_same_is_found_without_its_words() {
    let (setup, server) = meaning().await;
    let app = setup.await;
    let admin = app.token("admin").await;
    with_meaning(&app, &admin).await;
    app.wait_until("it is known what the passages mean", async || server.texts() >= 2).await;
    let near =
        async || search(&app, &admin, "can I bring my puppy").await[0]["similarity"].is_number();
    app.wait_until("it is found", near).await;
    let found = search(&app, &admin, "can I bring my puppy").await;
    assert_eq!(
        (&found[0]["answer"], &found[0]["coverage"]),
        (&json!("They may come in on a lead."), &json!(0.0))
    );
    assert!(found[0]["similarity"].as_f64().unwrap() > 0.9, "{found}");
    assert_eq!(answered(&app, "Can I bring my puppy?").await.0, "They may come in on a lead.");
    let beside = app.hark(&["knowledge", "search", "can I bring my puppy"]).await;
    assert!(beside[0]["similarity"].is_number(), "a command has what the service has learned");
    // Something else is no less unknown than before.
    assert_eq!(search(&app, &admin, "who won the world cup").await, json!([]));
    assert!(server.keys().iter().all(|key| key == "Bearer k3y-of-the-test"));
    assert!(!holds(&app.store_bytes(), "k3y-of-the-test"));
}

#[tokio::test]
async fn only_what_is_new_is_asked_about_and_a_restart_asks_nothing() {
    let (setup, server) = meaning().await;
    let mut app = setup.await;
    let admin = app.token("admin").await;
    with_meaning(&app, &admin).await;
    app.wait_until("both are known", async || server.texts() == 2).await;
    let csv = "question,answer\n\
               Are pets welcome?,They may come in on a lead.\n\
               What are your hours?,From ten.\n";
    send(&app, &admin, "hark", &[("shop.csv", csv.as_bytes())]).await.expect(201);
    app.wait_until("the changed row is known", async || server.texts() == 3).await;
    app.restart().await;
    let near = async || search(&app, &admin, "my puppy").await[0]["similarity"].is_number();
    app.wait_until("it is known again", near).await;
    // Both searches asked what the question means.
    let asked = server.texts();
    search(&app, &admin, "my puppy").await;
    assert_eq!(server.texts(), asked + 1, "of passages it asked nothing");
}

#[tokio::test]
async fn a_passage_that_the_model_cannot_take_holds_up_no_other() {
    let (setup, _server) = meaning().await;
    let app = setup.await;
    let admin = app.token("admin").await;
    let rows = (0..70).map(|n| match n {
        3 | 66 => format!("How {TOO_LONG} is it?,Very.\n"),
        69 => "Are pets welcome?,They may come in on a lead.\n".to_owned(),
        n => format!("What is number {n}?,It is {n}.\n"),
    });
    let csv = format!("question,answer\n{}", rows.collect::<Vec<_>>().concat());
    send(&app, &admin, "hark", &[("shop.csv", csv.as_bytes())]).await.expect(201);
    let near = async || search(&app, &admin, "my puppy").await[0]["similarity"].is_number();
    app.wait_until("the last is found by its meaning", near).await;
    assert_eq!(answered(&app, "How endless is it?").await.0, "Very.", "by its words");
}

#[tokio::test]
async fn without_the_server_words_alone_decide_and_later_it_heals() {
    let (setup, server) = meaning().await;
    server.fails_with(503);
    let app = setup.await;
    let admin = app.token("admin").await;
    with_meaning(&app, &admin).await;
    assert_eq!(answered(&app, "what are your hours").await.0, "From nine.");
    assert!(!answered(&app, "may my puppy come").await.0.contains("lead"));
    app.wait_until("it was asked", async || !server.keys().is_empty()).await;
    server.fails_with(0);
    send(&app, &admin, "hark", &[("more.txt", b"We sell bread.")]).await.expect(201);
    app.wait_until("it is asked again, about all", async || server.texts() >= 3).await;
    let near = async || search(&app, &admin, "my puppy").await[0]["similarity"].is_number();
    app.wait_until("it is found by its meaning", near).await;
    // A server that is away only for questions costs no answer either.
    server.fails_with(401);
    assert_eq!(answered(&app, "what are your hours").await.0, "From nine.");
}
