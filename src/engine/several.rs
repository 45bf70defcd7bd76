//! Reads a list of engines, in the order they are asked: each by its name, or by a table of keys that
//! override the section's.
//!
//! Beside `read`, which reads one engine. Invariant: no value of a key is in `Debug` output, in JSON
//! or in an error.

use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use super::{EngineRole, EngineSpec, Wrong};

/// Lists engines as they are written.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct EngineList(Vec<Value>);

impl fmt::Debug for EngineList {
    /// Shows names, and of tables the names of their keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|one| match one {
            Value::Table(keys) => format!("{:?}", EngineSpec(keys.clone())),
            Value::String(name) => name.clone(),
            _ => "?".to_owned(),
        });
        f.debug_list().entries(shown).finish()
    }
}

impl Serialize for EngineList {
    /// Leaves secrets out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(clean))
    }
}

impl From<EngineList> for Value {
    fn from(EngineList(list): EngineList) -> Self {
        Self::Array(list)
    }
}

/// Returns a table without its secrets, those of its list of engines included.
pub(super) fn without_secrets(keys: &Table) -> Table {
    let open = keys.iter().filter(|(key, _)| *key != "api_key");
    open.map(|(key, value)| {
        (key.clone(), if key == "engine" { clean(value) } else { value.clone() })
    })
    .collect()
}

fn clean(value: &Value) -> Value {
    match value {
        Value::Table(keys) => Value::Table(without_secrets(keys)),
        Value::Array(list) => Value::Array(list.iter().map(clean).collect()),
        other => other.clone(),
    }
}

/// Describes one engine of a list, or the only one.
#[derive(Clone, Debug)]
pub struct OneEngine {
    /// The engine as if it stood alone.
    pub spec: EngineSpec,
    /// Its place in a list.
    place: Option<usize>,
    /// The keys of its own, where it is a table in a list.
    own: Option<EngineSpec>,
}

impl OneEngine {
    /// Returns its place in the list, if it is a table there.
    pub fn table(&self) -> Option<usize> {
        self.place.filter(|_| self.own.is_some())
    }

    /// Returns whether it has this key for itself, as a table in a list.
    pub fn has_own(&self, key: &str) -> bool {
        self.own.as_ref().is_some_and(|own| own.get(key).is_some())
    }

    /// Returns the same error with the key named from the section of the list.
    #[must_use]
    pub fn placed(&self, Wrong { key, problem }: Wrong) -> Wrong {
        let key = match self.place {
            Some(place) if key == "engine" => format!("engine[{place}]"),
            Some(place) if self.own.is_some() => format!("engine[{place}].{key}"),
            _ => key,
        };
        Wrong { key, problem }
    }

    /// Returns its name with its server's host, if it has one: two servers of a list have two names.
    pub fn label<R: EngineRole>(&self, name: &str) -> String {
        let own = self.spec.own::<R>();
        let url = own.text("url").and_then(|url| Url::parse(url).ok());
        match url.as_ref().and_then(|url| Some((url.host_str()?, url.port()))) {
            None => name.to_owned(),
            Some((host, None)) => format!("{name}@{host}"),
            Some((host, Some(port))) => format!("{name}@{host}:{port}"),
        }
    }

    /// Returns the keys of its own.
    pub(super) fn own(&self) -> Option<&EngineSpec> {
        self.own.as_ref()
    }
}

impl EngineSpec {
    /// Returns whether it lists engines.
    pub fn is_list(&self) -> bool {
        matches!(self.get("engine"), Some(Value::Array(_)))
    }

    /// Returns the engines in order; one, where it is no list.
    ///
    /// # Errors
    /// A list that is empty, or what cannot be an engine.
    pub fn each(&self) -> Result<Vec<OneEngine>, Wrong> {
        let Some(Value::Array(list)) = self.get("engine") else {
            return Ok(vec![OneEngine { spec: self.clone(), place: None, own: None }]);
        };
        if list.is_empty() {
            let problem = "the list is empty; name at least one engine, or leave the key out";
            return Err(Wrong::new("engine", problem));
        }
        list.iter().enumerate().map(|(at, one)| self.one(at, one)).collect()
    }

    /// Reads what is at a place of its list.
    fn one(&self, at: usize, one: &Value) -> Result<OneEngine, Wrong> {
        let wrong = |problem: &str| Err(Wrong::new(format!("engine[{at}]"), problem));
        let (spec, own) = match one {
            Value::String(_) => (self.with([("engine", one.clone())]), None),
            Value::Table(keys) if matches!(keys.get("engine"), Some(Value::String(_))) => {
                let own = Self(keys.clone());
                (self.overridden_by(&own), Some(own))
            }
            Value::Table(_) => return wrong("names no engine; write { engine = \"...\", ... }"),
            _ => return wrong("must be an engine's name, or a table with its keys"),
        };
        Ok(OneEngine { spec, place: Some(at), own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(toml: &str) -> EngineSpec {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn a_list_is_read_as_if_each_stood_alone() {
        let list = "speed = 2\nengine = [\"espeak\", { engine = \"openai\", speed = 1, url = \
                    \"http://u:p@gpu:8000/v1\" }]";
        let each = spec(list).each().unwrap();
        assert_eq!(each[0].spec, spec("engine = \"espeak\"\nspeed = 2"));
        assert_eq!(each[1].spec.get("speed"), Some(&Value::Integer(1)));
        assert_eq!((each[0].table(), each[1].table()), (None, Some(1)));
        let keys = |key: &str| {
            let placed = |one: &OneEngine| one.placed(Wrong::new(key, "")).key;
            each.iter().map(placed).collect::<Vec<_>>()
        };
        assert_eq!(keys("url"), ["url", "engine[1].url"]);
        assert_eq!(keys("engine"), ["engine[0]", "engine[1]"]);
        let alone = spec("engine = \"espeak\"").each().unwrap();
        assert_eq!(alone[0].placed(Wrong::new("engine", "")).key, "engine");
    }

    #[test]
    fn what_is_no_list_of_engines_is_named_by_its_place() {
        for (list, key) in [
            ("[]", "engine"),
            ("[\"a\", 1]", "engine[1]"),
            ("[{ url = \"x\" }]", "engine[0]"),
            ("[{ engine = [\"a\"] }]", "engine[0]"),
            ("[[\"a\"]]", "engine[0]"),
        ] {
            assert_eq!(spec(&format!("engine = {list}")).each().unwrap_err().key, key, "{list}");
        }
    }

    #[test]
    fn secrets_of_a_list_are_not_shown() {
        let own = "list = [\"espeak\", { engine = \"openai\", api_key = \"4711\" }]";
        let list: EngineList =
            toml::from_str::<Table>(own).unwrap()["list"].clone().try_into().unwrap();
        let whole = spec("engine = \"x\"").with([("engine", Value::from(list.clone()))]);
        let shown = format!("{list:?} {whole:?}");
        assert!(shown.contains("api_key") && !shown.contains("4711"), "{shown}");
        for json in [serde_json::to_string(&list).unwrap(), serde_json::to_string(&whole).unwrap()]
        {
            assert!(json.contains("openai") && !json.contains("4711"), "{json}");
        }
    }
}
