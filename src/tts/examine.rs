//! Asks a voice for the first sound of one word, for the doctor.

use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Sentence, Synthesizer, Voice};
use crate::engine::{TRIAL_LIMIT, TrialError};
use crate::turn::LanguageCode;

/// Listens up to the first sound, and no further.
pub(super) async fn first_sound(
    synthesizer: &dyn Synthesizer,
    language: LanguageCode,
    voice: Option<Voice>,
) -> Result<(), TrialError> {
    let refusal = |why: String| Err(TrialError { status: None, why });
    let cancel = CancellationToken::new();
    let _cancelled = cancel.clone().drop_guard();
    let word = Sentence { text: "ok".to_owned(), language, voice };
    let sound = async { synthesizer.speak(word, &cancel).await.next().await };
    match timeout(TRIAL_LIMIT, sound).await {
        Ok(Some(Ok(_))) => Ok(()),
        Ok(Some(Err(error))) => Err(TrialError { status: error.status(), why: error.to_string() }),
        Ok(None) => refusal("there was no sound".to_owned()),
        Err(_late) => refusal(format!("no sound within {} s", TRIAL_LIMIT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tts::scripted::ScriptedSynthesizer;

    #[tokio::test]
    async fn the_first_sound_of_a_word_is_heard() {
        let hums = ScriptedSynthesizer::new(0, 0.0);
        assert_eq!(first_sound(&hums, "en".into(), None).await, Ok(()));
    }
}
