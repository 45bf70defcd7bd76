//! The words of passages: an in-memory FTS5 table, ranked by BM25 with the question column above the
//! answer.
//!
//! Changed by copy: pages are copied, sources taken out and put in, and only then it takes the place of
//! the one that is searched. Invariant: what people say is never query syntax; every term is quoted.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use super::source::{KnowledgeSource, Passage, SourceKey};
use super::words::Terms;
use super::{Hit, KnowledgeError, SourceInfo};
use crate::turn::PassageSource;

/// Sets the share of the question's words that a passage must hold, weighted by their rarity.
const MIN_COVERAGE: f64 = 0.4;

/// Sets how many words in one passage cannot be a coincidence, since people tell a story around
/// their question: half the share is enough then.
const MANY_WORDS: usize = 4;

/// Sets in how many passages a word is that tells little of them, and of how many such words the count
/// is remembered.
const COMMON: usize = 5_000;
const MOST_COMMON: usize = 10_000;

/// Sets how many of the best-ranked passages are compared by coverage; more where words of the question
/// did not rank, since those may decide.
pub(super) const CANDIDATES: usize = 8;
const MORE_CANDIDATES: usize = 24;

/// Holds the passages, and what is known of their words.
#[derive(Debug)]
pub(super) struct Index {
    db: Connection,
    sources: Vec<Indexed>,
    /// The next row: none comes twice, in copies neither, since what a row means is remembered.
    next: i64,
    /// In how many passages a word is, of those in very many.
    common: HashMap<String, usize>,
}

/// Names a source and its rows.
#[derive(Clone, Debug)]
struct Indexed {
    key: SourceKey,
    name: String,
    rows: RangeInclusive<i64>,
}

impl Indexed {
    fn len(&self) -> usize {
        usize::try_from(self.rows.end() - self.rows.start() + 1).unwrap_or_default()
    }
}

impl Index {
    /// Makes one without passages.
    pub(super) fn new() -> Result<Self, KnowledgeError> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(
            "CREATE VIRTUAL TABLE passages USING fts5(
                 question, answer, also, file UNINDEXED, place UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2')",
        )?;
        Ok(Self { db, sources: Vec::new(), next: 1, common: HashMap::new() })
    }

    /// Makes a copy that has only the sources with these keys.
    pub(super) fn with_only(&self, keys: &HashSet<SourceKey>) -> Result<Self, KnowledgeError> {
        let mut db = Connection::open_in_memory()?;
        let copy = Backup::new(&self.db, &mut db)?.step(-1)?;
        debug_assert!(copy == StepResult::Done, "nobody else writes to it");
        let (sources, gone): (Vec<_>, Vec<_>) =
            self.sources.iter().cloned().partition(|source| keys.contains(&source.key));
        for source in gone {
            db.execute(
                "DELETE FROM passages WHERE rowid BETWEEN ?1 AND ?2",
                params![source.rows.start(), source.rows.end()],
            )?;
        }
        Ok(Self { db, sources, next: self.next, common: HashMap::new() })
    }

    /// Adds a source, unless it is there.
    pub(super) fn add(&mut self, source: &KnowledgeSource) -> Result<(), KnowledgeError> {
        if self.sources.iter().any(|other| other.key == source.key) {
            return Ok(());
        }
        let load = self.db.transaction()?;
        let first = self.next;
        let mut row = first;
        for Passage { question, answer, also, place } in &source.passages {
            load.prepare_cached(
                "INSERT INTO passages (rowid, question, answer, also, file, place)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![row, question, answer, also, source.name, place])?;
            row += 1;
        }
        load.commit()?;
        let (key, name) = (source.key, source.name.clone());
        self.sources.push(Indexed { key, name, rows: first..=row - 1 });
        self.next = row;
        self.common.clear();
        Ok(())
    }

    /// Names the sources.
    pub(super) fn keys(&self) -> HashSet<SourceKey> {
        self.sources.iter().map(|source| source.key).collect()
    }

    /// Lists the sources, in order.
    pub(super) fn list(&self) -> Vec<SourceInfo> {
        let info = |source: &Indexed| SourceInfo {
            key: source.key,
            name: source.name.clone(),
            passages: source.len(),
        };
        self.sources.iter().map(info).collect()
    }

    /// Returns up to `most` passages of a source, from this place in it on.
    pub(super) fn passages_of(
        &self,
        key: SourceKey,
        from: usize,
        most: usize,
    ) -> Result<Vec<Passage>, KnowledgeError> {
        let Some(source) = self.sources.iter().find(|source| source.key == key) else {
            return Ok(Vec::new());
        };
        let row = |place: usize| {
            source.rows.start().saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
        };
        let last = row(from.saturating_add(most)).saturating_sub(1);
        self.passages(row(from)..=last.min(*source.rows.end()))
    }

    /// Counts the passages.
    pub(super) fn len(&self) -> usize {
        self.sources.iter().map(Indexed::len).sum()
    }

    /// Returns the ids of all rows, ascending.
    pub(super) fn rows(&self) -> impl Iterator<Item = i64> {
        let mut ranges: Vec<_> = self.sources.iter().map(|source| source.rows.clone()).collect();
        ranges.sort_by_key(|rows| *rows.start());
        ranges.into_iter().flatten()
    }

    /// Returns the passage of a row, if there is one.
    pub(super) fn passage(&self, row: i64) -> Result<Option<Passage>, KnowledgeError> {
        let mut all = self.passages(row..=row)?;
        Ok(all.pop())
    }

    /// Returns some passages from everywhere, about `most` of them, or all if they are no more.
    pub(super) fn sample(&self, most: usize) -> Result<Vec<Passage>, KnowledgeError> {
        let passages = self.rows().step_by(self.len().div_ceil(most).max(1));
        let passages = passages.map(|row| self.passage(row)).collect::<Result<Vec<_>, _>>()?;
        Ok(passages.into_iter().flatten().collect())
    }

    /// Returns the passages of these rows.
    pub(super) fn passages(
        &self,
        rows: RangeInclusive<i64>,
    ) -> Result<Vec<Passage>, KnowledgeError> {
        let mut statement = self.db.prepare_cached(
            "SELECT question, answer, also, place FROM passages
             WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid",
        )?;
        let passages = statement.query_map(params![rows.start(), rows.end()], |row| {
            Ok(Passage {
                question: row.get(0)?,
                answer: row.get(1)?,
                also: row.get(2)?,
                place: row.get(3)?,
            })
        })?;
        Ok(passages.collect::<Result<_, _>>()?)
    }

    /// Returns what the first `most` passages say.
    pub(super) fn answers(&self, most: usize) -> Result<Vec<String>, KnowledgeError> {
        let mut statement =
            self.db.prepare("SELECT answer FROM passages ORDER BY rowid LIMIT ?1")?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(statement.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Returns those of the best-ranked passages that cover enough of a question, best first, with
    /// their rows.
    pub(super) fn covering(&mut self, terms: Terms) -> Result<Vec<(i64, Hit)>, KnowledgeError> {
        match terms {
            Terms::None => Ok(Vec::new()),
            // "How are you?" has no word of weight: only a filed question with all of them is it.
            Terms::Common(words) => {
                let query = format!("question : ({})", quoted(&words).join(" AND "));
                let hits = self.candidates(&query, CANDIDATES)?.into_iter();
                Ok(hits.map(|(row, hit)| (row, Hit { coverage: 1.0, ..hit })).collect())
            }
            Terms::Informative(words) => self.best_covered(&quoted(&words)),
        }
    }

    /// Returns those of the best-ranked passages that cover enough of `terms`, best first. Words that
    /// very many passages hold do not rank, unless there are no others: a ranking reads every passage
    /// that it may choose.
    fn best_covered(&mut self, terms: &[String]) -> Result<Vec<(i64, Hit)>, KnowledgeError> {
        let counts: Vec<usize> =
            terms.iter().map(|term| self.holding(term)).collect::<Result<_, _>>()?;
        let ranked = terms.iter().zip(&counts);
        let rare: Vec<&str> =
            ranked.filter(|(_, count)| **count < COMMON).map(|(term, _)| term.as_str()).collect();
        let (query, most) = if rare.is_empty() || rare.len() == terms.len() {
            (terms.join(" OR "), CANDIDATES)
        } else {
            (rare.join(" OR "), MORE_CANDIDATES)
        };
        let mut found: Vec<_> =
            self.candidates(&query, most)?.into_iter().map(|(row, hit)| (row, hit, 0)).collect();
        let mut total = 0.0;
        for (term, count) in terms.iter().zip(counts) {
            let rarity = inverse_frequency(self.len(), count);
            total += rarity;
            for (row, hit, held) in &mut found {
                if self.holds(*row, term)? {
                    hit.coverage += rarity;
                    *held += 1;
                }
            }
        }
        let mut best: Vec<_> = found
            .into_iter()
            .map(|(row, hit, held)| (row, Hit { coverage: hit.coverage / total, ..hit }, held))
            .filter(|(_, hit, held)| {
                hit.coverage >= if *held >= MANY_WORDS { MIN_COVERAGE / 2.0 } else { MIN_COVERAGE }
            })
            .map(|(row, hit, _)| (row, hit))
            .collect();
        // Rounded, so that of two that cover the same the better ranked stays first.
        #[expect(clippy::cast_possible_truncation, reason = "a share, 0 to 1")]
        best.sort_by_key(|(_, hit)| std::cmp::Reverse((hit.coverage * 1e9).round() as i64));
        best.truncate(CANDIDATES);
        Ok(best)
    }

    /// Counts the passages that hold `term`; what is in very many is counted once.
    fn holding(&mut self, term: &str) -> Result<usize, KnowledgeError> {
        if let Some(count) = self.common.get(term) {
            return Ok(*count);
        }
        let mut statement =
            self.db.prepare_cached("SELECT count(*) FROM passages WHERE passages MATCH ?1")?;
        let count = statement.query_row([term], |row| row.get::<_, i64>(0))?;
        let count = usize::try_from(count).unwrap_or_default();
        if count >= COMMON && self.common.len() < MOST_COMMON {
            self.common.insert(term.to_owned(), count);
        }
        Ok(count)
    }

    /// Returns whether a passage holds `term`.
    fn holds(&self, row: i64, term: &str) -> Result<bool, KnowledgeError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT 1 FROM passages WHERE passages MATCH ?1 AND rowid = ?2")?;
        Ok(statement.exists(params![term, row])?)
    }

    /// Returns the best-ranked passages with their rows, best first; coverage is still 0.
    fn candidates(&self, query: &str, most: usize) -> Result<Vec<(i64, Hit)>, KnowledgeError> {
        let mut statement = self.db.prepare_cached(
            "SELECT rowid, question, answer, file, place, bm25(passages, 4.0, 1.0, 2.0) AS rank_
             FROM passages
             WHERE passages MATCH ?1 ORDER BY rank_, rowid LIMIT ?2",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![query, most], |row| {
            // SQLite counts downwards: the best has the most negative rank.
            Ok((row.get(0)?, Hit { score: -row.get::<_, f64>(5)?, ..found(row)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the passage of a row as one that was found by other means.
    pub(super) fn hit(&self, row: i64) -> Result<Hit, KnowledgeError> {
        let mut statement = self.db.prepare_cached(
            "SELECT rowid, question, answer, file, place FROM passages WHERE rowid = ?1",
        )?;
        Ok(statement.query_row([row], found)?)
    }
}

/// Reads a row as far as it needs no ranking.
fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hit> {
    Ok(Hit {
        question: row.get(1)?,
        answer: row.get(2)?,
        source: PassageSource { file: row.get(3)?, place: row.get(4)? },
        score: 0.0,
        coverage: 0.0,
        similarity: None,
    })
}

/// Makes FTS5 strings of words; `terms` leaves letters and digits only, the quotes are for certain.
fn quoted(words: &[String]) -> Vec<String> {
    words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect()
}

/// Weighs a word that `holding` of `passages` hold, as in BM25; never 0.
#[expect(clippy::cast_precision_loss, reason = "counts of passages are far below 2^52")]
fn inverse_frequency(passages: usize, holding: usize) -> f64 {
    let (all, holding) = (passages as f64, holding as f64);
    (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln()
}
