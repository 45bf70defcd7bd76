//! Placeholder
use super::graph::BadVoice;
use crate::models::built_in::Hibari;
pub(super) struct English;
impl English {
    pub(super) fn load(_: &Hibari) -> Result<Self, BadVoice> {
        Ok(Self)
    }
    pub(super) fn phonemes(&self, _: &str) -> String {
        "jˌʊɹ ˈɔɹdəɹ nˈʌmbəɹ ɪz fˈɔɹTi fˈɔɹ.".into()
    }
}
