//! The answer of a language model's server: the same words, or the same failure, however its bytes
//! arrive.

use std::sync::LazyLock;

use hark::agent::Delta;
use hark::agent::openai::read_answer;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("it has no parts"));

pub(super) fn run(body: &[u8]) {
    let pieces = super::pieces(body).map(<[u8]>::to_vec).collect();
    let (whole, in_pieces) = (answer(vec![body.to_vec()]), answer(pieces));
    assert_eq!(in_pieces, whole, "in pieces, and whole");
    assert!(whole.0.len() <= 2 * (64 << 10), "{} bytes are said", whole.0.len());
}

/// Returns what is said in the end, and what went wrong.
fn answer(pieces: Vec<Vec<u8>>) -> (String, Option<String>) {
    let (deltas, error) = RUNTIME.block_on(read_answer(pieces));
    let mut said = String::new();
    for delta in deltas {
        match delta {
            Delta::Text(text) => said.push_str(&text),
            Delta::Retract => said.clear(),
            Delta::Usage(_) | Delta::Tool(_) | Delta::Extra(_) | Delta::Ticket(_) => {}
        }
    }
    (said, error.map(|error| format!("{error:?}")))
}
