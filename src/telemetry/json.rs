//! Writes log lines for machines: one JSON object each, with the fields Google's Cloud Logging
//! reads.
//!
//! Every line has `severity`, `time`, `message` and `target`; lines of one turn share a trace and
//! labels. The fields of the event and of the spans around it keep their own names. Field names:
//! Google, "Structured logging", special JSON fields, as of 2026.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use super::fields::{Fields, TURN};

/// Names that the line itself uses or that have a meaning in Cloud Logging; a field with such a
/// name gets a prefix.
const TAKEN: [&str; 5] = ["severity", "time", "timestamp", "target", "httpRequest"];

/// Fields that are labels too, which Cloud Logging filters by, and the labels' names.
const LABELS: [(&str, &str); 3] = [(TURN, "turn"), ("number.id", "number"), ("agent", "agent")];

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
    #[serde(rename = "logging.googleapis.com/labels", skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'static str, String>,
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
        let Fields { message, spans: mut fields, own } = Fields::of(context, event)?;
        fields.extend(own);
        let text = |name| fields.get(name).and_then(Value::as_str);
        let trace = text(TURN).map(|turn| self.trace(turn));
        let label = |(field, label)| Some((label, text(field)?.to_owned()));
        let labels = LABELS.into_iter().filter_map(label).collect();
        for name in TAKEN {
            if let Some(value) = fields.remove(name) {
                fields.insert(format!("field.{name}"), value);
            }
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let severity = severity(*event.metadata().level());
        let target = event.metadata().target();
        let line = LogLine { severity, time, message, trace, labels, target, fields };
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

#[cfg(test)]
mod tests {
    use super::super::testing::written;
    use super::*;

    /// Returns what is written while `work` runs, line by line.
    fn lines(project: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        let text = written(CloudLogging { project: project.map(str::to_owned) }, work);
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
                http.status = 503, took.ms = 1.500_01, fine = true, who = "a \"quoted\"\nname",
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
            let (id, number) = ("00ff00ff00ff00ff", "106");
            let turn = tracing::info_span!("turn", turn.id = id, number.id = number, attempt = 2);
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
            let labels = serde_json::json!({ "turn": "00ff00ff00ff00ff", "number": "106" });
            assert_eq!(line["logging.googleapis.com/labels"], labels);
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
