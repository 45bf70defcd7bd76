//! The tables, each a function of the rows that were measured.

pub(crate) mod gate;
pub(crate) mod languages;
pub(crate) mod margins;
mod markdown;
pub(crate) mod models;
pub(crate) mod noise;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod vocabulary;
pub(crate) mod words;

pub(crate) use markdown::{Table, names, number, or_dash};

use std::collections::BTreeMap;

use crate::row::Row;

/// Lists the recordings that somebody failed on; `None` if nobody did.
pub(crate) fn failures(rows: &[Row]) -> Option<Table> {
    let mut failed: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        if let Err(error) = &row.heard {
            failed.entry((&row.clip.name, error)).or_default().push(&row.who);
        }
    }
    let mut table = Table::new(["recording", "error", "contestants"]);
    for ((name, error), who) in failed {
        let everybody = rows.iter().filter(|row| row.clip.name == name).count() == who.len();
        let who = if everybody { "everybody".into() } else { names(who) };
        table.row([name.to_owned(), error.to_owned(), who]);
    }
    (!table.is_empty()).then_some(table)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::testing::{failed, row};
    use super::*;
    use crate::row::Heading;

    #[test]
    fn every_failure_is_listed_with_those_who_failed() {
        let in_one = |row: Row, name: &str| {
            let clip = Heading { name: name.into(), ..(*row.clip).clone() };
            Row { clip: Arc::new(clip), ..row }
        };
        assert!(failures(&[row("a", "en", 1, 0)]).is_none());
        let rows = [
            in_one(row("a", "de", 1, 0), "one"),
            in_one(failed("b", "de", 1), "one"),
            in_one(failed("a", "de", 1), "two"),
            in_one(failed("b", "de", 1), "two"),
        ];
        let table = failures(&rows).expect("somebody failed").to_string();
        assert!(
            table.ends_with("| one | is broken | b |\n| two | is broken | everybody |\n"),
            "{table}"
        );
    }
}
