//! Why a webhook is not taken, and the log line that says so.
//!
//! Anybody can send what is refused, so a kind of refusal is logged at once and then at most once a
//! minute, with how many there were. Nothing that was sent is repeated.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::provider::payload::PayloadError;
use crate::store::StoreError;
use crate::telemetry::Seldom;

/// Names why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not signed: not Meta's, or something on the way dropped the header.
    NoSignature,
    /// None of our app secrets made its signature.
    BadSignature,
    /// It shows nothing that could prove it to be 360dialog's.
    NoProof,
    /// What it shows was made with none of the secrets shared with 360dialog.
    BadProof,
    /// It is larger than Meta's limit, or did not arrive whole.
    Unread(StatusCode),
    /// It took too long.
    TooSlow,
    /// It is signed and not JSON.
    BadJson(PayloadError),
    /// There are too many to check: the provider tries again.
    Busy,
    /// All together are too large to be held: the provider tries again.
    Full,
    /// The store is away: the provider tries again. Logged where it failed.
    NotStored,
    /// A handshake with another verify token.
    BadVerifyToken,
}

impl Refusal {
    /// Returns the status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::NoSignature | Self::BadSignature | Self::NoProof | Self::BadProof => {
                StatusCode::UNAUTHORIZED
            }
            Self::Unread(status) => status,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BadJson(_) => StatusCode::BAD_REQUEST,
            Self::Busy | Self::Full | Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadVerifyToken => StatusCode::FORBIDDEN,
        }
    }

    /// Returns its words for the answer.
    pub(super) fn answer(self) -> String {
        match self {
            Self::NoSignature | Self::BadSignature => {
                "X-Hub-Signature-256 is missing or matches no configured app_secret".to_owned()
            }
            Self::NoProof | Self::BadProof => {
                "no header has a configured webhook_secret, and x-360dialog-signature is missing \
                 or matches no configured signature_secret"
                    .to_owned()
            }
            Self::Unread(status) => status.canonical_reason().unwrap_or("not read").to_lowercase(),
            Self::TooSlow => "took too long".to_owned(),
            Self::BadJson(error) => format!("body is not a webhook: {error}"),
            Self::Busy | Self::Full => "could not be checked, try again".to_owned(),
            Self::NotStored => "could not be stored, try again".to_owned(),
            Self::BadVerifyToken => "verify token mismatch".to_owned(),
        }
    }

    /// Returns its label in the metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::NoSignature => "no_signature",
            Self::BadSignature => "bad_signature",
            Self::NoProof => "no_proof",
            Self::BadProof => "bad_proof",
            Self::Unread(StatusCode::PAYLOAD_TOO_LARGE) => "too_large",
            Self::Unread(_) => "cut_off",
            Self::TooSlow => "too_slow",
            Self::BadJson(_) => "bad_json",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::NotStored => "not_stored",
            Self::BadVerifyToken => "bad_verify_token",
        }
    }

    /// Returns what the log says, with what to do; `None` if somebody else logs it.
    fn line(self) -> Option<&'static str> {
        Some(match self {
            Self::NoSignature => {
                "webhooks were refused: they are not signed. Meta signs every one with \
                 X-Hub-Signature-256: a proxy drops that header, or they are somebody else's"
            }
            Self::BadSignature => {
                "webhooks were refused: no app_secret of the configuration signed them. If they \
                 are Meta's, copy the app secret anew (App settings > Basic) and reload"
            }
            Self::NoProof => {
                "webhooks were refused at /webhook/360dialog: no header has a number's \
                 webhook_secret, and they are not signed. Register the webhook with 360dialog \
                 anew (hark doctor --fix), or they are somebody else's"
            }
            Self::BadProof => {
                "webhooks were refused at /webhook/360dialog: no signature_secret of the \
                 configuration signed them. If they are 360dialog's, copy it anew from the \
                 Partner Hub and reload"
            }
            Self::Unread(_) => "webhooks were refused: larger than 3 MiB, or cut off",
            Self::TooSlow => "webhooks were refused: they did not arrive in time",
            Self::BadJson(_) => "webhooks were refused: they are signed and not JSON",
            Self::Busy => "webhooks were refused: too many large ones at a time",
            Self::Full => "webhooks were refused: together they are too large to be held",
            Self::NotStored => return None,
            Self::BadVerifyToken => {
                "a webhook handshake was refused: its verify token is not ours \
                 (webhook.verify_token)"
            }
        })
    }
}

/// Counts refusals by their label and logs them.
#[derive(Default)]
pub(super) struct Refusals(Arc<Seldom>);

impl Refusals {
    /// Logs the first refusal of a kind at once, and once a minute how many followed.
    pub(super) fn count(&self, refusal: Refusal) {
        let (label, Some(line)) = (refusal.label(), refusal.line()) else { return };
        self.0.tell(label, move |count| tracing::warn!(count, result = label, "{line}"));
    }

    /// Logs that webhooks could not be stored, and the first's reason, as often.
    pub(super) fn not_stored(&self, error: StoreError) {
        if error.is_told() {
            return;
        }
        self.0.tell("not_stored", move |count| {
            let why = "webhooks could not be stored; the provider sends them again";
            tracing::error!(count, error = %error, "{why}");
        });
    }

    /// Logs that a handshake was answered, as often.
    pub(super) fn handshake(&self) {
        self.0.tell("handshake", |count| {
            tracing::info!(count, "a webhook handshake was answered: the callback URL leads here");
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tracing::subscriber::set_default;
    use tracing::{Event, Metadata, Subscriber, span};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// Adds up lines and the counts in them.
    #[derive(Clone, Default)]
    struct Tally(Arc<(AtomicUsize, AtomicUsize)>);

    impl Subscriber for Tally {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().starts_with("hark::http")
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            struct Count<'a>(&'a AtomicUsize);
            impl tracing::field::Visit for Count<'_> {
                fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
                fn record_u64(&mut self, _: &tracing::field::Field, value: u64) {
                    self.0.fetch_add(usize::try_from(value).unwrap(), Ordering::Relaxed);
                }
            }
            self.0.0.fetch_add(1, Ordering::Relaxed);
            event.record(&mut Count(&self.0.1));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_wrong_signatures_is_one_line_a_minute_with_their_number() {
        let tally = Tally::default();
        let _logs = set_default(tally.clone());
        let said = || (tally.0.0.load(Ordering::Relaxed), tally.0.1.load(Ordering::Relaxed));
        let refusals = Refusals::default();
        for _ in 0..1000 {
            refusals.count(Refusal::BadSignature);
        }
        assert_eq!(said(), (1, 1));
        refusals.count(Refusal::NoSignature);
        assert_eq!(said(), (2, 2), "another kind has a line of its own");
        tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
        assert_eq!(said(), (3, 1001));
        refusals.count(Refusal::BadSignature);
        tokio::time::sleep(3 * MINUTE).await;
        assert_eq!(said(), (4, 1002), "each is counted, also the last");
        refusals.count(Refusal::BadSignature);
        assert_eq!(said(), (5, 1003), "after a quiet minute the first is told at once");
        refusals.count(Refusal::NotStored);
        assert_eq!(said(), (5, 1003), "the store's failure has its own line");
    }
}
