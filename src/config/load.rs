//! Reads the layers and makes a checked [`Config`] of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Config, check, overlay};

const DEFAULTS: &str = include_str!("default.toml");

/// Keys that may be given as `<key>_file` instead.
pub(super) const SECRETS: &[&str] = &["access_token", "app_secret", "verify_token", "api_key"];

/// The process's environment, read once in `main`.
pub type Environment = BTreeMap<String, String>;

/// The key of errors about a whole file.
pub const THE_FILE: &str = "the file";

/// A configuration that cannot be used. Exit code 64.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {key}: {problem}")]
pub struct ConfigError {
    /// The file or variable.
    pub origin: String,
    /// The key.
    pub key: String,
    /// What is wrong with it and how to mend it.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(
        origin: impl Into<String>,
        key: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self { origin: origin.into(), key: key.into(), problem: problem.into() }
    }
}

/// Loads `file`, else `./hark.toml` if it exists, else the defaults alone; then the environment.
///
/// # Errors
/// The first key that cannot be used, with the file or variable it came from.
pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Config, ConfigError> {
    let mut origins = BTreeMap::new();
    let mut root: Table = toml::from_str(DEFAULTS).expect("default.toml is part of the program");
    let standing = Path::new("hark.toml");
    let file = file.or_else(|| standing.exists().then_some(standing));
    if let Some(file) = file {
        let origin = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| ConfigError::new(&origin, THE_FILE, error.to_string()))?;
        let mut table: Table = toml::from_str(&text)
            .map_err(|error| ConfigError::new(&origin, THE_FILE, not_toml(&text, &error)))?;
        anchor_paths(&mut table, file.parent().unwrap_or(Path::new("")));
        origins.insert(String::new(), origin.clone());
        overlay::merge(&mut root, table, "", &origin, &mut origins);
    }
    apply_environment(&mut root, environment, &mut origins)?;
    refuse_old_keys(&root, &origins)?;
    let mut files = BTreeMap::new();
    read_secret_files(&mut root, "", &mut origins, &mut files)?;
    let mut config = typed(&mut root, &origins, environment)?;
    config.origins = super::Origins(origins);
    for (index, number) in config.numbers.iter_mut().enumerate() {
        for (key, secret) in
            [("access_token", &mut number.access_token), ("app_secret", &mut number.app_secret)]
        {
            if let Some(secret) = secret {
                secret.file = files.remove(&format!("numbers[{index}].{key}"));
            }
        }
    }
    fill_aliases(&mut config, environment)?;
    check::check(&config)?;
    Ok(config)
}

/// Says where a file is no TOML, without the line itself: it may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.get(..start).unwrap_or(text).split('\n').count();
    format!("line {line} is not TOML: {}", error.message())
}

/// Makes the relative paths of a file relative to its folder.
fn anchor_paths(table: &mut Table, folder: &Path) {
    let anchor = |value: &mut Value| {
        if let Value::String(path) = value {
            let bare = path.strip_prefix("sqlite://").unwrap_or(path);
            *path = folder.join(bare).display().to_string();
        }
    };
    for (key, value) in table.iter_mut() {
        match (key.as_str(), value) {
            ("knowledge", Value::Array(files)) => files.iter_mut().for_each(anchor),
            ("models_dir", path) => anchor(path),
            (key, path) if is_secret_file(key).is_some() => anchor(path),
            ("model", Value::String(path))
                if path.contains('/') && Path::new(path).extension().is_some() =>
            {
                *path = folder.join(&*path).display().to_string();
            }
            ("store", Value::Table(store)) => {
                if let Some(Value::String(url)) = store.get("url")
                    && (!url.contains("://") || url.starts_with("sqlite://"))
                {
                    store.get_mut("url").into_iter().for_each(anchor);
                }
            }
            (_, Value::Table(inner)) => anchor_paths(inner, folder),
            (_, Value::Array(values)) => values
                .iter_mut()
                .filter_map(Value::as_table_mut)
                .for_each(|inner| anchor_paths(inner, folder)),
            _ => {}
        }
    }
}

/// Names what replaces a key of an earlier version.
fn refuse_old_keys(root: &Table, origins: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for (section, key, instead) in [
        ("store", "engine", "leave it out: [store] url decides, a path or sqlite://path"),
        ("queue", "engine", "leave it out: messages wait in the store, see [store] url"),
        ("queue", "url", "leave it out: messages wait in the store, see [store] url"),
    ] {
        if root.get(section).is_some_and(|section| section.get(key).is_some()) {
            let key = format!("{section}.{key}");
            let origin = super::Origins(origins.clone()).of(&key).to_owned();
            return Err(ConfigError::new(origin, key, instead));
        }
    }
    Ok(())
}

fn is_secret_file(key: &str) -> Option<&str> {
    key.strip_suffix("_file").filter(|stem| SECRETS.contains(stem))
}

fn apply_environment(
    root: &mut Table,
    environment: &Environment,
    origins: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    // A variable that is set to nothing, as compose files do, is not set.
    let alias = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    // Listening on all addresses is what a platform that sets $PORT expects.
    if let Some(port) = alias("PORT") {
        let listen = vec!["server".to_owned(), "listen".to_owned()];
        set(root, "PORT", &listen, &format!("0.0.0.0:{port}"), origins)?;
    }
    if let Some(agent) = alias("WHATSAPP_VOICE_AGENT_ID") {
        set(root, "WHATSAPP_VOICE_AGENT_ID", &["default_agent".to_owned()], agent, origins)?;
    }
    let mut variables: Vec<(Vec<String>, &String, &String)> = environment
        .iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("HARK__")?;
            Some((key.split("__").map(str::to_lowercase).collect(), name, value))
        })
        .collect();
    // A list is filled from its first place on: 2 comes before 10.
    variables.sort_by_cached_key(|(keys, _, _)| {
        keys.iter().map(|key| (key.parse::<usize>().ok(), key.clone())).collect::<Vec<_>>()
    });
    for (keys, name, value) in variables {
        set(root, name, &keys, value, origins)?;
    }
    Ok(())
}

fn set(
    root: &mut Table,
    variable: &str,
    keys: &[String],
    value: &str,
    origins: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let mut path = String::new();
    for key in keys {
        match key.parse::<usize>() {
            Ok(index) => path = format!("{path}[{index}]"),
            Err(_) if path.is_empty() => path.push_str(key),
            Err(_) => path = format!("{path}.{key}"),
        }
    }
    let secret = keys.last().is_some_and(|key| SECRETS.contains(&key.as_str()));
    overlay::set(root, keys, value, secret)
        .map_err(|problem| ConfigError::new(variable, &path, problem))?;
    origins.insert(path, variable.to_owned());
    Ok(())
}

/// Replaces every `<secret>_file` by the file's content, which the secret then comes from.
fn read_secret_files(
    table: &mut Table,
    at: &str,
    origins: &mut BTreeMap<String, String>,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), ConfigError> {
    let keys: Vec<String> = table.keys().cloned().collect();
    for key in keys {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let origin = || super::Origins(origins.clone()).of(&path).to_owned();
        if let (Some(stem), Some(Value::String(file))) = (is_secret_file(&key), table.get(&key)) {
            if table.contains_key(stem) {
                let problem = format!("{stem} is set too; leave one of the two out");
                return Err(ConfigError::new(origin(), &path, problem));
            }
            let secret = std::fs::read_to_string(file)
                .map_err(|error| ConfigError::new(origin(), &path, format!("{file}: {error}")))?;
            let stem_path = path.trim_end_matches("_file").to_owned();
            files.insert(stem_path.clone(), PathBuf::from(file));
            origins.insert(stem_path, file.clone());
            table.insert(stem.to_owned(), Value::String(secret.trim().to_owned()));
            table.remove(&key);
            continue;
        }
        match table.get_mut(&key) {
            Some(Value::Table(inner)) => read_secret_files(inner, &path, origins, files)?,
            Some(Value::Array(values)) => {
                for (index, value) in values.iter_mut().enumerate() {
                    if let Value::Table(inner) = value {
                        read_secret_files(inner, &format!("{path}[{index}]"), origins, files)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives the merged tables their types. A variable's text that looked like something else where a
/// string is wanted is read as the string it is.
fn typed(
    root: &mut Table,
    origins: &BTreeMap<String, String>,
    environment: &Environment,
) -> Result<Config, ConfigError> {
    let mut mended: Vec<String> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(root.clone())) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let key = error.path().to_string();
        if !mended.contains(&key)
            && let Some(text) = origins.get(&key).and_then(|origin| environment.get(origin))
            && let Some(value) = value_at(root, &key)
            && !value.is_str()
        {
            *value = Value::String(text.clone());
            mended.push(key);
            continue;
        }
        let origin = super::Origins(origins.clone()).of(&key).to_owned();
        let secret = SECRETS.contains(&key.rsplit('.').next().unwrap_or_default());
        let problem = if secret {
            "must be a text in quotes".to_owned()
        } else {
            error.into_inner().message().to_owned()
        };
        return Err(ConfigError::new(origin, key, problem));
    }
}

/// Finds the value at a path like `numbers[0].access_token`.
fn value_at<'a>(root: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    let mut steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let mut value = root.get_mut(steps.next()?)?;
    for step in steps {
        value = match value {
            Value::Array(values) => values.get_mut(step.parse::<usize>().ok()?)?,
            Value::Table(table) => table.get_mut(step)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Fills what numbers leave open from the variables of hosts that set Meta's address and token
/// for a web front end too.
fn fill_aliases(config: &mut Config, environment: &Environment) -> Result<(), ConfigError> {
    const URL: &str = "NEXT_PUBLIC_META_WHATSAPP_API_URL";
    const TOKEN: &str = "NEXT_PUBLIC_META_WHATSAPP_API_TOKEN";
    let alias = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    for number in &mut config.numbers {
        if let (None, Some(token)) = (&number.access_token, alias(TOKEN)) {
            number.access_token = Some(token.as_str().into());
        }
        if let (None, Some(text)) = (&number.api_url, alias(URL)) {
            let url: url::Url = text
                .parse()
                .map_err(|error| ConfigError::new(URL, "api_url", format!("{text}: {error}")))?;
            let (url, version) = without_version(url);
            number.api_version = number.api_version.take().or(version);
            number.api_url = Some(url);
        }
    }
    Ok(())
}

/// Takes the version, `v25.0`, off the end of an address.
fn without_version(mut url: url::Url) -> (url::Url, Option<String>) {
    let path = url.path().trim_end_matches('/').to_owned();
    let (rest, last) = path.rsplit_once('/').unwrap_or(("", &path));
    let number = last.strip_prefix('v').unwrap_or_default();
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return (url, None);
    }
    url.set_path(rest);
    (url, Some(last.to_owned()))
}
