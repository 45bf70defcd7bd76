//! The sum: what was used, at the prices of a book.
//!
//! All is summed as a fraction over one denominator and rounded once, half up, to a millionth of the
//! currency's unit: parts of a turn that cost next to nothing do not vanish one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::of;
use super::{CurrencyCode, Price, PriceBook};
use crate::turn::{Spent, TokenCount};

/// Tokens and characters are priced by so many.
const MILLION: u64 = 1_000_000;
/// Milliseconds in a minute.
const MINUTE_MS: u64 = 60_000;
/// A multiple of both, so that every part of a sum is whole.
const OVER: u128 = 3_000_000;
/// Millionths of a millionth in a millionth.
const PICO_A_MICRO: u128 = 1_000_000;

/// Counts what a turn used, in whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantities {
    /// Milliseconds of speech that were transcribed.
    pub heard_ms: u64,
    /// Tokens that a language model read.
    pub prompt_tokens: u64,
    /// Those of them that it had kept from before.
    pub cached_tokens: u64,
    /// Tokens that it wrote.
    pub completion_tokens: u64,
    /// Characters that were given to the voice.
    pub spoken_chars: u64,
    /// Milliseconds of sound in the note.
    pub spoken_ms: u64,
    /// Messages that the provider took.
    pub messages: u64,
    /// Calls of tools.
    pub tool_calls: u64,
}

/// Says how surely a cost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Every quantity was counted and has a price.
    Exact,
    /// Some quantity is an estimate.
    Estimated,
    /// Something has no price, or was not counted: the amount is the least that it was.
    Unknown,
}

impl Certainty {
    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}

/// Holds what a turn cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The amount, in millionths of the currency's unit.
    pub micros: u64,
    /// The currency.
    pub currency: CurrencyCode,
    /// How surely it is known.
    pub certainty: Certainty,
    /// What has no price, such as `stt whisper/base`.
    pub unpriced: Vec<String>,
}

impl Quantities {
    /// Counts what a turn spent in whole numbers; `messages` are those that the provider took.
    pub fn of(spent: &Spent, messages: u64) -> Self {
        Self {
            heard_ms: millis(spent.heard_s),
            prompt_tokens: spent.prompt_tokens,
            cached_tokens: spent.cached_tokens.min(spent.prompt_tokens),
            completion_tokens: spent.completion_tokens,
            spoken_chars: spent.spoken_chars,
            spoken_ms: millis(spent.spoken_s),
            messages,
            tool_calls: spent.tool_calls,
        }
    }
}

/// Returns seconds in whole milliseconds; what is no length is none.
fn millis(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let ms = (seconds * 1000.0).round() as u64;
    ms.min(1 << 40)
}

/// Sums parts of a cost.
#[derive(Default)]
struct CostSum {
    /// Over [`OVER`], in millionths of a millionth.
    parts: u128,
    several: bool,
    unpriced: Vec<String>,
}

impl CostSum {
    fn add(&mut self, quantity: u64, price: Price, by: u64) {
        let shares = u128::from(quantity).saturating_mul(OVER / u128::from(by));
        let part = shares.saturating_mul(u128::from(price.pico()));
        self.parts = self.parts.saturating_add(part);
    }

    /// Adds what was spent on the engines of a kind: by the dearest, where there were several, since
    /// nobody counted who did what.
    fn add_engines<T>(
        &mut self,
        kind: &str,
        engines: &[String],
        prices: &BTreeMap<String, T>,
        price: impl Fn(&mut CostSum, &T),
    ) {
        let known: Vec<&T> = engines.iter().filter_map(|engine| of(prices, engine)).collect();
        let sums = known.into_iter().map(|known| {
            let mut one = Self::default();
            price(&mut one, known);
            one.parts
        });
        self.parts = self.parts.saturating_add(sums.max().unwrap_or(0));
        self.several |= engines.len() > 1;
        let unpriced = engines.iter().filter(|engine| of(prices, engine).is_none());
        self.unpriced.extend(unpriced.map(|engine| format!("{kind} {engine}")));
        if engines.is_empty() {
            self.unpriced.push(format!("{kind} of an unknown engine"));
        }
    }

    fn add_plain(&mut self, name: &str, quantity: u64, price: Option<Price>) {
        match price {
            Some(price) => self.add(quantity, price, 1),
            None if quantity > 0 => self.unpriced.push(name.to_owned()),
            None => {}
        }
    }

    /// Rounds half up to millionths; no sum is more than SQL's largest whole number.
    fn micros(&self) -> u64 {
        let one = OVER * PICO_A_MICRO;
        let micros = self.parts.saturating_add(one / 2) / one;
        u64::try_from(micros).unwrap_or(u64::MAX).min(i64::MAX.cast_unsigned())
    }
}

impl PriceBook {
    /// Prices what was used; `estimated` if some of the messages are not sure to have been taken.
    pub fn cost(&self, used: &Quantities, spent: &Spent, estimated: bool) -> Cost {
        let mut sum = CostSum::default();
        if used.heard_ms > 0 {
            sum.add_engines("stt", &spent.by.stt, &self.stt, |sum, price| {
                sum.add(used.heard_ms, price.minute, MINUTE_MS);
            });
        }
        if used.prompt_tokens + used.completion_tokens > 0 {
            sum.add_engines("llm", &spent.by.llm, &self.llm, |sum, price| {
                let cached = price.cached_input.unwrap_or(price.input);
                sum.add(used.prompt_tokens - used.cached_tokens, price.input, MILLION);
                sum.add(used.cached_tokens, cached, MILLION);
                sum.add(used.completion_tokens, price.output, MILLION);
            });
        }
        if used.spoken_chars > 0 {
            sum.add_engines("tts", &spent.by.tts, &self.tts, |sum, price| {
                let by_char = price.million_chars.map(|price| (used.spoken_chars, price, MILLION));
                let by_time = price.minute.map(|price| (used.spoken_ms, price, MINUTE_MS));
                for (quantity, price, by) in by_char.into_iter().chain(by_time) {
                    sum.add(quantity, price, by);
                }
            });
        }
        sum.add_plain("message", used.messages, self.message);
        sum.add_plain("tool_call", used.tool_calls, self.tool_call);
        let certainty = if !sum.unpriced.is_empty() || spent.tokens == TokenCount::Lost {
            Certainty::Unknown
        } else if estimated || sum.several || spent.tokens == TokenCount::Estimated {
            Certainty::Estimated
        } else {
            Certainty::Exact
        };
        let (micros, currency) = (sum.micros(), self.currency.clone());
        Cost { micros, currency, certainty, unpriced: sum.unpriced }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::turn::EnginesUsed;

    const BOOK: &str = r#"{"currency":"USD",
        "llm":{"gpt":{"input":"0.15","cached_input":"0.075","output":"0.60"}},
        "stt":{"whisper-1":{"minute":"0.006"}},
        "tts":{"tts-1":{"million_chars":"15"},"mini":{"million_chars":"0.6","minute":"0.015"}},
        "message":"0.0041","tool_call":"0"}"#;

    fn book() -> PriceBook {
        serde_json::from_str(BOOK).unwrap()
    }

    fn spent(stt: &str, llm: &str, tts: &str) -> Spent {
        let list = |names: &str| names.split_whitespace().map(str::to_owned).collect();
        let by = EnginesUsed { stt: list(stt), llm: list(llm), tts: list(tts) };
        Spent {
            heard_s: 10.0,
            prompt_tokens: 1_000,
            cached_tokens: 600,
            completion_tokens: 100,
            spoken_chars: 200,
            spoken_s: 12.0,
            tool_calls: 1,
            by,
            ..Spent::default()
        }
    }

    fn cost(spent: &Spent) -> (u64, &'static str, String) {
        let cost = book().cost(&Quantities::of(spent, 1), spent, false);
        (cost.micros, cost.certainty.name(), cost.unpriced.join(", "))
    }

    #[test]
    fn a_turn_is_the_sum_of_its_parts() {
        // 10 s of 0.006 a minute, 400 of 0.15 and 600 of 0.075 and 100 of 0.60 a million, 200 of 15 a
        // million, one message: 1000 + 60 + 45 + 60 + 3000 + 4100 millionths.
        let all = spent("openai/whisper-1", "openai/gpt", "openai/tts-1");
        assert_eq!(cost(&all), (8_265, "exact", String::new()));
        // By the character and by the minute: 120 + 3000 in the place of 3000.
        let all = spent("openai/whisper-1", "openai/gpt", "openai/mini");
        assert_eq!(cost(&all), (8_385, "exact", String::new()));
    }

    #[test]
    fn what_is_not_priced_or_not_counted_is_said() {
        let local = spent("whisper/base", "openai/gpt", "openai/tts-1");
        assert_eq!(cost(&local), (7_265, "unknown", "stt whisper/base".to_owned()));
        let nobody = spent("openai/whisper-1", "", "openai/tts-1");
        assert_eq!(cost(&nobody), (8_100, "unknown", "llm of an unknown engine".to_owned()));
        let all = spent("openai/whisper-1", "openai/gpt", "openai/tts-1");
        let estimated = Spent { tokens: TokenCount::Estimated, ..all.clone() };
        assert_eq!(cost(&estimated).1, "estimated");
        assert_eq!(cost(&Spent { tokens: TokenCount::Lost, ..all }).1, "unknown");
        // Nobody counted which of two spoke: the dearer one counts.
        let two = spent("openai/whisper-1", "openai/gpt", "openai/mini openai/tts-1");
        assert_eq!(cost(&two), (8_385, "estimated", String::new()));
        assert_eq!(cost(&Spent::default()), (4_100, "exact", String::new()));
    }

    #[test]
    fn parts_are_rounded_together() {
        // A third of a millionth each, and two halves.
        let book: PriceBook = serde_json::from_str(
            r#"{"currency":"USD","message":"0.0000005","tool_call":"0.0000004"}"#,
        )
        .unwrap();
        let used = |messages, tool_calls| Quantities { messages, tool_calls, ..<_>::default() };
        let micros = |used| book.cost(&used, &Spent::default(), false).micros;
        assert_eq!((micros(used(1, 0)), micros(used(0, 1)), micros(used(1, 1))), (1, 0, 1));
        assert_eq!(micros(used(3, 5)), 4);
    }

    #[test]
    fn odd_lengths_are_none() {
        for (seconds, ms) in [(f64::NAN, 0), (-1.0, 0), (1.0004, 1_000), (f64::INFINITY, 1 << 40)] {
            assert_eq!(millis(seconds), ms, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn no_quantity_is_too_large(tokens in 0_u64..1 << 40, price in 0_u64..=1_000_000) {
            let book: PriceBook = serde_json::from_str(&format!(
                r#"{{"currency":"USD","llm":{{"*":{{"input":"{price}","output":"{price}"}}}}}}"#
            )).unwrap();
            let mut spent = Spent { prompt_tokens: tokens, ..Spent::default() };
            spent.by.answered_by("m");
            let cost = book.cost(&Quantities::of(&spent, 0), &spent, false);
            prop_assert_eq!(u128::from(cost.micros), u128::from(tokens) * u128::from(price));
        }
    }
}
