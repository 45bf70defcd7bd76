//! What one outbound message carries: shared by the pipeline, the store and the provider.
//!
//! Every kind that WhatsApp takes in a reply has a variant, so that the store can hold it. What the
//! provider cannot send yet it refuses in one place. Words and addresses are [`Personal`].

use serde::{Deserialize, Serialize};

use super::{MediaId, MessageId, Personal};

/// Holds what one outbound message carries. The JSON has one key, the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A text.
    Text(Personal),
    /// An uploaded voice note; it can be sent again for 30 days.
    Voice(MediaId),
    /// A sound file that plays as music does.
    Audio(MediaSource),
    /// A picture.
    Image(Media),
    /// A film.
    Video(Media),
    /// A file, e.g. a PDF.
    Document(Media),
    /// A sticker.
    Sticker(MediaSource),
    /// A place on the map.
    Location(Place),
    /// A card of the address book.
    Contact(ContactCard),
    /// A text with up to three buttons to tap.
    Buttons(Buttons),
    /// A text with a list to choose from.
    List(Choices),
    /// A text with one button that opens an address.
    Link(Link),
    /// An emoji on an earlier message.
    Reaction(Reaction),
}

impl Content {
    /// Returns the kind as its JSON names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Voice(_) => "voice",
            Self::Audio(_) => "audio",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::Contact(_) => "contact",
            Self::Buttons(_) => "buttons",
            Self::List(_) => "list",
            Self::Link(_) => "link",
            Self::Reaction(_) => "reaction",
        }
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

/// Holds a file with the words beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The file.
    pub source: MediaSource,
    /// The words below it.
    pub caption: Option<Personal>,
    /// The name that a document is shown with.
    pub file_name: Option<Personal>,
}

/// Holds a place on the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "degrees and words as in WhatsApp's own location")]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
    pub name: Option<Personal>,
    pub address: Option<Personal>,
}

/// Holds a card of the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard {
    /// The full name.
    pub name: Personal,
    /// Phone numbers with their country code.
    pub phones: Vec<Personal>,
}

/// Holds a text with buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buttons {
    /// The words above the buttons.
    pub text: Personal,
    /// One to three buttons.
    pub buttons: Vec<Button>,
}

/// Holds one button; a tap comes back with its id and title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "an id of the agent's and the words shown")]
pub struct Button {
    pub id: String,
    pub title: Personal,
}

/// Holds a text with a list to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The words above the list.
    pub text: Personal,
    /// The words on the button that opens the list.
    pub button: Personal,
    /// One to ten rows.
    pub rows: Vec<Choice>,
}

/// Holds one row of a list; a tap comes back with its id and title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "an id of the agent's and the words shown")]
pub struct Choice {
    pub id: String,
    pub title: Personal,
    pub description: Option<Personal>,
}

/// Holds a text with a button that opens an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words above the button, its address and the words on it")]
pub struct Link {
    pub text: Personal,
    pub url: Personal,
    pub title: Personal,
}

/// Holds an emoji and the message it is put on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "an earlier message and one emoji")]
pub struct Reaction {
    pub message: MessageId,
    pub emoji: Personal,
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
        let media = || Media { source: source(), caption: None, file_name: None };
        let words = || Personal::from("w");
        let file = r#"{"source":{"id":"m"},"caption":null,"file_name":null}"#;
        check(&Content::Text(words()), r#"{"text":"w"}"#);
        check(&Content::Voice("m".into()), r#"{"voice":"m"}"#);
        check(&Content::Audio(MediaSource::Url(words())), r#"{"audio":{"url":"w"}}"#);
        check(&Content::Image(media()), &format!(r#"{{"image":{file}}}"#));
        check(&Content::Video(media()), &format!(r#"{{"video":{file}}}"#));
        check(&Content::Document(media()), &format!(r#"{{"document":{file}}}"#));
        check(&Content::Sticker(source()), r#"{"sticker":{"id":"m"}}"#);
        let place = Place { latitude: 1.5, longitude: -2.0, name: None, address: None };
        let json = r#"{"location":{"latitude":1.5,"longitude":-2.0,"name":null,"address":null}}"#;
        check(&Content::Location(place), json);
        let card = ContactCard { name: words(), phones: vec![words()] };
        check(&Content::Contact(card), r#"{"contact":{"name":"w","phones":["w"]}}"#);
        let button = Button { id: "1".into(), title: words() };
        let json = r#"{"buttons":{"text":"w","buttons":[{"id":"1","title":"w"}]}}"#;
        check(&Content::Buttons(Buttons { text: words(), buttons: vec![button] }), json);
        let row = Choice { id: "1".into(), title: words(), description: None };
        let list = Choices { text: words(), button: words(), rows: vec![row] };
        let rows = r#"[{"id":"1","title":"w","description":null}]"#;
        check(
            &Content::List(list),
            &format!(r#"{{"list":{{"text":"w","button":"w","rows":{rows}}}}}"#),
        );
        let link = Link { text: words(), url: words(), title: words() };
        check(&Content::Link(link), r#"{"link":{"text":"w","url":"w","title":"w"}}"#);
        let reaction = Reaction { message: "wamid".into(), emoji: words() };
        check(&Content::Reaction(reaction), r#"{"reaction":{"message":"wamid","emoji":"w"}}"#);
    }

    #[test]
    fn words_do_not_print() {
        let printed = format!("{:?}", Content::Text("secret words".into()));
        assert!(!printed.contains("secret"), "{printed}");
    }
}
