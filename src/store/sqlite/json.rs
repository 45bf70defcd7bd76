//! Values in TEXT columns: JSON documents, and enums as the bare words of their JSON.

use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Serialises a value for a TEXT column.
pub(super) fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Reads back what [`to_json`] wrote.
pub(super) fn from_json<T: DeserializeOwned>(json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// Reads a word of an enum, as in its JSON.
pub(super) fn from_word<T: DeserializeOwned>(word: &str) -> rusqlite::Result<T> {
    from_json(&format!("\"{word}\""))
}
