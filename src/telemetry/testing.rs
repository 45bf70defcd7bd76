//! Catches what a form of log lines writes.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level};
use tracing_subscriber::fmt::FormatEvent;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// Keeps what is written to any of its clones.
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

/// Collects the levels of what is logged, as long as the second is held.
pub(crate) fn told() -> (Arc<Mutex<Vec<Level>>>, DefaultGuard) {
    let told = Arc::new(Mutex::default());
    let levels = Levels(Arc::clone(&told));
    (told, Registry::default().with(levels).set_default())
}

struct Levels(Arc<Mutex<Vec<Level>>>);

impl Layer<Registry> for Levels {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, Registry>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
}

/// Returns what is written in this form while `work` runs.
pub(super) fn written<F>(form: F, work: impl FnOnce()) -> String
where
    F: FormatEvent<Registry, JsonFields> + Send + Sync + 'static,
{
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(move || writer.clone())
        .fmt_fields(JsonFields::new())
        .event_format(form)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let written = written.0.lock().unwrap().clone();
    String::from_utf8(written).unwrap()
}
