//! Reads the published files: JSON, some of it compressed.

use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;
use std::marker::PhantomData;

use flate2::read::GzDecoder;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};

use crate::tts::neural::graph::BadVoice;

/// Limits what a compressed file may become; the largest is 5 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Says that a file cannot be used: get it anew.
pub(super) fn bad(file: &'static str, why: impl fmt::Display) -> BadVoice {
    BadVoice::file(format!("the English {file}"), why)
}

/// Unpacks a file.
pub(super) fn unpack(file: &'static str, packed: &[u8]) -> Result<Vec<u8>, BadVoice> {
    let mut bytes = Vec::with_capacity(packed.len() * 4);
    let read = GzDecoder::new(packed).take(MAX_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| bad(file, error))?;
    Ok(bytes)
}

/// Gives every entry of a JSON object to `each`, which may refuse it; they are never all in memory.
pub(super) fn entries<'a, V: Deserialize<'a>>(
    json: &'a [u8],
    each: impl FnMut(&str, V) -> Result<(), String>,
) -> Result<(), serde_json::Error> {
    let mut source = serde_json::Deserializer::from_slice(json);
    source.deserialize_map(Entries(each, PhantomData))?;
    source.end()
}

struct Entries<F, V>(F, PhantomData<V>);

impl<'a, V, F> Visitor<'a> for Entries<F, V>
where
    V: Deserialize<'a>,
    F: FnMut(&str, V) -> Result<(), String>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((EntryName(key), value)) = map.next_entry()? {
            (self.0)(&key, value).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Holds a key, which is seldom copied.
#[derive(Deserialize)]
struct EntryName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_order_and_may_be_refused() {
        let mut seen = Vec::new();
        let read = entries(br#"{"b": 1, "\u0061": 2}"#, |key, value: u8| {
            seen.push((key.to_owned(), value));
            if value == 2 { Err("two is too much".to_owned()) } else { Ok(()) }
        });
        assert_eq!(seen, [("b".to_owned(), 1), ("a".to_owned(), 2)]);
        assert!(read.unwrap_err().to_string().starts_with("two is too much"));
    }

    #[test]
    fn damaged_files_are_named() {
        let said = unpack("tagger", b"no archive").unwrap_err().to_string();
        assert!(said.starts_with("the English tagger is not what it should be: "), "{said}");
        assert!(entries(b"{} {}", |_, _: u8| Ok(())).is_err());
    }
}
