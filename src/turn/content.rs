//! What one outbound message carries: shared by the pipeline, the store and the provider.
//!
//! Every kind that WhatsApp takes in a reply has a variant, so that the store can hold it. The
//! provider shortens what is longer than WhatsApp takes. Words and addresses are [`Personal`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MediaId, MessageId, Personal};

/// Holds what one outbound message carries. The JSON has one key, the kind.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields have the names of the reply format")]
pub enum Content {
    /// A text.
    Text(Personal),
    /// An uploaded voice note; it can be sent again for 30 days.
    Voice(MediaId),
    /// A sound file that plays as music does.
    Audio(MediaSource),
    /// A picture with words below it.
    Image { source: MediaSource, caption: Option<Personal> },
    /// A film with words below it.
    Video { source: MediaSource, caption: Option<Personal> },
    /// A file, e.g. a PDF, with words below it.
    Document { source: MediaSource, caption: Option<Personal>, file_name: Option<Personal> },
    /// A sticker.
    Sticker(MediaSource),
    /// A place on the map, in degrees.
    Location { latitude: f64, longitude: f64, name: Option<Personal>, address: Option<Personal> },
    /// A card of the address book; its phone numbers have their country code.
    Contact { name: Personal, phones: Vec<Personal> },
    /// A text with one to three buttons to tap.
    Buttons { text: Personal, buttons: Vec<Choice> },
    /// A text with a button that opens a list of one to ten rows.
    List { text: Personal, button: Personal, rows: Vec<Choice> },
    /// A text with a button that opens an address.
    Link { text: Personal, url: Personal, title: Personal },
    /// An emoji on an earlier message.
    Reaction { message: MessageId, emoji: Personal },
    /// What WhatsApp has approved of: all that it delivers to who has not written for 24 hours.
    Template { name: String, language: String, words: Option<Personal> },
}

impl Content {
    /// Returns the kind as its JSON names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Voice(_) => "voice",
            Self::Audio(_) => "audio",
            Self::Image { .. } => "image",
            Self::Video { .. } => "video",
            Self::Document { .. } => "document",
            Self::Sticker(_) => "sticker",
            Self::Location { .. } => "location",
            Self::Contact { .. } => "contact",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Link { .. } => "link",
            Self::Reaction { .. } => "reaction",
            Self::Template { .. } => "template",
        }
    }
}

impl fmt::Debug for Content {
    /// Shows the kind alone: a place, for one, is as personal as words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Says where the provider finds a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// It was uploaded.
    Id(MediaId),
    /// The provider fetches it from here.
    Url(Personal),
}

/// Holds one button or row; a tap comes back with its id and title. Buttons have no description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "an id of the agent's and the words shown")]
pub struct Choice {
    pub id: String,
    pub title: Personal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &Content, json: &str) {
        assert_eq!(serde_json::to_string(content).unwrap(), json);
        assert_eq!(&serde_json::from_str::<Content>(json).unwrap(), content);
        assert!(json.starts_with(&format!("{{\"{}\":", content.kind())), "{json}");
    }

    #[test]
    fn every_kind_is_written_and_read_by_its_name() {
        let source = || MediaSource::Id("m".into());
        let words = || Personal::from("w");
        let file = r#"{"source":{"id":"m"},"caption":null}"#;
        check(&Content::Text(words()), r#"{"text":"w"}"#);
        check(&Content::Voice("m".into()), r#"{"voice":"m"}"#);
        check(&Content::Audio(MediaSource::Url(words())), r#"{"audio":{"url":"w"}}"#);
        let image = Content::Image { source: source(), caption: None };
        check(&image, &format!(r#"{{"image":{file}}}"#));
        let video = Content::Video { source: source(), caption: None };
        check(&video, &format!(r#"{{"video":{file}}}"#));
        let file_name = Some(words());
        let document = Content::Document { source: source(), caption: None, file_name };
        let json = r#"{"document":{"source":{"id":"m"},"caption":null,"file_name":"w"}}"#;
        check(&document, json);
        check(&Content::Sticker(source()), r#"{"sticker":{"id":"m"}}"#);
        let (latitude, longitude) = (1.5, -2.0);
        let place = Content::Location { latitude, longitude, name: None, address: None };
        let json = r#"{"location":{"latitude":1.5,"longitude":-2.0,"name":null,"address":null}}"#;
        check(&place, json);
        let card = Content::Contact { name: words(), phones: vec![words()] };
        check(&card, r#"{"contact":{"name":"w","phones":["w"]}}"#);
        let choice = |description| Choice { id: "1".into(), title: words(), description };
        let buttons = Content::Buttons { text: words(), buttons: vec![choice(None)] };
        check(&buttons, r#"{"buttons":{"text":"w","buttons":[{"id":"1","title":"w"}]}}"#);
        let rows = vec![choice(Some(words()))];
        let list = Content::List { text: words(), button: words(), rows };
        let rows = r#"[{"id":"1","title":"w","description":"w"}]"#;
        check(&list, &format!(r#"{{"list":{{"text":"w","button":"w","rows":{rows}}}}}"#));
        let link = Content::Link { text: words(), url: words(), title: words() };
        check(&link, r#"{"link":{"text":"w","url":"w","title":"w"}}"#);
        let reaction = Content::Reaction { message: "wamid".into(), emoji: words() };
        check(&reaction, r#"{"reaction":{"message":"wamid","emoji":"w"}}"#);
        let template = Content::Template { name: "n".into(), language: "en".into(), words: None };
        check(&template, r#"{"template":{"name":"n","language":"en","words":null}}"#);
    }

    #[test]
    fn what_is_sent_to_a_person_does_not_print() {
        let (latitude, longitude) = (52.5, 13.4);
        let place = Content::Location { latitude, longitude, name: None, address: None };
        let printed = format!("{:?} {place:?}", Content::Text("secret words".into()));
        assert_eq!(printed, "text location");
    }
}
