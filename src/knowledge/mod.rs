//! What an agent knows: passages from files, found by the words of a question.
//!
//! An in-memory SQLite FTS5 table, ranked by BM25 with the question column above the answer. A
//! ranking always has a first row, so a hit must also *cover* the question: the rare words of the
//! question must be in the passage, or the honest answer is that we do not know.
//! Invariant: what people say is never query syntax; every term is quoted.

mod html;
mod names;
mod pdf;
mod read;
mod sections;
mod table;
mod text;
mod words;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params};

use words::Terms;

use crate::turn::{LanguageCode, PassageSource};

/// Sets the share of the question's words that a passage must hold, weighted by their rarity.
const MIN_COVERAGE: f64 = 0.4;

/// Sets how many words in one passage cannot be a coincidence, since people tell a story around
/// their question: half the share is enough then.
const MANY_WORDS: usize = 4;

/// Sets how many of the best-ranked passages are compared by coverage.
const CANDIDATES: u32 = 8;

/// Holds the passages of an agent's files, ready to be searched.
///
/// One connection behind a mutex: a short question to 22 passages takes about 0.1 ms, one with a
/// word that all of 20,000 passages hold 9 ms, so async callers search on a blocking thread.
#[derive(Debug)]
pub struct Knowledge {
    index: Mutex<Connection>,
    passages: usize,
    names: Vec<String>,
}

/// Holds a passage that answers a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The question the passage was filed under; `None` for running text.
    pub question: Option<String>,
    /// The answer, or the passage itself.
    pub answer: String,
    /// The file it is from, and where in it.
    pub source: PassageSource,
    /// BM25 rank, higher is better; comparable only within one search.
    pub score: f64,
    /// Share of the question's informative words found in the passage, 0 to 1.
    pub coverage: f64,
}

/// Says why knowledge could not be loaded or searched.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages show what each field is")]
pub enum KnowledgeError {
    /// A line or a header that cannot be read: correct it.
    #[error("{file}, line {line}: {reason}")]
    Line {
        file: String,
        /// The line, counted from 1.
        line: u64,
        reason: String,
    },
    /// A file that cannot be opened: give its right path, or the right to read it.
    #[error("{file}: {error}")]
    Unreadable { file: String, error: io::Error },
    /// A file that is not what it should be: save it anew.
    #[error("{file}: {reason}")]
    File { file: String, reason: String },
    /// A file that says nothing: fill it or take it off the list.
    #[error("{file} has no {what}")]
    Empty { file: String, what: &'static str },
    /// A file of a type that is not read: convert it.
    #[error(
        "{file}: knowledge is read from .csv, .tsv, .txt, .md, .html and .pdf files: save a spreadsheet \
         as \"CSV UTF-8\""
    )]
    Type { file: String },
    /// SQLite failed: a bug or no memory.
    #[error("knowledge index failed")]
    Index(#[from] rusqlite::Error),
}

/// Holds one thing that is known.
#[derive(Debug, PartialEq, Eq)]
struct Passage {
    question: Option<String>,
    answer: String,
    /// Searched and never said.
    also: String,
    /// Where in its file it is: below which headings, or on which page; empty if that says nothing.
    place: String,
}

impl Passage {
    /// Makes one that answers no question in particular.
    fn without_question(answer: String, also: String) -> Self {
        Self { question: None, answer, also, place: String::new() }
    }
}

impl Knowledge {
    /// Reads and indexes the files at `paths`.
    ///
    /// # Errors
    /// As [`Knowledge::load`], and for a file that cannot be opened.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KnowledgeError> {
        let read = |path: &PathBuf| {
            let file = path.display().to_string();
            let mut contents = Vec::new();
            // One byte more than is read shows that a file is too large.
            let limit = read::MAX_BYTES as u64 + 1;
            match File::open(path).and_then(|opened| opened.take(limit).read_to_end(&mut contents))
            {
                Ok(_) => Ok((file, contents)),
                Err(error) => Err(KnowledgeError::Unreadable { file, error }),
            }
        };
        Self::load(&paths.iter().map(read).collect::<Result<Vec<_>, _>>()?)
    }

    /// Reads and indexes `files`, pairs of name and contents; no files make an empty knowledge.
    ///
    /// # Errors
    /// A file that is not read in full is an error that names it, and the line where there is one.
    pub fn load<C: AsRef<[u8]>>(files: &[(String, C)]) -> Result<Self, KnowledgeError> {
        let mut index = Connection::open_in_memory()?;
        index.execute_batch(
            "CREATE VIRTUAL TABLE passages USING fts5(
                 question, answer, also, file UNINDEXED, place UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2')",
        )?;
        let mut passages = Vec::new();
        let load = index.transaction()?;
        for (name, contents) in files {
            let read = read::passages(name, contents.as_ref())?;
            let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
            for Passage { question, answer, also, place } in &read {
                load.prepare_cached("INSERT INTO passages VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![question, answer, also, file, place])?;
            }
            passages.extend(read);
        }
        load.commit()?;
        let names = names::of(&passages);
        Ok(Self { index: Mutex::new(index), passages: passages.len(), names })
    }

    /// Counts the passages.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.passages
    }

    /// Returns what may be answered, as it would be said: the first `most` passages.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn answers(&self, most: usize) -> Result<Vec<String>, KnowledgeError> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = index.prepare("SELECT answer FROM passages ORDER BY rowid LIMIT ?1")?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(statement.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Returns the names in the passages, those that are likeliest asked for first: a few at most.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Finds up to `most` passages that each cover enough of `question`, asked in `language`, those
    /// that cover most first. Only the first 32 informative words count.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn top(
        &self,
        question: &str,
        language: &LanguageCode,
        most: usize,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hits = match words::terms(question, language) {
            Terms::None => Vec::new(),
            // "How are you?" has no word of weight: only a filed question with all of them is it.
            Terms::Common(words) => {
                let query = format!("question : ({})", quoted(&words).join(" AND "));
                let hits = candidates(&index, &query)?.into_iter();
                hits.map(|(_, hit)| Hit { coverage: 1.0, ..hit }).collect()
            }
            Terms::Informative(words) => self.best_covered(&index, &quoted(&words))?,
        };
        hits.truncate(most);
        Ok(hits)
    }

    /// Returns those of the best-ranked passages that cover enough of `terms`, best first.
    fn best_covered(
        &self,
        index: &Connection,
        terms: &[String],
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let mut found: Vec<_> = candidates(index, &terms.join(" OR "))?
            .into_iter()
            .map(|(row, hit)| (row, hit, 0))
            .collect();
        let mut total = 0.0;
        for term in terms {
            let rows = rows_with(index, term)?;
            let rarity = inverse_frequency(self.passages, rows.len());
            total += rarity;
            for (row, hit, held) in &mut found {
                if rows.binary_search(row).is_ok() {
                    hit.coverage += rarity;
                    *held += 1;
                }
            }
        }
        let mut best: Vec<Hit> = found
            .into_iter()
            .map(|(_, hit, held)| (Hit { coverage: hit.coverage / total, ..hit }, held))
            .filter(|(hit, held)| {
                hit.coverage >= if *held >= MANY_WORDS { MIN_COVERAGE / 2.0 } else { MIN_COVERAGE }
            })
            .map(|(hit, _)| hit)
            .collect();
        // Rounded, so that of two that cover the same the better ranked stays first.
        #[expect(clippy::cast_possible_truncation, reason = "a share, 0 to 1")]
        best.sort_by_key(|hit| std::cmp::Reverse((hit.coverage * 1e9).round() as i64));
        Ok(best)
    }
}

/// Makes FTS5 strings of words; `terms` leaves letters and digits only, the quotes are for certain.
fn quoted(words: &[String]) -> Vec<String> {
    words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect()
}

/// Returns the best-ranked passages with their row ids, best first; coverage is still 0.
fn candidates(index: &Connection, query: &str) -> Result<Vec<(i64, Hit)>, KnowledgeError> {
    let mut statement = index.prepare_cached(
        "SELECT rowid, question, answer, bm25(passages, 4.0, 1.0, 2.0) AS rank_, file, place
         FROM passages
         WHERE passages MATCH ?1 ORDER BY rank_, rowid LIMIT ?2",
    )?;
    let rows = statement.query_map(params![query, CANDIDATES], |row| {
        // SQLite counts downwards: the best has the most negative rank.
        let hit = Hit {
            question: row.get(1)?,
            answer: row.get(2)?,
            score: -row.get::<_, f64>(3)?,
            source: PassageSource { file: row.get(4)?, place: row.get(5)? },
            coverage: 0.0,
        };
        Ok((row.get(0)?, hit))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the ids of the passages that hold `term`, ascending.
fn rows_with(index: &Connection, term: &str) -> Result<Vec<i64>, KnowledgeError> {
    let mut statement = index
        .prepare_cached("SELECT rowid FROM passages WHERE passages MATCH ?1 ORDER BY rowid")?;
    let rows = statement.query_map([term], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Weighs a word that `holding` of `passages` hold, as in BM25; never 0.
#[expect(clippy::cast_precision_loss, reason = "counts of passages are far below 2^52")]
fn inverse_frequency(passages: usize, holding: usize) -> f64 {
    let (all, holding) = (passages as f64, holding as f64);
    (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shop() -> Knowledge {
        let csv = "Question,ANSWER,topic\n\
                   What are your opening hours?,From nine to six.,schedule\n\
                   Do you deliver?,\"Yes, in two days.\",shipping parcel\n\
                   How can I pay?,By card.,\n\
                   How are you?,Very well.,\n";
        let text = "Our café is in\nMain Street.\n\n- Dogs are welcome.\n- Cats are not.\n";
        let files =
            [("faq.csv".to_owned(), csv.to_owned()), ("more.md".to_owned(), text.to_owned())];
        Knowledge::load(&files).unwrap()
    }

    #[track_caller]
    fn check(question: &str, expected: Option<&str>) {
        let hit = shop().top(question, &"en".into(), 1).unwrap().pop();
        assert_eq!(hit.as_ref().map(|hit| hit.answer.as_str()), expected, "{hit:?}");
    }

    #[test]
    fn questions_find_their_row() {
        check("when do you open?", Some("From nine to six."));
        check("Will it be delivered?", Some("Yes, in two days."));
        check("what about shipping", Some("Yes, in two days."));
        check("where is the cafe", Some("Our café is in Main Street."));
        check("how are you", Some("Very well."));
    }

    #[test]
    fn what_is_not_known_is_not_answered() {
        check("who won the world cup in Brazil", None);
        check("when do you open the champagne for grandmother", None);
        check("who is it", None);
        check("open parcel card story about many other unknown things entirely elsewhere", None);
        check("?! ...", None);
        check("", None);
        let nothing = Knowledge::load::<&str>(&[]).unwrap();
        assert_eq!(nothing.top("when do you open", &"en".into(), 1).unwrap(), []);
    }

    #[test]
    fn hits_say_how_well_they_match() {
        let hit = &shop().top("opening hours", &"en".into(), 1).unwrap()[0];
        assert_eq!(hit.question.as_deref(), Some("What are your opening hours?"));
        assert!((hit.coverage - 1.0).abs() < 1e-9 && hit.score > 0.0, "{hit:?}");
    }

    #[test]
    fn more_than_one_passage_can_be_had() {
        let top = |question, most| {
            let hits = shop().top(question, &"en".into(), most).unwrap();
            hits.into_iter().map(|hit| hit.answer).collect::<Vec<_>>()
        };
        let both = ["From nine to six.", "Yes, in two days."];
        assert_eq!(top("opening or shipping", 3), both);
        assert_eq!(top("opening or shipping", 1), both[..1]);
        assert!(top("who won the world cup", 3).is_empty() && top("", 3).is_empty());
    }

    proptest! {
        #[test]
        fn no_question_is_query_syntax(question in "([\"*:^(){}+-]|AND |OR |NOT |NEAR|open|\\PC){0,60}") {
            shop().top(&question, &"en".into(), 1).unwrap();
        }
    }
}
