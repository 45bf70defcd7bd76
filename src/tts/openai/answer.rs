//! What a speech server's refusals mean.
//!
//! Invariant: its words come here redacted.

use crate::remote::failure::Refusal;
use crate::tts::TtsError;

/// Makes the error of an answer that is not a success; `said` are its words, redacted.
pub(super) fn refused(refusal: &Refusal, said: String) -> TtsError {
    let status = refusal.status;
    match status {
        401 | 403 => TtsError::Key { status, said },
        408 | 409 | 425 | 429 | 500.. => {
            TtsError::Busy { status, said, after: refusal.retry_after }
        }
        _ => TtsError::Refused { status, said },
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    #[test]
    fn a_status_says_what_to_do() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().unwrap());
        let refused = |status| refused(&Refusal::new(status, &headers, b""), String::new());
        for status in [408, 429, 500, 503] {
            let busy = refused(status);
            assert!(
                matches!(busy, TtsError::Busy { after: Some(after), .. } if after.as_secs() == 2)
            );
            assert_eq!(busy.status(), Some(status));
        }
        assert!(matches!(refused(401), TtsError::Key { .. }));
        assert!(matches!(refused(404), TtsError::Refused { .. }));
    }
}
