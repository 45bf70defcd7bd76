//! What is answered from a knowledge file as a spreadsheet wrote it, or why it is refused.

use super::Case;
use super::lang::run;
use crate::program::{Hark, SCRIPTED};

kinds!("csv", answered, {
    tables_of_spreadsheets_are_read:
        "CSV as spreadsheets write it is refused, with a message that does not help",
});

fn answered(case: &Case) -> String {
    run(ask(case.text("file"), &case.file(), case.text("lang"), case.text("text")))
}

/// Asks an agent that answers from `contents` alone; returns the answer or the error.
async fn ask(name: &str, contents: &[u8], language: &str, question: &str) -> String {
    let agent = format!(
        "default_agent = \"shop\"\n{SCRIPTED}[llm]\nengine = \"faq\"\n[tts]\nengine = \
         \"scripted\"\n[[agents]]\nname = \"shop\"\nlanguage = \"{language}\"\nknowledge = \
         [\"{name}\"]\n"
    );
    let hark = Hark::new().file("hark.toml", agent).file(name, contents);
    let ran = hark.run(&["ask", "--text", question]).await;
    format!("{}{}", ran.text(), ran.stderr)
}

#[tokio::test]
async fn a_product_is_found_by_its_name_and_a_refused_row_by_its_line() {
    let products = b"name;price;size\r\nGreen tea;3,50;100 g\r\nCoffee;8;250 g\r\n;;\r\n";
    let said = ask("products.csv", products, "en", "How much is the coffee?").await;
    assert!(said.contains("name: Coffee, price: 8, size: 250 g"), "{said}");
    let said = ask("p.csv", b"Name;Preis\nTee;3\nKaffee;8\n", "de", "Was kostet der Kaffee?").await;
    assert!(said.contains("Name: Kaffee, Preis: 8"), "{said}");
    let refused = ask("faq.csv", b"question,answer\nWhere?,Here, in town\n", "en", "Where?").await;
    assert!(
        refused.contains("faq.csv, line 2: 3 columns where the header has 2: put"),
        "{refused}"
    );
    let sheet = ask("faq.xlsx", b"PK\x03\x04", "en", "Where?").await;
    assert!(sheet.contains("save a spreadsheet as \"CSV UTF-8\""), "{sheet}");
}
