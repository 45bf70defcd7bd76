//! The language that a model is told to answer in after a message was written.

use super::Case;
use crate::harness::{PERSON, TestApp};
use crate::openai::chat::{Chat, Script};
use crate::openai::{router, serve};

kinds!("lang", told, {
    a_language_that_is_not_known_is_not_taken_for_another:
        "text in a language that the detector does not know is answered in one that it knows",
    a_short_first_message_tells_one_of_the_agents_languages:
        "a short first message in one of the agent's languages is answered in the first of them",
    what_was_right: "control",
});

fn told(case: &Case) -> String {
    run(async {
        let chat = Chat::new([Script::says("OK.")]);
        let url = serve(router(chat.clone())).await;
        let app = TestApp::start().set("llm.engine", "openai").set("llm.url", &url);
        let mut app = app.set("llm.model", "test-model");
        if let Some((_, list)) = case.text("languages").split_once(" = ") {
            app = app.set("agents.0.languages", list);
        }
        let app = app.await;
        app.text(PERSON, case.text("text")).await;
        app.run_until_idle().await;
        app.sent();
        let [asked] = &chat.asked()[..] else { panic!("one request") };
        let messages = asked.body["messages"].as_array().expect("a list");
        let contents = messages.iter().filter_map(|message| message["content"].as_str());
        contents.collect::<Vec<_>>().join("\n")
    })
}

/// Runs a case's own service to its end.
pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("it has threads").block_on(work)
}
