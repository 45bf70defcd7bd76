//! The `hark` program: arguments to exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    hark::cli::main()
}
