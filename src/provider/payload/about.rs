//! What a message refers to: a quoted message, a catalog's article, an advert.

use serde_json::Value;

use super::word;
use crate::turn::{About, MessageId, Personal};

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
