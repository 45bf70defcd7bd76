//! Finds the keys that a refused request asks the operator to change.
//!
//! A server names the field of the request, or only says in words what it dislikes.

use serde_json::Value;

/// A key of the configuration, the field of the request that it sets, and words that mean it.
pub struct RequestField {
    /// The key, as the operator reads it.
    pub key: &'static str,
    /// The field.
    pub name: &'static str,
    /// The words, in lower case.
    pub words: &'static [&'static str],
}

/// Returns the keys of `fields` that a refusal is about, in words: `body` is the refusal, `message`
/// what it says. Where it gives no hint they are `all`.
#[must_use]
pub fn keys(fields: &[RequestField], all: &str, body: &[u8], message: &str) -> String {
    let mut places = Vec::new();
    if let Ok(json) = serde_json::from_slice(body) {
        named(&json, &mut places);
    }
    let message = message.to_lowercase();
    let words: Vec<&str> = message.split(|c: char| !c.is_alphanumeric()).collect();
    let found = |is: &dyn Fn(&RequestField) -> bool| {
        fields.iter().filter(|field| is(field)).map(|field| field.key).collect::<Vec<_>>()
    };
    let by_name = found(&|field| places.iter().any(|place| place == field.name));
    let by_words = || found(&|field| field.words.iter().any(|word| words.contains(word)));
    match if by_name.is_empty() { by_words() } else { by_name } {
        none if none.is_empty() => all.to_owned(),
        some => some.join(", "),
    }
}

/// Collects the fields that an error names: `param` as `OpenAI` has it, `loc` as `FastAPI` has it.
fn named(json: &Value, places: &mut Vec<String>) {
    match json {
        Value::Array(several) => several.iter().for_each(|one| named(one, places)),
        Value::Object(error) => {
            for (key, value) in error {
                match (key.as_str(), value) {
                    ("param", Value::String(place)) => places.push(place.clone()),
                    ("loc", Value::Array(path)) => {
                        places.extend(path.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    // It repeats the request.
                    ("input", _) => {}
                    (_, value) => named(value, places),
                }
            }
        }
        _ => {}
    }
}
