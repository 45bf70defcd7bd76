//! Merges one configuration layer over another and remembers which one set each key.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Keys that may be given as `<key>_file` instead.
pub(super) const SECRETS: &[&str] = &[
    "access_token",
    "app_secret",
    "verify_token",
    "token",
    "password",
    "api_key",
    "webhook_secret",
    "signature_secret",
    "secret_access_key",
    "account_key",
    "service_account",
];

/// Returns the secret that the key of a file is for.
pub(super) fn secret_of(key: &str) -> Option<&str> {
    key.strip_suffix("_file").filter(|secret| SECRETS.contains(secret))
}

/// Returns whether what is at a path, such as `agents[0].tools[1].headers`, are the headers of a tool:
/// each is a secret.
pub(super) fn is_headers(path: &str) -> bool {
    let of_tool = |list: &str| path.contains(list) && path.ends_with("].headers");
    path.starts_with("agents[") && (of_tool("].tools[") || of_tool("].mcp["))
}

/// Remembers which layer set a key.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub(crate) BTreeMap<String, String>);

impl Origins {
    /// Returns the file or variable that set `key`, or the nearest key above it.
    pub fn find(&self, key: &str) -> &str {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return origin;
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                // Nobody set it: the file is where it can be set.
                None => return self.0.get("").map_or("default.toml", String::as_str),
            }
        }
    }

    /// Returns whether a file or variable set exactly this key.
    pub fn sets(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns the secrets that were set, each with the file or variable it came from.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_secret = |key: &str| {
            let (table, last) = key.rsplit_once('.').unwrap_or(("", key));
            SECRETS.contains(&last) || is_headers(table)
        };
        let secrets = self.0.iter().filter(move |(key, _)| is_secret(key));
        secrets.map(|(key, origin)| (key.as_str(), origin.as_str()))
    }

    pub(super) fn insert(&mut self, key: impl Into<String>, origin: impl Into<String>) {
        self.0.insert(key.into(), origin.into());
    }
}

/// Returns the path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Merges `over` into `base`: tables join, everything else is replaced. Agents join by their name,
/// so that a file changes the embedded agent or adds to it. `note` gets the path of what is set.
pub(super) fn merge(base: &mut Table, over: Table, at: &str, note: &mut dyn FnMut(String)) {
    for (key, value) in over {
        let path = join(at, &key);
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above, &path, note),
            (Some(Value::Array(below)), Value::Array(above)) if key == "agents" => {
                for agent in above {
                    merge_agent(below, agent, &path, note);
                }
            }
            (_, value) => {
                base.insert(key, value);
                note(path);
            }
        }
    }
}

fn merge_agent(agents: &mut Vec<Value>, agent: Value, path: &str, note: &mut dyn FnMut(String)) {
    let name = agent.get("name").and_then(Value::as_str);
    let known = agents
        .iter()
        .position(|known| name.is_some() && known.get("name").and_then(Value::as_str) == name);
    let path = format!("{path}[{}]", known.unwrap_or(agents.len()));
    match (known.map(|index| &mut agents[index]), agent) {
        (Some(Value::Table(below)), Value::Table(above)) => merge(below, above, &path, note),
        (_, agent) => {
            agents.push(agent);
            note(path);
        }
    }
}

/// Sets the key that `HARK__A__0__B` names, making the tables and list places on the way. A secret
/// takes the place of its `_file`, and the file that of the secret.
pub(super) fn set(root: &mut Table, keys: &[String], value: Value) -> Result<(), String> {
    let (last, way) = keys.split_last().ok_or("names no key")?;
    // A place in a list of values: HARK__NUMBERS__0__MEDIA_HOSTS__0.
    if let (Ok(index), Some((list, way))) = (last.parse::<usize>(), way.split_last()) {
        *place(table_at(root, way)?, list, index)? = value;
        return Ok(());
    }
    let table = table_at(root, way)?;
    if SECRETS.contains(&last.as_str()) {
        table.remove(&format!("{last}_file"));
    } else if let Some(secret) = secret_of(last) {
        table.remove(secret);
    }
    table.insert(last.clone(), value);
    Ok(())
}

/// Returns what is at a path as errors name it, such as `numbers[0].agent`.
pub(super) fn at<'a>(root: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    let mut steps = path.split(['.', '[']);
    let first = root.get_mut(steps.next()?)?;
    steps.try_fold(first, |value, step| match step.strip_suffix(']') {
        Some(index) => value.as_array_mut()?.get_mut(index.parse::<usize>().ok()?),
        None => value.as_table_mut()?.get_mut(step),
    })
}

/// Gives the key at a path its default, or takes it away if it has none; returns whether it was
/// there. A place in a list stays, since the others would move.
pub(super) fn restore(root: &mut Table, path: &str, defaults: &Table) -> bool {
    let default = at(&mut defaults.clone(), path).cloned();
    match (default, path.rsplit_once('.')) {
        (Some(default), _) => at(root, path).map(|value| *value = default).is_some(),
        (None, None) => root.remove(path).is_some(),
        (None, Some((table, key))) => {
            let table = at(root, table).and_then(Value::as_table_mut);
            table.is_some_and(|table| table.remove(key).is_some())
        }
    }
}

/// Returns the table that `way` leads to, made if it is not there.
fn table_at<'a>(root: &'a mut Table, way: &[String]) -> Result<&'a mut Table, String> {
    let mut table = root;
    let mut way = way.iter().peekable();
    while let Some(key) = way.next() {
        let index = way.peek().and_then(|next| next.parse::<usize>().ok());
        let next = match index {
            Some(index) => {
                way.next();
                place(table, key, index)?
            }
            None => table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())),
        };
        table = next.as_table_mut().ok_or_else(|| format!("{key} is not a table"))?;
    }
    Ok(table)
}

/// Returns a place in a list, both made if they are not there: a new place holds a table.
fn place<'a>(table: &'a mut Table, list: &str, index: usize) -> Result<&'a mut Value, String> {
    let values = table.entry(list.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    let values = values.as_array_mut().ok_or_else(|| format!("{list} is not a list"))?;
    let length = values.len();
    if index == length {
        values.push(Value::Table(Table::new()));
    }
    let skips = || format!("{list} has {length} entries, so {index} skips one");
    values.get_mut(index).ok_or_else(skips)
}

/// Reads a variable's text as the TOML value it looks like; everything else is a string.
pub(super) fn scalar(text: &str) -> Value {
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
