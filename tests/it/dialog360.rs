//! A number at 360dialog: whole conversations, and who may speak at its door.

use hark::simulator::{CallKind, WebhookTarget};

use crate::harness::update::{self, voice_note};
use crate::harness::{APP_SECRET, NUMBER, PERSON, TestApp};
use crate::program::Hark;

#[tokio::test]
async fn a_voice_note_over_360dialog_gets_a_voice_reply() {
    let app = TestApp::start().over_360dialog().hears("hello").answers("Good morning.").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let sent = app.sent_one();
    assert!(sent.media.as_ref().is_some_and(|media| media.voice), "{sent:#?}");
    // The address of the webhook lies on Meta's host: it was fetched from 360dialog without a look-up.
    assert_eq!((app.count(CallKind::MediaDownload), app.count(CallKind::MediaLookup)), (1, 0));
    let statuses: Vec<_> = sent.statuses.iter().map(|status| status.status).collect();
    assert_eq!(statuses, ["sent", "delivered", "read", "played"]);
    app.text(PERSON, "And a text?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    assert_eq!(app.turns().await.len(), 2);
}

/// A header that was registered proves as much as a signature does.
#[tokio::test]
async fn a_shared_secret_opens_the_door_and_a_wrong_one_does_not() {
    let app = TestApp::start()
        .over_360dialog()
        .set("numbers.0.signature_secret", "another than the simulator's")
        .set("numbers.0.webhook_secret", "open sesame")
        .set("numbers.0.webhook_header", "X-Hark")
        .await;
    let text = update::messages(NUMBER, &[update::text("wamid.1", "hello")]).to_string();
    let posted = app.post_webhook("/webhook/360dialog", text.clone(), None).await;
    assert_eq!(posted.0, 401);
    assert!(posted.1["error"].as_str().unwrap().contains("webhook_secret"), "{posted:?}");
    // Meta's door does not open for it either.
    let signature = update::sign(APP_SECRET, text.as_bytes());
    assert_eq!(app.post_webhook("/webhook", text, Some(&signature)).await.0, 401);
    let target = app.simulator_target("open sesame");
    app.simulator.send_webhooks_to(target);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 1);
}

#[tokio::test]
async fn a_secret_serves_no_number_but_its_own() {
    let app = TestApp::start()
        .over_360dialog()
        .set("numbers.1.phone_number_id", "200")
        .set("numbers.1.provider", "360dialog")
        .set("numbers.1.access_token", "key-of-another")
        .set("numbers.1.webhook_secret", "of another")
        .await;
    // The simulator signs with the first number's secret.
    app.simulator.post_webhook(&update::messages("200", &[update::text("wamid.2", "hi")])).await;
    app.simulator.settled().await;
    app.run_until_idle().await;
    assert_eq!(app.counts().await.queued, 0);
    assert!(app.sent().is_empty() && app.turns().await.is_empty());
}

#[tokio::test]
async fn the_doctor_registers_the_webhook() {
    let app = TestApp::start().over_360dialog().await;
    let api = app.api_url();
    let hark = Hark::new().file(
        "hark.toml",
        format!(
            "[server]\npublic_url = \"http://127.0.0.1:1/hark\"\n[[numbers]]\n\
             phone_number_id = \"{NUMBER}\"\nprovider = \"360dialog\"\napi_url = \"{api}\"\n\
             access_token = \"{}\"\nwebhook_secret = \"open sesame\"\n",
            crate::harness::TOKEN
        ),
    );
    let before = hark.run(&["doctor"]).await;
    let before = format!("{}{}", before.text(), before.stderr);
    assert!(before.contains("360dialog does not send its webhooks to"), "{before}");
    let mended = hark.run(&["doctor", "--fix"]).await;
    let mended = format!("{}{}", mended.text(), mended.stderr);
    assert!(!mended.contains("does not send") && !mended.contains("sesame"), "{mended}");
    let after = hark.run(&["doctor"]).await;
    let after = format!("{}{}", after.text(), after.stderr);
    let place = "has its webhooks sent to http://127.0.0.1:1/hark/webhook/360dialog";
    assert!(after.contains(place), "{after}");
    assert_eq!(app.count(CallKind::WebhookSetting), 1);
}

impl TestApp {
    /// The service's door for 360dialog, with a secret shown in `X-Hark`.
    fn simulator_target(&self, secret: &str) -> WebhookTarget {
        let url = self.address("/webhook/360dialog").parse().unwrap();
        WebhookTarget { url, headers: vec![("x-hark".to_owned(), secret.into())] }
    }
}
