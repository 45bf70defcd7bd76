//! Collects what one log line says: the message, the fields of the event and of the spans around it.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::remote::words::screened;

/// Field that names a turn: 16 hex digits.
pub(super) const TURN: &str = "turn.id";

/// Holds what one line says.
pub(super) struct Fields {
    /// What happened.
    pub(super) message: String,
    /// The fields of all spans around it; of two with the same name, the inner one's counts.
    pub(super) spans: Map<String, Value>,
    /// The fields of the event, in their order.
    pub(super) own: Vec<(String, Value)>,
}

impl Fields {
    /// Collects them. Fractions are rounded to thousandths: no line needs more.
    pub(super) fn of<S>(
        context: &FmtContext<'_, S, JsonFields>,
        event: &Event<'_>,
    ) -> Result<Self, fmt::Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut spans = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let Some(own) = extensions.get::<FormattedFields<JsonFields>>() else { continue };
            let own: Map<String, Value> = serde_json::from_str(own).map_err(|_| fmt::Error)?;
            spans.extend(own);
        }
        let mut visitor = FieldVisitor::default();
        event.record(&mut visitor);
        let message = visitor.message.unwrap_or_else(|| event.metadata().name().to_owned());
        Ok(Self { message, spans, own: visitor.own })
    }
}

/// Returns what an event says, without its fields.
pub(super) fn message(event: &Event<'_>) -> String {
    let mut visitor = FieldVisitor::default();
    event.record(&mut visitor);
    visitor.message.unwrap_or_default()
}

/// Collects the fields of an event.
#[derive(Default)]
struct FieldVisitor {
    message: Option<String>,
    own: Vec<(String, Value)>,
}

impl FieldVisitor {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let value = match value.into() {
            Value::String(text) => Value::String(fit(field.name(), text)),
            value => value,
        };
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = Some(message),
            ("message", other) => self.message = Some(other.to_string()),
            (name, value) => self.own.push((name.to_owned(), value)),
        }
    }
}

/// Lists fields that may hold words from outside.
const OUTSIDE: [&str; 4] = ["error", "details", "reason", "said"];
/// Characters of any other field: nothing that is ours is longer.
const FIELD_CHARS: usize = 2000;

/// Cuts a text, and screens one that may hold words from outside: whoever logs them may forget it.
fn fit(name: &str, mut text: String) -> String {
    if OUTSIDE.contains(&name) {
        return screened(&text);
    }
    if let Some((end, _)) = text.char_indices().nth(FIELD_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Visit for FieldVisitor {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, (value * 1000.0).round() / 1000.0);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.insert(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}
