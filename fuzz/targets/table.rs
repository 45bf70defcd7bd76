//! A file of knowledge, most of them CSV: refused with its name, or every passage says something.

use hark::knowledge::Knowledge;
use hark::turn::LanguageCode;

const NAMES: [&str; 6] = ["a.csv", "a.csv", "a.csv", "a.tsv", "a.txt", "a.md"];

pub(super) fn run(input: &[u8]) {
    let (which, file) = super::choice(input);
    let name = NAMES[usize::from(which) % NAMES.len()];
    let knowledge = match Knowledge::load(&[(name.to_owned(), file)]) {
        Ok(knowledge) => knowledge,
        Err(error) => return assert!(error.to_string().starts_with(name), "{error}"),
    };
    let answers = knowledge.answers(usize::MAX).expect("it is in memory");
    assert_eq!(answers.len(), knowledge.passages());
    assert!(answers.iter().all(|answer| !answer.trim().is_empty()), "a passage says nothing");
    let question = String::from_utf8_lossy(&file[..file.len().min(200)]);
    knowledge.top(&question, &LanguageCode::from("en"), None, 3).expect("a question is no query");
}
