//! Checks whisper.cpp's model files before whisper.cpp sees them.

mod header;
mod tensors;

pub use header::{Header, check, words};
