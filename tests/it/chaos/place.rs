//! Where a run has its files: beside what cargo built, named after its process.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

const HERE: &str = env!("CARGO_TARGET_TMPDIR");
const PREFIX: &str = "chaos-";

/// Makes the folder of a node.
pub(super) fn folder(node: usize) -> TempDir {
    let prefix = format!("{PREFIX}{}-{node}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(HERE).unwrap()
}

/// Takes away what runs left that failed or were killed.
pub(super) fn clear() {
    for entry in fs::read_dir(HERE).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
        let is_left = |(process, _): (&str, &str)| {
            process.bytes().all(|digit| digit.is_ascii_digit())
                && !Path::new("/proc").join(process).exists()
        };
        if process.is_some_and(is_left) {
            // Another run may be at it.
            fs::remove_dir_all(&path).ok();
        }
    }
}
