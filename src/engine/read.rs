//! Reads an engine's settings out of its section, which holds the keys of all engines of a role.
//!
//! Which engines and keys there are is learned from serde's derive on the role's enum, so that
//! there is no second list of them.

use std::cell::Cell;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer as _, VariantAccess,
    Visitor,
};
use serde::{Deserialize as _, forward_to_deserialize_any};
use toml::{Table, Value};

use super::{EngineSettings as _, EngineSpec, Role, Wrong};

/// Names the engines of a role.
pub fn names<R: Role>() -> &'static [&'static str] {
    learn::<R>(None)
}

/// Names the keys of the engine `name`; none if there is no such engine.
fn keys<R: Role>(name: &str) -> &'static [&'static str] {
    if names::<R>().contains(&name) { learn::<R>(Some(name)) } else { &[] }
}

/// Finds a key that no engine of the role has.
pub fn unknown_key<'a, R: Role>(keys: &'a Table) -> Option<&'a str> {
    let known = union::<R>();
    keys.keys().map(String::as_str).find(|key| !known.contains(key))
}

/// Names all keys of a section, each once.
fn union<R: Role>() -> Vec<&'static str> {
    let mut all = vec!["engine"];
    for key in names::<R>().iter().flat_map(|name| keys::<R>(name)).chain(R::SHARED) {
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
pub fn check_keys<R: Role>(spec: &EngineSpec) -> Result<(), Wrong> {
    if let Some(key) = unknown_key::<R>(&spec.keys) {
        let known: Vec<String> = union::<R>().iter().map(|key| format!("`{key}`")).collect();
        let known = known.join(", ");
        return Err(Wrong::new(key, format!("unknown field `{key}`, expected one of {known}")));
    }
    for key in R::SHARED {
        if let Some(value) = spec.keys.get(*key) {
            let text = String::deserialize(value.clone());
            text.map_err(|error| Wrong::new(*key, error.message()))?;
        }
    }
    for name in names::<R>() {
        typed::<R>(name, &spec.keys)?;
    }
    Ok(())
}

/// Reads the settings of the engine that `spec` names.
///
/// # Errors
/// An engine that does not exist, or a key of the wrong type.
pub fn read<R: Role>(spec: &EngineSpec) -> Result<R, Wrong> {
    let (name, names) = (&spec.engine, names::<R>());
    if !names.contains(&name.as_str()) {
        let names = names.join("\" or \"");
        return Err(Wrong::new("engine", format!("\"{name}\" is no engine; use \"{names}\"")));
    }
    typed(name, &spec.keys)
}

/// Checks the whole of `spec`: its keys, its engine's name and the engine's settings.
///
/// # Errors
/// The first key that cannot be used.
pub fn check<R: Role>(spec: &EngineSpec) -> Result<(), Wrong> {
    check_keys::<R>(spec)?;
    read::<R>(spec)?.settings().check()
}

impl EngineSpec {
    /// Returns the same without the keys of other engines: two that are equal are one engine.
    #[must_use]
    pub fn own<R: Role>(&self) -> Self {
        self.only(keys::<R>(&self.engine))
    }
}

fn typed<R: Role>(name: &str, table: &Table) -> Result<R, Wrong> {
    let spec = EngineSpec { engine: name.to_owned(), keys: table.clone() }.own::<R>();
    let variant = Table::from_iter([(spec.engine, Value::Table(spec.keys))]);
    serde_path_to_error::deserialize(Value::Table(variant)).map_err(|error| {
        let path = error.path().to_string();
        let key = path.strip_prefix(name).and_then(|path| path.strip_prefix('.'));
        Wrong::new(key.unwrap_or("engine"), error.inner().message())
    })
}

/// Returns the variants of a role's enum, or the fields of one of them.
fn learn<R: Role>(variant: Option<&str>) -> &'static [&'static str] {
    let found = Cell::new(&[][..]);
    // It always ends in an error: there are no values.
    let _: Result<R, Error> = R::deserialize(Learner { variant, found: &found });
    found.get()
}

/// Deserializes nothing, and keeps the names that a derived `Deserialize` asks for.
#[derive(Clone, Copy)]
struct Learner<'a> {
    variant: Option<&'a str>,
    found: &'a Cell<&'static [&'static str]>,
}

impl<'de> Deserializer<'de> for Learner<'_> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.found.set(variants);
        visitor.visit_enum(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.found.set(fields);
        Err(Error::custom("learned"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("learned"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Learner<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = self.variant.ok_or_else(|| Error::custom("learned"))?;
        let name: StrDeserializer<'_, Error> = name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Learner<'_> {
    type Error = Error;

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn unit_variant(self) -> Result<(), Error> {
        Err(Error::custom("an engine has settings"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}
