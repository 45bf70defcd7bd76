//! Provides the models that are part of the program, so that one file copied to another machine
//! hears and speaks: one for words, one that tells voices from other sound, and a voice.
//!
//! The first place where a name is looked up. Without the cargo feature `model-micro` there is no
//! such model, and its name is a name like any other. The voice is not in the repository: `make voice`
//! gets its files, and a build without them has none.

use super::ModelSource;

/// Name of the model, and the default of `[stt] model`.
pub const NAME: &str = "hark-micro-en";

#[cfg(feature = "model-micro")]
static BYTES: Option<&[u8]> = Some(include_bytes!("../../models/hark-micro-en.bin"));
#[cfg(not(feature = "model-micro"))]
static BYTES: Option<&[u8]> = None;

/// Name of the voice.
pub const VOICE: &str = "heart";

/// Holds Silero VAD's weights, which need nothing but whisper.cpp.
#[cfg(feature = "stt-whisper")]
pub static SILERO: &[u8] = include_bytes!("../../models/silero-v6.2.0.bin");

/// Holds the files of hibari's voice "heart" and of what it reads English with, as they are published:
/// those that end in `.gz` are compressed.
#[cfg(feature = "tts-neural")]
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "models/voices/hibari.sha256 names the files")]
pub struct Hibari {
    pub voice: &'static [u8],
    pub symbols: &'static [u8],
    pub gold: &'static [u8],
    pub silver: &'static [u8],
    pub tagger: &'static [u8],
    pub tokenizer: &'static [u8],
    pub normalize: &'static [u8],
    pub unknown: &'static [u8],
    pub unknown_symbols: &'static [u8],
}

/// Returns the graph of the voice called `name`, if it is part of the program.
pub fn graph(name: &str) -> Option<&'static [u8]> {
    #[cfg(feature = "tts-neural")]
    return hibari().filter(|_| name == VOICE).map(|files| files.voice);
    #[cfg(not(feature = "tts-neural"))]
    {
        let _no_voice = name;
        None
    }
}

/// Names the voice that is part of the program, and its language.
pub fn voice() -> Option<&'static str> {
    cfg!(built_in_voice)
        .then_some("heart, en-US (hibari); other languages by files of voices or espeak-ng")
}

#[cfg(built_in_voice)]
macro_rules! hibari {
    ($file:literal) => {
        include_bytes!(concat!("../../models/voices/hibari/", $file))
    };
}

/// Returns the voice, if this build has it.
#[cfg(feature = "tts-neural")]
pub fn hibari() -> Option<Hibari> {
    #[cfg(built_in_voice)]
    return Some(Hibari {
        voice: hibari!("hibari.onnx"),
        symbols: hibari!("vocab.json"),
        gold: hibari!("lexicon_us_gold.json.gz"),
        silver: hibari!("lexicon_us_silver.json.gz"),
        tagger: hibari!("tagger.json.gz"),
        tokenizer: hibari!("tokenizer_exceptions.json"),
        normalize: hibari!("normalize.json"),
        unknown: hibari!("oov.onnx"),
        unknown_symbols: hibari!("oov.json"),
    });
    #[cfg(not(built_in_voice))]
    None
}

/// Returns the model, if `name` is its name and this build has it.
pub(super) fn find(name: &str) -> Option<ModelSource> {
    let bytes = BYTES.filter(|_| name == NAME)?;
    Some(ModelSource::Bytes { name: NAME, bytes })
}

/// Returns the model's bytes, if this build has one.
pub fn bytes() -> Option<&'static [u8]> {
    BYTES
}

#[cfg(all(test, feature = "stt-whisper"))]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::models::manifest;

    #[test]
    fn the_manifest_describes_the_files_that_are_built_in() {
        check("silero-v6.2.0", SILERO);
        if let Some(bytes) = BYTES {
            check(NAME, bytes);
        }
    }

    #[track_caller]
    fn check(name: &str, bytes: &[u8]) {
        let model = manifest::named(name).expect("it is in the manifest");
        let file = (bytes.len() as u64, hex::encode(Sha256::digest(bytes)));
        assert!(
            (model.bytes, &model.sha256) == (file.0, &file.1),
            "models/{} is another file than the manifest says. If it is a new model, write into \
             src/models/manifest.toml:\nbytes = {}\nsha256 = \"{}\"",
            model.file,
            file.0,
            file.1
        );
    }
}
