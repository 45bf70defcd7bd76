//! `hark --version`: what this program was built from, and which parts it has.

use std::sync::LazyLock;

use crate::models::built_in;
use crate::stt::whisper::device;
use crate::telemetry;

/// What follows the program's name, in as many lines as there is to say.
static LONG: LazyLock<String> = LazyLock::new(|| {
    let model = built_in::bytes().map_or("none", |_| built_in::NAME);
    let voice = built_in::voice().unwrap_or("none: this build speaks with espeak-ng alone");
    format!(
        "{} ({})\nfeatures  {}\nmodel     {model}\nvoice     {voice}\ngpu       {}\nwhisper   {}",
        telemetry::VERSION,
        telemetry::COMMIT,
        telemetry::features().join(", "),
        device::BACKEND.unwrap_or("none: this build hears on the processor"),
        device::WHISPER_CPP,
    )
});

/// Returns what `--version` prints; `-V` prints the number alone.
pub(super) fn long() -> &'static str {
    &LONG
}
