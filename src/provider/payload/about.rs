//! What a message refers to: a quoted message, a catalog's article, an advert.

use serde_json::Value;

use super::word;
use crate::turn::{About, Deed, MessageId, Personal};

/// Reads the `context` and the `referral` of a message.
pub(super) fn read(message: &Value) -> About {
    let context = &message["context"];
    let set = |key: &str| context[key].as_bool().unwrap_or_default();
    About {
        reply_to: word(&context["id"]).map(MessageId),
        forwarded: set("forwarded") || set("frequently_forwarded"),
        product: product(&context["referred_product"]),
        advert: advert(&message["referral"]),
        ..About::default()
    }
}

/// Reads what a message did to an earlier one.
pub(super) fn read_deed(kind: &str, object: &Value, about: &mut About) {
    let target = ["message_id", "original_message_id"].iter().find_map(|key| word(&object[*key]));
    let changed = &object["message"];
    about.did = match kind {
        "reaction" => Some(Deed::Reacted(Personal(word(&object["emoji"]).unwrap_or_default()))),
        "edit" => {
            let places = [&changed["text"]["body"], &changed["image"]["caption"]];
            places.into_iter().find_map(word).map(|words| Deed::Edited(Personal(words)))
        }
        _ => Some(Deed::Revoked),
    };
    about.reply_to = target.map(MessageId);
}

fn product(referred: &Value) -> Option<Personal> {
    let id = word(&referred["product_retailer_id"])?;
    let catalog = word(&referred["catalog_id"]);
    Some(Personal(catalog.map_or(id.clone(), |catalog| format!("{id} of catalog {catalog}"))))
}

/// Joins what the advert or post says; a picture in it says nothing.
fn advert(referral: &Value) -> Option<Personal> {
    let places = ["headline", "body", "source_url"];
    let words: Vec<String> = places.iter().filter_map(|key| word(&referral[*key])).collect();
    (!words.is_empty()).then(|| Personal(words.join(" | ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::content;
    use super::*;
    use crate::turn::Body;

    #[test]
    fn what_is_done_to_a_message_is_kept_and_answers_nothing() {
        let did = |kind: &str, object: Value| {
            let (_, body, about) = content::read(&json!({"type": kind, kind: object}));
            assert_eq!(body, Body::Silent);
            (about.reply_to.map(|id| id.0), about.did)
        };
        let target = Some("wamid.1".to_owned());
        let emoji = |emoji: &str| Some(Deed::Reacted(emoji.into()));
        let reaction = json!({"message_id": "wamid.1", "emoji": "👍"});
        assert_eq!(did("reaction", reaction), (target.clone(), emoji("👍")));
        assert_eq!(did("reaction", json!({"message_id": "wamid.1"})), (target.clone(), emoji("")));
        let changed = json!({"type": "text", "text": {"body": "two"}});
        let edit = json!({"original_message_id": "wamid.1", "message": changed});
        assert_eq!(did("edit", edit), (target.clone(), Some(Deed::Edited("two".into()))));
        let revoke = json!({"original_message_id": "wamid.1"});
        assert_eq!(did("revoke", revoke), (target, Some(Deed::Revoked)));
    }
}
