//! What is said and logged where the Graph API refuses a call.

use super::Case;
use super::whatsapp::{WhatsApp, answer_of, note, run};

kinds!("graph", refused, {
    a_fault_of_the_set_up_is_logged_and_never_told_as_the_persons:
        "a refusal that is the set-up's fault is told as the person's, and not logged",
    metas_details_are_in_the_log: "Meta's details, which say what is wrong, are not in the log",
});

fn refused(case: &Case) -> String {
    run(async {
        let fault = (case.text("on").to_owned(), case.value("answer").clone());
        let whatsapp = WhatsApp::start(answer_of(case), Some(fault)).await;
        whatsapp.answer("wamid.in", note()).await;
        whatsapp.outcome()
    })
}
