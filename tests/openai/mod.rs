//! A fake of OpenAI's API for tests: real HTTP on a port of its own.

pub(crate) mod speech;
