//! The answers of a Flow, WhatsApp's forms: JSON in a string becomes lines of words.

use serde_json::Value;

use super::word;

/// Names the field that belongs to the form's own bookkeeping.
const TOKEN: &str = "flow_token";

/// Writes the answers of a form, `name: value`, one a line; `None` if there are none.
pub(super) fn answers(json: &str) -> Option<String> {
    let fields: Value = serde_json::from_str(json).ok()?;
    let mut lines = Vec::new();
    for (name, value) in fields.as_object()? {
        if name != TOKEN {
            write("", name, value, &mut lines);
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Writes one field; those of a group have the group's name before theirs.
fn write(group: &str, name: &str, value: &Value, lines: &mut Vec<String>) {
    let name = if group.is_empty() { name.to_owned() } else { format!("{group}.{name}") };
    let value = match value {
        Value::Object(fields) => {
            return fields.iter().for_each(|(inner, value)| write(&name, inner, value, lines));
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            return values.iter().for_each(|value| write("", &name, value, lines));
        }
        Value::Array(values) => values.iter().filter_map(simple).collect::<Vec<_>>().join(", "),
        value => simple(value).unwrap_or_default(),
    };
    if !value.is_empty() {
        lines.push(format!("{name}: {value}"));
    }
}

fn simple(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        value => word(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        assert_eq!(answers(json).as_deref(), expected, "{json}");
    }

    #[test]
    fn every_answer_of_a_form_is_a_line_and_its_token_is_none() {
        check(
            r#"{"flow_token": "t", "day": "Saturday", "people": 4, "window": true}"#,
            Some("day: Saturday\npeople: 4\nwindow: yes"),
        );
        check(
            r#"{"extras": ["dog", "child seat"], "from": {"city": "Köln", "note": " "}}"#,
            Some("extras: dog, child seat\nfrom.city: Köln"),
        );
        check(r#"{"photos": [{"name": "a.jpg"}, {"name": "b.jpg"}]}"#, {
            Some("photos.name: a.jpg\nphotos.name: b.jpg")
        });
    }

    #[test]
    fn a_form_without_answers_has_none() {
        for json in [r#"{"flow_token": "t"}"#, "{}", "[1]", "Sent", "", r#"{"a": null, "b": []}"#] {
            check(json, None);
        }
    }
}
