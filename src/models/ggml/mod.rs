//! whisper.cpp's model files, checked before whisper.cpp sees them.

mod header;
mod tensors;

pub use header::{Header, check};
