//! Values in columns of words: JSON documents, and enums as the bare words of their JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db::DbResult;

/// Serialises a value for a column.
pub(super) fn to_json<T: Serialize>(value: &T) -> DbResult<String> {
    Ok(serde_json::to_string(value)?)
}

/// Reads back what [`to_json`] wrote.
pub(super) fn from_json<T: DeserializeOwned>(json: &str) -> DbResult<T> {
    Ok(serde_json::from_str(json)?)
}

/// Reads a word of an enum, as in its JSON.
pub(super) fn from_word<T: DeserializeOwned>(word: &str) -> DbResult<T> {
    from_json(&format!("\"{word}\""))
}
