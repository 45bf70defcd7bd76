//! Detects the language of an utterance from the encoder's output, which is there already.
//!
//! whisper.cpp's own detection runs the encoder once more, which on a processor is most of the
//! time. Here the likely language is transcribed first, and then one decoder step over the same
//! encoder output says how probable it was (3-4 ms for `base`, where a second pass of the encoder
//! is saved).

use whisper_rs::{WhisperError, WhisperState, WhisperTokenId};

use super::params::LanguageId;

/// A likely language is accepted unless another is more probable by this factor: the model does not
/// know the language of a short "ok" either.
const CLEARLY: f32 = 4.0;

/// Locates the languages of one multilingual model by their tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct LanguageTokens {
    /// Start of transcript, the token before a language's.
    pub(super) start: WhisperTokenId,
    /// The first language's token; the others follow in whisper's order.
    pub(super) first: WhisperTokenId,
    /// Number of languages.
    pub(super) count: LanguageId,
}

impl LanguageTokens {
    /// Returns the language in which `state`'s last run should have been, if it is clearly not
    /// `assumed`; one of `among` unless that is empty.
    pub(super) fn mistaken(
        self,
        state: &mut WhisperState,
        assumed: LanguageId,
        among: &[LanguageId],
        threads: usize,
    ) -> Result<Option<LanguageId>, WhisperError> {
        state.decode(&[self.start], 0, threads)?;
        let logits = state.get_logits()?;
        let first = usize::try_from(self.first).unwrap_or_default();
        let count = usize::try_from(self.count).unwrap_or_default();
        let logits = logits.get(first..first + count).unwrap_or_default();
        Ok(clearly_other(logits, assumed, among))
    }
}

/// Returns the most probable language by `logits`, one per language, if it is clearly not
/// `assumed`.
fn clearly_other(logits: &[f32], assumed: LanguageId, among: &[LanguageId]) -> Option<LanguageId> {
    let of = |id: LanguageId| usize::try_from(id).ok().and_then(|at| logits.get(at)).copied();
    let all = (0..).zip(logits).map(|(id, _)| id);
    let candidates = all.filter(|id| among.is_empty() || among.contains(id));
    let best = candidates.max_by(|a, b| {
        let (a, b) = (of(*a).unwrap_or(f32::MIN), of(*b).unwrap_or(f32::MIN));
        a.total_cmp(&b)
    })?;
    // Logits differ by the logarithm of the ratio of their probabilities.
    let clear = of(best)? - of(assumed)? > CLEARLY.ln();
    (best != assumed && clear).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_must_be_clearly_more_probable_and_allowed() {
        let logits = [1.0, 2.0, 5.0, 4.9];
        assert_eq!(clearly_other(&logits, 0, &[]), Some(2));
        assert_eq!(clearly_other(&logits, 0, &[0, 3]), Some(3));
        assert_eq!(clearly_other(&logits, 3, &[]), None);
        assert_eq!(clearly_other(&logits, 0, &[0, 1]), None);
        assert_eq!(clearly_other(&logits, 2, &[]), None);
        assert_eq!(clearly_other(&[], 0, &[]), None);
        assert_eq!(clearly_other(&[f32::NAN; 3], 1, &[]), None);
    }
}
