//! What a message says beside its words: what it answers, what it is about, what it stands under.

use serde::{Deserialize, Serialize};

use super::{MediaRef, MessageId, Personal};

/// Holds what a message refers to, as the provider says it. Words in it are as untrusted as the
/// message's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The earlier message that it quotes, or that it did something to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// What that message said. Looked up when the message is answered, never kept with it.
    #[serde(skip)]
    pub quoted: Option<Quoted>,
    /// What it did to that message instead of saying something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did: Option<Deed>,
    /// It was passed on: the words may be somebody else's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// The article of the business's catalog that it asks about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Personal>,
    /// The advert that the person came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advert: Option<Personal>,
    /// What belongs to the button or row that was tapped beside its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tapped: Option<Personal>,
    /// The words are the answers of a form.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub form: bool,
    /// The file that came, with words below it or without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under: Option<Attachment>,
    /// Words that stand under a sound file: they are answered together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<Personal>,
}

/// Says what a person did to an earlier message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Put this emoji on it; an empty one takes the emoji back.
    Reacted(Personal),
    /// Changed its words to these.
    Edited(Personal),
    /// Took it back.
    Revoked,
}

/// Describes a file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The provider's word for it: `image`, `video`, `document` or `sticker`.
    pub kind: String,
    /// Its name, if it has one.
    pub name: Option<Personal>,
    /// Where it is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaRef>,
    /// Whether the agent sees it. Found out when the message is answered, never kept.
    #[serde(skip)]
    pub seen: bool,
}

/// Holds what a quoted message said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Whether it was ours.
    pub ours: bool,
    /// Its words, of a spoken one too; `None` if it has none that are known.
    pub words: Option<Personal>,
}

impl Attachment {
    /// Returns what stands for it where words are expected.
    pub fn sign(&self) -> Personal {
        let sign = match self.kind.as_str() {
            "image" => "🖼",
            "video" => "🎬",
            "sticker" => "🏷",
            _ => "📄",
        };
        let name = self.name.as_ref().map(|name| format!(" {}", name.reveal()));
        Personal(format!("{sign}{}", name.unwrap_or_default()))
    }
}

impl About {
    /// Returns whether the message says nothing beside its words.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what "it" means in the message, as far as that is known.
    pub fn subject(&self) -> Option<&Personal> {
        let quoted = self.quoted.as_ref().and_then(|quoted| quoted.words.as_ref());
        self.product.as_ref().or(quoted).or(self.advert.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_is_kept() {
        let json = |about: &About| serde_json::to_string(about).unwrap();
        assert_eq!(json(&About::default()), "{}");
        let quoted = Some(Quoted { ours: true, words: Some("secret".into()) });
        let about = About { reply_to: Some("wamid.1".into()), quoted, ..About::default() };
        assert_eq!(json(&about), r#"{"reply_to":"wamid.1"}"#);
        let kept: About = serde_json::from_str(r#"{"forwarded":true,"later":1}"#).unwrap();
        assert_eq!(kept, About { forwarded: true, ..About::default() });
    }
}
