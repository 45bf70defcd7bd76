//! What follows a status that comes after the answer.

use serde_json::json;

use super::Case;
use super::whatsapp::{WhatsApp, answer_of, run};

kinds!("status", told, {
    a_note_that_fails_is_followed_by_its_words:
        "a note that fails after it was accepted leaves the person without an answer and the log \
         without a line",
});

fn told(case: &Case) -> String {
    run(async {
        let whatsapp = WhatsApp::start(answer_of(case), None).await;
        let text = json!({ "type": "text", "text": { "body": "When do you open?" } });
        whatsapp.answer("wamid.in", text).await;
        whatsapp.status(&whatsapp.last_id(), case.value("status").clone()).await;
        whatsapp.outcome()
    })
}
