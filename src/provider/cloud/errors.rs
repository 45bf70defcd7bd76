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
use crate::turn::Retry;

/// Names what a code asks for.
#[derive(Clone, Copy)]
enum Action {
    /// A bug, a policy or a person's choice: the same call fails again.
    Final,
    /// Wait this many seconds, longer with each attempt.
    Wait(u64),
    /// The set-up is at fault: wait until the operator has done this.
    Mend(&'static str),
}

const TOKEN: &str = "the access token is not valid: put a new one in its place";
const PERMISSION: &str = "the access token may not act for the number: check phone_number_id, the \
    token's permissions, and that its system user has the WhatsApp account";
const RESTRICTED: &str = "the account is locked or restricted: look at WhatsApp Manager > Account \
    quality";
const UNREGISTERED: &str = "the number is not registered with the API: register it in WhatsApp \
    Manager";
const NAMELESS: &str = "the number's display name is not approved: look at WhatsApp Manager > \
    Phone numbers";
const UNPAID: &str = "the account's payment is not in order: look at its billing settings";

const RESELLER: &str = "360dialog refuses calls of this number: look in its Hub whether the number \
    is connected, its key is the latest one, and its bill is paid";

/// Wait before the next try while the operator mends the set-up.
const MENDING: Duration = Duration::from_mins(5);

/// Lists codes and what they ask for; ranges include both ends.
const TABLE: &[(i64, i64, Action)] = &[
    (1, 2, Action::Wait(2)),                      // unknown, service unavailable
    (3, 3, Action::Mend(PERMISSION)),             // capability
    (4, 4, Action::Wait(300)),                    // calls of the app
    (10, 10, Action::Mend(PERMISSION)),           // permission
    (33, 33, Action::Mend(PERMISSION)),           // no such object
    (100, 100, Action::Final),                    // invalid parameter
    (190, 190, Action::Mend(TOKEN)),              // token: only a new one helps
    (200, 299, Action::Mend(PERMISSION)),         // permissions
    (368, 368, Action::Mend(RESTRICTED)),         // policy
    (80007, 80007, Action::Wait(300)),            // calls of the account
    (130_403, 130_403, Action::Final),            // the business blocked the person
    (130_429, 130_429, Action::Wait(1)),          // throughput of the number
    (130_472, 130_472, Action::Final),            // experiment
    (130_497, 130_497, Action::Final),            // country
    (131_000, 131_000, Action::Wait(2)),          // something went wrong
    (131_005, 131_005, Action::Mend(PERMISSION)), // access denied
    (131_008, 131_009, Action::Final),            // parameter missing, value invalid
    (131_014, 131_014, Action::Final),            // media link
    (131_016, 131_016, Action::Wait(2)),          // service unavailable
    (131_021, 131_021, Action::Final),            // sender is recipient
    (131_026, 131_026, Action::Final),            // undeliverable
    (131_030, 131_030, Action::Final),            // recipient not in the test list
    (131_031, 131_031, Action::Mend(RESTRICTED)), // account locked
    (131_037, 131_037, Action::Mend(NAMELESS)),   // display name
    (131_042, 131_042, Action::Mend(UNPAID)),     // payment
    (131_045, 131_045, Action::Mend(UNREGISTERED)), // registration
    (131_047, 131_048, Action::Final),            // 24 hour window, spam restriction
    (131_049, 131_053, Action::Final),            // marketing, type, media in, media out
    (131_056, 131_056, Action::Wait(4)),          // pair rate
    (131_057, 131_057, Action::Wait(60)),         // maintenance
    (131_062, 131_062, Action::Final),            // not to a user id
    (131_064, 131_064, Action::Final),            // messaging limit
    (132_000, 132_069, Action::Final),            // templates and flows
    (133_004, 133_004, Action::Wait(2)),          // server unavailable
    (133_010, 133_010, Action::Mend(UNREGISTERED)), // registration
    (135_000, 135_000, Action::Final),            // generic user error
    (2_494_100, 2_494_100, Action::Wait(60)),     // maintenance
];

/// Returns when a refused call may be tried again. `code` is 0 if the provider gave none; a code of
/// the table decides alone, else the HTTP status and Meta's `is_transient` do.
#[must_use]
pub fn retry_of(code: i64, http_status: u16, is_transient: bool) -> Retry {
    meaning(action_of(code, http_status, is_transient)).0
}

fn action_of(code: i64, http_status: u16, is_transient: bool) -> Action {
    let listed = TABLE.iter().find(|(from, to, _)| (*from..=*to).contains(&code));
    listed.map_or_else(
        || match http_status {
            _ if is_transient => Action::Wait(2),
            408 | 500.. => Action::Wait(2),
            429 => Action::Wait(4),
            401 => Action::Mend(TOKEN), // as 190
            _ => Action::Final,
        },
        |(_, _, action)| *action,
    )
}

/// Returns when the call may be tried again, and what the operator has to do before.
fn meaning(action: Action) -> (Retry, Option<&'static str>) {
    match action {
        Action::Final => (Retry::Never, None),
        Action::Wait(seconds) => (Retry::After(Duration::from_secs(seconds)), None),
        Action::Mend(fix) => (Retry::After(MENDING), Some(fix)),
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
    let ApiError { code, no_object, is_transient, said: title, account } =
        access.error(&body, token);
    let action = match code {
        0 if account => Action::Mend(RESELLER),
        100 if no_object => Action::Mend(PERMISSION),
        _ => action_of(code, http_status, is_transient),
    };
    let (retry, fix) = meaning(action);
    let retry = match retry {
        Retry::Never => Retry::Never,
        Retry::After(base) => Retry::After(asked_wait(code, headers).unwrap_or(base).max(base)),
    };
    ProviderError::Refused { code, http_status, title, retry, fix }
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
        check(&[3, 10, 33, 200, 250, 299, 131_005], Some(300));
        check(&[368, 131_031, 131_037, 131_042, 131_045, 133_010], Some(300));
        check(&[131_048, 131_049, 131_050, 130_472, 131_047, 131_026, 130_403], None);
        check(&[130_497, 131_008, 131_009, 100, 135_000, 131_021, 131_051, 131_052, 131_053], None);
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

    #[track_caller]
    fn check_fix(status: u16, error: &str, words: Option<&str>) {
        let body = format!(r#"{{"error":{error}}}"#);
        let error = refusal(&meta(), status, &HeaderMap::new(), body.as_bytes(), "t");
        let fix = error.fix();
        assert_eq!(fix.is_some(), words.is_some(), "{error}");
        assert!(fix.unwrap_or_default().contains(words.unwrap_or_default()), "{fix:?}");
    }

    #[test]
    fn a_fault_of_the_set_up_says_what_to_mend() {
        check_fix(400, r#"{"code":100,"error_subcode":33}"#, Some("phone_number_id"));
        check_fix(403, r#"{"code":200}"#, Some("permissions"));
        check_fix(400, r#"{"code":131031}"#, Some("locked"));
        check_fix(400, r#"{"code":133010}"#, Some("register"));
        check_fix(401, r#"{"code":190}"#, Some("access token"));
        check_fix(401, "{}", Some("access token"));
        for message_at_fault in [100, 131_026, 131_047, 131_053, 999_999] {
            check_fix(400, &format!(r#"{{"code":{message_at_fault}}}"#), None);
        }
        check_fix(500, "{}", None);
    }

    #[test]
    fn the_details_of_a_refusal_are_told() {
        let body = br#"{"error":{"code":100,"message":"(#100) Invalid parameter","error_data":
            {"details":"Param audio['voice'] must be a boolean"},"fbtrace_id":"A1b"}}"#;
        let error = refusal(&meta(), 400, &HeaderMap::new(), body, "EAAsecret").to_string();
        let expected = "provider refused with code 100 (HTTP 400): (#100) Invalid parameter: Param \
                        audio['voice'] must be a boolean [trace A1b]";
        assert_eq!(error, expected);
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
