//! The table of an evaluation: conversations, and what is expected of each answer.
//!
//! TOML, or CSV as a spreadsheet saves it, one turn a row.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::turn::LanguageCode;

/// Separates several expectations in a cell of a CSV file; `|` separates ways to say one.
const SEVERAL: char = ';';

/// Holds what is tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvalTable {
    /// The agent, unless the command line names one.
    pub(super) agent: Option<String>,
    /// Share of turns that have to pass, 0 to 1.
    #[serde(default = "all")]
    pub(super) threshold: f64,
    pub(super) conversations: Vec<EvalConversation>,
}

fn all() -> f64 {
    1.0
}

/// Holds one conversation, which begins without a past.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvalConversation {
    pub(super) name: String,
    pub(super) turns: Vec<EvalTurn>,
}

/// Holds what a person says or writes, and what the answer is held to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvalTurn {
    /// Spoken by the agent's own voice, and heard.
    pub(super) said: Option<String>,
    /// Written.
    pub(super) written: Option<String>,
    /// What the answer says, each as one of several ways: `nine|9`.
    #[serde(default)]
    pub(super) must: Vec<String>,
    /// What it does not say.
    #[serde(default)]
    pub(super) must_not: Vec<String>,
    /// What it is in.
    pub(super) language: Option<LanguageCode>,
    /// What it gives beside words: `buttons`, `location`, ...
    #[serde(default)]
    pub(super) gives: Vec<String>,
    /// What it calls, by the names of the agent's tools.
    #[serde(default)]
    pub(super) tools: Vec<String>,
    /// Whether a person is asked for.
    pub(super) ticket: Option<bool>,
}

impl EvalTurn {
    /// Returns the words that go in.
    pub(super) fn words(&self) -> &str {
        self.said.as_deref().or(self.written.as_deref()).unwrap_or_default()
    }
}

/// Holds one row of a CSV file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvalRow {
    conversation: String,
    said: Option<String>,
    written: Option<String>,
    must: Option<String>,
    must_not: Option<String>,
    language: Option<String>,
    gives: Option<String>,
    tools: Option<String>,
    ticket: Option<String>,
}

/// Reads a table.
///
/// # Errors
/// What cannot be read, with its place.
pub(super) fn read(path: &Path) -> anyhow::Result<EvalTable> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| shown.to_string())?;
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let table = if is_csv { from_csv(&text) } else { from_toml(&text) };
    let table = table.with_context(|| shown.to_string())?;
    check(&table).with_context(|| shown.to_string())?;
    Ok(table)
}

fn from_toml(text: &str) -> anyhow::Result<EvalTable> {
    Ok(toml::from_str(text)?)
}

fn from_csv(text: &str) -> anyhow::Result<EvalTable> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut conversations: Vec<EvalConversation> = Vec::new();
    for (place, row) in reader.deserialize().enumerate() {
        let EvalRow { conversation, said, written, must, must_not, language, gives, tools, ticket } =
            row?;
        let ticket = match ticket.as_deref().unwrap_or_default().to_lowercase().as_str() {
            "" => None,
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => bail!("row {}: ticket is yes or no", place + 2),
        };
        let filled = |cell: Option<String>| cell.filter(|words| !words.is_empty());
        let turn = EvalTurn {
            said: filled(said),
            written: filled(written),
            must: several(must),
            must_not: several(must_not),
            language: filled(language).map(LanguageCode::from),
            gives: several(gives),
            tools: several(tools),
            ticket,
        };
        match conversations.last_mut() {
            // A row without a name goes on with the conversation above.
            Some(last) if conversation.is_empty() || last.name == conversation => {
                last.turns.push(turn);
            }
            _ => conversations.push(EvalConversation { name: conversation, turns: vec![turn] }),
        }
    }
    Ok(EvalTable { agent: None, threshold: all(), conversations })
}

fn several(cell: Option<String>) -> Vec<String> {
    let cell = cell.unwrap_or_default();
    let words = cell.split(SEVERAL).map(str::trim).filter(|words| !words.is_empty());
    words.map(str::to_owned).collect()
}

fn check(table: &EvalTable) -> anyhow::Result<()> {
    if !(0.0..=1.0).contains(&table.threshold) {
        bail!("threshold is a share from 0 to 1, not {}", table.threshold);
    }
    if table.conversations.iter().all(|conversation| conversation.turns.is_empty()) {
        bail!("there is no turn to try");
    }
    for EvalConversation { name, turns } in &table.conversations {
        for (place, turn) in turns.iter().enumerate() {
            let given = [&turn.said, &turn.written].into_iter().flatten();
            if given.clone().count() != 1 || given.clone().any(|words| words.trim().is_empty()) {
                bail!("conversation \"{name}\", turn {}: needs either said or written", place + 1);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_says_the_same_as_toml() {
        let csv = "conversation,said,written,must,must_not,language,gives,tools,ticket\n\
                   hours,When do you open?,,nine|9; morning,closed,en,,find_hours,\n\
                   ,,And on Sunday?,closed,,,buttons,,no\n";
        let toml = "[[conversations]]\nname = \"hours\"\nturns = [\n\
            { said = \"When do you open?\", must = [\"nine|9\", \"morning\"], \
              must_not = [\"closed\"], language = \"en\", tools = [\"find_hours\"] },\n\
            { written = \"And on Sunday?\", must = [\"closed\"], gives = [\"buttons\"], \
              ticket = false },\n]";
        let (csv, toml) = (from_csv(csv).unwrap(), from_toml(toml).unwrap());
        assert_eq!(format!("{csv:?}"), format!("{toml:?}"));
        check(&csv).unwrap();
    }

    #[test]
    fn the_table_of_the_documentation_is_read() {
        let page = include_str!("../../../docs/EVAL.md");
        let (_, rest) = page.split_once("```toml eval\n").unwrap();
        let table = from_toml(rest.split_once("```").unwrap().0).unwrap();
        check(&table).unwrap();
        assert_eq!(table.conversations[0].turns.len(), 2);
    }

    #[test]
    fn what_cannot_be_tried_is_named() {
        for (toml, problem) in [
            ("conversations = []", "no turn"),
            ("threshold = 2\nconversations = []", "from 0 to 1"),
            ("[[conversations]]\nname = \"a\"\nturns = [{ must = [\"x\"] }]", "\"a\", turn 1"),
        ] {
            let error = check(&from_toml(toml).unwrap()).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        assert!(from_toml("[[conversations]]\nname = \"a\"\nturns = [{ sais = \"x\" }]").is_err());
        assert!(from_csv("conversation,said,ticket\na,b,perhaps\n").is_err());
    }
}
