//! `hark turns` as an operator reads it: beside a running service, with the store and no secret.

use hark::simulator::{PersonMessage, PersonSays};
use serde_json::{Value, json};

use crate::harness::{PERSON, TestApp};
use crate::program::Hark;

const LINK: &str = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";

/// The program in a folder whose configuration names the service's store and no secret that could
/// be read.
fn operator(app: &TestApp) -> Hark {
    let toml = format!(
        "[store]\nurl = \"{}\"\n[[numbers]]\nphone_number_id = \"1\"\n\
         access_token_file = \"/nowhere/token\"\napp_secret = \"\"\nunknown = 1\n",
        app.folder().join("hark.db").display()
    );
    Hark::new().file("hark.toml", toml).env("TZ", "Asia/Kolkata")
}

async fn says(app: &TestApp, name: &str, words: &str) {
    let says = PersonSays::Text(words.to_owned());
    let message = PersonMessage { name: Some(name.to_owned()), ..PersonMessage::new(PERSON, says) };
    app.deliver(message).await;
    app.run_until_idle().await;
    app.sent();
}

/// What the command prints.
async fn printed(hark: &Hark, arguments: &[&str]) -> String {
    let ran = hark.run(&[&["turns"], arguments].concat()).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    ran.text().to_owned()
}

fn lines_with<'a>(text: &'a str, words: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(words)).collect()
}

#[tokio::test]
async fn a_turn_is_shown_with_name_local_time_messages_and_times_of_statuses() {
    let app = TestApp::start().answers(&format!("Look here: {LINK}")).await;
    says(&app, "Ann", "hello").await;
    let hark = operator(&app);
    let text = printed(&hark, &[]).await;
    let kolkata = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    let began_ms = app.turns().await[0].created_ms;
    let began = jiff::Timestamp::from_millisecond(began_ms).unwrap().to_zoned(kolkata);
    let title = format!("{}  Ann {PERSON} to ", began.strftime("%Y-%m-%d %H:%M:%S"));
    assert!(text.starts_with(&title), "{title}: {text}");
    assert_eq!(lines_with(&text, "  sent      2 messages").len(), 1, "{text}");
    let time = began.strftime("%H:%M:").to_string();
    let note = lines_with(&text, "played");
    assert!(note[0].starts_with(&format!("  statuses  sent {time}")), "{text}");
    assert!(note[0].contains(&format!(", delivered {time}")), "{text}");
    let links = text.lines().last().unwrap();
    assert!(links.starts_with(&format!("            sent {time}")), "{text}");

    let json: Value = serde_json::from_str(&printed(&hark, &["--json"]).await).unwrap();
    assert_eq!((&json["name"], &json["messages"]), (&json!("Ann"), &json!(2)));
    let first = json!({ "part": 0, "status": "sent", "at_ms": began_ms / 1000 * 1000, "code": null,
        "details": null });
    assert_eq!(json["deliveries"][0], first);
    assert_eq!(json["statuses"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn turns_are_found_by_time_and_by_failure() {
    let app = TestApp::start().answers("At nine.").await;
    says(&app, "Ann", "well").await;
    app.simulator.fail_delivery(131_000, 1);
    says(&app, "Ann", "lost").await;
    app.simulator.fail_delivery(131_026, 2);
    says(&app, "Ann", "gone").await;
    let hark = operator(&app);
    let failed = printed(&hark, &["--failed"]).await;
    let heard: Vec<_> = lines_with(&failed, "  heard");
    assert_eq!(heard, ["  heard     gone", "  heard     lost"]);
    let why = "(131000: Failure injected by the simulator)";
    assert_eq!(lines_with(&failed, why).len(), 1, "{failed}");
    assert_eq!(lines_with(&failed, "outcome   text (provider status failed 131000").len(), 1);
    let of = |since: &'static str| {
        let hark = &hark;
        async move { lines_with(&printed(hark, &["--since", since]).await, "  heard").len() }
    };
    app.sql("UPDATE turns SET created_ms = created_ms - 7200000 WHERE heard = 'well'");
    assert_eq!((of("1h").await, of("3h").await, of("2000-01-01").await), (2, 3, 3));
    let wrong = hark.run(&["turns", "--since", "soon"]).await;
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("2026-11-26"), "{}", wrong.stderr);
}

#[tokio::test]
async fn whoever_follows_sees_turns_end_and_statuses_come() {
    let app = TestApp::start().answers("At nine.").await;
    says(&app, "Ann", "before the last").await;
    says(&app, "Ann", "the last").await;
    let hark = operator(&app);
    let following = hark.spawn(&["turns", "--follow", "--limit", "1"]);
    following.said_one_of(&["  heard     the last"]).await;
    says(&app, "Ben", "new").await;
    following.said_one_of(&["  heard     new"]).await;
    let turn = app.turns().await.remove(2).turn;
    let status = json!({
        "id": "wamid.copy", "status": "warning", "timestamp": "100", "recipient_id": PERSON,
        "biz_opaque_callback_data": turn.callback_data(0),
    });
    app.post_signed(&crate::harness::update::statuses(crate::harness::NUMBER, &[status])).await;
    let line = format!("turn {turn}  warning 1970-01-01 05:31:40");
    following.said_one_of(&[&line]).await;
    let said = following.said();
    assert!(!said.contains("before the last"), "{said}");
    assert_eq!(lines_with(&said, "  heard").len(), 2, "{said}");
}

#[tokio::test]
async fn a_store_that_nobody_knows_is_named_without_the_rest() {
    let toml = "[store]\nurl = \"mysql://x\"\n[[numbers]]\napp_secret_file = \"/nowhere\"\n";
    let ran = Hark::new().file("hark.toml", toml).run(&["turns"]).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    assert!(ran.stderr.contains("hark.toml: store.url: unknown store"), "{}", ran.stderr);
}
