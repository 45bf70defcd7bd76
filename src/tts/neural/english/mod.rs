//! Reads English as the voices of hibari were taught it: a sentence in, phonemes out.
//!
//! A sentence is written out ([`expand`]), cut into [`terms`], each gets its kind ([`tagger`]), and from
//! the last to the first its [`words`] are looked up by the rules of [`reader`]; what none reads, a
//! small net does ([`unknown`]). The alphabet is misaki's. Any text is read: what has no sound is left
//! out, and the time is in proportion to its length.

mod endings;
mod expand;
mod figures;
mod files;
mod hashed;
mod letters;
mod lexicon;
mod numerals;
mod parts;
mod reader;
mod special;
mod stress;
mod tagger;
mod terms;
#[cfg(all(test, built_in_voice))]
mod tests;
mod unknown;
mod words;

use expand::Expander;
use lexicon::Lexicon;
use reader::WordReader;
use tagger::Tagger;
use terms::Cutter;
use unknown::Unknown;

use super::graph::BadVoice;
use crate::models::built_in::Hibari;

/// Says how a voice speaks; its lexicons and net have to fit. No British ones are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accent {
    American,
    British,
}

/// Reads sentences; any number of threads may at once.
pub(super) struct English {
    expander: Expander,
    cutter: Cutter,
    tagger: Tagger,
    reader: WordReader,
    unknown: Unknown,
}

impl English {
    /// Unpacks the files, which takes a tenth of a second.
    ///
    /// # Errors
    /// A file that is damaged or another.
    pub(super) fn load(files: &Hibari, accent: Accent) -> Result<Self, BadVoice> {
        let gold = Lexicon::load("lexicon", files.gold)?;
        let silver = Lexicon::load("second lexicon", files.silver)?;
        Ok(Self {
            tagger: Tagger::load(files.tagger)?,
            expander: Expander::load(files.normalize)?,
            cutter: Cutter::load(files.tokenizer)?,
            // Last, as what is unpacked for the others is gone by then.
            unknown: Unknown::load(files.unknown, files.unknown_symbols)?,
            reader: WordReader { gold, silver, accent },
        })
    }

    /// Returns the phonemes of a sentence, with its marks and a space between words; empty if nothing
    /// of it has a sound.
    pub(super) fn phonemes(&self, sentence: &str) -> String {
        let text = self.expander.expand(sentence);
        let terms = self.cutter.terms(&text);
        let texts: Vec<&str> = terms.iter().map(|term| term.text).collect();
        let tags = self.tagger.tags(&texts);
        words::sounds(&terms, &tags, &self.reader, &self.unknown)
    }
}
