//! What the doctor says of the numbers and agents of the store, beside a service that runs on it.

use serde_json::Value;

use super::{NUMBER, SECRET, TOKEN, WORD, findings, hark, is, whatsapp};

const DESK: &str = "llm = \"faq\"\nknowledge = [\"FAQ\"]\n";

#[tokio::test]
async fn the_entries_of_the_store_are_looked_at_and_named_as_such() {
    let (simulator, api) = whatsapp().await;
    let toml =
        format!("[server]\nlisten = \"127.0.0.1:0\"\n[webhook]\nverify_token = \"{WORD}\"\n");
    let hark = hark(&toml).file("faq.csv", "question,answer\nWhere?,Here.\n");
    let faq = hark.path("faq.csv").display().to_string();
    let hark = hark.file("desk.toml", DESK.replace("FAQ", &faq)).file("token", TOKEN);
    let hark = hark.file("secret", SECRET);
    hark.run(&["token", "create", "--role", "admin", "--name", "me"]).await;
    let service = hark.start(&["serve"]).await;
    let done = async |arguments: &[&str]| {
        let ran = hark.run(arguments).await;
        assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    };
    done(&["agents", "add", "desk", "--file", "desk.toml"]).await;
    let add = ["numbers", "add", NUMBER, "--provider", "simulator", "--api-url", &api];
    let secrets = ["--access-token-file", "token", "--app-secret-file", "secret"];
    done(&[&add[..], &secrets, &["--agent", "desk", "--app-id", "77"]].concat()).await;
    assert_eq!(findings(&hark, 0).await, Vec::<Value>::new());
    let ran = hark.run(&["doctor"]).await;
    for line in [
        "ok       entries       hark.db has numbers: 1, agents: 1",
        "ok       numbers       store: numbers/900 is known to http://127.0.0.1",
        "ok       numbers       store: numbers/900.app_secret is the app's",
        "ok       llm           agent desk: knowledge, passages: 1",
    ] {
        assert!(ran.text().contains(line), "{line}: {}", ran.text());
    }

    std::fs::remove_file(hark.path("faq.csv")).unwrap();
    simulator.fail_next(hark::simulator::CallKind::NumberInfo, 401, 190, 1);
    let expected = [
        ("store: numbers/900.access_token", "error", "", ""),
        ("store: agents/desk.knowledge", "error", "No such file", "store: agents/desk.knowledge"),
    ];
    is(&findings(&hark, 1).await, &expected);
    assert!(
        hark.run(&["doctor"]).await.text().contains("error    llm           store: agents/desk")
    );

    let secret = "HARK_SECRET_KEY";
    std::fs::rename(hark.path("hark.db.key"), hark.path("away")).unwrap();
    let found = findings(&hark, 1).await;
    assert_eq!(found[0]["level"], "error", "{found:?}");
    assert!(found.iter().any(|finding| finding["key"] == secret), "{found:?}");
    std::fs::rename(hark.path("away"), hark.path("hark.db.key")).unwrap();
    assert_eq!(service.stop().await, 0);
}
