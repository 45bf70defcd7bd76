//! Tools that hang, break, or answer what no model can read: the person is answered all the same.

use hark::turn::Outcome;

use super::shop::Shop;
use super::{KEY, answered, call, told, with_tool};
use crate::openai::chat::Script;

/// Lets a model call a tool at `url`; returns what it was told, and checks the record.
async fn check(url: &str, outcome: &str, words: &str) {
    let scripts = [call("{\"id\":\"7\"}"), Script::says("Sorry, I cannot see it now.")];
    let (setup, chat) = with_tool(scripts, url).await;
    let setup = setup.set("agents.0.tools.0.headers.authorization", KEY);
    let app = setup.set("agents.0.tools.0.timeout_ms", "700").await;
    let report = answered(&app, "where is order 7").await;
    app.sent();
    assert_eq!(report.reply.text, "Sorry, I cannot see it now.", "{url}");
    assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None), "{url}");
    let told = told(&chat.asked()[1]);
    assert!(told.contains(words), "{url}: no {words:?} in {told}");
    assert!(told.len() < 700 && !told.contains("k3y-of-the-shop"), "{url}: {told}");
    let [tool] = &report.tools[..] else { panic!("{:?}", report.tools) };
    assert_eq!(tool.outcome.name(), outcome, "{url}: {told}");
    assert_eq!(tool.result.reveal(), told, "{url}");
    let metrics = app.metrics().await;
    let line = format!("hark_tool_seconds_count{{tool=\"find_order\",outcome=\"{outcome}\"}}");
    assert!(metrics.contains(&line), "{line}");
}

#[tokio::test]
async fn a_tool_that_does_not_answer_in_time_is_left() {
    let shop = Shop::start().await;
    check(&shop.url("/slow/{id}"), "timed_out", "did not answer within 700 ms").await;
}

#[tokio::test]
async fn what_no_model_can_read_is_named() {
    let shop = Shop::start().await;
    for (path, outcome, words) in [
        ("/page/{id}", "unreadable", "the tool answered a web page"),
        ("/hidden-page/{id}", "unreadable", "the tool answered a web page"),
        ("/picture/{id}", "unreadable", "image/png, which is no text"),
        ("/cut/{id}", "unreadable", "broken JSON"),
        ("/big/{id}", "too_large", "more than 64 KiB"),
        ("/empty/{id}", "answered", "done (HTTP 204, no content)"),
    ] {
        check(&shop.url(path), outcome, words).await;
    }
}

#[tokio::test]
async fn an_error_status_is_told_in_the_tools_words_without_its_key() {
    let shop = Shop::start().await;
    for (path, outcome, words) in [
        ("/absent/{id}", "failed", "HTTP 404: no order 7"),
        ("/broken/{id}", "failed", "HTTP 500: stack trace"),
        ("/echo/{id}", "failed", "HTTP 403: wrong key [removed]"),
        ("/mirror/{id}", "answered", "you sent [removed]"),
    ] {
        check(&shop.url(path), outcome, words).await;
    }
    check("http://127.0.0.1:1/{id}", "unreachable", "could not be reached").await;
}

#[tokio::test]
async fn no_other_host_is_called_than_the_configured_one() {
    let shop = Shop::start().await;
    check(&shop.url("/moved/{id}"), "failed", "another place (HTTP 302), which is not followed")
        .await;
    check(&shop.url("/near/{id}"), "answered", "sent").await;
    let paths: Vec<_> = shop.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/moved/7", "/near/7", "/orders/8"]);
    // Neither by what an argument says.
    let scripts = [
        call("{\"id\":\"..\"}"),
        call("{\"id\":\"//evil.example/\"}"),
        call("{\"id\":\"@evil.example\"}"),
        Script::says("Hm."),
    ];
    let (setup, chat) = with_tool(scripts, &shop.url("/orders/{id}")).await;
    let app = setup.await;
    answered(&app, "where is order 7").await;
    app.sent();
    assert!(told(&chat.asked()[1]).contains("must not be . or .."));
    let paths: Vec<_> = shop.asked().into_iter().skip(3).map(|asked| asked.path).collect();
    assert_eq!(paths, ["/orders/%2F%2Fevil.example%2F", "/orders/%40evil.example"]);
}
