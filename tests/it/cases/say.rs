//! What is asked of a speech engine for a written answer.

use hark::speech_text::{SentenceSplitter, spoken};

use super::Case;

kinds!("say", said, {
    what_was_right: "control",
});

fn said(case: &Case) -> String {
    let language = case.text("lang").into();
    let mut splitter = SentenceSplitter::new();
    let mut sentences = splitter.push(case.text("text"));
    sentences.extend(splitter.finish());
    let said: Vec<String> = sentences.iter().map(|text| spoken(text, &language)).collect();
    said.join(" ")
}
