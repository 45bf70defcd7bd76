//! Reads an engine's settings out of its section, which holds the keys of all engines of a role.
//!
//! Which keys an engine has is learned from serde's derive on its settings, so that there is no
//! second list of them.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Deserialize as _, forward_to_deserialize_any};
use toml::{Table, Value};

use super::{EngineEntry, EngineRole, EngineSettings as _, EngineSpec, Wrong};

/// Declares the engines of one role: an enum with a variant for each, which holds its settings.
/// What is added to the section's name are keys of no engine; before it is how many may be listed.
macro_rules! engines {
    ($(#[$about:meta])* $vis:vis $role:ident: $most:literal of $section:literal $(+ $shared:literal)*, dyn $settings:ident {
        $($(#[$doc:meta])* $name:literal => $variant:ident($own:ty),)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        $vis enum $role {
            $($(#[$doc])* $variant($own),)+
        }

        impl $crate::engine::EngineRole for $role {
            const SECTION: &'static str = $section;
            const MOST: usize = $most;
            const SHARED: &'static [&'static str] = &[$($shared),*];
            const ENGINES: &'static [$crate::engine::EngineEntry<Self>] = &[
                $($crate::engine::EngineEntry {
                    name: $name,
                    keys: $crate::engine::fields::<$own>,
                    read: |keys| $crate::engine::typed(keys).map(Self::$variant),
                },)+
            ];
            type Settings = dyn $settings;

            fn settings(&self) -> &Self::Settings {
                match self {
                    $(Self::$variant(own) => own,)+
                }
            }
        }
    };
}
pub(crate) use engines;

/// Says that a role has no list of engines.
const NO_LIST: &str = "must be one engine's name: only [stt] and [tts] take a list";

/// Finds an engine of the role by its name.
fn entry<R: EngineRole>(name: &str) -> Option<&'static EngineEntry<R>> {
    R::ENGINES.iter().find(|engine| engine.name == name)
}

/// Finds a key that no engine of the role has.
pub fn unknown_key<R: EngineRole>(spec: &EngineSpec) -> Option<&str> {
    let known = section_keys::<R>();
    spec.0.keys().map(String::as_str).find(|key| !known.contains(key))
}

/// Names all keys of a section, each once.
fn section_keys<R: EngineRole>() -> Vec<&'static str> {
    let mut all = vec!["engine"];
    for key in R::ENGINES.iter().flat_map(|engine| (engine.keys)()).chain(R::SHARED) {
        if !all.contains(key) {
            all.push(key);
        }
    }
    all
}

/// Checks that every key is known and has the right type, whichever engine it belongs to.
///
/// # Errors
/// The first key that cannot be used.
pub fn check_keys<R: EngineRole>(spec: &EngineSpec) -> Result<(), Wrong> {
    let EngineSpec(keys) = spec;
    if let Some(key) = unknown_key::<R>(spec) {
        let known: Vec<String> = section_keys::<R>().iter().map(|key| format!("`{key}`")).collect();
        let known = known.join(", ");
        return Err(Wrong::new(key, format!("unknown field `{key}`, expected one of {known}")));
    }
    if spec.is_list() && R::MOST == 1 {
        return Err(Wrong::new("engine", NO_LIST));
    }
    // What a list of engines holds is checked with the agents that have it.
    let name = (!spec.is_list()).then_some("engine");
    for key in R::SHARED.iter().copied().chain(name) {
        if let Some(value) = keys.get(key) {
            let text = String::deserialize(value.clone());
            text.map_err(|error| Wrong::new(key, error.message()))?;
        }
    }
    R::ENGINES.iter().try_for_each(|engine| (engine.read)(keys).map(drop))
}

/// Reads the settings of the engine that `spec` names.
///
/// # Errors
/// An engine that does not exist, or a key of the wrong type.
pub fn read<R: EngineRole>(spec: &EngineSpec) -> Result<R, Wrong> {
    let name = spec.engine();
    let Some(engine) = entry::<R>(name) else {
        let names: Vec<&str> = R::ENGINES.iter().map(|engine| engine.name).collect();
        let names = names.join("\" or \"");
        return Err(Wrong::new("engine", format!("unknown engine \"{name}\"; use \"{names}\"")));
    };
    (engine.read)(&spec.0)
}

/// Checks all of `spec`: its keys, its engine's name and the engine's settings. Returns the keys
/// that cannot be used; the settings are not looked at before the others are right.
pub fn check<R: EngineRole>(spec: &EngineSpec) -> Vec<Wrong> {
    match check_keys::<R>(spec).and_then(|()| read::<R>(spec)) {
        Ok(engine) => engine.settings().check(),
        Err(wrong) => vec![wrong],
    }
}

/// Checks each engine that `spec` names, and that none is there twice. Returns the keys that cannot be
/// used, with the place in the list.
pub fn check_list<R: EngineRole>(spec: &EngineSpec) -> Vec<Wrong> {
    let each = match spec.each() {
        Ok(each) => each,
        Err(wrong) => return vec![wrong],
    };
    if each.len() > R::MOST {
        let most = || format!("lists more than {} engines", R::MOST);
        let problem = if R::MOST == 1 { NO_LIST.to_owned() } else { most() };
        return vec![Wrong::new("engine", problem)];
    }
    let mut all = Vec::new();
    for (at, one) in each.iter().enumerate() {
        let odd = one.own().and_then(|own| {
            let shared = R::SHARED.iter().find(|key| own.get(key).is_some());
            let shared =
                shared.map(|key| (*key, "is the same for all engines of a list: take it out"));
            shared.or_else(|| unknown_key::<R>(own).map(|key| (key, "unknown key")))
        });
        let wrong = match odd {
            Some((key, problem)) => vec![Wrong::new(key, problem)],
            None => check::<R>(&one.spec),
        };
        all.extend(wrong.into_iter().map(|wrong| one.placed(wrong)));
        let own = one.spec.own::<R>();
        if let Some(first) = each[..at].iter().position(|other| other.spec.own::<R>() == own) {
            let problem =
                format!("is the same as engine[{first}]; leave it out, or change its keys");
            all.push(one.placed(Wrong::new("engine", problem)));
        }
    }
    all
}

impl EngineSpec {
    /// Returns the same without the keys of other engines: two that are equal are one engine.
    #[must_use]
    pub fn own<R: EngineRole>(&self) -> Self {
        self.only(entry::<R>(self.engine()).map_or(&[], |engine| (engine.keys)()))
    }
}

/// Reads settings from a table that holds their keys.
pub(crate) fn typed<S: DeserializeOwned>(keys: &Table) -> Result<S, Wrong> {
    serde_path_to_error::deserialize(Value::Table(keys.clone()))
        .map_err(|error| Wrong::new(error.path().to_string(), error.inner().message()))
}

/// Returns the names of the fields of `S`, whose `Deserialize` is derived.
pub(crate) fn fields<S: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields = &[][..];
    // It always ends in an error: there are no values.
    let _: Result<S, Error> = S::deserialize(FieldNames(&mut fields));
    fields
}

/// Deserializes nothing, and keeps the names that a derived `Deserialize` asks for.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("there are no values"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::engine::EngineSettings;

    #[derive(Clone, Debug, Deserialize)]
    #[expect(dead_code, reason = "only their names matter")]
    struct Hum {
        voice: Option<String>,
        pitch: f64,
    }

    #[derive(Clone, Debug, Deserialize)]
    struct Silence {}

    impl EngineSettings for Hum {}
    impl EngineSettings for Silence {}

    engines! {
        /// Two engines.
        Noise: 3 of "noise" + "language", dyn EngineSettings {
            /// With keys.
            "hum" => Hum(Hum),
            /// Without.
            "silence" => Silence(Silence),
        }
    }

    fn spec(toml: &str) -> EngineSpec {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn an_engine_knows_its_own_keys_and_a_section_those_of_all() {
        let keys = |name| entry::<Noise>(name).map(|engine| (engine.keys)());
        assert_eq!(keys("hum"), Some(&["voice", "pitch"][..]));
        assert_eq!((keys("silence"), keys("x")), (Some(&[][..]), None));
        assert_eq!(section_keys::<Noise>(), ["engine", "voice", "pitch", "language"]);
    }

    #[test]
    fn keys_of_other_engines_are_checked_and_make_no_difference() {
        let wrong = |toml: &str| check::<Noise>(&spec(toml)).pop().map(|wrong| wrong.key);
        let silence = "engine = \"silence\"\npitch = 1.5\n";
        assert_eq!(wrong(silence), None);
        assert_eq!(wrong(&silence.replace("1.5", "true")), Some("pitch".to_owned()));
        assert_eq!(wrong(&silence.replace("pitch", "pich")), Some("pich".to_owned()));
        assert_eq!(wrong(&silence.replace("silence", "x")), Some("engine".to_owned()));
        let own = |toml: &str| spec(toml).own::<Noise>();
        assert_eq!(own(silence), own("engine = \"silence\""));
        assert_ne!(own("engine = \"hum\"\npitch = 1.5"), own("engine = \"hum\"\npitch = 2.5"));
    }

    #[test]
    fn each_engine_of_a_list_is_checked_by_its_place() {
        let wrong = |list: &str| {
            let spec = spec(&format!("pitch = 1.5\nengine = {list}"));
            let wrong = check_list::<Noise>(&spec).into_iter();
            wrong.map(|wrong| wrong.to_string()).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(wrong("[\"hum\", \"silence\", { engine = \"hum\", pitch = 2.5 }]"), "");
        for (list, words) in [
            ("\"x\"", "engine: unknown engine \"x\"; use \"hum\" or \"silence\""),
            ("[\"hum\", \"x\"]", "engine[1]: unknown engine \"x\""),
            ("[{ engine = \"hum\", pitch = true }]", "engine[0].pitch: invalid type"),
            ("[{ engine = \"hum\", pich = 1 }]", "engine[0].pich: unknown key"),
            (
                "[{ engine = \"hum\", language = \"en\" }]",
                "engine[0].language: is the same for all",
            ),
            ("[\"hum\", \"silence\", \"hum\"]", "engine[2]: is the same as engine[0]"),
            ("[]", "engine: the list is empty"),
            ("[\"a\", \"b\", \"c\", \"d\"]", "engine: lists more than 3 engines"),
        ] {
            assert!(wrong(list).starts_with(words), "{list}: {}", wrong(list));
        }
    }
}
