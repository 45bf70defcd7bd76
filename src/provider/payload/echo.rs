//! What people of the business write on the phone, beside the API: the field `smb_message_echoes`.

use serde_json::value::RawValue;

use super::outline::{self, Leaves};
use super::{NUMBER_BYTES, word};
use crate::turn::{Echo, MessageId, Personal, PhoneNumberId};

/// Reads the `value` of a change; what names nobody is left out.
pub(super) fn read(value: Option<&RawValue>, leaves: Leaves) -> serde_json::Result<Vec<Echo>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let metadata = leaves.read_member(value, "metadata")?.unwrap_or_default();
    let number = word(&metadata["phone_number_id"]).filter(|id| id.len() <= NUMBER_BYTES);
    let Some(number) = number.map(PhoneNumberId) else { return Ok(Vec::new()) };
    let mut echoes = Vec::new();
    for element in outline::array(outline::member(value, "message_echoes")?)? {
        let Some(echo) = leaves.read(element)? else { continue };
        if let (Some(id), Some(to)) = (word(&echo["id"]), word(&echo["to"])) {
            let text = word(&echo["text"]["body"]).map(Personal);
            let (number, id, to) = (number.clone(), MessageId(id), Personal(to));
            echoes.push(Echo { number, id, to, text });
        }
    }
    Ok(echoes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn what_names_its_number_and_its_person_is_read() {
        let value = json!({ "metadata": { "phone_number_id": "106" }, "message_echoes": [
            { "id": "m", "from": "1555", "to": "1666", "type": "text", "text": { "body": "I'm here" } },
            { "id": "n", "to": "1777", "type": "image" }, { "id": "o" }, 7] });
        let changes = json!([{ "field": "smb_message_echoes", "value": value }]);
        let body = json!({ "entry": [{ "changes": changes }] }).to_string();
        let read = parse(body.as_bytes()).unwrap();
        let echo = |id: &str, to: &str, text: Option<&str>| Echo {
            number: "106".into(),
            id: id.into(),
            to: to.into(),
            text: text.map(Personal::from),
        };
        assert_eq!(read.echoes, [echo("m", "1666", Some("I'm here")), echo("n", "1777", None)]);
        assert_eq!((read.others, read.messages.len()), (1, 0));
    }
}
