//! What an agent gives beside its words: buttons, files, places, cards, links, reactions.
//!
//! Named as the reply format names them, and kept so in a turn's record. The provider keeps
//! WhatsApp's limits. Words and addresses are [`Personal`].

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{Choice, Content, MediaSource, MessageId, Personal};

/// Holds one thing that an agent gives beside its words. The JSON has one key, of the reply format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields have the names of the reply format")]
pub enum Extra {
    /// Buttons to tap.
    Buttons(Vec<Choice>),
    /// A button that opens rows to tap.
    List { button: Personal, rows: Vec<Choice> },
    /// A file; its `url` is a web address or the name of one of the agent's files.
    Media { kind: MediaKind, url: Personal, caption: Option<Personal> },
    /// A place on the map, in degrees.
    Location { latitude: f64, longitude: f64, name: Option<Personal>, address: Option<Personal> },
    /// A card of the address book; its phone numbers have their country code.
    Contact { name: Personal, phones: Vec<Personal> },
    /// An emoji on the person's message.
    Reaction(Personal),
    /// A button that opens an address.
    Link { url: Personal, title: Personal },
}

words! {
    /// Says how a file is shown.
    pub enum MediaKind {
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// Sound that plays as music does.
        Audio = "audio",
        /// Any other file.
        Document = "document",
    }
}

impl MediaKind {
    /// Returns how WhatsApp shows a file of this type; what it does not show is a document.
    pub fn of_type(mime_type: &str) -> Self {
        match mime_type {
            "image/jpeg" | "image/png" => Self::Image,
            "video/mp4" | "video/3gpp" => Self::Video,
            "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => Self::Audio,
            _ => Self::Document,
        }
    }

    /// Makes the message that shows a file so.
    pub fn shows(self, source: MediaSource, caption: Option<Personal>) -> Content {
        match self {
            Self::Image => Content::Image { source, caption },
            Self::Video => Content::Video { source, caption },
            Self::Audio => Content::Audio(source),
            Self::Document => Content::Document { source, caption, file_name: None },
        }
    }
}

impl Extra {
    /// Returns whether it is shown below words of its own message.
    pub fn has_words(&self) -> bool {
        matches!(self, Self::Buttons(_) | Self::List { .. } | Self::Link { .. })
    }

    /// Returns the kind of the message that shows it, as [`Content::kind`] names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Buttons(_) => "buttons",
            Self::List { .. } => "list",
            Self::Media { kind, .. } => kind.name(),
            Self::Location { .. } => "location",
            Self::Contact { .. } => "contact",
            Self::Reaction(_) => "reaction",
            Self::Link { .. } => "link",
        }
    }

    /// Makes the message that shows it below `words`, as an answer to `message`. A file is taken
    /// from its web address.
    pub fn shown(&self, words: &str, message: &MessageId) -> Content {
        let text = Personal::from(words);
        match self.clone() {
            Self::Buttons(buttons) => Content::Buttons { text, buttons },
            Self::List { button, rows } => Content::List { text, button, rows },
            Self::Media { kind, url, caption } => kind.shows(MediaSource::Url(url), caption),
            Self::Location { latitude, longitude, name, address } => {
                Content::Location { latitude, longitude, name, address }
            }
            Self::Contact { name, phones } => Content::Contact { name, phones },
            Self::Reaction(emoji) => Content::Reaction { message: message.clone(), emoji },
            Self::Link { url, title } => Content::Link { text, url, title },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_kept_under_its_key_of_the_reply_format() {
        let json = r#"{"buttons":[{"id":"t","title":"Tea"}]}"#;
        let tea = Choice { id: "t".to_owned(), title: "Tea".into(), description: None };
        let buttons = Extra::Buttons(vec![tea]);
        assert_eq!(serde_json::to_string(&buttons).unwrap(), json);
        assert_eq!(serde_json::from_str::<Extra>(json).unwrap(), buttons);
        let shown = buttons.shown("Which?", &"wamid.1".into());
        assert_eq!((shown.kind(), buttons.kind()), ("buttons", "buttons"));
        let Content::Buttons { text, .. } = shown else { panic!("{shown:?}") };
        assert_eq!(text, "Which?");
    }

    #[test]
    fn a_file_that_whatsapp_does_not_show_is_a_document() {
        assert_eq!(MediaKind::of_type("image/png"), MediaKind::Image);
        assert_eq!(MediaKind::of_type("image/svg+xml"), MediaKind::Document);
        let shown = MediaKind::Audio.shows(MediaSource::Id("m".into()), Some("lost".into()));
        assert_eq!(shown.kind(), "audio");
    }
}
