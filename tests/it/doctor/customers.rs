//! The server that says who writes: one that answers, and each way in which one does not.

use super::{findings, good, hark, is, whatsapp};
use crate::customers::crm::{Answers, Crm, ann};

#[tokio::test]
async fn the_server_of_customers_is_asked_about_nobody() {
    let (_simulator, api) = whatsapp().await;
    let toml = |url: &str| {
        format!(
            "{}[customers]\nurl = \"{url}/customers/{{phone}}\"\ntimeout_ms = 2000\n",
            good(&api)
        )
    };
    let well = Crm::start(Answers::With(404, "application/json", "{}".to_owned())).await;
    let ran = hark(&toml(&well.url)).run(&["doctor"]).await;
    assert!(ran.text().contains("answers, and does not know a person made up"), "{}", ran.text());
    assert_eq!(well.asked().len(), 1);
    for (answers, key, level, words, fix) in [
        (ann(), "customers.url", "warning", "knows a person made up", "answer 404"),
        (
            Answers::With(200, "text/html", "<html>".to_owned()),
            "customers.url",
            "error",
            "sent a web page",
            "a JSON object, or 404",
        ),
        (
            Answers::With(401, "text/plain", "no".to_owned()),
            "customers.token",
            "error",
            "HTTP 401",
            "customers.token",
        ),
        (
            Answers::With(503, "text/plain", "no".to_owned()),
            "customers.url",
            "warning",
            "HTTP 503",
            "the server's log",
        ),
        (Answers::Never, "customers.timeout_ms", "warning", "within 2000 ms", "raise customers"),
    ] {
        let crm = Crm::start(answers).await;
        let found = findings(&hark(&toml(&crm.url)), 1).await;
        is(&found, &[(key, level, words, fix)]);
    }
    let found = findings(&hark(&toml("http://127.0.0.1:1")), 1).await;
    is(&found, &[("customers.url", "error", "could not be reached", "start the server")]);
}
