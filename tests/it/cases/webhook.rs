//! What is sent, and what the language model is asked, for messages as webhooks bring them.

use serde_json::Value;

use super::Case;
use super::whatsapp::{WhatsApp, answer_of, run};

kinds!("webhook", answered, {
    a_voice_message_that_whatsapp_lost_is_asked_for_again:
        "a voice message that WhatsApp lost is called a kind of message that cannot be opened",
    words_under_a_file_are_answered:
        "words under a picture, video or document are not answered",
    sound_as_a_document_is_heard: "sound that is sent as a document is not heard",
    what_a_message_refers_to_reaches_the_model:
        "what a message refers to does not reach the language model",
});

fn answered(case: &Case) -> String {
    run(async {
        let whatsapp = WhatsApp::start(answer_of(case), None).await;
        let before = case.value("before").as_array().cloned().unwrap_or_default();
        for (index, message) in before.into_iter().enumerate() {
            whatsapp.answer(&format!("wamid.before.{index}"), message).await;
        }
        let mut message = case.value("message").clone();
        if case.value("quote_last") == &Value::Bool(true) {
            message["context"]["id"] = whatsapp.last_id().into();
        }
        whatsapp.answer("wamid.in", message).await;
        whatsapp.outcome()
    })
}
