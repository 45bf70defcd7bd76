//! How far a step is: a bar for people, a line now and then for logs, on stderr.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(2);

/// Shows one step.
pub(super) struct StepProgress {
    bar: ProgressBar,
    lines: bool,
    said: Instant,
}

impl StepProgress {
    /// Begins a step of so many notes.
    pub(super) fn start(what: &str, notes: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(notes as u64), ProgressDrawTarget::stderr());
        let template = "{msg}  {bar:32} {pos}/{len}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
        bar.set_message(what.to_owned());
        Self { bar, lines: !std::io::stderr().is_terminal(), said: Instant::now() }
    }

    /// Tells of one more answer.
    pub(super) fn answered(&mut self) {
        self.bar.inc(1);
        if self.lines && self.said.elapsed() > LINE {
            self.said = Instant::now();
            let (done, of) = (self.bar.position(), self.bar.length().unwrap_or_default());
            eprintln!("{}: {done} of {of} notes", self.bar.message());
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
