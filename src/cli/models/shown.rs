//! How a pull is shown: a bar for people, lines for logs, on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::size;
use crate::models::pull::{Progress, Wanted};

/// Shows how one file comes.
pub(super) struct Shown<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) licence: Option<&'static str>,
    pub(super) bar: ProgressBar,
}

impl Shown<'_> {
    pub(super) fn show(&self, progress: &Progress<'_>) {
        let Wanted { url, file, .. } = self.wanted;
        match progress {
            Progress::Begin { done, of } => {
                let licence = self.licence.map(|licence| format!(" under {licence}"));
                let after = (*done > 0).then(|| format!(", after the {done} bytes here"));
                let from = match url.scheme() {
                    "file" => url.path().to_owned(),
                    _ => url.origin().ascii_serialization(),
                };
                self.line(&format!(
                    "{file}: {}{} from {from}{}",
                    size(*of),
                    licence.unwrap_or_default(),
                    after.unwrap_or_default()
                ));
                self.bar.set_length(*of);
                self.bar.set_position(*done);
                self.bar.reset_eta();
            }
            Progress::At(done) => self.bar.set_position(*done),
            Progress::Again { problem, wait } => {
                self.line(&format!("{problem}; trying again in {} s", wait.as_secs_f64()));
            }
            Progress::Pinned { sha256 } => self.line(&format!(
                "{file}: sha256 {sha256}\n  is written down in models.lock: from now on it must be \
                 this file"
            )),
        }
    }

    /// Prints a line above the bar, or alone if there is no bar.
    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

pub(super) fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let template = "{bar:32} {decimal_bytes}/{decimal_total_bytes}  \
                    {decimal_bytes_per_sec}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
    bar
}
