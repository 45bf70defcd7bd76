//! Who is heard, where several share what hears them.

use std::fmt;

/// Tells one talker from another, so that nobody holds up the rest; says nothing of who it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Talker(i64);

impl Talker {
    /// Returns the talker who is this contact of the store.
    pub const fn of_contact(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Debug for Talker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talker")
    }
}
