//! Speaks with neural voices.

mod english;

use english::{Accent, English, EnglishFiles};

/// Reads a sentence with the published files: phonemes, or what is wrong with a file.
///
/// # Errors
/// A file cannot be used.
pub fn read(sentence: &str, files: [&'static [u8]; 7]) -> Result<String, String> {
    let [gold, silver, tagger, tokenizer, normalize, unknown, unknown_symbols] = files;
    let files =
        EnglishFiles { gold, silver, tagger, tokenizer, normalize, unknown, unknown_symbols };
    let english = English::load(&files, Accent::American).map_err(|bad| bad.to_string())?;
    Ok(english.phonemes(sentence))
}
