//! Sets up logs and metrics, and holds every metric's name.
//!
//! Nothing personal goes into either: no text, no audio, no phone number, no token.

mod budget;
mod build;
mod fields;
mod human;
mod json;
mod seldom;
#[cfg(test)]
pub(crate) mod testing;

use std::io::IsTerminal as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

use self::budget::{Bounded, LEFT_OUT, LogBudget, MINUTE};
pub use self::build::{COMMIT, VERSION, features};
pub use self::seldom::Seldom;
use crate::engine::Noticed;
use crate::turn::{Reason, SoundSide, StatusUpdate, ToolOutcome, TurnReport};

/// Histogram of each stage's interval, seconds, label `stage`.
pub const STAGE_SECONDS: &str = "hark_stage_seconds";
/// Histogram of complete turns, seconds.
pub const TURN_SECONDS: &str = "hark_turn_seconds";
/// Counter of finished turns, label `outcome`.
pub const TURNS_TOTAL: &str = "hark_turns_total";
/// Counter of a language model's tokens, labels `engine` and `kind` (`prompt`, of which `cached`, and
/// `completion`).
pub const LLM_TOKENS_TOTAL: &str = "hark_llm_tokens_total";
/// Histogram of calls of tools, seconds, labels `tool` (an HTTP tool or MCP server of the configuration,
/// or `unknown`) and `outcome`.
pub const TOOL_SECONDS: &str = "hark_tool_seconds";
/// Counter of webhooks, label `result`: what was in them, or why they were refused.
pub const WEBHOOK_TOTAL: &str = "hark_webhook_total";
/// Counter of messages in which somebody asks for a person, label `agent`.
pub const PERSON_REQUESTS_TOTAL: &str = "hark_person_requests_total";
/// Messages that came more than 24 hours late and are not answered.
pub const EXPIRED_TOTAL: &str = "hark_messages_expired_total";
/// 1 while known messages are looked up in Redis, 0 while it is away.
pub const REDIS_UP: &str = "hark_redis_up";
/// Messages that came again and were answered without the store.
pub const KNOWN_IN_REDIS_TOTAL: &str = "hark_known_in_redis_total";
/// Times that the machine's clock was set while hark ran, by direction.
pub const CLOCK_JUMPS_TOTAL: &str = "hark_clock_jumps_total";
/// Messages that waited too long for a clock that was set, and became due.
pub const WAITS_CUT_TOTAL: &str = "hark_waits_cut_total";
/// Counter of delivery statuses, labels `status` and `code` (of `failed`; else empty).
pub const STATUSES_TOTAL: &str = "hark_statuses_total";
/// Counter of looks at the server of `[customers] url`, label `result`: `known`, `unknown`, or why it
/// did not tell (`timed_out`, `unreachable`, `refused`, `unreadable`, `left_alone`).
pub const CUSTOMER_LOOKUPS_TOTAL: &str = "hark_customer_lookups_total";
/// Histogram of webhook answers, seconds.
pub const WEBHOOK_SECONDS: &str = "hark_webhook_seconds";
/// Counter of sentences to be spoken, label `result`: `hit`, their sound was kept; `miss`, it was made
/// and is kept; `other`, somebody's own answer, which is never kept.
pub const CACHE_SENTENCES_TOTAL: &str = "hark_cache_sentences_total";
/// Counter of kept sentences that had to go.
pub const CACHE_EVICTIONS_TOTAL: &str = "hark_cache_evictions_total";
/// Gauge of the bytes of kept sentences.
pub const CACHE_BYTES: &str = "hark_cache_bytes";
/// Gauge of the kept sentences.
pub const CACHE_ENTRIES: &str = "hark_cache_entries";
/// Counter of turns that were not answered because the credits of a number or an agent are spent, label
/// `scope` (`number`, `agent`).
pub const CREDITS_REFUSED_TOTAL: &str = "hark_credits_refused_total";
/// Counter of accounts of credits that fell below their warning, label as before.
pub const CREDITS_LOW_TOTAL: &str = "hark_credits_low_total";
/// Counter of files of sound, labels `side` (`in`, `out`) and `result`: `kept`, `lost` or `deleted`.
pub const SOUNDS_TOTAL: &str = "hark_sounds_total";

/// Always 1, labels `version`, `commit` and `gpu`, the way to graphics cards or `none`.
pub const BUILD_INFO: &str = "hark_build_info";
/// 1 for each transcriber that was loaded, labels `engine` and `device`, what it computes on.
pub const STT_DEVICE_INFO: &str = "hark_stt_device_info";
/// Counter of turns in which an engine heard or spoke, labels `role` (`stt`, `tts`) and `engine`.
pub const ENGINE_TURNS_TOTAL: &str = "hark_engine_turns_total";
/// Counter of what an engine of a list failed at, so that another got it; labels as before.
pub const ENGINE_FAILURES_TOTAL: &str = "hark_engine_failures_total";
/// 1 while an engine of a list is left alone because it fails, else 0; labels as before.
pub const ENGINE_LEFT_ALONE: &str = "hark_engine_left_alone";

/// Bucket bounds, seconds: from a webhook's fraction of a millisecond to a slow turn.
const BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
    120.0,
];

/// Names the form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line, as Google's Cloud Logging reads it.
    Json,
}

/// Says how log lines look.
pub struct LogStyle {
    /// Who reads them.
    pub format: LogFormat,
    /// Whether lines for people have colours.
    pub colours: bool,
    /// Whose clock their times are of.
    pub zone: TimeZone,
    /// The Google Cloud project that JSON lines name their traces after.
    pub project: Option<String>,
}

/// What this process may log.
static BUDGET: OnceLock<Arc<LogBudget>> = OnceLock::new();

/// Sends logs to stderr. A second call in one process changes nothing.
///
/// # Errors
/// If `level` is not a log level.
pub fn init_logs(style: LogStyle, level: &str) -> Result<(), String> {
    // The decoders tell a sender's own words, and rmcp a server's; `audio` and the tools say what failed.
    let filter = EnvFilter::try_new(format!("warn,symphonia=off,rmcp=off,hark={level}"))
        .map_err(|error| format!("[log] level {level:?}: {error}"))?;
    let LogStyle { format, colours, zone, project } = style;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .fmt_fields(JsonFields::new());
    let budget = Arc::clone(BUDGET.get_or_init(Arc::default));
    let _set_before = match format {
        LogFormat::Human => {
            let watched = std::io::stderr().is_terminal();
            let time = if watched { human::WATCHED } else { human::KEPT };
            let form = human::HumanLines { zone, time, colours };
            logs.event_format(Bounded { form, budget }).try_init()
        }
        LogFormat::Json => {
            let form = json::CloudLogging { project };
            logs.event_format(Bounded { form, budget }).try_init()
        }
    };
    Ok(())
}

/// Logs how many lines were left out of the log since it was last told, one line a kind.
pub fn tell_left_out() {
    for (count, like) in BUDGET.get().map(|budget| budget.left_out()).unwrap_or_default() {
        tracing::warn!(target: LEFT_OUT, count, like, "lines were left out of the log");
    }
}

/// Installs the recorder, once per process, and returns what renders it.
pub fn init_metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Prefix("hark_".into()), BUCKETS)
                .expect("the bounds are not empty")
                .install_recorder()
                .expect("nobody else installs a recorder")
        })
        .clone()
}

/// Records what the program was built from; `gpu` is its way to graphics cards.
pub fn built_from(gpu: &'static str) {
    let labels = [("version", VERSION), ("commit", COMMIT), ("gpu", gpu)];
    metrics::gauge!(BUILD_INFO, &labels).set(1.0);
}

/// Records what a transcriber computes on.
pub fn hears_on(engine: &str, device: &str) {
    let labels = [("engine", engine.to_owned()), ("device", device.to_owned())];
    metrics::gauge!(STT_DEVICE_INFO, &labels).set(1.0);
}

/// Records what was noticed of an engine of a list.
pub fn engine_noticed(role: &'static str, engine: &str, noticed: Noticed) {
    let labels = [("role", role.to_owned()), ("engine", engine.to_owned())];
    match noticed {
        Noticed::Failed => metrics::counter!(ENGINE_FAILURES_TOTAL, &labels).increment(1),
        Noticed::Opened => metrics::gauge!(ENGINE_LEFT_ALONE, &labels).set(1.0),
        Noticed::Listed | Noticed::Closed => metrics::gauge!(ENGINE_LEFT_ALONE, &labels).set(0.0),
    }
}

/// Logs and measures one finished turn and the intervals of its stages.
pub fn turn(report: &TurnReport) {
    tracing::info!(
        outcome = report.outcome.name(),
        reason = report.reason.as_ref().map(Reason::without_error),
        total_ms = report.total_ms,
        overhead_ms = report.overhead_ms,
        "a turn ended"
    );
    for record in &report.stages {
        let took_s = (record.end_ms - record.start_ms) / 1000.0;
        metrics::histogram!(STAGE_SECONDS, "stage" => record.name.name()).record(took_s);
    }
    for (role, engines) in [("stt", &report.engines.stt), ("tts", &report.engines.tts)] {
        for engine in engines {
            let labels = [("role", role.to_owned()), ("engine", engine.clone())];
            metrics::counter!(ENGINE_TURNS_TOTAL, &labels).increment(1);
        }
    }
    metrics::counter!(TURNS_TOTAL, "outcome" => report.outcome.name()).increment(1);
    metrics::histogram!(TURN_SECONDS).record(report.total_ms / 1000.0);
}

/// Moves measurements into their buckets every few seconds, since without a scraper they would pile
/// up, and tells once a minute what the log left out; for ever.
pub async fn upkeep(metrics: PrometheusHandle) {
    let measured = async {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            metrics.run_upkeep();
        }
    };
    let told = async {
        loop {
            tokio::time::sleep(MINUTE).await;
            tell_left_out();
        }
    };
    tokio::join!(measured, told);
}

/// Records the tokens of one answer; the cached ones are among the prompt's.
pub fn usage(responder: &str, prompt: u64, cached: u64, completion: u64) {
    for (kind, tokens) in [("prompt", prompt), ("cached", cached), ("completion", completion)] {
        let labels = [("engine", responder.to_owned()), ("kind", kind.to_owned())];
        metrics::counter!(LLM_TOKENS_TOTAL, &labels).increment(tokens);
    }
}

/// Records and logs what came of a call of a tool.
pub fn tool_called(tool: &str, outcome: ToolOutcome, took: Duration) {
    let labels = [("tool", tool.to_owned()), ("outcome", outcome.name().to_owned())];
    metrics::histogram!(TOOL_SECONDS, &labels).record(took.as_secs_f64());
    let took_ms = took.as_secs_f64() * 1000.0;
    if outcome == ToolOutcome::Answered {
        tracing::debug!(tool, took_ms, "a tool answered");
    } else {
        tracing::warn!(tool, outcome = outcome.name(), took_ms, "a call of a tool failed");
    }
}

/// Records what came of one webhook or handshake.
pub fn webhook_result(result: &'static str) {
    metrics::counter!(WEBHOOK_TOTAL, "result" => result).increment(1);
}

/// Records whether the sound of a sentence was at hand.
pub fn cache_asked(result: &'static str) {
    metrics::counter!(CACHE_SENTENCES_TOTAL, "result" => result).increment(1);
}

/// Records that kept sentences had to go.
pub fn cache_evicted(entries: u64) {
    metrics::counter!(CACHE_EVICTIONS_TOTAL).increment(entries);
}

/// Records how much is kept.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn cache_holds(bytes: u64, entries: u64) {
    metrics::gauge!(CACHE_BYTES).set(bytes as f64);
    metrics::gauge!(CACHE_ENTRIES).set(entries as f64);
}

/// Records what became of a file of sound.
pub fn sound(side: SoundSide, result: &'static str) {
    metrics::counter!(SOUNDS_TOTAL, "side" => side.name(), "result" => result).increment(1);
}

/// Records what a server said to who writes.
pub fn customer_lookup(result: &'static str) {
    metrics::counter!(CUSTOMER_LOOKUPS_TOTAL, "result" => result).increment(1);
}

/// Records that a turn is not answered, since there are no credits for it.
pub fn credits_refused(scope: &'static str) {
    metrics::counter!(CREDITS_REFUSED_TOTAL, "scope" => scope).increment(1);
}

/// Records that credits are running out.
pub fn credits_low(scope: &'static str) {
    metrics::counter!(CREDITS_LOW_TOTAL, "scope" => scope).increment(1);
}

/// Records that somebody asked for a person.
pub fn person_request(agent: &str) {
    metrics::counter!(PERSON_REQUESTS_TOTAL, "agent" => agent.to_owned()).increment(1);
}

/// Notes whether known messages are looked up in Redis.
pub fn front_is_up(up: bool) {
    metrics::gauge!(REDIS_UP).set(if up { 1.0 } else { 0.0 });
}

/// Counts messages that came again and were answered without the store.
pub fn known_in_front(messages: usize) {
    metrics::counter!(KNOWN_IN_REDIS_TOTAL).increment(messages as u64);
}

/// Counts a message that came too late.
pub fn expired() {
    metrics::counter!(EXPIRED_TOTAL).increment(1);
}

/// Counts a clock that was set `ahead` or `back`.
pub fn clock_jumped(direction: &'static str) {
    metrics::counter!(CLOCK_JUMPS_TOTAL, "direction" => direction).increment(1);
}

/// Counts messages whose wait was cut.
pub fn waits_cut(messages: u64) {
    metrics::counter!(WAITS_CUT_TOTAL).increment(messages);
}

/// Records what became of a message that was sent.
pub fn status(update: &StatusUpdate) {
    let code = update.error_code.map(|code| code.to_string()).unwrap_or_default();
    let labels = [("status", update.status.name().to_owned()), ("code", code)];
    metrics::counter!(STATUSES_TOTAL, &labels).increment(1);
}

/// Records how long one webhook took.
pub fn webhook(took: Duration) {
    metrics::histogram!(WEBHOOK_SECONDS).record(took);
}
