//! Who writes to us: customers of a file, or of the store.
//!
//! Beside the voice path, which asks the [`CustomerBook`] while it listens. Invariant: whoever is not
//! known, for whatever reason, is answered all the same.

mod book;
mod import;

pub use book::CustomerBook;
pub use import::{CustomerTable, LineProblem};
