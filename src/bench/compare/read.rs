//! Reads the JSON of an earlier bench.

use serde_json::Value;

use crate::bench::{BenchReport, SCHEMA};

/// Says why two runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The text is something else: name another file.
    #[error("no JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// Another hark wrote it: measure again, or compare with that hark.
    #[error("schema {0}: this hark reads {SCHEMA}")]
    OtherSchema(Value),
    /// It is JSON of something else, or damaged: name another file.
    #[error("not the JSON of a bench: {0}")]
    NotABench(String),
    /// Measure with the notes and the workload of the older run.
    #[error("the runs have no voice note in common that was sent the same way: {old}; {new}")]
    NothingInCommon {
        /// What the older run did.
        old: String,
        /// What the newer run did.
        new: String,
    },
}

impl BenchReport {
    /// Reads what `hark bench --json` wrote.
    ///
    /// # Errors
    /// All but [`CompareError::NothingInCommon`].
    pub fn from_json(json: &str) -> Result<Self, CompareError> {
        let value: Value = serde_json::from_str(json).map_err(CompareError::NotJson)?;
        match value.get("schema") {
            None => return Err(CompareError::NotABench("it has no `schema`".to_owned())),
            Some(schema) if *schema != SCHEMA => {
                return Err(CompareError::OtherSchema(schema.clone()));
            }
            Some(_) => {}
        }
        serde_path_to_error::deserialize(value)
            .map_err(|error| CompareError::NotABench(error.to_string()))
    }
}
