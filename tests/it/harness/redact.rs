//! Takes out of a snapshot what differs from run to run.

use serde_json::Value;

/// Replaces ids and sizes and leaves times out.
pub(super) fn ids_times_and_sizes(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(ids_times_and_sizes).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| key != "at_ms")
            .map(|(key, value)| match key.as_str() {
                "content_length" | "bytes" if value.is_number() => (key, "[bytes]".into()),
                _ => (key, ids_times_and_sizes(value)),
            })
            .collect(),
        Value::String(text) => text_without_ids(&text).into(),
        other => other,
    }
}

fn text_without_ids(text: &str) -> String {
    let of_kind = |prefix: &str| text.starts_with(prefix);
    match text {
        _ if of_kind("wamid.") => "[message]".to_owned(),
        _ if of_kind("media.sim.") => "[media]".to_owned(),
        _ if of_kind("multipart/") => "multipart/form-data; boundary=[random]".to_owned(),
        _ => match text.strip_prefix("hark:").and_then(|data| data.rsplit_once(':')) {
            Some((_turn, part)) => format!("hark:[turn]:{part}"),
            None => text.to_owned(),
        },
    }
}
