//! What a message carries: words, sound, something to decline, or nothing to answer.
//!
//! One table from Meta's type words to [`Body`]. Invariant: what should hold words or sound and
//! does not becomes [`Body::Unsupported`], which is answered, and never silence.

use serde_json::Value;

use super::word;
use crate::turn::{Body, MediaId, MediaRef, Personal};

/// Lists types that their object shows when `type` itself is missing.
const SHOWN: [&str; 4] = ["text", "audio", "voice", "interactive"];

/// Reads the type word and the body of a message.
pub(super) fn read(message: &Value) -> (String, Body) {
    let shown = || SHOWN.into_iter().find(|key| message[*key].is_object()).map(str::to_owned);
    let raw_type = word(&message["type"]).or_else(shown).unwrap_or_else(|| "unknown".to_owned());
    // Groups are not answered: a reply would go to one person, or to everyone.
    let in_group = word(&message["group_id"]).is_some();
    let body = if in_group { Body::Silent } else { read_body(&raw_type, message) };
    (raw_type, body)
}

fn read_body(raw_type: &str, message: &Value) -> Body {
    match raw_type {
        "text" => words([&message["text"]["body"]]),
        "button" => words([&message["button"]["text"], &message["button"]["payload"]]),
        "interactive" => interactive(&message["interactive"]),
        "audio" | "voice" => sound([&message["audio"], &message["voice"]]),
        "reaction" | "system" | "edit" | "revoke" | "request_welcome" => Body::Silent,
        // image, video, document, sticker, location, contacts, order, unsupported, and the types
        // that WhatsApp adds after this was written.
        _ => Body::Unsupported,
    }
}

fn interactive(reply: &Value) -> Body {
    match reply["type"].as_str() {
        Some("button_reply") => words([&reply["button_reply"]["title"]]),
        Some("list_reply") => words([&reply["list_reply"]["title"]]),
        Some("nfm_reply") => words([&reply["nfm_reply"]["body"], &reply["nfm_reply"]["name"]]),
        Some("call_permission_reply") => Body::Silent,
        _ => Body::Unsupported,
    }
}

/// Reads the first of the places that holds words.
fn words<const N: usize>(places: [&Value; N]) -> Body {
    match places.into_iter().find_map(word) {
        Some(text) => Body::Text { text: Personal(text) },
        None => Body::Unsupported,
    }
}

/// Reads the first of the places that holds a media file.
fn sound<const N: usize>(places: [&Value; N]) -> Body {
    let media = places.into_iter().find_map(|audio| {
        Some(MediaRef {
            id: MediaId(word(&audio["id"])?),
            url: word(&audio["url"]),
            mime_type: word(&audio["mime_type"]),
            sha256: word(&audio["sha256"]),
        })
    });
    media.map_or(Body::Unsupported, |media| Body::Audio { media })
}
