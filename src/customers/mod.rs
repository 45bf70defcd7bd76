//! Who writes to us: customers of a file, of the store, or of a server that is asked.
//!
//! Beside the voice path, which asks the [`CustomerBook`] while it listens. Invariant: whoever is not
//! known, for whatever reason, is answered all the same.

mod book;
mod import;
mod lookup;
mod settings;

pub use book::CustomerBook;
pub use import::{CustomerTable, LineProblem};
pub use lookup::{Lookup, LookupError};
pub use settings::CustomerSettings;
