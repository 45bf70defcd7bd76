//! Sums as a table for people.

use crate::http::api::UsageView;
use crate::remote::words::plain;
use crate::usage::Certainty;

/// The columns that hold words: they begin at the left.
const WORDS: usize = 4;

/// Writes sums and their totals, one a currency.
pub(super) fn words(sums: &[UsageView], totals: &[UsageView]) -> String {
    let mut rows: Vec<Vec<String>> = sums.iter().map(cells).collect();
    rows.extend(totals.iter().map(|total| {
        let mut row = cells(total);
        // What a sum is not made by has no column: the first that is there says what the row is.
        "all".clone_into(&mut row[first_key(sums)]);
        row
    }));
    let head = [
        "day",
        "number",
        "agent",
        "contact",
        "turns",
        "heard",
        "tokens in",
        "cached",
        "out",
        "characters",
        "spoken",
        "messages",
        "tools",
        "credits",
        "cost",
    ];
    rows.insert(0, head.map(str::to_owned).to_vec());
    let shown: Vec<usize> = (0..head.len()).filter(|&column| is_used(&rows, column)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let line = |row: &Vec<String>| {
        let cells = shown.iter().map(|&column| {
            let (cell, width) = (&row[column], width(column).unwrap_or(0));
            if column < WORDS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the column of the first key that sums are made by.
fn first_key(sums: &[UsageView]) -> usize {
    let has = |of: fn(&UsageView) -> &Option<String>| sums.iter().any(|sum| of(sum).is_some());
    let keys = [has(|s| &s.day), has(|s| &s.number), has(|s| &s.agent), has(|s| &s.contact)];
    keys.iter().position(|&is_there| is_there).unwrap_or(0)
}

/// Returns whether a column says anything; keys that are no keys and counts of nothing are left out.
fn is_used(rows: &[Vec<String>], column: usize) -> bool {
    rows.iter().skip(1).any(|row| !matches!(row[column].as_str(), "" | "0" | "0.0 s"))
}

fn cells(sum: &UsageView) -> Vec<String> {
    let key = |key: &Option<String>| key.as_deref().map(plain).unwrap_or_default();
    let sign = match sum.certainty {
        Certainty::Exact => "",
        Certainty::Estimated => "~",
        Certainty::Unknown => ">=",
    };
    let cost = sum.cost.as_ref().zip(sum.currency.as_ref());
    let cost = cost.map(|(cost, currency)| format!("{sign}{cost} {currency}"));
    vec![
        key(&sum.day),
        key(&sum.number),
        key(&sum.agent),
        key(&sum.contact),
        sum.turns.to_string(),
        format!("{:.1} s", sum.heard_s),
        sum.prompt_tokens.to_string(),
        sum.cached_tokens.to_string(),
        sum.completion_tokens.to_string(),
        sum.spoken_chars.to_string(),
        format!("{:.1} s", sum.spoken_s),
        sum.messages.to_string(),
        sum.tool_calls.to_string(),
        sum.credits.to_string(),
        cost.unwrap_or_else(|| "no prices".to_owned()),
    ]
}

/// Says what the signs before a cost mean, where there are some, and what to do about it.
pub(super) fn remarks(totals: &[UsageView]) -> Vec<String> {
    let mut said = Vec::new();
    if totals.iter().any(|total| total.currency.is_none()) {
        let what = "some turns ended while there were no prices";
        said.push(format!("{what}: hark usage prices set FILE sets them from now on"));
    }
    if totals.iter().any(|total| total.certainty == Certainty::Estimated) {
        said.push("~ an estimate: see docs/USAGE.md".to_owned());
    }
    let unpriced: Vec<&str> = totals.iter().flat_map(|t| &t.unpriced).map(String::as_str).collect();
    if !unpriced.is_empty() {
        said.push(format!(">= at least: there is no price for {}", plain(&unpriced.join(", "))));
    } else if totals.iter().any(|t| t.certainty == Certainty::Unknown && t.currency.is_some()) {
        said.push(">= at least: an answer was cut off before its tokens were counted".to_owned());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(agent: Option<&str>, turns: u64, cost: Option<&str>, certainty: Certainty) -> UsageView {
        UsageView {
            day: None,
            number: None,
            agent: agent.map(str::to_owned),
            contact: None,
            turns,
            heard_s: 1.25,
            prompt_tokens: 1_000 * turns,
            cached_tokens: 0,
            completion_tokens: 90,
            spoken_chars: 0,
            spoken_s: 0.0,
            messages: turns,
            tool_calls: 0,
            credits: 0,
            currency: cost.map(|_| "USD".to_owned()),
            cost: cost.map(str::to_owned),
            certainty,
            estimated: 0,
            unknown: 0,
            unpriced: Vec::new(),
        }
    }

    #[test]
    fn a_table_has_the_columns_that_say_something() {
        let sums = [
            sum(Some("desk"), 2, Some("0.009000"), Certainty::Exact),
            sum(Some("shop\u{1b}[31m"), 12, Some("10.020000"), Certainty::Estimated),
        ];
        let mut total = sum(None, 14, Some("10.029000"), Certainty::Unknown);
        total.unpriced = vec!["stt whisper/base".to_owned()];
        let table = words(&sums, std::slice::from_ref(&total));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["agent", "turns", "heard", "tokens", "in", "out", "messages", "cost"]
        );
        assert!(lines[1].starts_with("desk ") && lines[1].ends_with("  0.009000 USD"), "{table}");
        assert!(lines[2].ends_with(" ~10.020000 USD") && !table.contains('\u{1b}'), "{table}");
        assert!(lines[3].starts_with("all ") && lines[3].ends_with(">=10.029000 USD"), "{table}");
        assert_eq!(remarks(&[total]), [">= at least: there is no price for stt whisper/base"]);
        let none = words(&[sum(None, 1, None, Certainty::Unknown)], &[]);
        assert!(none.ends_with("no prices"), "{none}");
        assert_eq!(remarks(&[sum(None, 1, None, Certainty::Unknown)]).len(), 1);
    }
}
