//! Another program as a contestant: a child process of Python that loads its model once.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use hark::turn::LanguageCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::row::Took;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ears/rivals.py");

/// Says which program, and what it loads.
#[derive(Clone, Debug)]
pub(crate) struct RivalModel {
    /// `pywhispercpp` or `faster-whisper`.
    pub(crate) program: &'static str,
    pub(crate) model: PathBuf,
}

/// Hears with another program, one way of several that share a process.
#[derive(Clone)]
pub(crate) struct Rival {
    process: Arc<Mutex<Process>>,
    beam: usize,
}

struct Process {
    name: &'static str,
    lines: Lines<BufReader<ChildStdout>>,
    asks: ChildStdin,
    child: Child,
}

/// What the child says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line<T> {
    Failed { error: String },
    Done(T),
}

#[derive(Deserialize)]
struct Ready {
    version: String,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    #[serde(flatten)]
    took: Took,
}

impl Rival {
    /// Starts the child and waits until it has loaded its model and heard a second of silence;
    /// returns its version, too.
    pub(crate) async fn start(
        python: &Path,
        RivalModel { program, model }: &RivalModel,
        threads: usize,
    ) -> anyhow::Result<(Self, String)> {
        let mut child = Command::new(python)
            .arg(PROGRAM)
            .arg(program)
            .arg(model)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| python.display().to_string())?;
        let asks = child.stdin.take().context("its stdin is a pipe")?;
        let lines = BufReader::new(child.stdout.take().context("its stdout is a pipe")?).lines();
        let mut process = Process { name: program, lines, asks, child };
        let Ready { version } = process.answer().await?;
        Ok((Self { process: Arc::new(Mutex::new(process)), beam: 1 }, version))
    }

    /// Returns the same process asked for another width of beam.
    pub(crate) fn with_beam(&self, beam: usize) -> Self {
        Self { beam, ..self.clone() }
    }

    /// Hears the samples in a file.
    pub(crate) async fn hear(
        &self,
        sound: &Path,
        language: Option<&LanguageCode>,
    ) -> Result<(String, Took), String> {
        let ask = json!({ "sound": sound, "language": language, "beam": self.beam });
        let mut process = self.process.lock().await;
        let Answer { text, took } =
            process.ask(&ask).await.map_err(|error| format!("{error:#}"))?;
        Ok((text, took))
    }
}

impl Process {
    async fn ask(&mut self, ask: &serde_json::Value) -> anyhow::Result<Answer> {
        self.asks.write_all(format!("{ask}\n").as_bytes()).await.context("it has ended")?;
        self.answer().await
    }

    async fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let Some(line) = self.lines.next_line().await? else {
            bail!("{} ended: {}", self.name, self.child.wait().await?);
        };
        match serde_json::from_str(&line)? {
            Line::Done(said) => Ok(said),
            Line::Failed { error } => bail!(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Starts a program that is no Python and does this.
    async fn start(script: &str) -> anyhow::Result<(Rival, String)> {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let model = RivalModel { program: "pywhispercpp", model: "m.bin".into() };
        Rival::start(&python, &model, 1).await
    }

    #[tokio::test]
    async fn a_rival_is_asked_line_by_line_and_says_why_it_failed() {
        let script = r#"echo '{"version": "1.2"}'
            read line; echo '{"text": "hi", "cpu_s": 1.5, "wall_s": 2.0}'
            read line; echo '{"error": "no such sound"}'
            exit 3"#;
        let (rival, version) = start(script).await.unwrap();
        assert_eq!(version, "1.2");
        let sound = Path::new("samples.f32");
        let heard = rival.hear(sound, Some(&"en".into())).await;
        assert_eq!(heard, Ok(("hi".into(), Took { cpu_s: 1.5, wall_s: 2.0 })));
        let failed = rival.with_beam(5).hear(sound, None).await;
        assert_eq!(failed, Err("no such sound".into()));
        let gone = rival.hear(sound, None).await.unwrap_err();
        assert!(gone.contains("ended"), "{gone}");
    }

    #[tokio::test]
    async fn a_rival_that_does_not_start_says_so() {
        let error = start(r#"echo '{"error": "no module"}'"#).await.err().unwrap();
        assert_eq!(error.to_string(), "no module");
        let error = start("exit 3").await.err().unwrap();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }
}
