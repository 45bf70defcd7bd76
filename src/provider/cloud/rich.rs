//! The objects of messages that are more than text and speech, kept within WhatsApp's limits.
//!
//! What is too long is shortened and what does not fit goes into the text, so that no message is
//! refused for its size. Limits are section 3 of the WhatsApp notes, from Meta's pages of 2025-12.

use serde_json::{Value, json};

use crate::provider::TEXT_LIMIT;
use crate::remote::is_web_address;
use crate::turn::{Choice, MediaSource, Personal};

/// Longest text over buttons or over a link, in characters; so is a caption.
const BODY: usize = 1024;
/// Most buttons of a message.
const BUTTONS: usize = 3;
/// Most rows of a list.
const ROWS: usize = 10;
/// Longest title of a button, of a list's button and of a link.
const TITLE: usize = 20;
/// Longest title and description of a row.
const ROW_TITLE: usize = 24;
const ROW_DESCRIPTION: usize = 72;
/// Longest id of a button and of a row.
const BUTTON_ID: usize = 256;
const ROW_ID: usize = 200;

/// Opens a list that was made of too many buttons.
const OPTIONS: &str = "Options";

/// A message's type and the object of that type.
type Typed = (&'static str, Value);

/// Writes a plain text, whole up to WhatsApp's limit.
pub(super) fn text(text: &str) -> Typed {
    ("text", json!({ "body": shortened(text, TEXT_LIMIT) }))
}

/// Writes up to three buttons; more become a list.
pub(super) fn buttons(words: &str, buttons: &[Choice]) -> Typed {
    let choices = usable(buttons);
    if choices.len() > BUTTONS {
        return list(words, OPTIONS, buttons);
    }
    if choices.is_empty() {
        return text(words);
    }
    let buttons: Vec<Value> = choices
        .iter()
        .map(|choice| {
            let reply = json!({
                "id": cut(&choice.id, BUTTON_ID),
                "title": shortened(choice.title.reveal(), TITLE),
            });
            json!({ "type": "reply", "reply": reply })
        })
        .collect();
    interactive("button", &body(words, &choices, BODY), &json!({ "buttons": buttons }))
}

/// Writes a list of up to ten rows; further rows become lines of the text.
pub(super) fn list(words: &str, button: &str, rows: &[Choice]) -> Typed {
    let choices = usable(rows);
    if choices.is_empty() {
        return text(words);
    }
    let (shown, rest) = choices.split_at(choices.len().min(ROWS));
    let rest: Vec<&str> = rest.iter().map(|choice| choice.title.reveal().trim()).collect();
    let lines = if rest.is_empty() { String::new() } else { format!("\n- {}", rest.join("\n- ")) };
    // The lines stay whole as long as they leave room for words.
    let lines = shortened(&lines, TEXT_LIMIT / 2);
    let words = body(words, &choices, TEXT_LIMIT - lines.chars().count());
    let rows: Vec<Value> = shown
        .iter()
        .map(|choice| {
            let id = cut(&choice.id, ROW_ID);
            let mut row = json!({ "id": id, "title": shortened(choice.title.reveal(), ROW_TITLE) });
            let description = choice.description.as_ref().map(|words| words.reveal().trim());
            if let Some(description) = description.filter(|words| !words.is_empty()) {
                row["description"] = shortened(description, ROW_DESCRIPTION).into();
            }
            row
        })
        .collect();
    let button = if button.trim().is_empty() { OPTIONS } else { button };
    let action = json!({ "button": shortened(button, TITLE), "sections": [{ "rows": rows }] });
    interactive("list", &format!("{words}{lines}"), &action)
}

/// Writes a button that opens an address; one that is no web address goes into the text.
pub(super) fn link(words: &str, url: &str, title: &str) -> Typed {
    if !is_web_address(url) || title.trim().is_empty() {
        return text(&[words, title, url].join("\n"));
    }
    let words = if words.trim().is_empty() { title } else { words };
    let parameters = json!({ "display_text": shortened(title, TITLE), "url": url });
    let action = json!({ "name": "cta_url", "parameters": parameters });
    interactive("cta_url", &shortened(words, BODY), &action)
}

/// Writes a place; one that is not on the globe is told in words.
pub(super) fn location(
    latitude: f64,
    longitude: f64,
    name: Option<&Personal>,
    address: Option<&Personal>,
) -> Typed {
    let words = |words: Option<&Personal>| words.map(|words| words.reveal().to_owned());
    let (name, address) = (words(name), words(address));
    if !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)) {
        let told: Vec<String> = name.into_iter().chain(address).collect();
        return text(if told.is_empty() { "?".to_owned() } else { told.join("\n") }.as_str());
    }
    let mut place = json!({ "latitude": latitude, "longitude": longitude });
    for (key, words) in [("name", name), ("address", address)] {
        if let Some(words) = words {
            place[key] = words.into();
        }
    }
    ("location", place)
}

/// Writes a card of the address book.
pub(super) fn contact(name: &str, phones: &[Personal]) -> Typed {
    let name = if name.trim().is_empty() { "?" } else { name.trim() };
    let first = name.split_whitespace().next().unwrap_or(name);
    let phones: Vec<Value> =
        phones.iter().map(|phone| json!({ "phone": phone.reveal(), "type": "CELL" })).collect();
    let name = json!({ "formatted_name": name, "first_name": first });
    ("contacts", json!([{ "name": name, "phones": phones }]))
}

/// Writes a file of this type, with words below it.
pub(super) fn file(
    kind: &'static str,
    source: &MediaSource,
    caption: Option<&Personal>,
    file_name: Option<&Personal>,
) -> Typed {
    let mut file = match source {
        MediaSource::Id(id) => json!({ "id": id }),
        MediaSource::Url(url) => json!({ "link": url.reveal() }),
    };
    if let Some(caption) = caption.map(Personal::reveal).filter(|c| !c.trim().is_empty()) {
        file["caption"] = shortened(caption, BODY).into();
    }
    if let Some(name) = file_name {
        file["filename"] = name.reveal().into();
    }
    (kind, file)
}

/// Writes a template; `words` fill the one place in its body, in which WhatsApp takes no line breaks.
pub(super) fn template(name: &str, language: &str, words: Option<&str>) -> Typed {
    let mut template = json!({ "name": name, "language": { "code": language } });
    if let Some(words) = words {
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = json!({ "type": "text", "text": shortened(&line, BODY) });
        template["components"] = json!([{ "type": "body", "parameters": [text] }]);
    }
    ("template", template)
}

fn interactive(kind: &str, words: &str, action: &Value) -> Typed {
    ("interactive", json!({ "type": kind, "body": { "text": words }, "action": action }))
}

/// Keeps the choices that can be shown: with an id and a title, and each id and title once.
fn usable(choices: &[Choice]) -> Vec<&Choice> {
    let mut kept: Vec<&Choice> = Vec::new();
    for choice in choices {
        let (id, title) = (choice.id.trim(), choice.title.reveal().trim());
        let twice = |other: &&Choice| other.id.trim() == id || other.title.reveal().trim() == title;
        if !id.is_empty() && !title.is_empty() && !kept.iter().any(twice) {
            kept.push(choice);
        }
    }
    kept
}

/// Returns the words over choices, which may not be missing: else their titles.
fn body(words: &str, choices: &[&Choice], limit: usize) -> String {
    if !words.trim().is_empty() {
        return shortened(words, limit);
    }
    let titles: Vec<&str> = choices.iter().map(|choice| choice.title.reveal().trim()).collect();
    shortened(&titles.join(" / "), limit)
}

/// Shortens words to `limit` characters, with an ellipsis.
fn shortened(words: &str, limit: usize) -> String {
    let words = words.trim_end();
    if words.chars().count() <= limit {
        return words.to_owned();
    }
    let kept: String = words.chars().take(limit - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Cuts an id, of which no character may be another's.
fn cut(id: &str, limit: usize) -> String {
    id.trim().chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(count: usize) -> Vec<Choice> {
        let choice = |n| Choice {
            id: format!("id-{n}"),
            title: Personal(format!("A title that is much too long to be shown, number {n}")),
            description: Some(Personal("d".repeat(100))),
        };
        let mut all: Vec<Choice> = (0..count).map(choice).collect();
        all.push(Choice { id: String::new(), title: "no id".into(), description: None });
        all.push(all[0].clone());
        all
    }

    #[test]
    fn three_buttons_are_buttons_and_five_are_a_list() {
        let (kind, three) = buttons("Which?", &choices(3));
        assert_eq!((kind, &three["type"]), ("interactive", &json!("button")));
        let shown = three["action"]["buttons"].as_array().unwrap();
        assert_eq!(shown.len(), 3);
        assert_eq!(shown[2]["reply"], json!({ "id": "id-2", "title": "A title that is muc…" }));
        let (_, five) = buttons("Which?", &choices(5));
        assert_eq!((&five["type"], &five["action"]["button"]), (&json!("list"), &json!("Options")));
        assert_eq!(five["action"]["sections"][0]["rows"].as_array().unwrap().len(), 5);
        assert_eq!(buttons("Which?", &choices(0)[..1]), text("Which?"));
    }

    #[test]
    fn a_list_of_twelve_loses_its_tail_into_the_text() {
        let (_, list) = list("Which?", "Show", &choices(12));
        let rows = list["action"]["sections"][0]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 10);
        assert_eq!(rows[0]["title"].as_str().unwrap().chars().count(), 24);
        assert_eq!(rows[0]["description"].as_str().unwrap().chars().count(), 72);
        let words = list["body"]["text"].as_str().unwrap();
        assert!(words.starts_with("Which?\n- A title"), "{words}");
        assert!(
            words.ends_with("number 10\n- A title that is much too long to be shown, number 11")
        );
    }

    #[test]
    fn words_that_are_too_long_or_missing_are_mended() {
        let (_, long) = buttons(&"a".repeat(2000), &choices(1)[..1]);
        assert_eq!(long["body"]["text"].as_str().unwrap().chars().count(), 1024);
        let (_, none) = buttons(" ", &choices(1)[..1]);
        assert!(none["body"]["text"].as_str().unwrap().starts_with("A title"));
    }

    #[test]
    fn what_is_no_address_and_no_place_is_told_in_words() {
        assert_eq!(link("See", "javascript:alert(1)", "Here").0, "text");
        let (_, web) = link("See", "https://shop.example/a", "A title of more than twenty");
        assert_eq!(web["action"]["parameters"]["url"], "https://shop.example/a");
        let name = Personal::from("Shop");
        assert_eq!(location(f64::NAN, 0.0, Some(&name), None), text("Shop"));
        assert_eq!(location(91.0, 0.0, None, None), text("?"));
        let (kind, place) = location(52.5, 13.4, Some(&name), None);
        assert_eq!((kind, &place["name"]), ("location", &json!("Shop")));
    }
}
