//! Who sells the access to a number, and everything in which that makes a difference.
//!
//! One variant for each, with its addresses, its proof of who calls and the shape of its errors. A
//! new one is a variant and its arms here.

use std::borrow::Cow;

use reqwest::RequestBuilder;
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
}

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
}

impl CloudAccess {
    /// Chooses how a number is reached.
    pub(super) fn from_number(number: &Number) -> Self {
        match number.provider {
            ProviderKind::D360 => unreachable!("refused where numbers are checked"),
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
            Self::Meta { api_url, .. } => api_url,
        }
    }

    /// Shows who calls.
    pub(super) fn authorise(&self, request: RequestBuilder, token: &str) -> RequestBuilder {
        match self {
            Self::Meta { .. } => request.bearer_auth(token),
        }
    }

    /// Returns the address of one of the number's edges, such as `messages`; `None` if a part of it
    /// cannot be a path segment. So do the others.
    pub(super) fn edge(&self, edge: &str) -> Option<Url> {
        match self {
            Self::Meta { phone_number_id, .. } => self.address(&[&phone_number_id.0, edge]),
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
        }
    }

    /// Returns the address to fetch a media file from, by the one that the provider names for it.
    pub(super) fn media_file<'a>(&self, named: &'a str) -> Cow<'a, str> {
        match self {
            Self::Meta { .. } => named.into(),
        }
    }

    /// Returns the address that describes the number.
    pub(super) fn number(&self) -> Option<Url> {
        match self {
            Self::Meta { phone_number_id, .. } => {
                let fields = "display_phone_number,verified_name,quality_rating";
                self.described(&phone_number_id.0, fields)
            }
        }
    }

    /// Returns the address that describes an app.
    pub(super) fn app(&self, app_id: &str) -> Option<Url> {
        match self {
            Self::Meta { .. } => self.described(app_id, "id"),
        }
    }

    /// Returns the address of the apps that get an account's webhooks.
    pub(super) fn subscriptions(&self, business_id: &str) -> Option<Url> {
        match self {
            Self::Meta { .. } => self.address(&[business_id, "subscribed_apps"]),
        }
    }

    /// Reads the body of a refusal; its words may repeat `token`.
    pub(super) fn error(&self, body: &Value, token: &str) -> ApiError {
        match self {
            Self::Meta { .. } => {
                let error = &body["error"];
                let redactor = Redactor { key: token, text: "" };
                ApiError {
                    code: error["code"].as_i64().unwrap_or(0),
                    no_object: error["error_subcode"] == NO_OBJECT,
                    is_transient: error["is_transient"].as_bool().unwrap_or(false),
                    said: told(error, redactor).unwrap_or_else(|| "no message".to_owned()),
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
