//! Tells the program which commit it is built from: of `HARK_COMMIT`, else of git, else unknown; and
//! whether the files of the voice are here that becomes part of it.
//!
//! Runs again when the sources change, which compiles the crate anyway, and not at every commit. A
//! build of changed sources says so, and is right after they are committed, too.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

#[expect(clippy::disallowed_methods, reason = "no program runs yet")]
fn main() {
    for changed in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    println!("cargo:rerun-if-env-changed=HARK_COMMIT");
    let given = std::env::var("HARK_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let commit = given.or_else(commit).unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo:rustc-env=HARK_COMMIT={}", commit.trim());
    find_voice();
}

/// Sets `cfg(built_in_voice)` if every file of the voice is here. A build without them is a build
/// without that voice, but other files under their names are a mistake.
fn find_voice() {
    println!("cargo:rustc-check-cfg=cfg(built_in_voice)");
    println!("cargo:rerun-if-changed=models/voices");
    let feature = std::env::var_os("CARGO_FEATURE_TTS_NEURAL");
    if feature.is_none() {
        return;
    }
    let voices = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/voices");
    let listed = fs::read_to_string(voices.join("hibari.sha256")).expect("it is a source file");
    for line in listed.lines() {
        let (due, name) = line.split_once("  ").expect("a line of sha256sum");
        let Ok(bytes) = fs::read(voices.join("hibari").join(name)) else {
            println!(
                "cargo:warning=hark is built without its neural voice, and speaks with espeak-ng: \
                 models/voices/hibari/{name} is missing; `make voice` gets it"
            );
            return;
        };
        let found = hex::encode(Sha256::digest(&bytes));
        assert!(
            found == due,
            "models/voices/hibari/{name} has sha256 {found}, not {due}: remove the folder, then \
             `make voice`"
        );
    }
    println!("cargo:rustc-cfg=built_in_voice");
}

/// Returns the short hash and the day of the commit, if this folder is a repository of its own: an
/// unpacked archive may lie in somebody else's.
fn commit() -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok()?;
    let top = Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if here != top {
        return None;
    }
    let commit = git(&["show", "--no-patch", "--format=%h %cs", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--", "build.rs", "src", "Cargo.toml"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}, changed") })
}

/// Returns what git says, if it is there and does.
fn git(arguments: &[&str]) -> Option<String> {
    let said = Command::new("git").args(arguments).output().ok()?;
    let text = said.status.success().then_some(said.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
