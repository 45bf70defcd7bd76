//! The door of the webhook: proof that a body comes from who knows one of the app secrets.
//!
//! `http` asks it about the raw bytes, before any JSON is read; the simulator signs with it.
//! Invariants: the comparison takes constant time, and an empty secret verifies nothing.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Names the header with Meta's signature.
pub const SIGNATURE: &str = "x-hub-signature-256";
/// Names the header with 360dialog's signature.
pub const D360_SIGNATURE: &str = "x-360dialog-signature";
/// Precedes the hex digits.
const PREFIX: &str = "sha256=";

/// Holds what a webhook shows to prove its sender.
#[derive(Clone, Copy, Debug)]
pub struct Proof([u8; 32]);

impl Proof {
    /// Reads it from a webhook's headers; `None` if they have nothing of its form, `sha256=` and 64
    /// hex digits, so that no body could fit it.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(SIGNATURE)?.to_str().ok()?)
    }

    /// Reads 360dialog's: 64 hex digits, with or without `sha256=`, since integrators report both.
    #[must_use]
    pub fn read_360dialog(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(D360_SIGNATURE)?.to_str().ok()?.trim();
        Self::decode(header.strip_prefix(PREFIX).unwrap_or(header))
    }

    fn parse(header: &str) -> Option<Self> {
        Self::decode(header.trim().strip_prefix(PREFIX)?)
    }

    fn decode(digits: &str) -> Option<Self> {
        let mut signature = [0; 32];
        hex::decode_to_slice(digits, &mut signature).ok()?;
        Some(Self(signature))
    }

    /// Finds the secret that made it for exactly these bytes, by its place in `secrets`.
    pub fn signer<'a>(
        &self,
        body: &[u8],
        secrets: impl IntoIterator<Item = &'a SecretString>,
    ) -> Option<usize> {
        secrets.into_iter().position(|secret| self.is_by(body, secret))
    }

    /// Returns whether `secret` made it for exactly these bytes.
    #[must_use]
    pub fn is_by(&self, body: &[u8], secret: &SecretString) -> bool {
        !secret.expose_secret().is_empty() && mac(secret, body).verify_slice(&self.0).is_ok()
    }
}

/// Returns whether the header `name` has `secret`, alone or after `Bearer `.
#[must_use]
pub fn shows(headers: &HeaderMap, name: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret().as_bytes();
    let shown = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut shown = shown.map(|value| value.strip_prefix(b"Bearer ").unwrap_or(value));
    !secret.is_empty() && shown.any(|value| value.ct_eq(secret).into())
}

/// Returns whether `header` (`sha256=` and 64 hex digits) is the signature of exactly these bytes.
#[must_use]
pub fn verify(secret: &SecretString, body: &[u8], header: &str) -> bool {
    Proof::parse(header).is_some_and(|proof| proof.signer(body, [secret]).is_some())
}

/// Computes the header's value for these bytes.
#[must_use]
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    format!("{PREFIX}{}", hex::encode(mac(secret, body).finalize().into_bytes()))
}

fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length")
        .chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const SPACED: &[u8] = br#"{"object": "whatsapp_business_account", "entry": []}"#;
    const OF_COMPACT: &str =
        "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";
    const OF_SPACED: &str =
        "sha256=56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a";

    #[track_caller]
    fn check(body: &[u8], header: &str, valid: bool) {
        assert_eq!(verify(&"test_app_secret".into(), body, header), valid, "{header}");
    }

    #[test]
    fn known_vectors_verify_over_the_exact_bytes() {
        assert_eq!(sign(&"test_app_secret".into(), COMPACT), OF_COMPACT);
        check(COMPACT, OF_COMPACT, true);
        check(SPACED, OF_SPACED, true);
        check(SPACED, OF_COMPACT, false);
    }

    #[test]
    fn malformed_headers_are_refused() {
        check(COMPACT, &OF_COMPACT.replace("sha256=", ""), false);
        check(COMPACT, &OF_COMPACT[..70], false);
        check(COMPACT, &OF_COMPACT.replace('d', "g"), false);
        check(COMPACT, "", false);
        check(COMPACT, "sha256=", false);
        check(COMPACT, "sha256=ключ", false);
    }

    #[test]
    fn another_or_an_empty_secret_is_refused() {
        assert!(!verify(&"other".into(), COMPACT, OF_COMPACT));
        let empty = SecretString::from("");
        assert!(!verify(&empty, COMPACT, &sign(&empty, COMPACT)));
    }

    #[test]
    fn a_signature_of_360dialog_is_read_with_and_without_its_prefix() {
        let secret = SecretString::from("test_app_secret");
        let read = |value: &str| {
            let headers = [(D360_SIGNATURE.parse().unwrap(), value.parse().unwrap())];
            Proof::read_360dialog(&HeaderMap::from_iter(headers))
        };
        for header in [OF_COMPACT, &OF_COMPACT[7..], &OF_COMPACT[7..].to_uppercase()] {
            let proof = read(header).unwrap();
            assert!(proof.is_by(COMPACT, &secret) && !proof.is_by(SPACED, &secret), "{header}");
        }
        assert!(read("").is_none() && read(&OF_COMPACT[8..]).is_none());
    }

    #[test]
    fn a_secret_is_shown_alone_or_as_a_bearer() {
        let check = |value: &str, secret: &str, shown: bool| {
            let headers = [("x-hark".parse().unwrap(), value.parse().unwrap())];
            let headers = HeaderMap::from_iter(headers);
            assert_eq!(shows(&headers, "x-hark", &secret.into()), shown, "{value}");
            assert!(!shows(&headers, "x-other", &secret.into()));
        };
        check("open sesame", "open sesame", true);
        check("Bearer open sesame", "open sesame", true);
        check("open sesam", "open sesame", false);
        check("Basic open sesame", "open sesame", false);
        check("", "", false);
        check("Bearer ", "", false);
    }

    #[test]
    fn the_secret_that_signed_is_found() {
        let secrets = ["other", "", "test_app_secret"].map(SecretString::from);
        let mut headers = HeaderMap::new();
        assert!(Proof::read(&headers).is_none());
        headers.insert("X-Hub-Signature-256", OF_COMPACT.parse().unwrap());
        let proof = Proof::read(&headers).unwrap();
        assert_eq!(proof.signer(COMPACT, &secrets), Some(2));
        assert_eq!(proof.signer(SPACED, &secrets), None);
        assert_eq!(proof.signer(COMPACT, &secrets[..2]), None);
    }
}
