//! `hark eval`: conversations through the real program.

use serde_json::Value;

use crate::program::{Hark, SCRIPTED};

const FAQ: &str = "question,answer\nWhen do you open?,We open at nine in the morning.\n\
    Where are you?,\"{\"\"say\"\": \"\"We are at the market.\"\", \"\"location\"\": {\"\"latitude\"\": 1, \"\"longitude\"\": 2}}\"\n";

const TABLE: &str = "[[conversations]]\nname = \"hours\"\nturns = [\n\
    { said = \"when do you open\", must = [\"nine\"], must_not = [\"ten\"], language = \"en\" },\n\
    { written = \"where are you\", must = [\"market|shop\"], gives = [\"location\"], ticket = false },\n\
    ]\n";

fn hark() -> Hark {
    let agent = "[[agents]]\nname = \"shop\"\nknowledge = [\"faq.csv\"]\nrich = true\n";
    let config = format!("default_agent = \"shop\"\n{SCRIPTED}[llm]\nengine = \"faq\"\n{agent}");
    Hark::new().file("hark.toml", config).file("faq.csv", FAQ)
}

#[tokio::test]
async fn a_table_that_passes_says_so() {
    let ran = hark().file("table.toml", TABLE).run(&["eval", "table.toml"]).await;
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.code, 0, "{said}{}", ran.stderr);
    assert!(said.contains("answered  We are at the market. [location]"), "{said}");
    let last = "2 of 2 turns passed (100 %), 100 % have to, words heard wrongly: 0.0 %";
    assert_eq!(said.lines().last(), Some(last));
}

#[tokio::test]
async fn a_table_below_its_threshold_ends_with_1_and_names_what_is_wrong() {
    let csv = "conversation,said,written,must,must_not,language,gives,tools,ticket\n\
        hours,,when do you open,noon,nine,es,buttons,find_order,yes\n,,where are you,market,,,,,\n";
    let hark = hark().file("table.csv", csv);
    let ran = hark.run(&["eval", "table.csv", "--json"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&report["schema"], &report["passed"]), (&1.into(), &1.into()));
    let wrong = report["turns"][0]["wrong"].as_array().unwrap();
    let expected = [
        "does not say \"noon\"",
        "says \"nine\"",
        "is in en, not in es",
        "gives no buttons",
        "does not call find_order",
        "asks for no person",
    ];
    assert_eq!(wrong, &expected);
    let ran = hark.run(&["eval", "table.csv", "--threshold", "0.5"]).await;
    assert_eq!(ran.code, 0, "half of it passes");
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_named() {
    for (name, table) in [("a.toml", "conversations = 1"), ("b.csv", "said\n")] {
        let ran = hark().file(name, table).run(&["eval", name]).await;
        assert!(ran.code == 1 && ran.stderr.contains(name), "{}", ran.stderr);
    }
    let ran = hark().run(&["eval", "nothing.toml"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("nothing.toml"), "{}", ran.stderr);
}
