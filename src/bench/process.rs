//! The service's process, as the system sees it: its memory, and the processor time of its threads.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Beginnings of the names of threads that compute for an engine: whisper's, the voice's, and those of
/// the library that runs its graphs.
const ENGINES: [&str; 3] = ["stt-", "voice-", "rten-"];
/// Ticks of a second, as the system counts them for every program.
const TICKS: f64 = 100.0;

/// Looks at one process, now and then: a thread is known by the last look at it.
#[derive(Debug)]
pub struct Process {
    folder: PathBuf,
    /// Milliseconds of each thread of our own.
    own: HashMap<String, f64>,
}

/// Holds the processor time of a process since its start, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuTime {
    /// Of our own threads.
    pub own_ms: f64,
    /// Of the engines' threads, and of processes that were started.
    pub engines_ms: f64,
}

impl Process {
    /// Looks at the process of this id.
    #[must_use]
    pub fn of(id: u32) -> Self {
        Self { folder: format!("/proc/{id}").into(), own: HashMap::new() }
    }

    /// Returns what memory it holds and the most that it held, in MiB.
    #[must_use]
    pub fn memory_mib(&self) -> Option<(f64, f64)> {
        let status = fs::read_to_string(self.folder.join("status")).ok()?;
        let mib = |key| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kib / 1024.0)
        };
        Some((mib("VmRSS:")?, mib("VmHWM:")?))
    }

    /// Returns its processor time so far.
    pub fn cpu(&mut self) -> Option<CpuTime> {
        for thread in fs::read_dir(self.folder.join("task")).ok()?.flatten() {
            let folder = thread.path();
            let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            if !ENGINES.iter().any(|engine| name.starts_with(engine))
                && let Some(ms) = thread_ms(&folder)
            {
                self.own.insert(thread.file_name().to_string_lossy().into_owned(), ms);
            }
        }
        let own_ms = self.own.values().sum();
        Some(CpuTime {
            own_ms,
            engines_ms: (self.all_ms()? + self.children_ms() - own_ms).max(0.0),
        })
    }

    /// Returns the time of all threads, also of those that ended, and of processes that ended.
    fn all_ms(&self) -> Option<f64> {
        let stat = fs::read_to_string(self.folder.join("stat")).ok()?;
        // The name before may hold anything but the last bracket.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: f64 =
            fields.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
        Some(ticks * 1000.0 / TICKS)
    }

    /// Returns the time of processes that it started and that run.
    fn children_ms(&self) -> f64 {
        let children = fs::read_dir(self.folder.join("task")).into_iter().flatten().flatten();
        let ids =
            children.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let ids: Vec<String> = ids.collect();
        let ids = ids.iter().flat_map(|ids| ids.split_whitespace());
        ids.filter_map(|id| thread_ms(Path::new(&format!("/proc/{id}")))).sum()
    }
}

/// Returns the time that a thread ran; the system counts it in nanoseconds.
fn thread_ms(folder: &Path) -> Option<f64> {
    let schedule = fs::read_to_string(folder.join("schedstat")).ok()?;
    let nanoseconds: f64 = schedule.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_time_of_an_engines_thread_is_not_our_own() {
        let mut process = Process::of(std::process::id());
        let before = process.cpu().unwrap();
        let work = || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(300) {
                std::hint::spin_loop();
            }
        };
        // Looked at while it runs: its time is the process's afterwards, too.
        let engine = std::thread::Builder::new().name("stt-test".into()).spawn(work).unwrap();
        engine.join().unwrap();
        let after = process.cpu().unwrap();
        assert!(after.engines_ms - before.engines_ms > 50.0, "{before:?} {after:?}");
        let (now, most) = process.memory_mib().unwrap();
        assert!((1.0..=most).contains(&now), "{now} of {most}");
    }
}
