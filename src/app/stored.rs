//! Numbers and agents as the store has them, made into the registry's.

use std::collections::HashMap;

use secrecy::SecretString;
use serde_json::Value;

use super::keyring::{Keyring, LockedError};
use crate::config::Config;
use crate::http::api::FindingView;
use crate::registry::{Agent, Number, SecretName};
use crate::store::SqlStore;
use crate::store::vault::Vault;
use crate::store::{AgentRow, Directory, DirectoryRows, NumberRow, Sealed, SecretRow, SourceRow};

/// Holds what the store has, readable.
#[derive(Default)]
pub struct Stored {
    /// Counts the store's changes.
    pub(super) revision: i64,
    /// The numbers, with their secrets.
    pub numbers: Vec<Number>,
    /// The agents, likewise.
    pub agents: Vec<Agent>,
    /// Which files each agent was given to know.
    pub sources: HashMap<String, Vec<SourceRow>>,
    /// The token of the webhook's handshake, if one was made.
    pub verify_token: Option<SecretString>,
    /// Entries that this version of hark cannot read.
    pub unreadable: Vec<FindingView>,
}

/// Owner of the secrets that belong to no number; no number has such an id.
pub(super) const WEBHOOK: &str = "@webhook";

impl Stored {
    /// Looks at the configured store, beside a service or not; nothing is made or changed. `None` if
    /// there is none yet.
    ///
    /// # Errors
    /// A store or a secret that cannot be opened.
    pub async fn look(config: &Config) -> Result<Option<Self>, LockedError> {
        let at = config.store.address();
        let Some(store) = SqlStore::look(&at)? else { return Ok(None) };
        Self::read(&store, &Keyring::new(config, at.beside())).await.map(Some)
    }

    /// Reads all of it.
    pub(super) async fn read(
        store: &dyn Directory,
        keyring: &Keyring,
    ) -> Result<Self, LockedError> {
        // The key first: rows that were sealed anew in between are read again.
        let vault = keyring.open(store).await?;
        let rows = store.directory().await?;
        let DirectoryRows { revision, numbers, agents, secrets, sources } = rows;
        let mut stored = Self { revision, ..Self::default() };
        for source in sources {
            stored.sources.entry(source.agent.clone()).or_default().push(source);
        }
        let opened = Opened::all(vault.as_deref(), secrets)?;
        for row in numbers {
            match number(&row, &opened) {
                Ok(number) => stored.numbers.push(number),
                Err(why) => stored.unreadable.push(unreadable(format!("numbers/{}", row.id), why)),
            }
        }
        for row in agents {
            let secrets = agent_secrets(vault.as_deref(), &row)?;
            match agent(&row, &secrets) {
                Ok(agent) => stored.agents.push(agent),
                Err(why) => stored.unreadable.push(unreadable(format!("agents/{}", row.name), why)),
            }
        }
        stored.verify_token = opened.newest(WEBHOOK, "verify_token").into_iter().next();
        Ok(stored)
    }
}

/// Says what of the store cannot be used, and what to do.
pub(super) fn finding(key: String, message: String, fix: &str) -> FindingView {
    FindingView { level: "error".to_owned(), key, message, fix: fix.to_owned() }
}

fn unreadable(key: String, message: String) -> FindingView {
    let fix = "change or remove it with this version of hark, or run the version that wrote it";
    finding(key, message, fix)
}

/// Holds secrets that were opened, oldest first.
struct Opened(Vec<(SecretRow, SecretString)>);

impl Opened {
    fn all(vault: Option<&Vault>, rows: Vec<SecretRow>) -> Result<Self, LockedError> {
        let open = |row: SecretRow| {
            let opened = vault.and_then(|vault| vault.open_text(&row.place(), &row.sealed));
            let secret = opened.ok_or_else(|| LockedError::Damaged(row.place()))?;
            Ok((row, secret))
        };
        rows.into_iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the secrets of an owner by their name, newest first.
    fn newest(&self, owner: &str, name: &str) -> Vec<SecretString> {
        let of = |(row, _): &&(SecretRow, SecretString)| row.owner == owner && row.name == name;
        self.0.iter().rev().filter(of).map(|(_, secret)| secret.clone()).collect()
    }
}

fn number(row: &NumberRow, secrets: &Opened) -> Result<Number, String> {
    let number: Number = serde_json::from_str(&row.spec).map_err(|error| error.to_string())?;
    let mut number = Number { version: Some(row.version), ..number };
    for name in SecretName::ALL {
        let mut secrets = secrets.newest(&row.id, name.name()).into_iter();
        let (newest, former) = number.secret(name);
        (*newest, *former) = (secrets.next(), secrets.collect());
    }
    Ok(number)
}

/// Opens the secrets of one version of an agent, by their places.
pub(super) fn agent_secrets(
    vault: Option<&Vault>,
    row: &AgentRow,
) -> Result<Vec<(String, String)>, LockedError> {
    let Some(sealed) = &row.sealed else { return Ok(Vec::new()) };
    let opened = vault.and_then(|vault| vault.open(&AgentRow::place(&row.name), sealed));
    let secrets = opened.and_then(|text| serde_json::from_slice(&text).ok());
    secrets.ok_or_else(|| LockedError::Damaged(AgentRow::place(&row.name)))
}

/// Seals the secrets of an agent; `None` if it has none.
pub(super) fn seal_agent(vault: &Vault, name: &str, secrets: &[(String, String)]) -> Sealed {
    let text = serde_json::to_vec(secrets).expect("texts are JSON");
    vault.seal(&AgentRow::place(name), &text)
}

/// Makes an agent of its row and its secrets.
pub(super) fn agent(row: &AgentRow, secrets: &[(String, String)]) -> Result<Agent, String> {
    let spec = row.spec.as_deref().unwrap_or("null");
    let mut spec: Value = serde_json::from_str(spec).map_err(|error| error.to_string())?;
    put_secrets(&mut spec, secrets);
    let agent: Agent = serde_json::from_value(spec).map_err(|error| error.to_string())?;
    Ok(Agent { version: Some(row.version), ..agent })
}

/// Puts secrets back to where they were taken from.
pub(super) fn put_secrets(spec: &mut Value, secrets: &[(String, String)]) {
    for (place, secret) in secrets {
        let (table, key) = place.rsplit_once('/').unwrap_or(("", place));
        if let Some(Value::Object(table)) = spec.pointer_mut(table) {
            table.insert(key.to_owned(), Value::String(secret.clone()));
        }
    }
}

/// Takes the secrets out of an agent as it was sent: each with its place, `None` where it was `null`.
pub(super) fn take_secrets(spec: &mut Value) -> Vec<(String, Option<String>)> {
    let mut taken = Vec::new();
    take_below(spec, "", &mut taken);
    taken
}

/// Returns the place of the tool, such as `/tools/0`, that a place is or is in.
fn tool_of(place: &str) -> Option<&str> {
    let rest = place.strip_prefix("/tools/").or_else(|| place.strip_prefix("/mcp/"))?;
    let end = rest.find('/').unwrap_or(rest.len());
    Some(&place[..place.len() - rest.len() + end])
}

/// Returns whether a secret may stay where it was: it goes to the address that it was entered for and
/// to no other, wherever its tool or engine stands in a list now.
pub(super) fn may_stay(place: &str, before: &Value, now: &Value) -> bool {
    let (table, keys) = match tool_of(place) {
        Some(tool) => (tool, ["name", "url"]),
        None => (place.rsplit_once('/').map_or("", |(table, _)| table), ["engine", "url"]),
    };
    let of = |spec: &Value, key: &str| spec.pointer(&format!("{table}/{key}")).cloned();
    keys.into_iter().all(|key| of(before, key) == of(now, key))
}

fn take_below(value: &mut Value, place: &str, taken: &mut Vec<(String, Option<String>)>) {
    match value {
        Value::Object(table) if tool_of(place).is_some() => {
            if let Some(Value::Object(headers)) = table.get_mut("headers") {
                for (name, value) in std::mem::take(headers) {
                    if value.is_string() || value.is_null() {
                        let name = name.to_ascii_lowercase().replace('~', "~0").replace('/', "~1");
                        let secret = value.as_str().map(str::to_owned);
                        taken.push((format!("{place}/headers/{name}"), secret));
                    } else {
                        headers.insert(name, value);
                    }
                }
            }
        }
        Value::Object(table) => {
            let secret = match table.get("api_key") {
                Some(Value::String(secret)) => Some(Some(secret.clone())),
                Some(Value::Null) => Some(None),
                _ => None,
            };
            if let Some(secret) = secret {
                table.remove("api_key");
                taken.push((format!("{place}/api_key"), secret));
            }
            for (key, below) in table.iter_mut() {
                let key = key.replace('~', "~0").replace('/', "~1");
                take_below(below, &format!("{place}/{key}"), taken);
            }
        }
        Value::Array(list) => {
            for (at, below) in list.iter_mut().enumerate() {
                take_below(below, &format!("{place}/{at}"), taken);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_of_an_agent_and_put_back() {
        let sent = json!({
            "llm": { "url": "http://a", "api_key": "one" },
            "tts": ["espeak", { "engine": "openai", "api_key": "two" }],
            "stt": { "api_key": null },
        });
        let mut spec = sent.clone();
        let taken = take_secrets(&mut spec);
        assert!(!spec.to_string().contains("one") && !spec.to_string().contains("two"), "{spec}");
        let secrets: Vec<_> =
            taken.iter().filter_map(|(at, secret)| Some((at.clone(), secret.clone()?))).collect();
        assert_eq!(secrets.len(), 2);
        assert!(taken.contains(&("/stt/api_key".to_owned(), None)));
        put_secrets(&mut spec, &secrets);
        assert_eq!((&spec["llm"], &spec["tts"]), (&sent["llm"], &sent["tts"]));
    }

    #[test]
    fn headers_of_tools_are_secrets_that_stay_with_their_address() {
        let sent = json!({ "tools": [{
            "name": "a", "url": "http://a", "headers": { "X-Key": "one", "x-n": 7, "x-no": null },
            "parameters": { "properties": { "headers": { "x": "y" }, "api_key": null } },
        }] });
        let mut spec = sent.clone();
        let taken = take_secrets(&mut spec);
        assert!(taken.contains(&("/tools/0/headers/x-key".to_owned(), Some("one".to_owned()))));
        assert!(taken.contains(&("/tools/0/headers/x-no".to_owned(), None)));
        assert_eq!((taken.len(), &spec["tools"][0]["headers"]), (2, &json!({ "x-n": 7 })));
        assert_eq!(spec["tools"][0]["parameters"], sent["tools"][0]["parameters"]);
        let place = "/tools/0/headers/x-key";
        assert!(may_stay(place, &sent, &sent));
        let moved = json!({ "tools": [{ "name": "a", "url": "http://evil" }] });
        let swapped = json!({ "tools": [{ "name": "b", "url": "http://a" }] });
        assert!(!may_stay(place, &sent, &moved) && !may_stay(place, &sent, &swapped));
        let engine = |url: &str| json!({ "engine": "openai", "url": url });
        let voices = |urls: [&str; 2]| json!({ "tts": urls.map(engine) });
        let (before, swapped) =
            (voices(["http://a", "http://b"]), voices(["http://b", "http://a"]));
        assert!(may_stay("/tts/0/api_key", &before, &before));
        assert!(!may_stay("/tts/0/api_key", &before, &swapped));
    }
}
