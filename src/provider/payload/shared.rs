//! Places and cards that people share, as words that an agent understands in any language.

use serde_json::Value;

use super::{elements, word};

/// Cards of one message that are read, and phone numbers of a card.
const MOST: usize = 10;

/// Reads a place, for instance `📍 Café Luz, Calle Mayor 1 (40.4155, -3.7074)`; `None` if it says
/// nothing.
pub(super) fn place(location: &Value) -> Option<String> {
    let named: Vec<String> =
        ["name", "address"].iter().filter_map(|key| word(&location[*key])).collect();
    let degrees = location["latitude"].as_f64().zip(location["longitude"].as_f64());
    let degrees = degrees.map(|(latitude, longitude)| format!("{latitude}, {longitude}"));
    match (named.join(", "), degrees) {
        (named, None) if named.is_empty() => None,
        (named, None) => Some(format!("📍 {named}")),
        (named, Some(degrees)) if named.is_empty() => Some(format!("📍 {degrees}")),
        (named, Some(degrees)) => Some(format!("📍 {named} ({degrees})")),
    }
}

/// Reads cards of an address book, one a line, for instance `👤 Ada Lovelace, +49 30 123`.
pub(super) fn cards(contacts: &Value) -> Option<String> {
    let lines: Vec<String> = elements(contacts).iter().take(MOST).filter_map(card).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn card(card: &Value) -> Option<String> {
    let name = word(&card["name"]["formatted_name"]).or_else(|| word(&card["name"]["first_name"]));
    let phones = elements(&card["phones"]).iter().take(MOST);
    let phones = phones.filter_map(|phone| word(&phone["phone"]).or_else(|| word(&phone["wa_id"])));
    let known: Vec<String> = name.into_iter().chain(phones).collect();
    (!known.is_empty()).then(|| format!("👤 {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_told_by_what_is_known_of_it() {
        let place = |location| place(&location);
        let all =
            json!({"latitude": 40.4155, "longitude": -3.7, "name": "Luz", "address": "Mayor 1"});
        assert_eq!(place(all).as_deref(), Some("📍 Luz, Mayor 1 (40.4155, -3.7)"));
        let degrees = json!({"latitude": 1.5, "longitude": 2});
        assert_eq!(place(degrees).as_deref(), Some("📍 1.5, 2"));
        assert_eq!(place(json!({"name": "Luz"})).as_deref(), Some("📍 Luz"));
        assert_eq!(place(json!({"latitude": "north"})), None);
    }

    #[test]
    fn cards_are_told_by_name_and_number() {
        let ada = json!({"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+49 30 1"}]});
        let bare = json!({"phones": [{"wa_id": "4930"}]});
        let told = cards(&json!([ada, {}, bare]));
        assert_eq!(told.as_deref(), Some("👤 Ada, +49 30 1\n👤 4930"));
        assert_eq!(cards(&json!([])), None);
        assert_eq!(cards(&json!({"name": 1})), None);
    }
}
