//! What turns cost: quantities, a book of prices, and the sum of both.
//!
//! Below the store, which prices a turn in the transaction that closes it. Pure: counts and prices in,
//! an amount out. Invariant: money is counted in whole numbers; no price is ever a float, and what has
//! no price is said to be unknown, never taken for free.

mod book;
mod cost;
mod currency;
mod price;
mod table;

pub use book::{LlmPrice, PriceBook, SttPrice, TtsPrice};
pub use cost::{Certainty, Cost, Quantities};
pub use currency::CurrencyCode;
pub use price::{Price, PriceError, amount};
pub use table::csv;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Says whose credits they are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CreditScope {
    /// A business number's.
    Number,
    /// An agent's.
    Agent,
}

impl CreditScope {
    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Agent => "agent",
        }
    }
}
