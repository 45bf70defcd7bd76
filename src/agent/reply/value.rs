//! Reads the members of an answer in the reply format, as models and people write them.
//!
//! Lenient about form (a button that is a bare title, a number that is a text), strict about what is
//! needed. Every error is a sentence for the operator, and holds no word of the answer.

use serde_json::Value;

use crate::remote::is_web_address;
use crate::turn::{Choice, Extra, MediaKind, Personal};

/// Most of anything in one answer: buttons, rows, files, phone numbers.
const MOST: usize = 20;

/// The keys of the reply format beside `say` and `open_ticket`.
pub(super) const KEYS: [&str; 7] =
    ["buttons", "list", "media", "location", "contact", "reaction", "link"];

/// Reads one member.
///
/// # Errors
/// What is missing or wrong in it.
pub(super) fn extras(key: &str, value: &Value) -> Result<Vec<Extra>, &'static str> {
    let one = |extra: Option<Extra>, problem| extra.map(|extra| vec![extra]).ok_or(problem);
    match key {
        _ if is_nothing(value) => Ok(Vec::new()),
        "buttons" => one(choices(value).map(Extra::Buttons), "needs buttons with a title"),
        "list" => one(list(value), "needs rows with a title"),
        "media" => media(value),
        "location" => one(location(value), "needs latitude and longitude in degrees"),
        "contact" => one(contact(value), "needs a name and a phone number"),
        "reaction" => one(reaction(value), "needs an emoji"),
        "link" => one(link(value), "needs a web address"),
        _ => Err("is no key of the reply format"),
    }
}

/// Reads why a person is wanted; `None` if none is.
pub(super) fn ticket(value: &Value) -> Option<Personal> {
    match value {
        Value::Bool(true) => Some(Personal::default()),
        Value::Object(_) => word(&value["reason"]),
        value => word(value),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

/// Returns a text or a number as words; `None` if there are none.
fn word(value: &Value) -> Option<Personal> {
    let word = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!word.is_empty()).then_some(Personal(word))
}

/// Returns the first of an object's members that has words.
fn first(object: &Value, keys: &[&str]) -> Option<Personal> {
    keys.iter().find_map(|key| word(&object[*key]))
}

fn choices(value: &Value) -> Option<Vec<Choice>> {
    let choice = |value: &Value| {
        let title = word(value).or_else(|| first(value, &["title", "text", "label"]))?;
        // Whoever gives no id means the title.
        let id = word(&value["id"]).unwrap_or_else(|| title.clone()).0;
        Some(Choice { id, title, description: word(&value["description"]) })
    };
    let choices: Vec<Choice> = value.as_array()?.iter().take(MOST).filter_map(choice).collect();
    (!choices.is_empty()).then_some(choices)
}

fn list(value: &Value) -> Option<Extra> {
    let rows = if value.is_array() { choices(value) } else { choices(&value["rows"]) };
    let button = word(&value["button"]).unwrap_or_default();
    Some(Extra::List { button, rows: rows? })
}

fn media(value: &Value) -> Result<Vec<Extra>, &'static str> {
    let files = match value {
        Value::Array(files) => files.as_slice(),
        file => std::slice::from_ref(file),
    };
    let file = |value: &Value| {
        let url = word(value).or_else(|| first(value, &["url", "file", "link"]));
        let url = url.ok_or("needs a url: a web address or one of the agent's files")?;
        let kind = serde_json::from_value(value["kind"].clone());
        let kind = kind.unwrap_or_else(|_not_said| kind_of(url.reveal()));
        Ok(Extra::Media { kind, url, caption: word(&value["caption"]) })
    };
    files.iter().take(MOST).map(file).collect()
}

/// Guesses how a file is shown by the ending of its name.
fn kind_of(url: &str) -> MediaKind {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "jpg" | "jpeg" | "png" => MediaKind::Image,
        "mp4" | "3gp" => MediaKind::Video,
        "mp3" | "m4a" | "aac" | "amr" | "ogg" | "opus" => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

fn location(value: &Value) -> Option<Extra> {
    let degrees = |keys: [&str; 2], most: f64| {
        let value = keys.iter().map(|key| &value[*key]).find(|value| !value.is_null())?;
        let degrees = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    let latitude = degrees(["latitude", "lat"], 90.0)?;
    let longitude = degrees(["longitude", "lng"], 180.0)?;
    let (name, address) = (word(&value["name"]), word(&value["address"]));
    Some(Extra::Location { latitude, longitude, name, address })
}

fn contact(value: &Value) -> Option<Extra> {
    let name = first(value, &["name"]).or_else(|| first(&value["name"], &["formatted_name"]))?;
    let phones = ["phones", "phone"].iter().map(|key| &value[*key]);
    let phone = |value: &Value| word(value).or_else(|| first(value, &["phone", "number"]));
    let phones: Vec<Personal> = phones
        .flat_map(|phones| match phones {
            Value::Array(phones) => phones.iter().take(MOST).filter_map(phone).collect(),
            phones => phone(phones).into_iter().collect::<Vec<_>>(),
        })
        .collect();
    (!phones.is_empty()).then_some(Extra::Contact { name, phones })
}

fn reaction(value: &Value) -> Option<Extra> {
    let emoji = word(value).or_else(|| first(value, &["emoji"]))?;
    // Words are no reaction: WhatsApp takes one emoji.
    let is_emoji = emoji.reveal().chars().count() <= 8 && !emoji.reveal().is_ascii();
    is_emoji.then_some(Extra::Reaction(emoji))
}

fn link(value: &Value) -> Option<Extra> {
    let url = word(value).or_else(|| first(value, &["url", "href"]))?;
    let url = Some(url).filter(|url| is_web_address(url.reveal()))?;
    let host =
        url::Url::parse(url.reveal()).ok()?.host_str()?.trim_start_matches("www.").to_owned();
    let title = first(value, &["title", "text"]).unwrap_or(Personal(host));
    Some(Extra::Link { url, title })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(key: &str, value: &Value, expected: &Value) {
        let read = extras(key, value).unwrap();
        assert_eq!(&serde_json::to_value(read).unwrap(), expected, "{key}");
    }

    #[test]
    fn every_key_is_read_as_the_format_has_it() {
        let row = json!({ "id": "t", "title": "Tea", "description": "hot" });
        let button = json!({ "id": "t", "title": "Tea" });
        check("buttons", &json!([button]), &json!([{ "buttons": [button] }]));
        let list = json!({ "button": "Drinks", "rows": [row] });
        check("list", &list, &json!([{ "list": list }]));
        let file = json!({ "kind": "image", "url": "https://a.example/b.png", "caption": "c" });
        check("media", &json!([file, file]), &json!([{ "media": file }, { "media": file }]));
        let place = json!({ "latitude": 40.5, "longitude": -3.7, "name": "Luz", "address": null });
        check("location", &place, &json!([{ "location": place }]));
        let card = json!({ "name": "Ada", "phones": ["+49 30 1"] });
        check("contact", &card, &json!([{ "contact": card }]));
        check("reaction", &json!("👍"), &json!([{ "reaction": "👍" }]));
        let link = json!({ "url": "https://a.example/", "title": "Shop" });
        check("link", &link, &json!([{ "link": link }]));
    }

    #[test]
    fn what_models_write_instead_is_understood() {
        let tea = json!({ "id": "Tea", "title": "Tea" });
        check("buttons", &json!(["Tea", "", { "id": 7 }]), &json!([{ "buttons": [tea] }]));
        check("list", &json!(["Tea"]), &json!([{ "list": { "button": "", "rows": [tea] } }]));
        let file = |kind: &str, url: &str| json!([{ "media": { "kind": kind, "url": url, "caption": null } }]);
        check("media", &json!("menu.PDF"), &file("document", "menu.PDF"));
        check(
            "media",
            &json!({ "url": "https://a/b.jpg?c=1.2" }),
            &file("image", "https://a/b.jpg?c=1.2"),
        );
        let place = json!({ "lat": "1.5", "lng": 2 });
        let read = json!({ "latitude": 1.5, "longitude": 2.0, "name": null, "address": null });
        check("location", &place, &json!([{ "location": read }]));
        let card = json!({ "name": { "formatted_name": "Ada" }, "phone": { "number": 4930 } });
        check("contact", &card, &json!([{ "contact": { "name": "Ada", "phones": ["4930"] } }]));
        let link = json!({ "url": "https://www.a.example/b", "title": "a.example" });
        check("link", &json!("https://www.a.example/b"), &json!([{ "link": link }]));
        for key in KEYS {
            check(key, &Value::Null, &json!([]));
            check(key, &json!({}), &json!([]));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        for (key, value) in [
            ("buttons", json!([{ "id": "a" }])),
            ("media", json!([{ "kind": "image" }])),
            ("location", json!({ "latitude": 91, "longitude": 0 })),
            ("contact", json!({ "name": "Ada" })),
            ("reaction", json!("great")),
            ("link", json!("javascript:alert(1)")),
            ("colour", json!("red")),
        ] {
            assert!(extras(key, &value).is_err(), "{key}");
        }
        assert_eq!(ticket(&json!({ "reason": "angry" })), Some("angry".into()));
        assert_eq!(ticket(&json!(true)), Some(Personal::default()));
        for nobody in [Value::Null, json!({}), json!({ "reason": null }), json!(false)] {
            assert_eq!(ticket(&nobody), None, "{nobody}");
        }
    }
}
