//! Makes rows for the tests of the tables.

use std::sync::Arc;

use hark::turn::Uncertainty;

use crate::row::{Doubt, Heading, Heard, Row, Took};

/// Makes a row of a recording of 5 s with `words` words, of which `wrong` were heard wrongly.
pub(crate) fn row(who: &str, language: &str, words: usize, wrong: usize) -> Row {
    let name = format!("{language}/{who}.ogg");
    let said = vec!["word".to_owned(); words];
    let clip = Heading { name, language: Some(language.into()), seconds: 5.0, said: said.clone() };
    Row {
        clip: Arc::new(clip),
        who: who.to_owned(),
        took: Took { cpu_s: 2.0, wall_s: 1.0 },
        heard: Ok(Heard { wrong, words: said, doubt: None }),
    }
}

/// Makes the same of a recording on which `who` failed.
pub(crate) fn failed(who: &str, language: &str, words: usize) -> Row {
    Row { heard: Err("is broken".into()), ..row(who, language, words, 0) }
}

/// Makes the same of a recording of which hark thinks this.
pub(crate) fn doubted(
    (words, wrong): (usize, usize),
    logprob: f64,
    no_speech: f64,
    uncertain: Option<Uncertainty>,
) -> Row {
    let doubt = Doubt { language: "en".into(), uncertain, logprob: Some(logprob), no_speech };
    let mut row = row("hark", "en", words, wrong);
    if let Ok(heard) = &mut row.heard {
        heard.doubt = Some(doubt);
    }
    row
}
