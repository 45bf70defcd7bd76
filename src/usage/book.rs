//! The book of prices: what each engine, message and call of a tool costs.
//!
//! A book is one version of the prices; a new version never changes what an older one has priced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CurrencyCode, Price};

/// Stands for every engine that the book does not name.
const ANY: &str = "*";
/// Most engines of one kind.
const MOST_ENGINES: usize = 500;
/// Longest name and note, in characters.
const LONGEST: usize = 200;

/// Says what things cost. An engine is named as turns name it (`openai/gpt-4.1-mini`), or without what
/// stands before the first `/`; `*` is any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    /// What all prices are in.
    pub currency: CurrencyCode,
    /// Where the prices are from, in your words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub note: Option<String>,
    /// Of language models, by name.
    #[serde(default)]
    pub llm: BTreeMap<String, LlmPrice>,
    /// Of what hears, by name.
    #[serde(default)]
    pub stt: BTreeMap<String, SttPrice>,
    /// Of what speaks, by name.
    #[serde(default)]
    pub tts: BTreeMap<String, TtsPrice>,
    /// Of a message that the provider takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Price>,
    /// Of a call of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<Price>,
}

/// Says what a million tokens of a language model cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmPrice {
    /// Of what it reads.
    pub input: Price,
    /// Of what it reads and had kept from before; absent: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Price>,
    /// Of what it writes, thoughts included.
    pub output: Price,
}

/// Says what hearing costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SttPrice {
    /// Of a minute of speech.
    pub minute: Price,
}

/// Says what speaking costs: by the character, by the minute, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TtsPrice {
    /// Of a million characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub million_chars: Option<Price>,
    /// Of a minute of sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<Price>,
}

impl PriceBook {
    /// Says what types cannot check: the key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let kinds: [(&str, Vec<&String>); 3] = [
            ("llm", self.llm.keys().collect()),
            ("stt", self.stt.keys().collect()),
            ("tts", self.tts.keys().collect()),
        ];
        for (kind, names) in kinds {
            if names.len() > MOST_ENGINES {
                wrong.push((kind.to_owned(), format!("has more than {MOST_ENGINES} engines")));
            }
            for name in names {
                let fits = (1..=LONGEST).contains(&name.chars().count());
                if !fits || name.trim() != name || name.chars().any(char::is_control) {
                    let problem = format!("has a name that is none: 1 to {LONGEST} characters");
                    wrong.push((kind.to_owned(), problem));
                }
            }
        }
        for (name, price) in &self.tts {
            if price.million_chars.is_none() && price.minute.is_none() {
                let problem = "has no price: write million_chars, minute or both";
                wrong.push((format!("tts.{name}"), problem.to_owned()));
            }
        }
        if self.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST) {
            wrong.push(("note".to_owned(), format!("has more than {LONGEST} characters")));
        }
        wrong
    }
}

/// Finds the price of an engine.
pub(super) fn of<'a, T>(prices: &'a BTreeMap<String, T>, engine: &str) -> Option<&'a T> {
    let short = engine.split_once('/').map(|(_, model)| model);
    let named = prices.get(engine).or_else(|| prices.get(short?));
    named.or_else(|| prices.get(ANY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_found_by_its_name_its_model_or_as_any() {
        let prices: BTreeMap<String, u8> =
            [("openai/m", 1), ("Qwen/Qwen3", 2), ("*", 3)].map(|(k, v)| (k.to_owned(), v)).into();
        for (engine, expected) in
            [("openai/m", 1), ("openai/Qwen/Qwen3", 2), ("m", 3), ("whisper/tiny", 3)]
        {
            assert_eq!(of(&prices, engine), Some(&expected), "{engine}");
        }
        assert_eq!(of(&BTreeMap::<String, u8>::new(), "m"), None);
    }

    #[test]
    fn what_a_book_lacks_is_named() {
        let book: PriceBook =
            serde_json::from_str(r#"{"currency":"EUR","tts":{"a":{}},"stt":{" ":{"minute":"0"}}}"#)
                .unwrap();
        let keys: Vec<String> = book.check().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["stt", "tts.a"]);
        for (wrong, said) in [
            (r#"{"currency":"EUR","stt":{"a":{"minute":0.006}}}"#, "expected a string"),
            (r#"{"currency":"EUR","stt":{"a":{"minute":"-1"}}}"#, "is negative"),
            (r#"{"currency":"XXX"}"#, "is no currency"),
            (r#"{"currency":"EUR","messages":"1"}"#, "unknown field"),
            (r#"{"currency":"EUR","llm":{"a":{"input":"1"}}}"#, "missing field `output`"),
        ] {
            let error = serde_json::from_str::<PriceBook>(wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
