//! Who sells the access to a number, and everything in which that makes a difference.
//!
//! One variant for each, with its addresses, its proof of who calls and the shape of its errors. A
//! new one is a variant and its arms here.

use std::borrow::Cow;

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use serde_json::Value;
use url::Url;

use crate::provider::told::told;
use crate::registry::{Number, ProviderKind};
use crate::remote::words::Redactor;
use crate::turn::{MediaId, PhoneNumberId};

/// Says of a code 100 that the object does not exist or is hidden by a missing permission.
const NO_OBJECT: i64 = 33;

/// Describes how one number reaches the Cloud API.
#[derive(Clone, Debug)]
pub enum CloudAccess {
    /// Meta's Graph API, or what speaks like it: the number is part of each address.
    Meta {
        /// `https://graph.facebook.com`, a proxy or a fake; may have a path.
        api_url: Url,
        /// `v25.0`; left out of the addresses if empty.
        api_version: String,
        /// The number.
        phone_number_id: PhoneNumberId,
    },
    /// 360dialog: the API key stands for the number, and paths have neither it nor a version.
    D360 {
        /// `https://waba-v2.360dialog.io`, a proxy or a fake; may have a path.
        api_url: Url,
        /// Hosts of Meta's whose files the API hands out under their own path.
        file_hosts: Vec<String>,
    },
}

/// Names the header with 360dialog's key.
const D360_KEY: &str = "d360-api-key";

/// Holds an error as the provider describes it.
#[derive(Debug)]
pub(super) struct ApiError {
    /// The error code, 0 if there is none.
    pub(super) code: i64,
    /// Whether the provider says that the same call may work later.
    pub(super) is_transient: bool,
    /// The provider's own words, safe to log.
    pub(super) said: String,
    /// Whether the object that was asked for does not exist, or is not ours to see.
    pub(super) no_object: bool,
    /// Whether a reseller refuses all calls of the number: its key, its account or its bill.
    pub(super) account: bool,
}

impl CloudAccess {
    /// Chooses how a number is reached.
    pub(super) fn from_number(number: &Number) -> Self {
        match number.provider {
            ProviderKind::D360 => {
                Self::D360 { api_url: number.api_url(), file_hosts: number.media_hosts() }
            }
            ProviderKind::Meta | ProviderKind::Simulator => Self::Meta {
                api_url: number.api_url(),
                api_version: number.api_version(),
                phone_number_id: number.phone_number_id.clone(),
            },
        }
    }

    /// Returns the API's own address, which the token may be sent to.
    pub(super) fn api_url(&self) -> &Url {
        match self {
            Self::Meta { api_url, .. } | Self::D360 { api_url, .. } => api_url,
        }
    }

    /// Shows who calls.
    pub(super) fn authorise(&self, request: RequestBuilder, token: &str) -> RequestBuilder {
        match self {
            Self::Meta { .. } => request.bearer_auth(token),
            Self::D360 { .. } => match HeaderValue::try_from(token) {
                Ok(mut key) => {
                    key.set_sensitive(true);
                    request.header(D360_KEY, key)
                }
                // Answered 401, as any other key that is not one.
                Err(_odd) => request,
            },
        }
    }

    /// Returns the address of one of the number's edges, such as `messages`; `None` if a part of it
    /// cannot be a path segment. So do the others.
    pub(super) fn edge(&self, edge: &str) -> Option<Url> {
        match self {
            Self::Meta { phone_number_id, .. } => self.address(&[&phone_number_id.0, edge]),
            Self::D360 { .. } => self.address(&[edge]),
        }
    }

    /// Returns the address that describes a media file.
    pub(super) fn media_look_up(&self, id: &MediaId) -> Option<Url> {
        match self {
            Self::Meta { phone_number_id, .. } => {
                let mut url = self.address(&[&id.0])?;
                // Refuses the file of another number.
                url.query_pairs_mut().append_pair("phone_number_id", &phone_number_id.0);
                Some(url)
            }
            Self::D360 { .. } => self.address(&[&id.0]),
        }
    }

    /// Returns the address to fetch a media file from, by the one that the provider names for it.
    pub(super) fn media_file<'a>(&self, named: &'a str) -> Cow<'a, str> {
        match self {
            Self::Meta { .. } => named.into(),
            Self::D360 { api_url, file_hosts } => {
                let Ok(url) = Url::parse(named) else { return named.into() };
                let host = url.host_str().unwrap_or_default();
                if !file_hosts.iter().any(|listed| listed.trim().eq_ignore_ascii_case(host)) {
                    return named.into();
                }
                let base = api_url.path().trim_end_matches('/');
                let mut swapped = api_url.clone();
                swapped.set_path(&format!("{base}{}", url.path()));
                swapped.set_query(url.query());
                String::from(swapped).into()
            }
        }
    }

    /// Returns the address that describes the number.
    pub(super) fn number(&self) -> Option<Url> {
        match self {
            Self::Meta { phone_number_id, .. } => {
                let fields = "display_phone_number,verified_name,quality_rating";
                self.described(&phone_number_id.0, fields)
            }
            // It describes no number; whoever may read this has a good key.
            Self::D360 { .. } => self.webhook(),
        }
    }

    /// Returns the address that describes an app.
    pub(super) fn app(&self, app_id: &str) -> Option<Url> {
        match self {
            Self::Meta { .. } => self.described(app_id, "id"),
            Self::D360 { .. } => None,
        }
    }

    /// Returns the address of the number's webhook setting, where the access has one.
    pub(super) fn webhook(&self) -> Option<Url> {
        match self {
            Self::Meta { .. } => None,
            Self::D360 { .. } => self.address(&["v1", "configs", "webhook"]),
        }
    }

    /// Returns the address of the apps that get an account's webhooks.
    pub(super) fn subscriptions(&self, business_id: &str) -> Option<Url> {
        match self {
            Self::Meta { .. } => self.address(&[business_id, "subscribed_apps"]),
            Self::D360 { .. } => None,
        }
    }

    /// Reads the body of a refusal; its words may repeat `token`.
    pub(super) fn error(&self, body: &Value, token: &str) -> ApiError {
        let redactor = Redactor { key: token, text: "" };
        match self {
            Self::D360 { .. } if body["meta"].is_object() => own_error(&body["meta"], redactor),
            Self::Meta { .. } | Self::D360 { .. } => {
                let error = &body["error"];
                ApiError {
                    code: error["code"].as_i64().unwrap_or(0),
                    no_object: error["error_subcode"] == NO_OBJECT,
                    is_transient: error["is_transient"].as_bool().unwrap_or(false),
                    said: told(error, redactor).unwrap_or_else(|| "no message".to_owned()),
                    account: false,
                }
            }
        }
    }

    fn described(&self, id: &str, fields: &str) -> Option<Url> {
        let mut url = self.address(&[id])?;
        url.query_pairs_mut().append_pair("fields", fields);
        Some(url)
    }

    /// Appends `path` to the API's address.
    fn address(&self, path: &[&str]) -> Option<Url> {
        let version = match self {
            Self::Meta { api_version, .. } => api_version.trim_matches('/'),
            Self::D360 { .. } => "",
        };
        let mut url = self.api_url().clone();
        url.set_query(None);
        let mut segments = url.path_segments_mut().ok()?;
        segments.pop_if_empty();
        for part in [version].iter().filter(|version| !version.is_empty()).chain(path) {
            if matches!(*part, "" | "." | "..") {
                return None;
            }
            segments.push(part);
        }
        drop(segments);
        Some(url)
    }
}

/// Reads an error of 360dialog's own: it has no codes, and is about the number's key, account or
/// rate, never about the message. Source: D360:api/api-error-message-list, and Chatwoot's client.
fn own_error(meta: &Value, redactor: Redactor<'_>) -> ApiError {
    let words = meta["developer_message"].as_str().unwrap_or_default();
    let said = if words.is_empty() { "no message".to_owned() } else { redactor.clean(words) };
    let is_transient = words.to_ascii_lowercase().contains("rate limit");
    let refused = matches!(meta["http_code"].as_u64(), Some(400 | 402 | 403));
    ApiError { code: 0, is_transient, said, no_object: false, account: refused && !is_transient }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(api_url: &str, version: &str) -> CloudAccess {
        CloudAccess::Meta {
            api_url: Url::parse(api_url).unwrap(),
            api_version: version.to_owned(),
            phone_number_id: "900".into(),
        }
    }

    #[test]
    fn a_file_of_meta_is_fetched_from_360dialog() {
        let d360 = CloudAccess::D360 {
            api_url: Url::parse("https://proxy.example/d360/").unwrap(),
            file_hosts: vec!["lookaside.fbsbx.com".to_owned()],
        };
        let file = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=a%2Fb";
        let swapped = "https://proxy.example/d360/whatsapp_business/attachments/?mid=1&hash=a%2Fb";
        assert_eq!(d360.media_file(file), swapped);
        let other = "https://evil.example/?https://lookaside.fbsbx.com/";
        assert_eq!(d360.media_file(other), other);
        assert_eq!(d360.edge("messages").unwrap().as_str(), "https://proxy.example/d360/messages");
        assert!(d360.media_look_up(&MediaId("..".to_owned())).is_none());
    }

    #[test]
    fn an_error_of_360dialogs_own_is_about_the_account() {
        let d360 = CloudAccess::D360 {
            api_url: Url::parse("https://waba-v2.360dialog.io").unwrap(),
            file_hosts: Vec::new(),
        };
        let own = |code: u16, words: &str| {
            let meta = serde_json::json!({ "http_code": code, "developer_message": words });
            d360.error(&serde_json::json!({ "meta": meta }), "my-key")
        };
        let unpaid = own(400, "channel is disabled: key my-key");
        assert!(unpaid.account && !unpaid.is_transient && !unpaid.said.contains("my-key"));
        let rate = own(400, "Rate limit exceeded");
        assert!(rate.is_transient && !rate.account);
        assert!(!own(502, "Bad gateway").account);
        let meta = serde_json::json!({ "error": { "code": 131_056 } });
        assert_eq!(d360.error(&meta, "my-key").code, 131_056);
    }

    #[track_caller]
    fn check(api_url: &str, version: &str, expected: &str) {
        assert_eq!(meta(api_url, version).edge("media").unwrap().as_str(), expected);
    }

    #[test]
    fn addresses_keep_the_path_of_the_api() {
        check("https://graph.example", "v25.0", "https://graph.example/v25.0/900/media");
        let proxy = "https://proxy.example/meta/v25.0/900/media";
        check("https://proxy.example/meta/?x=1", "v25.0", proxy);
        check("https://proxy.example/v24.0", "", "https://proxy.example/v24.0/900/media");
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let meta = meta("https://graph.example", "v25.0");
        let look_up = |id: &str| meta.media_look_up(&MediaId(id.to_owned())).map(String::from);
        let expected = "https://graph.example/v25.0/a%2Fb?phone_number_id=900";
        assert_eq!(look_up("a/b").as_deref(), Some(expected));
        assert_eq!((look_up(".."), look_up("")), (None, None));
    }
}
