//! What is said and logged where the Graph API refuses a call.

use serde_json::{Value, json};

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

/// Runs a note against a refusal of `on`; returns what was sent and what was logged.
#[track_caller]
fn check(on: &str, http: u16, error: &Value, has: &[&str], lacks: &[&str]) {
    let outcome = run(async {
        let fault = (on.to_owned(), json!({ "http": http, "json": { "error": error } }));
        let whatsapp = WhatsApp::start("", Some(fault)).await;
        whatsapp.answer("wamid.in", note()).await;
        whatsapp.outcome()
    });
    for wanted in has {
        assert!(outcome.contains(wanted), "{on} {error}: no {wanted:?} in {outcome}");
    }
    for unwanted in lacks {
        assert!(!outcome.contains(unwanted), "{on} {error}: {unwanted:?} in {outcome}");
    }
}

#[test]
fn messages_wait_for_what_only_the_operator_can_mend() {
    for (on, http, code, fix) in [
        ("lookup", 403, 10, "check phone_number_id"),
        ("lookup", 400, 131_005, "the token's permissions"),
        ("download", 401, 190, "the access token is not valid"),
        ("voice", 403, 200, "check phone_number_id"),
        ("voice", 403, 131_031, "locked or restricted"),
        ("voice", 403, 368, "locked or restricted"),
        ("voice", 400, 131_045, "not registered"),
        ("voice", 400, 133_010, "not registered"),
        ("voice", 402, 131_042, "payment"),
    ] {
        let error = json!({ "code": code, "message": "no", "fbtrace_id": "Tr4ce" });
        let has = ["ERROR", "number.id=106", fix, "[trace Tr4ce]"];
        check(on, http, &error, &has, &["('", "send it again"]);
    }
}

#[test]
fn what_may_be_gone_or_hidden_is_answered_by_the_fallback_and_an_error() {
    let hidden = json!({ "code": 100, "error_subcode": 33, "message": "does not exist" });
    for (on, http) in [("lookup", 400), ("lookup", 404), ("download", 400), ("download", 404)] {
        let has = ["ERROR", "check phone_number_id", "('text', 'Sorry, we couldn't process"];
        check(on, http, &hidden, &has, &["send it again"]);
    }
}

#[test]
fn a_file_that_is_gone_is_asked_for_again_and_what_meta_says_is_logged() {
    let gone = json!({ "message": "gone", "error_data": { "details": "Media expired" } });
    for on in ["lookup", "download"] {
        check(on, 404, &gone, &["send it again", "WARN", "gone: Media expired"], &["ERROR"]);
    }
}

#[test]
fn every_way_to_tell_details_reaches_the_log() {
    for (error, details) in [
        (json!({ "error_data": { "details": "Opus is mono only" } }), "Opus is mono only"),
        (json!({ "error_data": "in a string" }), "in a string"),
        (json!({ "error_user_title": "Oh", "error_user_msg": "No voice today" }), "No voice today"),
    ] {
        let mut error = error;
        (error["code"], error["message"]) = (131_009.into(), "(#131009) Parameter".into());
        check("voice", 400, &error, &["WARN", "131009", details, "('text', 'We open"], &["ERROR"]);
    }
}
