//! Gives the merged layers their types; what has the wrong one is noted, and its default taken.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Config;
use super::load::{self, Environment};
use super::overlay::{self, Origins};
use super::problems::{ConfigError, ConfigErrors};
use crate::engine::Wrong;

/// Fields without a default. Without its text in them such a table is read, and the check after it
/// says that they are missing.
const REQUIRED: &[&str] = &["phone_number_id", "name"];

/// Gives the merged tables their types. A variable's text that looked like something else where a
/// string is wanted is read as the string it is.
pub(super) fn typed(
    root: &mut Table,
    origins: &Origins,
    environment: &Environment,
    problems: &mut ConfigErrors,
) -> Option<Config> {
    let defaults: Table = load::DEFAULTS.parse().expect("default.toml is part of the program");
    let (mut read_as_text, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let wrong = match read(root) {
            Ok(config) => return Some(config),
            Err(wrong) => wrong,
        };
        let key = &wrong.key;
        let origin = origins.0.get(key).and_then(|name| environment.get_key_value(name));
        if let Some((name, text)) = origin
            && let Some(keys) = load::keys(name)
            && read_as_text.insert(key.clone())
            && overlay::set(root, &keys, text.as_str().into()).is_ok()
        {
            continue;
        }
        let missing = wrong.problem.split('`').nth(1).filter(|_| wrong.problem.starts_with("miss"));
        if let Some(field) = missing.and_then(|name| REQUIRED.iter().find(|known| **known == name))
            && let Some(Value::Table(table)) = overlay::at(root, key)
        {
            table.insert((*field).to_owned(), "".into());
            continue;
        }
        problems.add(ConfigError::new(origins.find(key), key, &wrong.problem));
        if !left_out.insert(key.clone()) || !overlay::restore(root, key, &defaults) {
            return None;
        }
    }
}

/// Reads the sections with their types, those of engines included.
fn read(root: &Table) -> Result<Config, Wrong> {
    let config = serde_path_to_error::deserialize(Value::Table(root.clone()));
    let config: Config =
        config.map_err(|error| Wrong::new(error.path().to_string(), error.inner().message()))?;
    config.check_sections()?;
    Ok(config)
}
