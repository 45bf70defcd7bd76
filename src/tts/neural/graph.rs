//! Reads and runs ONNX graphs of voices, on the thread that asks.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool};

/// Says why a voice's files cannot speak: pull them again, or use another voice.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadVoice {
    /// A file is damaged or something else.
    #[error("{file} is not what it should be: {problem}")]
    File {
        /// Which one.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The graph is not that of such a voice.
    #[error("the network is another than this kind of voice has: {0}")]
    Graph(String),
}

impl BadVoice {
    /// Says that a file cannot be read as what it should be.
    pub(super) fn file(file: impl Into<String>, problem: impl Display) -> Self {
        Self::File { file: file.into(), problem: problem.to_string() }
    }

    /// Says that a run failed.
    pub(super) fn failed(problem: impl Display) -> Self {
        Self::Graph(problem.to_string())
    }

    /// Says that an output has another shape.
    pub(super) fn shape(shape: &[usize]) -> Self {
        Self::Graph(format!("an output has the shape {shape:?}"))
    }
}

/// Largest file of a voice that is read: of twice the largest that Piper has.
const MOST_BYTES: u64 = 250_000_000;

/// Reads a graph from a file.
///
/// # Errors
/// A file that cannot be read, is too large or is something else.
pub(super) fn load(file: &Path) -> Result<Model, BadVoice> {
    let name = || file.display().to_string();
    let read = || {
        let mut bytes = Vec::new();
        File::open(file)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error: io::Error| BadVoice::file(name(), error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(BadVoice::file(name(), "it is larger than any voice"));
    }
    Model::load(bytes).map_err(|error| BadVoice::file(name(), error))
}

/// Reads a graph that is part of the program.
///
/// # Errors
/// It is none.
pub(super) fn load_built_in(bytes: &'static [u8]) -> Result<Model, BadVoice> {
    Model::load_static_slice(bytes)
        .map_err(|error| BadVoice::file("the voice that is built in", error))
}

/// Finds inputs and outputs by their names.
///
/// # Errors
/// A name that the graph does not have.
pub(super) fn nodes<const N: usize>(
    model: &Model,
    names: [&str; N],
) -> Result<[NodeId; N], BadVoice> {
    let missing = |name| BadVoice::Graph(format!("it has no input or output \"{name}\""));
    let found: Result<Vec<_>, _> =
        names.iter().map(|name| model.find_node(name).ok_or_else(|| missing(name))).collect();
    Ok(found?.try_into().expect("a node for each name"))
}

/// Returns what a run is told: to compute on one thread, two of which gain nothing. Each thread that
/// asks has one of its own, so that sentences are computed side by side.
pub(super) fn options() -> RunOptions {
    thread_local! {
        static POOL: Arc<ThreadPool> = Arc::new(ThreadPool::with_num_threads(1));
    }
    RunOptions::default().with_thread_pool(Some(POOL.with(Arc::clone)))
}
