//! Delivery statuses: what happened to a message we sent.
//!
//! Their order is not guaranteed; who stores them compares `at_ms` and the status itself.

use serde::Deserialize as _;
use serde_json::Value;

use super::{millis, word};
use crate::provider::told::told;
use crate::remote::words::Redactor;
use crate::turn::{DeliveryStatus, MessageId, PhoneNumberId, StatusUpdate};

/// Reads one status; `None` without an id or a number, or for a word this version does not know.
pub(super) fn read(
    element: &Value,
    number: Option<&PhoneNumberId>,
    entry_ms: Option<i64>,
) -> Option<StatusUpdate> {
    let error = &element["errors"][0];
    Some(StatusUpdate {
        number: number?.clone(),
        message: MessageId(word(&element["id"])?),
        status: DeliveryStatus::deserialize(&element["status"]).ok()?,
        at_ms: millis(&element["timestamp"]).or(entry_ms).unwrap_or(0),
        error_code: word(&error["code"]).and_then(|code| code.parse().ok()),
        error_title: told(error, Redactor::default()),
        callback_data: word(&element["biz_opaque_callback_data"]),
    })
}
