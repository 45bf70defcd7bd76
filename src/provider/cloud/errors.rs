//! What a refusal means: when to try again, and words that are safe to log.
//!
//! Built on the error `code`, since HTTP status and subcode differ for one code. The table is
//! section 5 of the WhatsApp notes, from Meta's error codes page of 2026-09-11.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::access::{ApiError, CloudAccess};
use crate::provider::ProviderError;
use crate::remote::waits::{LONGEST_WAIT, retry_after};
use crate::remote::words::Redactor;
use crate::turn::Retry;

/// Names what a code asks for.
#[derive(Clone, Copy)]
enum Action {
    /// A bug, a permission, a policy or a person's choice: the same call fails again.
    Final,
    /// Wait this many seconds, longer with each attempt.
    Wait(u64),
}

/// Lists codes and what they ask for; ranges include both ends.
const TABLE: &[(i64, i64, Action)] = &[
    (1, 2, Action::Wait(2)),                  // unknown, service unavailable
    (3, 3, Action::Final),                    // capability
    (4, 4, Action::Wait(300)),                // calls of the app
    (10, 10, Action::Final),                  // permission
    (33, 33, Action::Final),                  // no such object
    (100, 100, Action::Final),                // invalid parameter
    (190, 190, Action::Wait(300)),            // token: only a new one helps, and may come
    (200, 299, Action::Final),                // permissions
    (368, 368, Action::Final),                // policy
    (80007, 80007, Action::Wait(300)),        // calls of the account
    (130_403, 130_403, Action::Final),        // the business blocked the person
    (130_429, 130_429, Action::Wait(1)),      // throughput of the number
    (130_472, 130_472, Action::Final),        // experiment
    (130_497, 130_497, Action::Final),        // country
    (131_000, 131_000, Action::Wait(2)),      // something went wrong
    (131_005, 131_005, Action::Final),        // access denied
    (131_008, 131_009, Action::Final),        // parameter missing, value invalid
    (131_014, 131_014, Action::Final),        // media link
    (131_016, 131_016, Action::Wait(2)),      // service unavailable
    (131_021, 131_021, Action::Final),        // sender is recipient
    (131_026, 131_026, Action::Final),        // undeliverable
    (131_030, 131_031, Action::Final),        // recipient not in the test list, account locked
    (131_037, 131_037, Action::Final),        // display name
    (131_042, 131_042, Action::Final),        // payment
    (131_045, 131_045, Action::Final),        // registration
    (131_047, 131_048, Action::Final),        // 24 hour window, spam restriction
    (131_049, 131_053, Action::Final),        // marketing, type, media in, media out
    (131_056, 131_056, Action::Wait(4)),      // pair rate
    (131_057, 131_057, Action::Wait(60)),     // maintenance
    (131_062, 131_062, Action::Final),        // not to a user id
    (131_064, 131_064, Action::Final),        // messaging limit
    (132_000, 132_069, Action::Final),        // templates and flows
    (133_004, 133_004, Action::Wait(2)),      // server unavailable
    (133_010, 133_010, Action::Final),        // registration
    (135_000, 135_000, Action::Final),        // generic user error
    (2_494_100, 2_494_100, Action::Wait(60)), // maintenance
];

/// Returns when a refused call may be tried again. `code` is 0 if the provider gave none; a code of
/// the table decides alone, else the HTTP status and Meta's `is_transient` do.
#[must_use]
pub fn retry_of(code: i64, http_status: u16, is_transient: bool) -> Retry {
    let listed = TABLE.iter().find(|(from, to, _)| (*from..=*to).contains(&code));
    let action = listed.map_or_else(
        || match http_status {
            _ if is_transient => Action::Wait(2),
            408 | 500.. => Action::Wait(2),
            429 => Action::Wait(4),
            401 => Action::Wait(300), // the token, as 190
            _ => Action::Final,
        },
        |(_, _, action)| *action,
    );
    match action {
        Action::Final => Retry::Never,
        Action::Wait(seconds) => Retry::After(Duration::from_secs(seconds)),
    }
}

/// Builds the error of an answer that is not a success. `token` is taken out of the title: Meta
/// repeats a malformed token in its message.
pub(super) fn refusal(
    access: &CloudAccess,
    http_status: u16,
    headers: &HeaderMap,
    body: &[u8],
    token: &str,
) -> ProviderError {
    let body = serde_json::from_slice(body).unwrap_or_default();
    let ApiError { code, is_transient, message } = access.error(&body);
    let retry = match retry_of(code, http_status, is_transient) {
        Retry::Never => Retry::Never,
        Retry::After(base) => Retry::After(asked_wait(code, headers).unwrap_or(base).max(base)),
    };
    let title = Redactor { key: token, text: "" }.clean(&message);
    ProviderError::Refused { code, http_status, title, retry }
}

/// Reads the wait that the provider's headers ask for.
fn asked_wait(code: i64, headers: &HeaderMap) -> Option<Duration> {
    let regain = || {
        let usage = headers.get("x-business-use-case-usage")?.to_str().ok()?;
        let usage: Value = serde_json::from_str(usage).ok()?;
        let uses = usage.as_object()?.values().filter_map(Value::as_array).flatten();
        let minutes = uses.filter_map(|u| u["estimated_time_to_regain_access"].as_u64()).max()?;
        Some(Duration::from_secs(minutes.saturating_mul(60)).min(LONGEST_WAIT))
    };
    let call_rate = matches!(code, 4 | 80007);
    call_rate.then(regain).flatten().or_else(|| retry_after(headers, LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codes: &[i64], seconds: Option<u64>) {
        let expected = seconds.map_or(Retry::Never, |s| Retry::After(Duration::from_secs(s)));
        for code in codes {
            // The code decides, whatever status it comes with.
            for status in [400, 401, 429, 500] {
                assert_eq!(retry_of(*code, status, false), expected, "{code} HTTP {status}");
            }
        }
    }

    #[test]
    fn every_listed_code_has_its_action() {
        check(&[1, 2, 131_000, 131_016, 133_004], Some(2));
        check(&[130_429], Some(1));
        check(&[131_056], Some(4));
        check(&[131_057, 2_494_100], Some(60));
        check(&[4, 190, 80007], Some(300));
        check(&[3, 10, 200, 250, 299, 131_005], None);
        check(&[131_048, 131_049, 131_050, 130_472, 131_047, 131_026, 130_403], None);
        check(&[131_042, 131_031, 368, 130_497, 131_037, 131_045, 133_010], None);
        check(&[131_008, 131_009, 100, 33, 135_000, 131_021, 131_051, 131_052, 131_053], None);
        check(&[131_062, 131_030, 131_064, 131_014], None);
        for template in [0, 1, 5, 7, 8, 12, 15, 16, 68, 69] {
            check(&[132_000 + template], None);
        }
    }

    #[test]
    fn status_decides_where_no_known_code_is_given() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(retry_of(0, 401, false), after(300));
        assert_eq!(retry_of(0, 400, true), after(2));
        assert_eq!(retry_of(0, 503, false), after(2));
        assert_eq!(retry_of(0, 429, false), after(4));
        assert_eq!(retry_of(999_999, 400, false), Retry::Never);
        assert_eq!(retry_of(999_999, 502, false), after(2));
    }

    #[test]
    fn table_is_sorted_and_does_not_overlap() {
        assert!(TABLE.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(TABLE.iter().all(|(from, to, _)| from <= to));
    }

    fn meta() -> CloudAccess {
        CloudAccess::Meta {
            api_url: "https://graph.example".parse().unwrap(),
            api_version: String::new(),
            phone_number_id: "900".into(),
        }
    }

    #[track_caller]
    fn check_wait(status: u16, header: (&'static str, &str), code: i64, seconds: u64) {
        let mut headers = HeaderMap::new();
        headers.insert(header.0, header.1.parse().unwrap());
        let body = format!(r#"{{"error":{{"code":{code}}}}}"#);
        let error = refusal(&meta(), status, &headers, body.as_bytes(), "t");
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(seconds)));
    }

    #[test]
    fn headers_lengthen_the_wait() {
        check_wait(429, ("retry-after", "17"), 0, 17);
        check_wait(429, ("retry-after", "1"), 0, 4);
        check_wait(503, ("retry-after", "99999999"), 0, 3600);
        check_wait(503, ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), 0, 2);
        let usage = r#"{"1":[{"type":"messaging","estimated_time_to_regain_access":7}]}"#;
        check_wait(400, ("x-business-use-case-usage", usage), 80007, 420);
        check_wait(400, ("x-business-use-case-usage", usage), 130_429, 1);
    }

    #[test]
    fn odd_error_bodies_are_still_refusals() {
        for body in ["", "<html>", "[]", r#"{"error":"x"}"#, r#"{"error":{"code":"131000"}}"#] {
            let error = refusal(&meta(), 502, &HeaderMap::new(), body.as_bytes(), "t");
            assert!(matches!(error, ProviderError::Refused { code: 0, .. }), "{body}");
            assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)));
        }
    }

    #[test]
    fn the_token_is_not_in_the_title() {
        let body = br#"{"error":{"code":190,"message":"Malformed access token EAAsecret"}}"#;
        let error = refusal(&meta(), 401, &HeaderMap::new(), body, "EAAsecret");
        let expected =
            "provider refused with code 190 (HTTP 401): Malformed access token [removed]";
        assert_eq!(error.to_string(), expected);
    }
}
