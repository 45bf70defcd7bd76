//! Lays one configuration layer over another and remembers which one set each key.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Merges `over` into `base`: tables join, everything else is replaced. Agents join by their name,
/// so that a file changes the embedded agent or adds to it.
pub(super) fn merge(
    base: &mut Table,
    over: Table,
    at: &str,
    origin: &str,
    origins: &mut BTreeMap<String, String>,
) {
    for (key, value) in over {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => {
                merge(below, above, &path, origin, origins);
            }
            (Some(Value::Array(below)), Value::Array(above)) if key == "agents" => {
                for agent in above {
                    merge_agent(below, agent, &path, origin, origins);
                }
            }
            (_, value) => {
                note(&value, &path, origin, origins);
                base.insert(key, value);
            }
        }
    }
}

fn merge_agent(
    agents: &mut Vec<Value>,
    agent: Value,
    path: &str,
    origin: &str,
    origins: &mut BTreeMap<String, String>,
) {
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let known =
        agents.iter().position(|known| name(known).is_some() && name(known) == name(&agent));
    match (known, agent) {
        (Some(index), Value::Table(agent)) => {
            if let Value::Table(below) = &mut agents[index] {
                merge(below, agent, &format!("{path}[{index}]"), origin, origins);
            }
        }
        (_, agent) => {
            note(&agent, &format!("{path}[{}]", agents.len()), origin, origins);
            agents.push(agent);
        }
    }
}

/// Notes the origin of a value and of everything in it.
fn note(value: &Value, path: &str, origin: &str, origins: &mut BTreeMap<String, String>) {
    origins.insert(path.to_owned(), origin.to_owned());
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                note(value, &format!("{path}.{key}"), origin, origins);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                note(value, &format!("{path}[{index}]"), origin, origins);
            }
        }
        _ => {}
    }
}

/// Sets the key that `HARK__A__0__B` names, making the tables and list places on the way. A
/// `secret` is text whatever it looks like, and takes the place of its `_file`.
pub(super) fn set(
    root: &mut Table,
    keys: &[String],
    value: &str,
    secret: bool,
) -> Result<(), String> {
    let (last, way) = keys.split_last().ok_or("names no key")?;
    // A place in a list of values: HARK__NUMBERS__0__MEDIA_HOSTS__0.
    if let (Ok(index), Some((list, way))) = (last.parse::<usize>(), way.split_last()) {
        let values = table_at(root, way)?.entry(list.clone());
        let values = values.or_insert_with(|| Value::Array(Vec::new()));
        let values = values.as_array_mut().ok_or_else(|| format!("{list} is not a list"))?;
        if index > values.len() {
            return Err(skips(list, values.len(), index));
        }
        if index == values.len() {
            values.push(Value::String(value.to_owned()));
        } else {
            values[index] = Value::String(value.to_owned());
        }
        return Ok(());
    }
    let table = table_at(root, way)?;
    if secret {
        table.remove(&format!("{last}_file"));
        table.insert(last.clone(), Value::String(value.to_owned()));
    } else {
        if let Some(stem) = last.strip_suffix("_file") {
            table.remove(stem);
        }
        table.insert(last.clone(), scalar(value));
    }
    Ok(())
}

/// The table that `way` leads to, made if it is not there.
fn table_at<'a>(root: &'a mut Table, way: &[String]) -> Result<&'a mut Table, String> {
    let mut table = root;
    let mut way = way.iter().peekable();
    while let Some(key) = way.next() {
        let index = way.peek().and_then(|next| next.parse::<usize>().ok());
        let next = match index {
            Some(index) => {
                way.next();
                let list = table.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                let list = list.as_array_mut().ok_or_else(|| format!("{key} is not a list"))?;
                if index > list.len() {
                    return Err(skips(key, list.len(), index));
                }
                if index == list.len() {
                    list.push(Value::Table(Table::new()));
                }
                &mut list[index]
            }
            None => table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())),
        };
        table = next.as_table_mut().ok_or_else(|| format!("{key} is not a table"))?;
    }
    Ok(table)
}

fn skips(list: &str, length: usize, index: usize) -> String {
    format!("{list} has {length} entries, so {index} skips one")
}

/// Reads a variable's text as the TOML value it looks like; everything else is a string.
fn scalar(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
        // Ids of 15 digits are strings that look like numbers; no number key is that large.
        && text.len() < 12
    {
        return Value::Integer(number);
    }
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        list if list.starts_with('[') => toml::from_str::<Table>(&format!("v = {list}"))
            .ok()
            .and_then(|mut table| table.remove("v"))
            .unwrap_or_else(|| Value::String(text.to_owned())),
        decimal if decimal.contains('.') && decimal.parse::<f64>().is_ok() => {
            Value::Float(decimal.parse().unwrap_or_default())
        }
        _ => Value::String(text.to_owned()),
    }
}
