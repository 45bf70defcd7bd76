//! Checks a model file before whisper.cpp reads it.
//!
//! whisper.cpp trusts the file: a wrong size ends in an assertion or a C++ exception, and either
//! ends the process. So everything it would trust is checked here first, in bounded memory: numbers
//! are read, words and weights are skipped. Layout: `whisper_model_load` in whisper.cpp 1.8.3,
//! `src/whisper.cpp` L1485-1956.

use std::io::{BufReader, Read, Seek};

use super::tensors::{self, WeightType};
use crate::models::ModelError;

/// `ggml` as a little-endian number.
const MAGIC: i32 = 0x6767_6d6c;
/// Words that every whisper vocabulary has; special tokens follow them and need not be in the file.
const WORDS: i32 = 50_256;
/// Longest word in OpenAI's vocabularies is 128 bytes.
const WORD_BYTES: i32 = 1_024;
/// Frequency bins of a 400-sample transform.
const FFT_BINS: i32 = 201;

/// Holds what a model file says about itself, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Tokens, including special ones: this alone determines the languages.
    pub n_vocab: i32,
    /// Width of encoder and decoder.
    pub n_state: i32,
    /// Layers of the encoder.
    pub n_audio_layer: i32,
    /// Layers of the decoder.
    pub n_text_layer: i32,
    /// Bands of the spectrogram.
    pub n_mels: i32,
    /// Weight tensors in the file: 0 (a model for tests) or all.
    pub tensors: usize,
}

impl Header {
    /// Returns whether it knows languages other than English.
    pub fn multilingual(&self) -> bool {
        self.n_vocab >= 51_865
    }

    /// Returns how many languages it knows, in the order of whisper's table.
    pub fn languages(&self) -> i32 {
        if self.multilingual() { self.n_vocab - 51_766 } else { 1 }
    }

    /// Returns whether it can transcribe at all; whisper.cpp's `for-tests-*` files have no weights.
    pub fn has_weights(&self) -> bool {
        self.tensors > 0
    }

    /// Returns how many tensors whisper.cpp requires: 7 + 4 outside the layers, 15 and 24 in each.
    pub(super) fn demanded_tensors(&self) -> usize {
        let layers = 15 * self.n_audio_layer + 24 * self.n_text_layer;
        11 + usize::try_from(layers).expect("layer counts are checked to be positive")
    }
}

/// Checks the model in `reader`, which is `len` bytes long; `file` names it in errors.
///
/// # Errors
/// `NotAModel`, `Incomplete` or `Malformed`, each with a sentence that says what is wrong.
pub fn check<R: Read + Seek>(reader: R, len: u64, file: &str) -> Result<Header, ModelError> {
    let mut input = Input { reader: BufReader::new(reader), at: 0, len, file };
    input.magic()?;
    let (mut header, weights) = hparams(&mut input)?;
    mel_filters(&mut input, &header)?;
    vocabulary(&mut input, &header, |_| {})?;
    header.tensors = tensors::walk(&mut input, &header, weights)?;
    Ok(header)
}

/// Reads the words of the model in `reader`, in the order of their tokens, without the special ones.
///
/// # Errors
/// As [`check`].
pub fn words<R: Read + Seek>(
    reader: R,
    len: u64,
    file: &str,
) -> Result<Vec<Box<[u8]>>, ModelError> {
    let mut input = Input { reader: BufReader::new(reader), at: 0, len, file };
    input.magic()?;
    let (header, _) = hparams(&mut input)?;
    mel_filters(&mut input, &header)?;
    let mut words = Vec::new();
    vocabulary(&mut input, &header, |word| words.push(word.into()))?;
    Ok(words)
}

fn hparams<R: Read + Seek>(input: &mut Input<'_, R>) -> Result<(Header, WeightType), ModelError> {
    let mut number = || input.i32("in its header");
    let (n_vocab, n_audio_ctx, n_state) = (number()?, number()?, number()?);
    let (n_audio_head, n_audio_layer, n_text_ctx) = (number()?, number()?, number()?);
    let (n_text_state, n_text_head, n_text_layer) = (number()?, number()?, number()?);
    let (n_mels, ftype) = (number()?, number()?);
    // No whisper model is larger than `large`: width 1280, 20 heads, 32 layers, 448 tokens.
    for (name, value, least, most) in [
        ("n_vocab", n_vocab, 51_864, 51_866),
        ("n_audio_ctx", n_audio_ctx, 1_500, 1_500),
        ("n_audio_state", n_state, 32, 1_280),
        ("n_text_state", n_text_state, n_state, n_state),
        ("n_audio_layer", n_audio_layer, 1, 32),
        ("n_text_layer", n_text_layer, 1, 32),
        ("n_text_ctx", n_text_ctx, 32, 448),
        ("n_audio_head", n_audio_head, 1, 20),
        ("n_text_head", n_text_head, 1, 20),
    ] {
        input.within(&format!("its dimensions are wrong, {name}"), value, least, most)?;
    }
    for heads in [n_audio_head, n_text_head] {
        if n_state % heads != 0 {
            return Err(
                input.malformed(format!("{heads} heads do not divide a width of {n_state}"))
            );
        }
    }
    if n_mels != 80 && n_mels != 128 {
        return Err(input.malformed(format!("n_mels is {n_mels}, not 80 or 128")));
    }
    let weights = WeightType::from_ftype(ftype)
        .ok_or_else(|| input.malformed(format!("ftype {ftype} is unknown")))?;
    if i64::from(n_state) % weights.block() != 0 {
        let block = weights.block();
        return Err(input.malformed(format!("a width of {n_state} is not a multiple of {block}")));
    }
    let header = Header { n_vocab, n_state, n_audio_layer, n_text_layer, n_mels, tensors: 0 };
    Ok((header, weights))
}

fn mel_filters<R: Read + Seek>(
    input: &mut Input<'_, R>,
    header: &Header,
) -> Result<(), ModelError> {
    let (bands, bins) = (input.i32("in its header")?, input.i32("in its header")?);
    input.within("the number of mel filters", bands, header.n_mels, header.n_mels)?;
    input.within("the size of a mel filter", bins, FFT_BINS, FFT_BINS)?;
    input.skip(i64::from(bands) * i64::from(bins) * 4, "in its mel filters")
}

fn vocabulary<R: Read + Seek>(
    input: &mut Input<'_, R>,
    header: &Header,
    mut word: impl FnMut(&[u8]),
) -> Result<(), ModelError> {
    const PLACE: &str = "in its vocabulary";
    let words = input.i32(PLACE)?;
    input.within("the size of the vocabulary", words, WORDS, header.n_vocab)?;
    let mut has_space = false;
    for _ in 0..words {
        let length = input.i32(PLACE)?;
        input.within("the length of a word", length, 0, WORD_BYTES)?;
        let bytes = input.up_to(length.unsigned_abs(), PLACE)?;
        has_space |= bytes == b" ";
        word(&bytes);
    }
    // Otherwise `vocab.token_to_id.at(" ")` throws through C.
    if has_space { Ok(()) } else { Err(input.malformed("its vocabulary has no space".into())) }
}

/// Reads a model file and knows where it is, so that no read goes past the end.
pub(super) struct Input<'a, R: Read> {
    reader: BufReader<R>,
    at: u64,
    len: u64,
    file: &'a str,
}

impl<R: Read + Seek> Input<'_, R> {
    fn magic(&mut self) -> Result<(), ModelError> {
        let mut start = Vec::with_capacity(64);
        let read = self.reader.by_ref().take(64).read_to_end(&mut start);
        read.map_err(|source| self.unreadable(source))?;
        if start.starts_with(&MAGIC.to_le_bytes()) {
            let back = 4 - i64::try_from(start.len()).expect("at most 64 bytes were read");
            self.at = 4;
            return self.reader.seek_relative(back).map_err(|source| self.unreadable(source));
        }
        Err(ModelError::NotAModel { file: self.file.to_owned(), what: what_it_is(&start) })
    }

    pub(super) fn left(&self) -> u64 {
        self.len.saturating_sub(self.at)
    }

    pub(super) fn bytes<const N: usize>(&mut self, place: &str) -> Result<[u8; N], ModelError> {
        let mut bytes = [0; N];
        self.need(N as u64, place)?;
        self.reader.read_exact(&mut bytes).map_err(|source| self.unreadable(source))?;
        Ok(bytes)
    }

    pub(super) fn i32(&mut self, place: &str) -> Result<i32, ModelError> {
        self.bytes(place).map(i32::from_le_bytes)
    }

    /// Reads `count` bytes, which the callers have checked to be few.
    fn up_to(&mut self, count: u32, place: &str) -> Result<Vec<u8>, ModelError> {
        self.need(count.into(), place)?;
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count.into()).read_to_end(&mut bytes);
        read.map_err(|source| self.unreadable(source))?;
        Ok(bytes)
    }

    /// Skips `count` bytes, which the callers have checked not to be negative.
    pub(super) fn skip(&mut self, count: i64, place: &str) -> Result<(), ModelError> {
        self.need(count.unsigned_abs(), place)?;
        self.reader.seek_relative(count).map_err(|source| self.unreadable(source))
    }

    fn need(&mut self, count: u64, place: &str) -> Result<(), ModelError> {
        if count > self.left() {
            return Err(self.incomplete(format!("it ends {place} after {} bytes", self.len)));
        }
        self.at += count;
        Ok(())
    }

    pub(super) fn within(
        &self,
        name: &str,
        value: i32,
        least: i32,
        most: i32,
    ) -> Result<(), ModelError> {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        let allowed =
            if least == most { format!("not {least}") } else { format!("not {least} to {most}") };
        Err(self.malformed(format!("{name} is {value}, {allowed}")))
    }

    pub(super) fn malformed(&self, problem: String) -> ModelError {
        ModelError::Malformed { file: self.file.to_owned(), problem }
    }

    pub(super) fn incomplete(&self, missing: String) -> ModelError {
        ModelError::Incomplete { file: self.file.to_owned(), missing }
    }

    fn unreadable(&self, source: std::io::Error) -> ModelError {
        ModelError::Unreadable { file: self.file.to_owned(), source }
    }
}

/// Names what is often saved in place of a model, from its first bytes.
fn what_it_is(start: &[u8]) -> &'static str {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins =
        |with: &[u8]| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    if start.is_empty() {
        "empty, not a model: nothing was downloaded"
    } else if begins(b"<!doctype") || begins(b"<html") || begins(b"<head") || begins(b"<!--") {
        "a web page (HTML), not a model: the download saved an error page"
    } else if begins(b"version https://git-lfs") {
        "a Git LFS pointer, not a model: the repository was cloned without LFS"
    } else if begins(b"<?xml") || begins(b"{") || begins(b"Entry not found") {
        "a text file, not a model: the download saved an error message"
    } else if start.starts_with(b"GGUF") {
        "a GGUF file: whisper.cpp reads its own older format, ggml"
    } else {
        "not a whisper.cpp model: it does not begin with the magic number of ggml"
    }
}

#[cfg(test)]
mod tests;
