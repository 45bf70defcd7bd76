//! The words every part shares: ids, inbound messages, turns, parts and stage records.
//!
//! Bottom of the dependency order: nothing here knows a provider's JSON, a database or a codec.
//! Personal data is wrapped so that neither `Display` nor `Debug` can print it.

mod ids;
mod language;
mod message;
mod personal;
mod report;
mod spent;
mod stage;

pub use ids::{MediaId, MessageId, PhoneNumberId, TurnId};
pub use language::LanguageCode;
pub use message::{
    Accepted, Body, ContactRef, DeliveryStatus, Exchange, Inbound, MediaRef, ReplyMode,
    StatusUpdate,
};
pub use personal::Personal;
pub use report::{
    LINKS_PARTS, NoteInfo, Outcome, ReplyText, Segment, TO_CONFIRM, Transcript, TurnReport,
    Uncertainty,
};
pub use spent::Spent;
pub use stage::{Retry, Stage, StageRecord};
