//! Why knowledge could not be loaded or searched.

use std::io;

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
    /// Vectors of two models: the server has changed what it is.
    #[error("the embedding model gave vectors of {was} dimensions before, and of {is} now")]
    Dimensions { was: usize, is: usize },
    /// SQLite failed: a bug or no memory.
    #[error("knowledge index failed")]
    Index(#[from] rusqlite::Error),
}
