//! The upper levels of a body, without reading what is in them: objects and arrays of raw JSON.
//!
//! Invariant: what is held beside the body is bounded, whatever it holds: [`MOST`] places a level,
//! and of each element that is read [`WEIGHT`] values.

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Result, Value};

/// Members or elements of one level; those after them are left out.
const MOST: usize = 10_000;
/// Values in one element. A value takes some 100 bytes, so this is 10 MB; a long message has 100.
const WEIGHT: usize = 100_000;

/// Says what becomes of an element that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// The body is an error.
    All,
    /// It alone is left out.
    Readable,
}

impl Leaves {
    /// Reads an element.
    pub(super) fn read(self, raw: &RawValue) -> Result<Option<Value>> {
        if weight(raw.get()) > WEIGHT {
            return Ok(None);
        }
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(_) if self == Self::Readable => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a member of an object.
    pub(super) fn read_member(self, raw: &RawValue, name: &str) -> Result<Option<Value>> {
        let member = member(raw, name)?.map(|member| self.read(member));
        Ok(member.transpose()?.flatten())
    }
}

/// Returns the last member of this name.
pub(super) fn member<'a>(raw: &'a RawValue, name: &str) -> Result<Option<&'a RawValue>> {
    let named = object(raw)?.into_iter().rfind(|(key, _)| key == name);
    Ok(named.map(|(_, value)| value))
}

/// Returns the members of an object in their order; none if it is something else.
pub(super) fn object(raw: &RawValue) -> Result<Vec<(String, &RawValue)>> {
    let mut members: Vec<(String, &RawValue)> = Vec::new();
    if raw.get().starts_with('{') {
        serde_json::Deserializer::from_str(raw.get()).deserialize_map(Members(&mut members))?;
    }
    Ok(members)
}

/// Returns the elements of an array; none if it is something else.
pub(super) fn array(raw: Option<&RawValue>) -> Result<Vec<&RawValue>> {
    let mut elements = Vec::new();
    if let Some(raw) = raw.filter(|raw| raw.get().starts_with('[')) {
        serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Elements(&mut elements))?;
    }
    Ok(elements)
}

struct Members<'a, 'de>(&'a mut Vec<(String, &'de RawValue)>);

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        while self.0.len() < MOST {
            let Some(member) = map.next_entry()? else { return Ok(()) };
            self.0.push(member);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct Elements<'a, 'de>(&'a mut Vec<&'de RawValue>);

impl<'de> Visitor<'de> for Elements<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> std::result::Result<(), S::Error> {
        while self.0.len() < MOST {
            let Some(element) = sequence.next_element()? else { return Ok(()) };
            self.0.push(element);
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Counts the values of a text of JSON.
fn weight(json: &str) -> usize {
    let (mut count, mut inside, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b',' | b'[' | b'{' if !inside => count += 1,
            _ => {}
        }
    }
    count
}
