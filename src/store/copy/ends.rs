//! The two ends of a copy: where rows come from and where they go, a file or a server.
//!
//! Invariant: what comes from an end is of one moment, and what is refused is left as it was.

use super::CopyError;
use super::{catalog, mark};
use crate::store::postgres::{self, PgSession};
use crate::store::sql::{Db, DbResult, OptionalRow as _, params};
use crate::store::sqlite::{self, FileEnd};
use crate::store::{StoreAddress, StoreError};
use secrecy::ExposeSecret as _;

use super::plan::{NUMBERED, quoted};

/// A process that was seen so lately serves from a database.
const ALIVE_MS: i64 = 5_000;

/// What a database has before anybody is answered from it, or while nobody is.
const MADE_WITH_IT: [&str; 6] =
    ["hark_schema", "installation", "nodes", "probe", "revision", NUMBERED];

/// Holds one end open.
pub(super) struct CopyEnd {
    link: CopyLink,
    /// The address without a password.
    pub(super) name: String,
    using: SourceUse,
}

enum CopyLink {
    File(FileEnd),
    Server {
        session: PgSession,
        /// What its tables had counted to when it was opened.
        counted: i64,
    },
}

/// Says what may go on at the source meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceUse {
    /// Nobody serves from it.
    Alone,
    /// A service may: what it writes from now on is not copied.
    Shared,
}

impl CopyEnd {
    /// Opens what is copied, and keeps services away from it, or makes sure that there are none.
    ///
    /// # Errors
    /// There is none, it is of another version, a service has it, or a copy into it has not ended.
    pub(super) fn source(at: &StoreAddress, using: SourceUse) -> Result<Self, CopyError> {
        let link = match at {
            StoreAddress::File(path) => CopyLink::File(sqlite::copied(path)?),
            StoreAddress::Postgres { url, .. } => {
                let session = postgres::copied(url.expose_secret())?;
                let counted = counted(&session)?;
                CopyLink::Server { session, counted }
            }
        };
        let this = Self { link, name: at.to_string(), using };
        if mark::is_unfinished(&this.db())? {
            return Err(CopyError::Refused(format!(
                "{} is the target of a copy that has not ended: it has no whole store",
                this.name
            )));
        }
        if using == SourceUse::Alone {
            this.refuse_living()?;
        }
        this.run(match &this.link {
            CopyLink::File(_) => "BEGIN",
            CopyLink::Server { .. } => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })?;
        Ok(this)
    }

    /// Opens what is copied into, brings it up to date if a copy of the store `source` may go there,
    /// and keeps everybody else away from it.
    ///
    /// # Errors
    /// `Refused`, and nothing has changed: it has rows, is somebody else's or of a newer version.
    pub(super) fn target(at: &StoreAddress, source: &str) -> Result<Self, CopyError> {
        let name = at.to_string();
        let link = match at {
            StoreAddress::File(path) => CopyLink::File(sqlite::copied_into(path)?),
            StoreAddress::Postgres { url, .. } => CopyLink::Server {
                session: postgres::copied_into(url.expose_secret())?,
                counted: 0,
            },
        };
        let this = Self { link, name, using: SourceUse::Alone };
        this.claim(source)?;
        match (&this.link, at) {
            (CopyLink::File(file), StoreAddress::File(path)) => file.bring_up_to_date(path)?,
            (CopyLink::Server { session, .. }, _) => {
                postgres::bring_up_to_date(session, &this.name)?;
            }
            (CopyLink::File(_), _) => unreachable!("a server has no file"),
        }
        Ok(this)
    }

    /// Checks that it is empty, or has a copy of the store `source` that was begun.
    fn claim(&self, source: &str) -> Result<(), CopyError> {
        let (db, name) = (self.db(), &self.name);
        let tables = catalog::names(&db)?;
        // What other tables are, those say that bring it up to date.
        if !tables.iter().any(|table| table == "installation") {
            return self.refuse_rows(&tables);
        }
        self.refuse_living()?;
        match mark::source(&db)? {
            Some(begun) if begun == source => Ok(()),
            Some(_) => Err(CopyError::Refused(format!(
                "{name} is the target of a copy of another store that has not ended: go on with that \
                 one, or give this one an empty database"
            ))),
            None => self.refuse_rows(&tables).map_err(|error| match self.installation() {
                Ok(name) if name == source => CopyError::Refused(format!(
                    "{error}; it has the name of this store: a copy of it has ended there"
                )),
                _ => error,
            }),
        }
    }

    fn refuse_rows(&self, tables: &[String]) -> Result<(), CopyError> {
        let db = self.db();
        // A database of somebody else's is refused with that as its reason.
        if !["contacts", "messages", "turns"].iter().all(|name| tables.iter().any(|t| t == name)) {
            return Ok(());
        }
        for table in tables.iter().filter(|table| !MADE_WITH_IT.contains(&table.as_str())) {
            let any = format!("SELECT 1 FROM {} LIMIT 1", quoted(table));
            if db.prepare_cached(&any)?.exists(params![])? {
                return Err(CopyError::Refused(format!(
                    "{} is not empty: it has rows in {table}; a store is copied into an empty database, \
                     or goes on with a copy that was begun there",
                    self.name
                )));
            }
        }
        Ok(())
    }

    /// Refuses an end from which a process serves.
    ///
    /// # Errors
    /// `Refused`, naming it.
    pub(super) fn refuse_living(&self) -> Result<(), CopyError> {
        // A file is locked by who serves from it.
        let CopyLink::Server { session, .. } = &self.link else { return Ok(()) };
        let db = self.db();
        if !catalog::names(&db)?.iter().any(|table| table == "nodes") {
            return Ok(());
        }
        let since_ms = session.now_ms()? - ALIVE_MS;
        let node = "SELECT id FROM nodes WHERE seen_ms > ?1 ORDER BY id LIMIT 1";
        let node: Option<String> =
            db.prepare_cached(node)?.query_row([since_ms], |row| row.get(0)).optional()?;
        match node {
            None => Ok(()),
            Some(node) => Err(CopyError::Refused(format!(
                "{} is in use by a hark, the node {node}: stop it; one that was killed is gone after 5 s",
                self.name
            ))),
        }
    }

    /// Makes sure that the copy of a source that should stand still has all of it.
    ///
    /// # Errors
    /// `Refused`: somebody has written to it since it was opened.
    pub(super) fn refuse_changed(&self) -> Result<(), CopyError> {
        if self.using == SourceUse::Shared {
            return Ok(());
        }
        let has_changed = match &self.link {
            CopyLink::File(file) => file.has_changed()?,
            CopyLink::Server { session, counted: before } => {
                self.run("COMMIT")?;
                self.refuse_living()?;
                counted(session)? != *before
            }
        };
        if has_changed {
            return Err(CopyError::Refused(format!(
                "somebody has written to {} meanwhile: see that nobody does, and run the command again",
                self.name
            )));
        }
        Ok(())
    }

    pub(super) fn db(&self) -> Db<'_> {
        match &self.link {
            CopyLink::File(file) => Db::sqlite(file.connection()),
            CopyLink::Server { session, .. } => Db::postgres(session),
        }
    }

    pub(super) fn is_server(&self) -> bool {
        matches!(self.link, CopyLink::Server { .. })
    }

    pub(super) fn run(&self, sql: &str) -> Result<(), CopyError> {
        Ok(self.db().run(sql)?)
    }

    /// Does something that is kept whole, or not at all.
    pub(super) fn transaction<T>(
        &self,
        work: impl FnOnce(&Db<'_>) -> Result<T, CopyError>,
    ) -> Result<T, CopyError> {
        self.run("BEGIN")?;
        let done = work(&self.db());
        if done.is_ok() {
            self.run("COMMIT")?;
        } else {
            // Whoever gave the transaction up has undone it already.
            self.run("ROLLBACK").ok();
        }
        done
    }

    /// Does something, and undoes it.
    pub(super) fn undone<T>(&self, work: impl FnOnce(&Db<'_>) -> T) -> T {
        // What fails here fails in `work`, too.
        self.run("BEGIN").ok();
        let done = work(&self.db());
        self.run("ROLLBACK").ok();
        done
    }

    /// Returns the columns of a table's primary key.
    pub(super) fn key_of(&self, table: &str) -> Result<Vec<String>, CopyError> {
        let tables = catalog::tables(&self.db())?;
        let table = tables.into_iter().find(|other| other.name == table);
        Ok(table.map(|table| table.key).unwrap_or_default())
    }

    /// Returns the store's name.
    pub(super) fn installation(&self) -> Result<String, CopyError> {
        let name = "SELECT name FROM installation";
        Ok(self.db().prepare_cached(name)?.query_row(params![], |row| row.get(0))?)
    }

    /// Lets rows be written as they are: triggers have done their work where they come from.
    pub(super) fn switch_triggers(&self, on: bool) -> DbResult<()> {
        match &self.link {
            CopyLink::File(file) => file.switch_triggers(on),
            CopyLink::Server { .. } => {
                let db = self.db();
                let way = if on { "ENABLE" } else { "DISABLE" };
                let alter =
                    |name: &String| format!("ALTER TABLE {} {way} TRIGGER USER", quoted(name));
                let all: Vec<String> = catalog::names(&db)?.iter().map(alter).collect();
                db.run(&all.join(";"))
            }
        }
    }

    /// Returns the highest number that a column of a table has had, if the database counts it.
    fn highest(&self, table: &str, column: &str) -> DbResult<Option<i64>> {
        let db = self.db();
        if !self.is_server() {
            // It counts keys alone, and of some tables only.
            let highest = "SELECT seq FROM sqlite_sequence WHERE name = ?1 AND ?2 = 'id'";
            let mut highest = db.prepare_cached(highest)?;
            return highest.query_row([table, column], |row| row.get(0)).optional();
        }
        let highest = if (table, column) == ("events", "id") {
            format!("SELECT last FROM {NUMBERED}")
        } else {
            format!(
                "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence('{}', '{column}') AS REGCLASS))",
                quoted(table)
            )
        };
        db.prepare_cached(&highest)?.query_row(params![], |row| row.get(0))
    }

    /// Counts on behind the highest numbers that rows of `from` have, or have had.
    pub(super) fn count_on(&self, from: &Self) -> DbResult<()> {
        let db = self.db();
        if !self.is_server() {
            let counted = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'";
            let mut counted = db.prepare_cached(counted)?;
            let counted = counted.query_map(params![], |row| row.get(0))?;
            for table in counted.collect::<DbResult<Vec<String>>>()? {
                let highest = from.highest(&table, "id")?.unwrap_or(0);
                let (place, table) = (quoted(&table), table);
                db.run(&format!(
                    "DELETE FROM sqlite_sequence WHERE name = '{table}';
                     INSERT INTO sqlite_sequence (name, seq)
                         SELECT '{table}', max({highest}, coalesce(max(id), 0)) FROM {place}"
                ))?;
            }
            return Ok(());
        }
        for table in catalog::tables(&db)? {
            let (place, name) = (quoted(&table.name), &table.name);
            for column in table.columns.iter().filter(|column| column.is_numbered) {
                let column = &column.name;
                let is_there = from.is_server() || column == "id";
                let highest = if is_there { from.highest(name, column)? } else { None };
                let highest = highest.unwrap_or(0);
                let most = format!("greatest({highest}, max({}))", quoted(column));
                db.run(&format!(
                    "SELECT setval(CAST(pg_get_serial_sequence('{place}', '{column}') AS REGCLASS), \
                     greatest({most}, 1), {most} > 0) FROM {place}"
                ))?;
            }
        }
        if !from.is_server() {
            let last = from.highest("events", "id")?.unwrap_or(0);
            db.run(&format!("UPDATE {NUMBERED} SET last = {last}"))?;
        }
        Ok(())
    }

    /// Leaves nothing beside the file, and what a planner wants to know in a server.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        match &self.link {
            CopyLink::File(file) => file.settle(),
            CopyLink::Server { .. } => Ok(self.db().run("ANALYZE")?),
        }
    }
}

/// Adds up what the tables of a server have counted to: it grows with every message and every event,
/// and no transaction takes it back.
fn counted(session: &PgSession) -> DbResult<i64> {
    let counted = "SELECT CAST(coalesce(sum(last_value), 0) AS BIGINT) FROM pg_sequences
                   WHERE schemaname = current_schema()";
    Db::postgres(session).prepare_cached(counted)?.query_row(params![], |row| row.get(0))
}
