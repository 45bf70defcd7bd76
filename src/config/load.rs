//! Reads the layers and makes a checked [`Config`] of them.
//!
//! Everything that is wrong is found in one reading: what cannot be used is noted and left out, and
//! the rest is read on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::overlay::{self, Origins, SECRETS, is_headers, join, scalar, secret_of};
use super::problems::{ConfigError, ConfigErrors, THE_FILE};
use super::{Config, check, typed};

/// Every key that has a default.
pub(super) const DEFAULTS: &str = include_str!("default.toml");
/// The file that is read unless another is named.
pub const USUAL_FILE: &str = "hark.toml";

/// Beside this name lie files that go with a server's store, as they do beside a file of one.
const BESIDE: &str = "hark.db";

/// Holds the process's environment, read once in `main`.
pub type Environment = BTreeMap<String, String>;

/// Loads `file`, else `./hark.toml` if it exists, else the defaults alone; then the environment.
///
/// # Errors
/// Every key that cannot be used, with the file or variable it came from.
pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Config, ConfigErrors> {
    let (config, problems) = read(file, environment);
    problems.or(())?;
    Ok(config.expect("what could not be read is a problem"))
}

/// Reads the same and returns also what is left of a configuration that cannot be used: keys with a
/// problem have their defaults, and there is none where nothing can be made of the rest.
pub fn read(file: Option<&Path>, environment: &Environment) -> (Option<Config>, ConfigErrors) {
    let mut origins = Origins::default();
    let mut problems = ConfigErrors::default();
    let mut root: Table = toml::from_str(DEFAULTS).expect("default.toml is part of the program");
    let usual = Path::new(USUAL_FILE);
    let file = file.or_else(|| usual.exists().then_some(usual));
    if let Some(file) = file {
        let origin = file.display().to_string();
        let table = match table(file, &origin) {
            Ok(table) => table,
            Err(error) => return (None, error.into()),
        };
        origins.insert("", &origin);
        overlay::merge(&mut root, table, "", &mut |path| origins.insert(path, &origin));
    }
    apply_environment(&mut root, environment, &mut origins, &mut problems);
    refuse_old_keys(&mut root, &origins, &mut problems);
    let numbers = root.get("numbers").and_then(Value::as_array).into_iter().flatten();
    let token_file = |number: &Value| Some(number.get("access_token_file")?.as_str()?.into());
    let token_files: Vec<Option<PathBuf>> = numbers.map(token_file).collect();
    read_secret_files(&mut root, "", &mut origins, &mut problems);
    let Some(mut config) = typed::typed(&mut root, &origins, environment, &mut problems) else {
        return (None, problems);
    };
    config.origins = origins;
    for (number, file) in config.numbers.iter_mut().zip(token_files) {
        number.access_token_file = file;
    }
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    config.store.beside = folder.join(BESIDE);
    config.store.secret_key =
        variable(environment, "HARK_SECRET_KEY").map(|key| key.as_str().into());
    fill_aliases(&mut config, environment, &mut problems);
    check::check(&config, &mut problems);
    (Some(config), problems)
}

/// Reads a file, whose paths become relative to its folder.
fn table(file: &Path, origin: &str) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::new(origin, THE_FILE, error.to_string()))?;
    let mut table: Table = toml::from_str(&text)
        .map_err(|error| ConfigError::new(origin, THE_FILE, not_toml(&text, &error)))?;
    anchor_paths(&mut table, file.parent().unwrap_or(Path::new("")));
    Ok(table)
}

/// Says where a file is not TOML, without the line itself: it may hold a secret.
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
            ("knowledge" | "files", Value::Array(files)) => files.iter_mut().for_each(anchor),
            ("headers", Value::Table(headers)) => {
                let files = headers.iter_mut().filter(|(name, _)| name.ends_with("_file"));
                files.for_each(|(_, file)| anchor(file));
            }
            ("models_dir" | "voices_dir" | "folder", path) => anchor(path),
            (key, path) if secret_of(key).is_some() => anchor(path),
            ("model", Value::String(path))
                // A server's model, such as `Qwen/Qwen2.5-7B`, is a name and not a file; nor is an
                // address, which is refused elsewhere.
                if path.contains('/')
                    && !path.contains("://")
                    && Path::new(path).extension().is_some_and(|e| e == "bin") =>
            {
                *path = folder.join(&*path).display().to_string();
            }
            ("store" | "blobs", Value::Table(section)) => {
                let is_path = |url: &str| !url.contains("://") || url.starts_with("sqlite://");
                let url = section.get_mut("url");
                url.filter(|url| url.as_str().is_some_and(is_path)).into_iter().for_each(anchor);
                let files = section.iter_mut().filter(|(key, _)| secret_of(key).is_some());
                files.for_each(|(_, path)| anchor(path));
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
fn refuse_old_keys(root: &mut Table, origins: &Origins, problems: &mut ConfigErrors) {
    for (section, key, instead) in [
        ("store", "engine", "leave it out: [store] url decides, a path or sqlite://path"),
        ("queue", "engine", "leave it out: messages wait in the store, see [store] url"),
        ("queue", "url", "leave it out: messages wait in the store, see [store] url"),
    ] {
        let section_table = root.get_mut(section).and_then(Value::as_table_mut);
        if section_table.is_some_and(|table| table.remove(key).is_some()) {
            let key = join(section, key);
            problems.add(ConfigError::new(origins.find(&key), &key, instead));
        }
    }
}

/// Returns a variable. One that is set to nothing, as compose files do, is not set.
fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a String> {
    environment.get(name).filter(|value| !value.is_empty())
}

/// Returns the keys on the way to the one that a variable sets; `None` if it sets none.
pub(super) fn keys(name: &str) -> Option<Vec<String>> {
    let keys = match name {
        "PORT" => "server__listen",
        "WHATSAPP_VOICE_AGENT_ID" => "default_agent",
        _ => name.strip_prefix("HARK__")?,
    };
    let mut keys: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
    if let ["agents", _, "tools" | "mcp", _, "headers", _] =
        &keys.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        // A shell's variable cannot have the hyphen that headers have.
        let name = keys.pop()?;
        let (name, file) = name.strip_suffix("_file").map_or((&*name, ""), |name| (name, "_file"));
        keys.push(format!("{}{file}", name.replace('_', "-")));
    }
    Some(keys)
}

fn apply_environment(
    root: &mut Table,
    environment: &Environment,
    origins: &mut Origins,
    problems: &mut ConfigErrors,
) {
    let mut set = |variable: &str, text: &str| {
        if let Err(error) = set(root, variable, text, origins) {
            problems.add(error);
        }
    };
    // Listening on all addresses is what a platform that sets $PORT expects.
    if let Some(port) = variable(environment, "PORT") {
        set("PORT", &format!("0.0.0.0:{port}"));
    }
    let agent = "WHATSAPP_VOICE_AGENT_ID";
    if let Some(name) = variable(environment, agent) {
        set(agent, name);
    }
    let mut own: Vec<_> =
        environment.iter().filter(|(name, _)| name.starts_with("HARK__")).collect();
    // A list is filled from its first place on: 2 comes before 10.
    own.sort_by_cached_key(|(name, _)| {
        let keys = keys(name).unwrap_or_default().into_iter();
        keys.map(|key| (key.parse::<usize>().ok(), key)).collect::<Vec<_>>()
    });
    for (name, value) in own {
        set(name, value);
    }
}

fn set(
    root: &mut Table,
    variable: &str,
    text: &str,
    origins: &mut Origins,
) -> Result<(), ConfigError> {
    let keys = keys(variable).unwrap_or_default();
    let path = keys.iter().fold(String::new(), |path, key| match key.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) => join(&path, key),
    });
    // A secret is text whatever it looks like; a place in a list of values too.
    let text_only =
        |last: &String| SECRETS.contains(&last.as_str()) || last.parse::<usize>().is_ok();
    let header = path.rsplit_once('.').is_some_and(|(table, _)| is_headers(table));
    let text_only = header || keys.last().is_some_and(text_only);
    let value = if text_only { text.into() } else { scalar(text) };
    overlay::set(root, &keys, value)
        .map_err(|problem| ConfigError::new(variable, &path, problem))?;
    origins.insert(path, variable);
    Ok(())
}

/// Replaces every `<secret>_file` by the file's content, which the secret then comes from.
fn read_secret_files(
    table: &mut Table,
    at: &str,
    origins: &mut Origins,
    problems: &mut ConfigErrors,
) {
    let headers = table.keys().filter(|_| is_headers(at));
    let headers = headers.map(|name| name.strip_suffix("_file").unwrap_or(name).to_owned());
    let secrets: Vec<String> = headers.chain(SECRETS.iter().map(|&name| name.to_owned())).collect();
    for secret in &secrets {
        let (key, path) = (format!("{secret}_file"), join(at, secret));
        if let Some(Value::String(file)) = table.get(&key) {
            let read = if table.contains_key(secret) {
                Err(format!("{secret} is set too; leave one of the two out"))
            } else {
                std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))
            };
            match read {
                Ok(text) => {
                    origins.insert(path, file);
                    table.insert(secret.clone(), text.trim().into());
                }
                Err(problem) => {
                    let path = join(at, &key);
                    problems.add(ConfigError::new(origins.find(&path), path, problem));
                }
            }
            table.remove(&key);
        } else if table.contains_key(secret) {
            let origin = origins.find(&path).to_owned();
            origins.insert(path, origin);
        }
    }
    for (key, value) in table.iter_mut() {
        let path = join(at, key);
        match value {
            Value::Table(inner) => read_secret_files(inner, &path, origins, problems),
            Value::Array(values) => {
                for (index, inner) in values.iter_mut().enumerate() {
                    if let Value::Table(inner) = inner {
                        read_secret_files(inner, &format!("{path}[{index}]"), origins, problems);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Fills what numbers leave open from the variables of hosts that set Meta's address and token
/// for a web front end too.
fn fill_aliases(config: &mut Config, environment: &Environment, problems: &mut ConfigErrors) {
    const URL: &str = "NEXT_PUBLIC_META_WHATSAPP_API_URL";
    const TOKEN: &str = "NEXT_PUBLIC_META_WHATSAPP_API_TOKEN";
    for number in &mut config.numbers {
        if let (None, Some(token)) = (&number.access_token, variable(environment, TOKEN)) {
            number.access_token = Some(token.as_str().into());
        }
        if let (None, Some(text)) = (&number.api_url, variable(environment, URL)) {
            match text.parse() {
                Ok(url) => {
                    let (url, version) = without_version(url);
                    number.api_version = number.api_version.take().or(version);
                    number.api_url = Some(url);
                }
                Err(error) => {
                    problems.add(ConfigError::new(URL, "api_url", format!("{text}: {error}")));
                }
            }
        }
    }
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
