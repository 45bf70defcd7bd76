//! The address of a tool with places for arguments: `https://shop.example/orders/{id}`.
//!
//! Invariant: whatever an argument says, scheme, host and port stay, and so do the segments of the
//! path: each argument is one of them or a part of one.

use std::fmt::Write as _;

use serde_json::Value;
use url::{Origin, Url};

use super::JsonObject;

const EXAMPLE: &str = "for instance https://shop.example/orders/{id}";

/// Holds an address with places for arguments.
#[derive(Clone, Debug)]
pub struct AddressTemplate {
    /// Scheme, host and port, as they are written.
    start: String,
    origin: Origin,
    pieces: Vec<AddressPiece>,
}

#[derive(Clone, Debug)]
enum AddressPiece {
    Text(String),
    /// The argument of this name; empty is nothing in the path.
    Argument {
        name: String,
        in_path: bool,
    },
}

impl AddressTemplate {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, and how it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(host) = text.find("://").map(|at| at + 3) else {
            return Err(format!("is no whole address; write it with scheme and host, {EXAMPLE}"));
        };
        let end = text[host..].find(['/', '?', '#']).map_or(text.len(), |at| host + at);
        let (start, rest) = text.split_at(end);
        if end == host {
            return Err(format!("has no host; {EXAMPLE}"));
        }
        if start.contains(['{', '}']) {
            return Err(format!("lets an argument choose the host; write the host out, {EXAMPLE}"));
        }
        if rest.contains('#') {
            return Err("has a part behind #, which is never sent: leave it out".to_owned());
        }
        let pieces = pieces(rest)?;
        let filler: String = pieces
            .iter()
            .map(|piece| match piece {
                AddressPiece::Text(text) => text.as_str(),
                AddressPiece::Argument { .. } => "x",
            })
            .collect();
        let url = Url::parse(&format!("{start}{filler}"));
        let url = url.map_err(|error| format!("is no address: {error}; {EXAMPLE}"))?;
        check_server_address(&url)?;
        Ok(Self { start: start.to_owned(), origin: url.origin(), pieces })
    }

    /// Returns the host, as it is written.
    pub fn host(&self) -> &str {
        self.start.split_once("://").map_or("", |(_, host)| host)
    }

    /// Returns the address of the server's front page.
    pub fn front_page(&self) -> String {
        format!("{}/", self.start)
    }

    /// Returns the names of its arguments.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            AddressPiece::Argument { name, .. } => Some(name.as_str()),
            AddressPiece::Text(_) => None,
        })
    }

    /// Returns the address of a call.
    ///
    /// # Errors
    /// The argument that has no place there, in words for the model.
    pub fn filled(&self, arguments: &JsonObject) -> Result<Url, String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                AddressPiece::Text(fixed) => text.push_str(fixed),
                AddressPiece::Argument { name, in_path } => {
                    let value = arguments.get(name).and_then(scalar);
                    let value =
                        value.ok_or_else(|| format!("{name} must be a text or a number"))?;
                    if *in_path && value.is_empty() {
                        return Err(format!("{name} must not be empty"));
                    }
                    encode(&value, &mut text);
                }
            }
        }
        let path = text.split('?').next().unwrap_or_default().to_ascii_lowercase();
        if path.replace("%2e", ".").split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err("an argument of the address must not be . or ..".to_owned());
        }
        let url =
            Url::parse(&format!("{}{text}", self.start)).map_err(|error| error.to_string())?;
        if url.origin() == self.origin {
            Ok(url)
        } else {
            Err("the arguments would change the host".to_owned())
        }
    }
}

/// Checks an address that is called over HTTP with headers of its own.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_server_address(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with http:// or https://".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("has no host; {EXAMPLE}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a name or a password: write them as a header, for instance \
                    authorization, which is kept secret"
            .to_owned());
    }
    Ok(())
}

/// Cuts what follows the host at its `{arguments}`.
fn pieces(rest: &str) -> Result<Vec<AddressPiece>, String> {
    let (mut pieces, mut left, mut in_path) = (Vec::new(), rest, true);
    while let Some(open) = left.find(['{', '}']) {
        let (text, inside) = left.split_at(open);
        let named = inside.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((name, after)) = named.filter(|(name, _)| !name.is_empty()) else {
            return Err(format!("has a brace without its pair; {EXAMPLE}"));
        };
        in_path &= !text.contains('?');
        pieces.push(AddressPiece::Text(text.to_owned()));
        pieces.push(AddressPiece::Argument { name: name.to_owned(), in_path });
        left = after;
    }
    pieces.push(AddressPiece::Text(left.to_owned()));
    Ok(pieces)
}

/// Returns the text of an argument that fits into an address.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// Encodes all but RFC 3986's unreserved characters.
fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(byte.into());
        } else {
            write!(to, "%{byte:02X}").expect("a string takes it");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filled(template: &str, arguments: &Value) -> Result<String, String> {
        let url = AddressTemplate::parse(template)?.filled(arguments.as_object().unwrap())?;
        Ok(url.to_string())
    }

    #[test]
    fn arguments_fill_their_places_and_no_others() {
        let arguments = json!({ "id": "a b/c?d#e", "n": 7, "yes": true, "ü": "é" });
        for (template, expected) in [
            ("https://a.example/o/{id}", "https://a.example/o/a%20b%2Fc%3Fd%23e"),
            (
                "https://a.example/o/{n}/x?y={yes}&z={id}",
                "https://a.example/o/7/x?y=true&z=a%20b%2Fc%3Fd%23e",
            ),
            ("http://a.example:81/{ü}-{n}.json", "http://a.example:81/%C3%A9-7.json"),
            ("https://a.example", "https://a.example/"),
            ("https://a.example?q={n}", "https://a.example/?q=7"),
        ] {
            assert_eq!(filled(template, &arguments).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_argument_moves_nowhere_else() {
        for (id, words) in [
            (json!(".."), "must not be . or .."),
            (json!("."), "must not be . or .."),
            (json!(""), "must not be empty"),
            (json!(null), "must be a text"),
            (json!(["a"]), "must be a text"),
        ] {
            let error = filled("https://a.example/o/{id}/x", &json!({ "id": id })).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let two = filled("https://a.example/{a}{b}/x", &json!({ "a": ".", "b": "." }));
        assert!(two.is_err(), "{two:?}");
        let host = filled("https://a.example{id}", &json!({ "id": "@evil.example" }));
        assert!(host.is_err(), "{host:?}");
    }

    #[test]
    fn an_address_that_cannot_be_called_says_why() {
        for (template, words) in [
            ("/orders/{id}", "no whole address"),
            ("https://{host}/orders", "lets an argument choose the host"),
            ("https://a.example:{port}/", "lets an argument choose the host"),
            ("https://me:secret@a.example/", "a name or a password"),
            ("ftp://a.example/{id}", "http:// or https://"),
            ("https:///orders", "has no host"),
            ("https:///{id}", "has no host"),
            ("https://a.example/{id", "a brace without its pair"),
            ("https://a.example/{}", "a brace without its pair"),
            ("https://a.example/#{id}", "behind #"),
        ] {
            let error = AddressTemplate::parse(template).unwrap_err();
            assert!(error.contains(words), "{template}: {error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_argument_says_the_host_stays(id in "\\PC{0,12}|[./\\\\@:?#%2eE]{0,8}") {
            let template = AddressTemplate::parse("https://a.example/o/{id}/x").unwrap();
            let arguments = json!({ "id": id });
            if let Ok(url) = template.filled(arguments.as_object().unwrap()) {
                prop_assert_eq!(url.host_str(), Some("a.example"));
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert!(segments.len() == 3 && segments[0] == "o" && segments[2] == "x", "{}", url);
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
