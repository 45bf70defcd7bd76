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

/// Estimates the tokens of one message, on the high side: one for three ASCII characters (English
/// has four to a token), one for two bytes of any other (1.5 a Chinese character), four around.
pub(super) fn tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.len() as u64 - ascii;
    (2 * ascii + 3 * other).div_ceil(6) + 4
}
