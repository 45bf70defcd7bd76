//! How a question is answered after the person said how they want to be answered.

use super::Case;
use super::lang::run;
use crate::harness::{PERSON, TestApp};

kinds!("wish", obeyed, {
    everyday_words_for_text_are_obeyed: "wishes for text in everyday words are not obeyed",
    what_was_right: "control",
});

fn obeyed(case: &Case) -> String {
    run(async {
        let app = TestApp::start().answers("At nine.").await;
        app.text(PERSON, case.text("text")).await;
        app.run_until_idle().await;
        let before = app.sent().len();
        assert!(before > 0, "the wish itself is answered");
        app.text(PERSON, "When do you open?").await;
        app.run_until_idle().await;
        let kinds = app.sent().into_iter().skip(before).map(|sent| format!("'{}'", sent.kind));
        let kinds: Vec<String> = kinds.collect();
        format!("next question [{}]", kinds.join(", "))
    })
}
