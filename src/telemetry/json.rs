//! Writes log lines for machines: one JSON object each, with the fields Google's Cloud Logging
//! reads.
//!
//! Every line has `severity`, `time`, `message` and `target`; lines of one turn share a trace. The
//! fields of the event and of the spans around it keep their own names. Field names: Google,
//! "Structured logging", special JSON fields, as of 2026.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Field of a turn's span that its trace is made from: 16 hex digits.
const TURN: &str = "turn.id";

/// Names that the line itself uses or that have a meaning in Cloud Logging; a field with such a
/// name gets a prefix.
const TAKEN: [&str; 5] = ["severity", "time", "timestamp", "target", "httpRequest"];

/// Writes events as Cloud Logging expects them.
pub(super) struct CloudLogging {
    /// The Google Cloud project of the traces; without one the bare trace id is written, which
    /// Cloud Logging completes on lines of stdout and stderr.
    pub(super) project: Option<String>,
}

/// Holds one line.
#[derive(Serialize)]
struct LogLine<'a> {
    severity: &'static str,
    time: String,
    message: String,
    #[serde(rename = "logging.googleapis.com/trace", skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    target: &'a str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl<S> FormatEvent<S, JsonFields> for CloudLogging
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = span_fields(context)?;
        let trace = fields.get(TURN).and_then(Value::as_str).map(|turn| self.trace(turn));
        event.record(&mut FieldVisitor(&mut fields));
        let message = match fields.remove("message") {
            Some(Value::String(message)) => message,
            Some(other) => other.to_string(),
            None => event.metadata().name().to_owned(),
        };
        for name in TAKEN {
            if let Some(value) = fields.remove(name) {
                fields.insert(format!("field.{name}"), value);
            }
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let severity = severity(*event.metadata().level());
        let target = event.metadata().target();
        let line = LogLine { severity, time, message, trace, target, fields };
        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

impl CloudLogging {
    /// Names the trace of a turn: a trace id has 32 digits, and shorter ids are padded with zeros
    /// on the left, so that anyone with the turn's id finds its lines.
    fn trace(&self, turn: &str) -> String {
        match &self.project {
            Some(project) => format!("projects/{project}/traces/{turn:0>32}"),
            None => format!("{turn:0>32}"),
        }
    }
}

/// Collects the fields of all spans around an event; of two with the same name, the inner one's
/// counts.
fn span_fields<S>(context: &FmtContext<'_, S, JsonFields>) -> Result<Map<String, Value>, fmt::Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut fields = Map::new();
    for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
        let extensions = span.extensions();
        let Some(own) = extensions.get::<FormattedFields<JsonFields>>() else { continue };
        let own: Map<String, Value> = serde_json::from_str(own).map_err(|_| fmt::Error)?;
        fields.extend(own);
    }
    Ok(fields)
}

/// Returns Cloud Logging's word for a level. It has more words than there are levels here: `NOTICE`
/// and `CRITICAL` are never used.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

/// Collects the fields of an event.
struct FieldVisitor<'a>(&'a mut Map<String, Value>);

impl FieldVisitor<'_> {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for FieldVisitor<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Returns what is written while `work` runs, line by line.
    fn lines(project: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        #[derive(Clone, Default)]
        struct Written(Arc<Mutex<Vec<u8>>>);
        impl Write for Written {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_writer(move || writer.clone())
            .fmt_fields(JsonFields::new())
            .event_format(CloudLogging { project: project.map(str::to_owned) })
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    #[test]
    fn every_level_has_a_severity_that_cloud_logging_knows() {
        let lines = lines(None, || {
            tracing::error!("a");
            tracing::warn!("b");
            tracing::info!("c");
            tracing::debug!("d");
            tracing::trace!("e");
        });
        let severities: Vec<_> = lines.iter().map(|line| line["severity"].as_str()).collect();
        let expected = ["ERROR", "WARNING", "INFO", "DEBUG", "DEBUG"].map(Some);
        assert_eq!(severities, expected);
    }

    #[test]
    fn a_line_has_message_time_and_its_fields_with_their_types() {
        let lines = lines(None, || {
            tracing::info!(
                http.status = 503, took.ms = 1.5, fine = true, who = "a \"quoted\"\nname",
                odd = f64::NAN, error = %"refused", shown = ?Some(1), "it\tended: {}", "so"
            );
        });
        let line = lines[0].as_object().unwrap();
        assert_eq!(line["message"], "it\tended: so");
        assert_eq!(line["target"], "hark::telemetry::json::tests");
        assert_eq!((&line["http.status"], &line["took.ms"]), (&503.into(), &1.5.into()));
        assert_eq!((&line["fine"], &line["odd"]), (&true.into(), &Value::Null));
        assert_eq!(line["who"], "a \"quoted\"\nname");
        assert_eq!((&line["error"], &line["shown"]), (&"refused".into(), &"Some(1)".into()));
        assert!(!line.contains_key("logging.googleapis.com/trace"), "it is of no turn");
        // 2026-11-21T03:53:15.123456Z
        let time = line["time"].as_str().unwrap();
        let shape: String =
            time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
    }

    #[test]
    fn lines_of_a_turn_share_its_trace_and_its_fields() {
        let turn = || {
            let turn = tracing::info_span!("turn", turn.id = %"00ff00ff00ff00ff", attempt = 2);
            let _turn = turn.entered();
            tracing::info!("first");
            let _stage = tracing::debug_span!("stage", stage.name = "stt").entered();
            tracing::debug!(attempt = 3, "second");
        };
        let bare = lines(None, turn);
        for line in &bare {
            let trace = &line["logging.googleapis.com/trace"];
            assert_eq!(trace, "000000000000000000ff00ff00ff00ff");
            assert_eq!(line["turn.id"], "00ff00ff00ff00ff");
        }
        assert_eq!((&bare[0]["attempt"], &bare[0]["stage.name"]), (&2.into(), &Value::Null));
        assert_eq!((&bare[1]["attempt"], &bare[1]["stage.name"]), (&3.into(), &"stt".into()));
        let trace = &lines(Some("my-project"), turn)[0]["logging.googleapis.com/trace"];
        assert_eq!(trace, "projects/my-project/traces/000000000000000000ff00ff00ff00ff");
    }

    #[test]
    fn a_field_never_takes_the_place_of_the_line_s_own() {
        let lines = lines(None, || {
            let _span = tracing::info_span!("span", severity = "span's").entered();
            tracing::warn!(time = "noon", "late");
        });
        assert_eq!(
            (&lines[0]["severity"], &lines[0]["message"]),
            (&"WARNING".into(), &"late".into())
        );
        assert_eq!(lines[0]["field.severity"], "span's");
        assert_eq!(lines[0]["field.time"], "noon");
    }
}
