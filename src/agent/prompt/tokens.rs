//! How much of a conversation a model is shown: an estimate of tokens, on the high side.

use crate::turn::Exchange;

/// Returns the latest exchanges that fit into `budget` tokens, oldest first.
pub(super) fn recent(history: &[Exchange], budget: u32) -> &[Exchange] {
    let mut left = u64::from(budget);
    let fitting = history.iter().rev().take_while(|exchange| {
        let cost = tokens(exchange.heard.reveal()) + tokens(exchange.answered.reveal());
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    &history[history.len() - fitting.count()..]
}

/// Estimates the tokens of one message, in any language and without a model's own list of them, on
/// the high side: one for three ASCII characters (English
/// has four to a token), one for two bytes of any other (1.5 a Chinese character), four around.
pub fn tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.len() as u64 - ascii;
    (2 * ascii + 3 * other).div_ceil(6) + 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::turn::Personal;

    fn exchange(heard: &str, answered: &str) -> Exchange {
        Exchange { heard: heard.into(), answered: answered.into() }
    }

    #[test]
    fn old_exchanges_go_first_and_whole() {
        let history = [exchange(&"a".repeat(300), "b"), exchange("c", "d"), exchange("e", "f")];
        let kept = |budget| recent(&history, budget).len();
        assert_eq!((kept(0), kept(9), kept(10), kept(20), kept(21)), (0, 0, 1, 2, 2));
        assert_eq!((kept(128), kept(129)), (2, 3));
        assert_eq!(recent(&history, 10)[0].heard, Personal::from("e"));
        assert!(tokens("你好你好") > tokens("hello hello"));
    }

    proptest! {
        #[test]
        fn the_conversation_never_costs_more_than_its_budget(
            texts in prop::collection::vec("\\PC{0,40}", 0..12), budget in 0_u32..200
        ) {
            let history: Vec<_> = texts.iter().map(|text| exchange(text, text)).collect();
            let kept = recent(&history, budget);
            let cost: u64 = kept.iter().map(|e| 2 * tokens(e.heard.reveal())).sum();
            prop_assert!(cost <= u64::from(budget));
            prop_assert!(history.ends_with(kept));
        }
    }
}
