//! What a message carries: words, sound, something to decline, or nothing to answer.
//!
//! One table from Meta's type words to [`Body`]. Invariant: what should hold words or sound and
//! does not becomes [`Body::Lost`] or [`Body::Unsupported`], which are answered, and never silence.

use serde_json::Value;

use super::{about, elements, form, shared, word};
use crate::turn::{About, Attachment, Body, MediaId, MediaRef, Personal};

/// Lists types that their object shows when `type` itself is missing.
const SHOWN: [&str; 4] = ["text", "audio", "voice", "interactive"];

/// Says that the provider could not get a file from the person's phone.
const MEDIA_LOST: i64 = 131_052;

/// Lists endings of sound files: a document may say no more of its type than "bytes".
const SOUND: [&str; 16] = [
    "3ga", "aac", "aif", "aifc", "aiff", "amr", "flac", "m4a", "m4b", "mka", "mp3", "oga", "ogg",
    "opus", "wav", "weba",
];

/// Reads the type word of a message, what it carries and what it refers to.
pub(super) fn read(message: &Value) -> (String, Body, About) {
    let shown = || SHOWN.into_iter().find(|key| message[*key].is_object()).map(str::to_owned);
    let raw_type = word(&message["type"]).filter(|word| is_type(word)).or_else(shown);
    let raw_type = raw_type.unwrap_or_else(|| "unknown".to_owned());
    // Groups are not answered: a reply would go to one person, or to everyone.
    if word(&message["group_id"]).is_some() {
        return (raw_type, Body::Silent, About::default());
    }
    let mut about = about::read(message);
    let body = read_body(&raw_type, message, &mut about);
    (raw_type, body, about)
}

/// Returns whether a word is one of WhatsApp's for a type, known or new: it goes into the log, which
/// has nobody's number.
fn is_type(word: &str) -> bool {
    word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphabetic() || "_-".contains(c))
}

fn read_body(raw_type: &str, message: &Value, about: &mut About) -> Body {
    let object = &message[raw_type];
    match raw_type {
        "text" => words([&object["body"]]),
        "button" => tapped([&object["text"], &object["payload"]], [&object["payload"]], about),
        "interactive" => interactive(object, about),
        "audio" | "voice" => sound([&message["audio"], &message["voice"]], about),
        "document" if is_sound(object) => sound([object], about),
        "image" | "video" | "document" | "sticker" => captioned(raw_type, object, about),
        "location" => told(shared::place(object)),
        "contacts" => told(shared::cards(object)),
        "reaction" | "edit" | "revoke" => {
            about::read_deed(raw_type, object, about);
            Body::Silent
        }
        "system" | "request_welcome" => Body::Silent,
        "unsupported" if is_lost(message) => Body::Lost,
        // order, unsupported, and the types that WhatsApp adds after this was written.
        _ => Body::Unsupported,
    }
}

fn interactive(reply: &Value, about: &mut About) -> Body {
    let kind = reply["type"].as_str().unwrap_or_default();
    let object = &reply[kind];
    match kind {
        "button_reply" => tapped([&object["title"]], [&object["id"]], about),
        "list_reply" => tapped([&object["title"]], [&object["description"], &object["id"]], about),
        "nfm_reply" => match object["response_json"].as_str().and_then(form::answers) {
            Some(answers) => {
                about.form = true;
                Body::Text { text: Personal(answers) }
            }
            None => words([&object["body"], &object["name"]]),
        },
        "call_permission_reply" => Body::Silent,
        _ => Body::Unsupported,
    }
}

/// Takes what was shared for words of the person's.
fn told(words: Option<String>) -> Body {
    words.map_or(Body::Unsupported, |text| Body::Text { text: Personal(text) })
}

/// Reads the first of the places that holds words.
fn words<const N: usize>(places: [&Value; N]) -> Body {
    match places.into_iter().find_map(word) {
        Some(text) => Body::Text { text: Personal(text) },
        None => Body::Unsupported,
    }
}

/// Reads the title of what was tapped, and what else belongs to it.
fn tapped<const N: usize, const M: usize>(
    titles: [&Value; N],
    more: [&Value; M],
    about: &mut About,
) -> Body {
    let body = words(titles);
    if let Body::Text { text } = &body {
        let more: Vec<_> = more.into_iter().filter_map(word).filter(|more| text != more).collect();
        about.tapped = (!more.is_empty()).then(|| Personal(more.join(" | ")));
    }
    body
}

/// Reads the first of the places that holds a media file, and the words under it.
fn sound<const N: usize>(places: [&Value; N], about: &mut About) -> Body {
    about.caption = places.iter().find_map(|audio| word(&audio["caption"])).map(Personal);
    let media = places.into_iter().find_map(media);
    // Without an id there is nothing that could be fetched, now or later.
    media.map_or(Body::Lost, |media| Body::Audio { media })
}

/// Reads where a file is.
fn media(file: &Value) -> Option<MediaRef> {
    Some(MediaRef {
        id: MediaId(word(&file["id"])?),
        url: word(&file["url"]),
        mime_type: word(&file["mime_type"]),
        sha256: word(&file["sha256"]),
    })
}

/// Reads a file and the words under it.
fn captioned(kind: &str, file: &Value, about: &mut About) -> Body {
    let name = word(&file["filename"]).map(Personal);
    about.under = Some(Attachment { kind: kind.to_owned(), name, media: media(file), seen: false });
    words([&file["caption"]])
}

/// Returns whether a document holds sound, by its type or its name.
fn is_sound(document: &Value) -> bool {
    let mime_type = word(&document["mime_type"]).unwrap_or_default().to_ascii_lowercase();
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    let name = word(&document["filename"]).unwrap_or_default().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    essence.starts_with("audio/") || essence == "application/ogg" || SOUND.contains(&ending)
}

/// Returns whether a message of no known type is a file that the provider could not get.
fn is_lost(message: &Value) -> bool {
    elements(&message["errors"])
        .iter()
        .any(|error| word(&error["code"]).and_then(|code| code.parse().ok()) == Some(MEDIA_LOST))
}
