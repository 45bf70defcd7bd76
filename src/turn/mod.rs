//! The words every part shares: ids, inbound messages, turns, parts and stage records.
//!
//! Bottom of the dependency order: nothing here knows a provider's JSON, a database or a codec.
//! Personal data is wrapped so that neither `Display` nor `Debug` can print it.

mod about;
mod content;
mod customer;
mod event;
mod extra;
mod hours;
mod ids;
mod language;
mod language_names;
mod message;
mod part;
mod personal;
mod phone;
mod reason;
mod report;
mod sound;
mod source;
mod spent;
mod stage;
mod talker;
mod ticket;
mod tool;
mod words;

pub use about::{About, Attachment, Deed, Quoted};
pub use content::{Choice, Content, MediaSource};
pub use customer::{Customer, CustomerFields, FIELD_NAME_CHARS};
pub use event::EventType;
pub use extra::{Extra, MediaKind};
pub use hours::WorkingHours;
pub use ids::{MediaId, MessageId, NodeId, PhoneNumberId, TurnId};
pub use language::LanguageCode;
pub use message::{
    Accepted, Body, ContactRef, DeliveryStatus, Echo, Exchange, Inbound, MediaRef, ReplyMode,
    StatusUpdate,
};
pub use part::{Part, PartState, Role};
pub use personal::Personal;
pub use phone::{other_form, phone_digits};
pub use reason::Reason;
pub use report::{
    EnginesUsed, NoteInfo, Outcome, ReplyText, Segment, Transcript, TurnReport, Uncertainty,
};
pub use sound::SoundSide;
pub use source::PassageSource;
pub use spent::{Spent, TokenCount};
pub use stage::{Retry, Stage, StageRecord};
pub use talker::Talker;
pub use ticket::{TicketEnd, TicketReason};
pub use tool::{ToolOutcome, ToolUse};
