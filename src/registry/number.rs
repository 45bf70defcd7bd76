//! A business number: how it is reached and who answers it.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use crate::turn::PhoneNumberId;

/// Names the API that a number is reached through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the name of a provider")]
pub enum ProviderKind {
    #[default]
    #[serde(rename = "meta")]
    Meta,
    #[serde(rename = "360dialog")]
    D360,
    #[serde(rename = "simulator")]
    Simulator,
}

/// Says whether messages to a number are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberStatus {
    /// They are stored and answered.
    #[default]
    Active,
    /// They are stored only.
    Paused,
}

/// Graph versions age out after two years; v25.0 is of 2026.
const API_VERSION: &str = "v25.0";

/// Describes a business number. Secrets are read and never written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Number {
    pub phone_number_id: PhoneNumberId,
    pub display_number: Option<String>,
    pub display_name: Option<String>,
    #[serde(default)]
    pub provider: ProviderKind,
    #[serde(skip_serializing)]
    pub access_token: Option<Secret>,
    pub app_id: Option<String>,
    #[serde(skip_serializing)]
    pub app_secret: Option<Secret>,
    pub business_id: Option<String>,
    pub api_url: Option<Url>,
    pub api_version: Option<String>,
    pub media_hosts: Option<Vec<String>>,
    pub agent: Option<String>,
    #[serde(default)]
    pub status: NumberStatus,
}

impl Number {
    /// Returns the address its calls go to.
    pub fn api_url(&self) -> Url {
        self.api_url.clone().unwrap_or_else(|| {
            let url = match self.provider {
                ProviderKind::Meta => "https://graph.facebook.com",
                ProviderKind::D360 => "https://waba-v2.360dialog.io",
                ProviderKind::Simulator => "http://127.0.0.1:8090",
            };
            Url::parse(url).expect("a constant")
        })
    }

    /// Returns the version segment of its calls.
    pub fn api_version(&self) -> String {
        self.api_version.clone().unwrap_or_else(|| API_VERSION.to_owned())
    }

    /// Returns the hosts, beside the API's own, that may see the token when media is downloaded.
    pub fn media_hosts(&self) -> Vec<String> {
        self.media_hosts.clone().unwrap_or_else(|| vec!["lookaside.fbsbx.com".to_owned()])
    }
}
