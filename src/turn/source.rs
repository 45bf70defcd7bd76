//! Where what an agent knows is from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Says where a passage of an agent's knowledge is from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassageSource {
    /// The file's name, without its folder.
    pub file: String,
    /// Below which headings, `Shop > Pets`, or on which page; left out of the JSON if that says
    /// nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

impl fmt::Display for PassageSource {
    /// Writes it for people, e.g. `menu.pdf, page 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.place.is_empty() { Ok(()) } else { write!(f, ", {}", self.place) }
    }
}
