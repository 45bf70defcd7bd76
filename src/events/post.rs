//! One event by HTTP: signed, sent, and what the answer means.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::CLOUD_EVENT;
use super::hooks::HookTeller;
use crate::remote::words::{error_chain, outside};
use crate::store::EventHookRow;

/// Limits how long an answer may take.
const ANSWER: Duration = Duration::from_secs(15);
/// Marks a secret of Standard Webhooks.
pub const SECRET_PREFIX: &str = "whsec_";

/// Says why an event was not taken.
pub(super) enum Refused {
    /// Nothing is wanted there any more.
    Gone,
    /// Anything else, in words.
    Because(String),
}

/// Sends an event once.
pub(super) async fn post(
    teller: &HookTeller,
    hook: &EventHookRow,
    event: i64,
    body: &str,
) -> Result<(), Refused> {
    let Some(secret) = teller.secrets.secret(&hook.id).await else {
        return Err(Refused::Because("its secret cannot be opened".to_owned()));
    };
    let (id, seconds) = (format!("evt_{event}"), teller.clock.now_ms() / 1000);
    let signature = sign(&secret, &id, seconds, body).map_err(Refused::Because)?;
    let request = teller
        .client
        .post(&hook.url)
        .header(CONTENT_TYPE, CLOUD_EVENT)
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(body.to_owned())
        .timeout(ANSWER);
    judge(request.send().await)
}

/// Reads an answer.
fn judge(answer: Result<Response, reqwest::Error>) -> Result<(), Refused> {
    let because = |why: String| Err(Refused::Because(why));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => {
            return because(format!("it does not answer within {} s", ANSWER.as_secs()));
        }
        Err(error) if error.is_redirect() => {
            return because("it redirects elsewhere: set the new address".to_owned());
        }
        Err(error) => return because(error_chain(error)),
    };
    let status = answer.status();
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let page = kind.is_some_and(|kind| kind.trim_start().starts_with("text/html"));
    match status {
        StatusCode::GONE => Err(Refused::Gone),
        _ if status.is_redirection() => {
            because("it redirects elsewhere: set the new address".to_owned())
        }
        // A page to log in on, or of whoever has the address now, takes no event.
        _ if status.is_success() && page => {
            because("it answers with a web page: is this the right address?".to_owned())
        }
        _ if status.is_success() => Ok(()),
        _ => because(format!("it answers {}", outside(&status.to_string()))),
    }
}

/// Signs an event as Standard Webhooks says: `v1,` and the HMAC-SHA256 of id, time and body in Base64.
///
/// # Errors
/// What is wrong with the secret.
pub fn sign(secret: &SecretString, id: &str, seconds: i64, body: &str) -> Result<String, String> {
    let text = secret.expose_secret();
    let key = BASE64_STANDARD
        .decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
        .map_err(|_| "its secret is not Base64".to_owned())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn an_event_is_signed_as_the_specification_shows() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(sign(&"whsec_?".into(), "a", 1, "").is_err());
    }
}
