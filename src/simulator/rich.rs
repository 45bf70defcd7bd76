//! Checks messages that are more than text and speech, as strictly as Meta does.
//!
//! Written from Meta's limits and not from what hark sends, so that a mistake there cannot hide here.

use std::collections::HashSet;

use serde_json::Value;

use super::rules::GraphError;

/// Types of messages beside `text` and `audio`.
const TYPES: [&str; 8] =
    ["image", "video", "document", "sticker", "location", "contacts", "interactive", "template"];

/// Returns the type if there is one of this name.
pub(super) fn known(kind: &str) -> Result<&'static str, GraphError> {
    let all = TYPES.into_iter().chain(["reaction"]);
    let unknown = || GraphError::parameter(format!("Param type must be a known type, not {kind}"));
    all.into_iter().find(|known| *known == kind).ok_or_else(unknown)
}

/// Returns the words that a person reads first.
pub(super) fn words(object: &Value) -> Option<String> {
    let places = ["/components/0/parameters/0/text", "/body/text", "/caption", "/emoji", "/name"];
    let words = places.iter().find_map(|place| object.pointer(place)?.as_str());
    words.map(str::to_owned)
}

/// Checks the object of a message.
pub(super) fn check(kind: &str, object: &Value) -> Result<(), GraphError> {
    match kind {
        "location" => {
            degrees(object, "latitude", 90.0)?;
            degrees(object, "longitude", 180.0)
        }
        "contacts" => {
            let cards = object.as_array().filter(|cards| !cards.is_empty());
            for card in cards.ok_or_else(|| missing("contacts"))? {
                text(&card["name"], "formatted_name", 1, usize::MAX)?;
                let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
                if parts.iter().all(|part| card["name"][*part].is_null()) {
                    return Err(missing("contacts.name.first_name"));
                }
            }
            Ok(())
        }
        "reaction" => {
            text(object, "message_id", 1, usize::MAX)?;
            text(object, "emoji", 0, 16)
        }
        "interactive" => interactive(object),
        "template" => template(object),
        _ => file(object),
    }
}

fn file(object: &Value) -> Result<(), GraphError> {
    let link = object["link"].as_str();
    let web = link.is_some_and(|link| link.starts_with("http://") || link.starts_with("https://"));
    if !web && object["id"].as_str().is_none_or(str::is_empty) {
        return Err(missing("id or link"));
    }
    if object["caption"].is_null() { Ok(()) } else { text(object, "caption", 1, 1024) }
}

fn template(object: &Value) -> Result<(), GraphError> {
    text(object, "name", 1, 512)?;
    text(&object["language"], "code", 2, 16)?;
    for part in object["components"].as_array().into_iter().flatten() {
        for parameter in part["parameters"].as_array().into_iter().flatten() {
            text(parameter, "text", 1, 1024)?;
            let words = parameter["text"].as_str().unwrap_or_default();
            if words.contains(['\n', '\t']) || words.contains("     ") {
                return Err(GraphError::parameter(
                    "Param text cannot have new-line/tab characters",
                ));
            }
        }
    }
    Ok(())
}

fn interactive(object: &Value) -> Result<(), GraphError> {
    let action = &object["action"];
    match object["type"].as_str().unwrap_or_default() {
        "button" => {
            text(&object["body"], "text", 1, 1024)?;
            let buttons = some(&action["buttons"], "action.buttons", 3)?;
            let replies: Vec<&Value> = buttons.iter().map(|button| &button["reply"]).collect();
            each_once(&replies, "title")?;
            choices(&replies, 256, 20)
        }
        "list" => {
            text(&object["body"], "text", 1, 4096)?;
            text(action, "button", 1, 20)?;
            let sections = some(&action["sections"], "action.sections", 10)?;
            if sections.len() > 1 {
                sections.iter().try_for_each(|section| text(section, "title", 1, 24))?;
            }
            let rows = sections.iter().filter_map(|section| section["rows"].as_array());
            let rows: Vec<&Value> = rows.flatten().collect();
            if !(1..=10).contains(&rows.len()) {
                return Err(GraphError::parameter("a list has 1 to 10 rows in total"));
            }
            for row in rows.iter().filter(|row| !row["description"].is_null()) {
                text(row, "description", 1, 72)?;
            }
            choices(&rows, 200, 24)
        }
        "cta_url" => {
            text(&object["body"], "text", 1, 1024)?;
            text(&action["parameters"], "display_text", 1, 20)?;
            text(&action["parameters"], "url", 1, 2000)
        }
        other => Err(GraphError::parameter(format!("interactive type {other} is not known"))),
    }
}

fn choices(choices: &[&Value], id: usize, title: usize) -> Result<(), GraphError> {
    for choice in choices {
        text(choice, "id", 1, id)?;
        text(choice, "title", 1, title)?;
    }
    each_once(choices, "id")
}

fn each_once(choices: &[&Value], key: &str) -> Result<(), GraphError> {
    let mut seen = HashSet::new();
    if choices.iter().all(|choice| seen.insert(choice[key].as_str())) {
        return Ok(());
    }
    Err(GraphError::parameter(format!("{key} of buttons and rows must be unique")))
}

fn some<'a>(list: &'a Value, name: &str, most: usize) -> Result<&'a Vec<Value>, GraphError> {
    let list = list.as_array().filter(|list| (1..=most).contains(&list.len()));
    list.ok_or_else(|| GraphError::parameter(format!("{name} must have 1 to {most} entries")))
}

fn text(object: &Value, key: &str, least: usize, most: usize) -> Result<(), GraphError> {
    let length = object[key].as_str().ok_or_else(|| missing(key))?.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(GraphError::parameter(format!("Param {key} must have {least} to {most} characters")))
}

fn degrees(object: &Value, key: &str, most: f64) -> Result<(), GraphError> {
    let degrees = object[key].as_f64().ok_or_else(|| missing(key))?;
    if degrees.abs() <= most {
        return Ok(());
    }
    Err(GraphError::parameter(format!("Param {key} must be from -{most} to {most}")))
}

fn missing(key: &str) -> GraphError {
    GraphError::parameter(format!("The parameter {key} is required."))
}
