//! A store that moves to another database: all its rows, resumably, checked at the end.
//!
//! Rows go page by page in the order of their keys, each page in one transaction with a mark of how
//! far it is, so that a copy that was killed goes on there; a source that has changed meanwhile is
//! copied anew. Which tables there are the databases say (`catalog`). Invariant: a target is served
//! from only once every table has been read back and has the rows and the sum of its source.

mod backup;
mod catalog;
mod cells;
mod ends;
mod mark;
mod plan;

use std::time::Instant;

use serde::Serialize;

pub use self::backup::{BackupReport, backup_store};
pub(super) use self::catalog::names as table_names;
use self::cells::{CellValue, RowSum};
use self::ends::{CopyEnd, SourceUse};
pub(super) use self::mark::is_unfinished;
pub use self::plan::RewrittenValue;
use self::plan::{KeptRows, TablePlan, quoted};
use super::sql::{Db, DbError};
use super::{StoreAddress, StoreError};

/// Says why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two may not be used for it; nothing has changed: do what it says.
    #[error("{0}")]
    Refused(String),
    /// One of the two could not be opened, or refused a statement: mend it, and go on.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table could not be copied: the two are not of one version, or it is damaged.
    #[error("the table {table} cannot be copied: {cause}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A row cannot be kept by the target: mend or delete it in the source, and go on.
    #[error("the row {key} of {table} cannot be kept there: {cause}")]
    Row {
        /// The table.
        table: String,
        /// The row's primary key.
        key: String,
        /// What the target says.
        cause: String,
    },
    /// A file could not be written: look at the disk and the rights.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl From<DbError> for CopyError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Tells how far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep<'a> {
    /// A copy that was begun goes on behind so many rows.
    GoesOn {
        /// Rows that are there already.
        rows: u64,
    },
    /// A copy was begun, and its source has changed since: it begins anew.
    Anew,
    /// A table is being copied.
    Copies {
        /// The table.
        table: &'a str,
        /// Rows of all tables that are there.
        done: u64,
        /// Rows of all tables.
        of: u64,
    },
    /// A table is read back.
    Checks {
        /// The table.
        table: &'a str,
    },
}

/// Says what was copied, and whether it is the same.
#[derive(Clone, Debug, Serialize)]
pub struct CopyReport {
    /// The store, without a password.
    pub from: String,
    /// Its copy, without a password.
    pub to: String,
    /// How long it took, its check included.
    pub seconds: f64,
    /// How long its check took.
    pub check_seconds: f64,
    /// Rows that were there already, from an earlier run.
    pub rows_before: u64,
    /// Every table.
    pub tables: Vec<TableCheck>,
    /// Values with a character that PostgreSQL cannot keep, NUL: there it is U+FFFD.
    pub rewritten: Vec<RewrittenValue>,
}

/// Compares a table with its copy.
#[derive(Clone, Debug, Serialize)]
pub struct TableCheck {
    /// Its name.
    pub table: String,
    /// Rows in the store.
    pub rows: u64,
    /// The sum of the SHA-256 of its rows, as they are to be kept, 64 hexadecimal digits.
    pub checksum: String,
    /// Rows in the copy.
    pub rows_there: u64,
    /// The sum of the copy.
    pub checksum_there: String,
}

impl TableCheck {
    /// Returns whether both have the same rows.
    pub fn is_same(&self) -> bool {
        (self.rows, &self.checksum) == (self.rows_there, &self.checksum_there)
    }
}

impl CopyReport {
    /// Returns whether every table is the same in both.
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(TableCheck::is_same)
    }

    /// Counts the rows of the store.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// Copies a store into an empty database, or goes on where an earlier run was stopped. No service may
/// run on either. Blocks as long as it takes.
///
/// # Errors
/// `Refused` where one of them may not be used; the target is marked as unfinished after all others.
pub fn copy_store(
    from: &StoreAddress,
    to: &StoreAddress,
    told: &mut (dyn FnMut(CopyStep<'_>) + Send),
) -> Result<CopyReport, CopyError> {
    if let (StoreAddress::File(from), StoreAddress::File(to)) = (from, to)
        && let (Ok(here), Ok(there)) = (from.canonicalize(), to.canonicalize())
        && here == there
    {
        return Err(CopyError::Refused(format!("{} is the store itself", to.display())));
    }
    apart(|| copy(&CopyEnd::source(from, SourceUse::Alone)?, to, told))
}

/// Runs what blocks where no runtime is: a client of PostgreSQL has its own.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, CopyError> + Send) -> Result<T, CopyError> {
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn copy(
    source: &CopyEnd,
    to: &StoreAddress,
    told: &mut (dyn FnMut(CopyStep<'_>) + Send),
) -> Result<CopyReport, CopyError> {
    let started = Instant::now();
    let name = source.installation()?;
    let target = CopyEnd::target(to, &name)?;
    let mut run = CopyRun {
        plans: plan::plans(source, &target)?,
        source,
        target: &target,
        rewritten: Vec::new(),
        rows: Vec::new(),
        done: 0,
        told,
    };
    let rows = run.plans.iter().map(|plan| plan.count(&source.db()));
    run.rows = rows.collect::<Result<_, _>>()?;
    let sums = run.begin(&name)?;
    let rows_before = sums.iter().map(|sum| sum.sum.rows).sum();
    let sums = run.copy_tables(sums)?;
    let checked = Instant::now();
    let tables = run.check(&sums)?;
    source.refuse_changed()?;
    let report = CopyReport {
        from: source.name.clone(),
        to: target.name.clone(),
        seconds: started.elapsed().as_secs_f64(),
        check_seconds: checked.elapsed().as_secs_f64(),
        rows_before,
        tables,
        rewritten: std::mem::take(&mut run.rewritten),
    };
    target.transaction(|db| {
        if !report.is_same() {
            // Whatever is wrong there, the next run finds nothing of it.
            return run.empty(db, &name);
        }
        target.count_on(source)?;
        if target.is_server() {
            target.switch_triggers(true)?;
        }
        Ok(mark::end(db)?)
    })?;
    target.settle()?;
    Ok(report)
}

/// Holds what a run needs.
struct CopyRun<'a> {
    source: &'a CopyEnd,
    target: &'a CopyEnd,
    plans: Vec<TablePlan>,
    rewritten: Vec<RewrittenValue>,
    /// Of each table where they come from.
    rows: Vec<u64>,
    done: u64,
    told: &'a mut (dyn FnMut(CopyStep<'_>) + Send),
}

/// How far a table is, and what was read of it.
#[derive(Default)]
struct TableSoFar {
    place: Option<Vec<CellValue>>,
    sum: RowSum,
}

impl CopyRun<'_> {
    /// Begins, or finds out how far an earlier run was; of every table.
    fn begin(&mut self, name: &str) -> Result<Vec<TableSoFar>, CopyError> {
        if mark::is_unfinished(&self.target.db())? {
            if let Some(so_far) = self.so_far()? {
                self.done = so_far.iter().map(|table| table.sum.rows).sum();
                (self.told)(CopyStep::GoesOn { rows: self.done });
                self.target.switch_triggers(false)?;
                return Ok(so_far);
            }
            self.rewritten.clear();
            (self.told)(CopyStep::Anew);
        }
        self.target.transaction(|db| {
            self.target.switch_triggers(false)?;
            self.empty(db, name)
        })?;
        Ok(self.plans.iter().map(|_| TableSoFar::default()).collect())
    }

    /// Leaves nothing but the mark of a copy of which nothing is there.
    fn empty(&self, db: &Db<'_>, name: &str) -> Result<(), CopyError> {
        mark::begin(db, name)?;
        // What refers to others goes before them.
        let tables = self.plans.iter().rev().map(|plan| quoted(&plan.name));
        for table in tables.chain([quoted("nodes")]) {
            db.run(&format!("DELETE FROM {table}"))?;
        }
        Ok(())
    }

    /// Finds out how far an earlier run was; `None` if the source has changed since, in what it copied.
    fn so_far(&mut self) -> Result<Option<Vec<TableSoFar>>, CopyError> {
        let mut tables = Vec::new();
        for plan in &self.plans {
            let Some(mark) = mark::read(&self.target.db(), &plan.name)? else {
                tables.push(TableSoFar::default());
                continue;
            };
            let mut kept = KeptRows { on_server: self.target.is_server(), ..KeptRows::default() };
            let mut after: Option<Vec<CellValue>> = None;
            loop {
                let bounds = (after.as_deref(), Some(&mark.place[..]));
                let Some(last) = plan.read(self.source, bounds, &mut kept)?.pop() else { break };
                after = Some(last.key().to_vec());
            }
            if kept.sum != mark.sum {
                return Ok(None);
            }
            self.rewritten.append(&mut kept.rewritten);
            tables.push(TableSoFar { place: Some(mark.place), sum: mark.sum });
        }
        Ok(Some(tables))
    }

    /// Copies what is not there of each table; returns the sums of all rows of the source.
    fn copy_tables(&mut self, so_far: Vec<TableSoFar>) -> Result<Vec<RowSum>, CopyError> {
        let (mut sums, of) = (Vec::new(), self.rows.iter().sum());
        let tables = self.plans.iter().zip(&self.rows).zip(so_far);
        for ((plan, rows), TableSoFar { mut place, sum }) in tables {
            let (on_server, rewritten) =
                (self.target.is_server(), std::mem::take(&mut self.rewritten));
            let mut kept = KeptRows { sum, on_server, rewritten };
            loop {
                if *rows > 0 {
                    (self.told)(CopyStep::Copies { table: &plan.name, done: self.done, of });
                }
                let page = plan.read(self.source, (place.as_deref(), None), &mut kept)?;
                let Some(last) = page.last() else { break };
                let last = last.key().to_vec();
                let written = self.target.transaction(|db| {
                    plan.write(db, &page)?;
                    Ok(mark::note(db, &plan.name, &last, &kept.sum)?)
                });
                written.map_err(|error| plan.culprit(self.target, &page).unwrap_or(error))?;
                self.done += page.len() as u64;
                place = Some(last);
            }
            self.rewritten = kept.rewritten;
            sums.push(kept.sum);
        }
        Ok(sums)
    }

    /// Reads the target back.
    fn check(&mut self, sums: &[RowSum]) -> Result<Vec<TableCheck>, CopyError> {
        let mut checks = Vec::new();
        for (plan, sum) in self.plans.iter().zip(sums) {
            (self.told)(CopyStep::Checks { table: &plan.name });
            let there = plan.sum(self.target)?;
            checks.push(TableCheck {
                table: plan.name.clone(),
                rows: sum.rows,
                checksum: sum.hex(),
                rows_there: there.rows,
                checksum_there: there.hex(),
            });
        }
        Ok(checks)
    }
}
