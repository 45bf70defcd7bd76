//! Says numbers, dates and times in words. One file a language.

pub(super) mod de;
pub(super) mod en;
pub(super) mod es;
pub(super) mod fr;
pub(super) mod pt;
