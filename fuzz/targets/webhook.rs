//! The body of a webhook: every element of it is read or counted, and an odd token in a message costs
//! no other one.

use hark::provider::payload::{self, Updates};
use serde_json::Value;

/// Stands where an odd token will.
const PLACE: &str = "an odd token stands here";
const ODD: [&str; 6] = ["1e999", "\"\\ud83d\"", "NaN", "\"a\tb\"", "\u{feff}1", "nonsense"];

pub(super) fn run(body: &[u8]) {
    let _any = payload::parse(body);
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return };
    // Written anew, a name stands once in an object.
    let written = json.to_string();
    let (all, ids) = expected(&json);
    let updates = payload::parse(written.as_bytes()).expect("it is JSON");
    assert_eq!(count(&updates), all, "elements of {written}");
    assert_eq!(read(&updates), ids, "messages of {written}");
    let Some(spoilt) = spoil(&mut json, body.len()) else { return };
    let odd = ODD[body.len() % ODD.len()];
    let mended = json.to_string().replace(&format!("\"{PLACE}\""), odd);
    let updates = payload::parse(mended.as_bytes()).expect("it is mended");
    assert_eq!(count(&updates), all, "elements of {mended}");
    let others: Vec<String> = ids.into_iter().filter(|id| *id != spoilt).collect();
    let kept: Vec<String> = read(&updates).into_iter().filter(|id| *id != spoilt).collect();
    assert_eq!(kept, others, "messages of {mended}");
}

fn count(updates: &Updates) -> usize {
    updates.messages.len() + updates.statuses.len() + updates.others
}

fn read(updates: &Updates) -> Vec<String> {
    updates.messages.iter().map(|message| message.id.0.clone()).collect()
}

/// Returns how many elements there are, and the ids of the messages, as a plain reading finds them.
fn expected(json: &Value) -> (usize, Vec<String>) {
    let (mut all, mut ids) = (0, Vec::new());
    for entry in list(&json["entry"]) {
        let changes = list(&entry["changes"]);
        all += usize::from(changes.is_empty());
        for change in changes {
            let value = change["value"].as_object().filter(|_| change["field"] == "messages");
            let lengths = value.into_iter().flatten().map(|(name, part)| match name.as_str() {
                "messaging_product" | "metadata" | "contacts" => 0,
                "messages" | "statuses" => list(part).len(),
                _ => list(part).len().max(1),
            });
            all += lengths.sum::<usize>().max(1);
            if value.is_some() {
                ids.extend(messages(&change["value"]));
            }
        }
    }
    (all, ids)
}

/// Returns the ids of the messages of one change.
fn messages(value: &Value) -> Vec<String> {
    let number = word(&value["metadata"]["phone_number_id"]).filter(|id| id.len() <= 64);
    let messages = list(&value["messages"]).iter().filter(|_| number.is_some());
    messages.filter_map(|message| word(&message["id"])).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value) -> Option<String> {
    let text = value.as_str().map(|text| text.trim().to_owned());
    text.or_else(|| value.is_number().then(|| value.to_string())).filter(|word| !word.is_empty())
}

/// Puts the place of an odd token into one of the messages; returns the message's id.
fn spoil(json: &mut Value, which: usize) -> Option<String> {
    let entries = json.get_mut("entry")?.as_array_mut()?.iter_mut();
    let changes = entries.filter_map(|entry| entry.get_mut("changes")?.as_array_mut()).flatten();
    let values = changes
        .filter(|change| change["field"] == "messages")
        .filter_map(|change| change.get_mut("value"));
    let messages = values.filter_map(|value| value.get_mut("messages")?.as_array_mut()).flatten();
    let mut named: Vec<_> = messages
        .filter_map(|message| Some((word(message.get("id")?)?, message.as_object_mut()?)))
        .collect();
    let at = which.checked_rem(named.len())?;
    let (id, message) = named.swap_remove(at);
    message.insert("odd".to_owned(), PLACE.into());
    Some(id)
}
