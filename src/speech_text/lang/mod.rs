//! The tables, one file a language: what differs stands here, what is common in the rules.

mod de;
mod en;
mod es;
mod fr;
mod pt;

use super::language::Language;

/// Every language that has tables.
pub(super) const ALL: [&Language; 5] =
    [&en::ENGLISH, &es::SPANISH, &pt::PORTUGUESE, &de::GERMAN, &fr::FRENCH];

/// A thousand millions, where they have a name of their own.
const BILLION: u64 = 1_000_000_000;

/// Splits a number into millions, thousands and the rest.
fn triples(n: u64) -> (u64, u64, u64) {
    (n / 1_000_000, n / 1000 % 1000, n % 1000)
}

/// The entry of a table for a number, which is in its range.
fn entry<T: Copy>(table: &[T], n: u64) -> T {
    let at = usize::try_from(n).unwrap_or_default();
    table[at.min(table.len() - 1)]
}
