//! What is sent for answers with addresses that nobody can write down from hearing them.

use super::Case;
use super::lang::run;
use crate::harness::{PERSON, TestApp};

kinds!("webhook", sent, {
    an_address_that_cannot_be_said_is_sent:
        "a link is neither sayable nor sent: unknown ending, capital letters",
});

fn sent(case: &Case) -> String {
    run(async {
        let app = TestApp::start().answers(case.text("answer")).await;
        app.text(PERSON, "Where?").await;
        app.run_until_idle().await;
        let sent = app.sent().into_iter().map(|message| {
            let text = message.text.unwrap_or_default().replace('\n', "\\n");
            format!("('{}', '{text}')", message.kind)
        });
        sent.collect::<Vec<_>>().join(", ")
    })
}
