//! Languages: which one hark hears where it is one of five and not told.

use super::{Table, names};
use crate::rate;
use crate::row::Row;

/// Counts the recordings whose language is heard rightly, and names the others.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["how", "right", "which were wrong"]);
    for who in rate::contestants(rows) {
        let own = rate::of(rows, who);
        let wrong: Vec<String> = own.iter().filter_map(|row| mistake(row)).collect();
        table.row([
            who.to_owned(),
            format!("{} of {}", own.len() - wrong.len(), own.len()),
            names(wrong.iter().map(String::as_str)),
        ]);
    }
    table
}

/// Names the recording and what was heard instead; a failure is a mistake.
fn mistake(row: &Row) -> Option<String> {
    let heard = row.doubt().map(|doubt| &doubt.language);
    let spoken = row.clip.language.as_ref()?;
    if heard.is_some_and(|heard| heard.is(spoken)) {
        return None;
    }
    let heard = heard.filter(|heard| !heard.is_unknown()).map_or("none", |heard| heard.as_str());
    Some(format!("{} ({heard})", row.clip.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{doubted, failed};

    #[test]
    fn what_is_not_heard_in_its_language_is_named() {
        let right = doubted((1, 0), -0.1, 0.0, None);
        let mut wrong = right.clone();
        if let Ok(heard) = &mut wrong.heard
            && let Some(doubt) = &mut heard.doubt
        {
            doubt.language = "cy".into();
        }
        let text = table(&[right, wrong, failed("hark", "de", 3)]).to_string();
        let line = "| hark | 1 of 3 | en/hark.ogg (cy), de/hark.ogg (none) |\n";
        assert!(text.ends_with(line), "{text}");
    }
}
