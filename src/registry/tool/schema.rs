//! JSON Schema as far as tools use it: is it one, and do arguments fit?
//!
//! Types, `required`, `enum`, `const`, bounds and what is inside objects and lists. What else a schema
//! may say is the tool's own to check: a rule that is not known here refuses nothing. A whole
//! validator is 33 crates.

use serde_json::Value;

use super::JsonObject;

/// Deepest level of arguments that is looked at.
const DEPTH: usize = 16;
/// Most mismatches that are told.
const MOST_TOLD: usize = 8;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Finds what keeps a table from being the schema of a tool's arguments.
///
/// # Errors
/// What is wrong, and how it should be.
pub(super) fn check_schema(schema: &JsonObject) -> Result<(), String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("must describe an object: write type = \"object\" and properties".to_owned());
    }
    let none = JsonObject::new();
    let properties = match schema.get("properties") {
        None => &none,
        Some(Value::Object(properties)) => properties,
        Some(_) => return Err("properties must be a table, one entry an argument".to_owned()),
    };
    for (name, property) in properties {
        let Value::Object(property) = property else {
            return Err(format!(
                "properties.{name} must be a table such as {{ type = \"string\" }}"
            ));
        };
        for one in types(property.get("type")) {
            if !TYPES.contains(&one) {
                return Err(format!(
                    "properties.{name} has the type \"{one}\"; types are: {}",
                    TYPES.join(", ")
                ));
            }
        }
    }
    match schema.get("required") {
        None => {}
        Some(Value::Array(names)) => {
            for name in names {
                let known = name.as_str().is_some_and(|name| properties.contains_key(name));
                if !known {
                    return Err(format!("required names {name}, which is not in properties"));
                }
            }
        }
        Some(_) => return Err("required must be a list of names".to_owned()),
    }
    Ok(())
}

/// Returns what of some arguments does not fit their schema, in words for the model.
pub fn mismatches(schema: &JsonObject, arguments: &JsonObject) -> Vec<String> {
    let mut found = Vec::new();
    object(schema, arguments, "", DEPTH, &mut found);
    found.truncate(MOST_TOLD);
    found
}

/// Returns the types that a schema names.
fn types(kind: Option<&Value>) -> Vec<&str> {
    match kind {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => true,
    }
}

fn named(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn object(
    schema: &JsonObject,
    value: &JsonObject,
    at: &str,
    depth: usize,
    found: &mut Vec<String>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = name.as_str().filter(|name| !value.contains_key(*name)) {
            found.push(format!("{} is missing", named(at, name)));
        }
    }
    for (key, value) in value {
        match properties.and_then(|properties| properties.get(key)) {
            Some(Value::Object(property)) => any(property, value, &named(at, key), depth, found),
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(format!("{} is not known", named(at, key)));
            }
            _ => {}
        }
    }
}

fn any(schema: &JsonObject, value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    let kinds = types(schema.get("type"));
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        found.push(format!("{at} must be of type {}", kinds.join(" or ")));
        return;
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        found.push(format!("{at} must be one of {}", allowed.join(", ")));
    }
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        found.push(format!("{at} must be {only}"));
    }
    for choices in ["anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = schema.get(choices) else { continue };
        let fits = |choice: &Value| {
            let Value::Object(choice) = choice else { return true };
            let mut wrong = Vec::new();
            any(choice, value, at, depth - 1, &mut wrong);
            wrong.is_empty()
        };
        if !choices.is_empty() && !choices.iter().any(fits) {
            found.push(format!("{at} fits none of its forms"));
        }
    }
    bounds(schema, value, at, found);
    match value {
        Value::Object(inner) => object(schema, inner, at, depth - 1, found),
        Value::Array(entries) => {
            if let Some(Value::Object(entry)) = schema.get("items") {
                for (place, value) in entries.iter().enumerate() {
                    any(entry, value, &format!("{at}[{place}]"), depth - 1, found);
                }
            }
        }
        _ => {}
    }
}

/// Checks how large, long or many something is.
fn bounds(schema: &JsonObject, value: &Value, at: &str, found: &mut Vec<String>) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (size, least, most, what) = match value {
        Value::Number(number) => (number.as_f64(), "minimum", "maximum", ""),
        Value::String(text) => {
            (Some(text.chars().count() as f64), "minLength", "maxLength", " characters")
        }
        Value::Array(entries) => (Some(entries.len() as f64), "minItems", "maxItems", " entries"),
        _ => return,
    };
    let Some(size) = size else { return };
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    if let Some(least) = bound(least).filter(|least| size < *least) {
        found.push(format!("{at} must be at least {least}{what}"));
    }
    if let Some(most) = bound(most).filter(|most| size > *most) {
        found.push(format!("{at} must be at most {most}{what}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object_of(value: &Value) -> &JsonObject {
        value.as_object().unwrap()
    }

    #[test]
    fn arguments_are_held_to_their_schema() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["id", "when"],
            "properties": {
                "id": { "type": "string", "minLength": 2 },
                "when": { "type": ["string", "null"] },
                "count": { "type": "integer", "minimum": 1, "maximum": 5 },
                "size": { "enum": ["S", "M"] },
                "lines": { "type": "array", "maxItems": 2, "items": {
                    "type": "object", "required": ["sku"],
                    "properties": { "sku": { "type": "string" } },
                } },
                "either": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] },
                "free": { "pattern": "^a$", "$ref": "#/x" },
            },
        });
        for (arguments, expected) in [
            (json!({ "id": "12", "when": null, "count": 2.0, "free": 7, "either": true }), vec![]),
            (json!({ "id": "12" }), vec!["when is missing"]),
            (json!({ "id": 12, "when": "" }), vec!["id must be of type string"]),
            (json!({ "id": "1", "when": "" }), vec!["id must be at least 2 characters"]),
            (
                json!({ "id": "12", "when": 1, "count": 2.5 }),
                vec!["count must be of type integer", "when must be of type string or null"],
            ),
            (json!({ "id": "12", "when": "", "count": 9 }), vec!["count must be at most 5"]),
            (
                json!({ "id": "12", "when": "", "size": "L" }),
                vec!["size must be one of \"S\", \"M\""],
            ),
            (
                json!({ "id": "12", "when": "", "lines": [{ "sku": 1 }, {}] }),
                vec!["lines[0].sku must be of type string", "lines[1].sku is missing"],
            ),
            (
                json!({ "id": "12", "when": "", "either": 7, "other": 1 }),
                vec!["either fits none of its forms", "other is not known"],
            ),
        ] {
            assert_eq!(
                mismatches(object_of(&schema), object_of(&arguments)),
                expected,
                "{arguments}"
            );
        }
    }

    #[test]
    fn what_is_no_schema_of_arguments_says_why() {
        for (schema, words) in [
            (json!({}), "must describe an object"),
            (json!({ "type": "string" }), "must describe an object"),
            (json!({ "type": "object", "properties": [] }), "properties must be a table"),
            (json!({ "type": "object", "properties": { "a": "string" } }), "properties.a must be"),
            (
                json!({ "type": "object", "properties": { "a": { "type": "text" } } }),
                "properties.a has the type \"text\"; types are: array",
            ),
            (json!({ "type": "object", "required": ["a"] }), "required names \"a\""),
            (json!({ "type": "object", "required": "a" }), "required must be a list"),
        ] {
            let error = check_schema(object_of(&schema)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(check_schema(object_of(&json!({ "type": "object" }))), Ok(()));
    }

    #[test]
    fn arguments_that_never_end_are_looked_at_to_a_depth() {
        let mut schema = json!({ "type": "array" });
        let mut value = json!([]);
        for _ in 0..100 {
            schema = json!({ "type": "array", "items": schema });
            value = json!([value]);
        }
        let schema = json!({ "type": "object", "properties": { "a": schema } });
        let value = json!({ "a": value });
        assert!(mismatches(object_of(&schema), object_of(&value)).is_empty());
    }
}
