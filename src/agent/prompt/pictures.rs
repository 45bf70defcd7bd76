//! A message's JSON: a text, or with pictures a list of a text and their bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::json;

use super::Message;
use crate::agent::Picture;

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 2)?;
        message.serialize_field("role", &self.role)?;
        if self.pictures.is_empty() {
            message.serialize_field("content", &self.content)?;
        } else {
            let words = json!({ "type": "text", "text": self.content });
            let picture = |Picture { mime_type, bytes }: &Picture| {
                let url = format!("data:{mime_type};base64,{}", BASE64_STANDARD.encode(bytes));
                json!({ "type": "image_url", "image_url": { "url": url } })
            };
            let parts: Vec<_> =
                [words].into_iter().chain(self.pictures.iter().map(picture)).collect();
            message.serialize_field("content", &parts)?;
        }
        message.end()
    }
}
