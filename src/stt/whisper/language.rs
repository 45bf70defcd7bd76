//! Chooses the language of an utterance by the likelihoods that the model gives them.

use std::ffi::c_int;

/// Indexes a language in whisper's table.
pub(super) type LanguageId = c_int;

/// A likely language is accepted unless another is more probable by this factor: the model does not
/// know the language of a short "ok" either.
const CLEARLY: f32 = 4.0;

/// Says what is known of the language of an utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LanguageChoice {
    /// What is probably spoken.
    pub(super) likely: Option<LanguageId>,
    /// What may be spoken; empty for anything.
    pub(super) among: Vec<LanguageId>,
}

impl LanguageChoice {
    /// Makes the choice of one.
    pub(super) fn only(language: LanguageId) -> Self {
        Self { likely: Some(language), among: vec![language] }
    }
}

/// Holds the language that an utterance is transcribed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LanguageFound {
    /// The language.
    pub(super) id: LanguageId,
    /// Its probability among all languages, 0 to 1.
    pub(super) probability: f32,
    /// Probability that it is one of the languages that were not to choose from.
    pub(super) elsewhere: f32,
}

/// Holds the probability of each language.
pub(super) struct Likelihoods(Vec<f32>);

impl Likelihoods {
    /// Computes them from the model's logits, one a language.
    pub(super) fn of(logits: &[f32]) -> Self {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let odds: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
        let sum: f32 = odds.iter().sum();
        Self(odds.into_iter().map(|one| one / sum).collect())
    }

    /// Returns the language to transcribe: the likely one, unless another is clearly more probable.
    pub(super) fn choose(&self, choice: &LanguageChoice) -> Option<LanguageFound> {
        let may = |id: &LanguageId| choice.among.is_empty() || choice.among.contains(id);
        let all = || (0..).zip(self.0.iter().copied());
        let (best, best_probability) =
            all().filter(|(id, _)| may(id)).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let of = |id: LanguageId| usize::try_from(id).ok().and_then(|at| self.0.get(at)).copied();
        let likely = choice.likely.filter(may).and_then(|id| Some((id, of(id)?)));
        let (id, probability) = match likely {
            Some((likely, own)) if best_probability <= CLEARLY * own => (likely, own),
            _ => (best, best_probability),
        };
        let elsewhere = all().filter(|(id, _)| !may(id)).map(|(_, one)| one).fold(0.0, f32::max);
        Some(LanguageFound { id, probability, elsewhere })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_must_be_clearly_more_probable_and_allowed() {
        let likelihoods = Likelihoods::of(&[1.0, 2.0, 5.0, 4.9]);
        let choose = |likely: LanguageId, among: &[LanguageId]| {
            let choice = LanguageChoice { likely: Some(likely), among: among.to_vec() };
            likelihoods.choose(&choice).map(|found| found.id)
        };
        assert_eq!(choose(0, &[]), Some(2));
        assert_eq!(choose(0, &[0, 3]), Some(3));
        assert_eq!(choose(3, &[]), Some(3));
        assert_eq!(choose(0, &[0, 1]), Some(0));
        assert_eq!(choose(2, &[]), Some(2));
        assert_eq!(Likelihoods::of(&[]).choose(&LanguageChoice::default()), None);
    }

    #[test]
    fn what_may_not_be_spoken_is_told_all_the_same() {
        let likelihoods = Likelihoods::of(&[0.0, 0.0, 6.0]);
        let found = likelihoods.choose(&LanguageChoice::only(1)).expect("it has languages");
        assert!(found.id == 1 && found.probability < 0.01 && found.elsewhere > 0.99, "{found:?}");
    }
}
