//! What a business knows of a person who writes to it, whoever told it.
//!
//! Invariant: every text has a limit, so that no file and no server can fill a prompt or a page; what
//! goes beyond one is named, never cut in silence.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{LanguageCode, Personal};

/// Most fields of a person.
const MOST_FIELDS: usize = 100;
/// Longest name of a field, in characters.
pub const FIELD_NAME_CHARS: usize = 100;
/// Longest value of a field, in characters.
const FIELD_CHARS: usize = 2_000;
/// Longest name of a person, in characters.
const CUSTOMER_NAME_CHARS: usize = 200;

/// Holds what is known of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The name that the business has.
    pub name: Option<Personal>,
    /// The language that the business has; what a person speaks goes before it.
    pub language: Option<LanguageCode>,
    /// Everything else.
    pub fields: CustomerFields,
}

/// Holds fields by their names, in the order in which they were told; no name comes twice. In JSON an
/// object: texts, numbers and whatever else are read as text, `null` is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFields(Vec<(String, Personal)>);

impl CustomerFields {
    /// Sets a field, in its place if it has one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = Personal(value.into());
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, kept)) => *kept = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Returns names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Personal)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Customer {
    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what is too long or too much: its key, and the problem with it.
    pub fn too_long(&self) -> Option<(String, String)> {
        let long = |text: &str, most: usize| text.chars().nth(most).is_some();
        let says = |most: usize| format!("is longer than {most} characters");
        if self.name.as_ref().is_some_and(|name| long(name.reveal(), CUSTOMER_NAME_CHARS)) {
            return Some(("name".to_owned(), says(CUSTOMER_NAME_CHARS)));
        }
        if self.fields.0.len() > MOST_FIELDS {
            return Some(("fields".to_owned(), format!("are more than {MOST_FIELDS}")));
        }
        self.fields.iter().find_map(|(name, value)| {
            if name.trim().is_empty() {
                return Some(("fields".to_owned(), "have one without a name".to_owned()));
            }
            if long(name, FIELD_NAME_CHARS) {
                return Some((
                    "fields".to_owned(),
                    format!("have a name that {}", says(FIELD_NAME_CHARS)),
                ));
            }
            long(value.reveal(), FIELD_CHARS).then(|| (format!("fields.{name}"), says(FIELD_CHARS)))
        })
    }

    /// Takes the language that somebody wrote, a code or an English name; one that is not known is kept
    /// as a field. Returns whether it was known.
    pub fn set_language(&mut self, written: &str) -> bool {
        let language = LanguageCode::told(written);
        if language.is_none() {
            self.fields.set("language", written);
            return false;
        }
        self.language = language;
        true
    }
}

impl Serialize for CustomerFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value.reveal())))
    }
}

impl<'de> Deserialize<'de> for CustomerFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = CustomerFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = CustomerFields::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if let Some(value) = text_of(value) {
                        fields.set(&name, value);
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Returns a value as it is written; `None` for `null`.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_become_text() {
        let json = r#"{"z":"gold","a":7,"n":null,"list":[1,"x"],"yes":true,"z":"silver"}"#;
        let fields: CustomerFields = serde_json::from_str(json).unwrap();
        let written = serde_json::to_string(&fields).unwrap();
        assert_eq!(written, r#"{"z":"silver","a":"7","list":"[1,\"x\"]","yes":"true"}"#);
        assert!(!format!("{fields:?}").contains("silver"), "it is somebody's");
        assert!(serde_json::from_str::<CustomerFields>("[1]").is_err());
    }

    #[test]
    fn what_is_too_long_is_named() {
        let mut customer = Customer::default();
        assert!(customer.is_empty() && customer.too_long().is_none());
        customer.fields.set("plan", "x".repeat(FIELD_CHARS + 1));
        let (key, problem) = customer.too_long().unwrap();
        assert_eq!(
            (key.as_str(), problem.as_str()),
            ("fields.plan", "is longer than 2000 characters")
        );
        customer.fields.remove("plan");
        for n in 0..=MOST_FIELDS {
            customer.fields.set(&n.to_string(), "x");
        }
        assert_eq!(customer.too_long().unwrap().0, "fields");
    }

    #[test]
    fn a_language_is_known_or_a_field() {
        let mut customer = Customer::default();
        assert!(customer.set_language("de_DE") && customer.set_language("Spanish"));
        assert_eq!(customer.language, Some("es".into()));
        assert!(!customer.set_language("Klingon"));
        assert_eq!(customer.fields.iter().next().unwrap().0, "language");
    }
}
