//! A business number: how it is reached and who answers it.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::engine;
use crate::turn::PhoneNumberId;

/// Names the API that a number is reached through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[serde(default, skip_serializing, deserialize_with = "engine::secret")]
    pub access_token: Option<SecretString>,
    /// The file that the token came from, where a newer one may be found.
    #[serde(skip)]
    pub access_token_file: Option<PathBuf>,
    pub app_id: Option<String>,
    #[serde(default, skip_serializing, deserialize_with = "engine::secret")]
    pub app_secret: Option<SecretString>,
    #[serde(default, skip_serializing, deserialize_with = "engine::secret")]
    pub webhook_secret: Option<SecretString>,
    pub webhook_header: Option<String>,
    #[serde(default, skip_serializing, deserialize_with = "engine::secret")]
    pub signature_secret: Option<SecretString>,
    pub business_id: Option<String>,
    /// Older secrets that are still valid, if it is kept in the store.
    #[serde(skip)]
    pub former: FormerSecrets,
    /// Its version, if it is kept in the store.
    #[serde(skip)]
    pub version: Option<u32>,
    pub api_url: Option<Url>,
    pub api_version: Option<String>,
    pub media_hosts: Option<Vec<String>>,
    pub agent: Option<String>,
    #[serde(default)]
    pub status: NumberStatus,
    pub messages_per_second: Option<u32>,
    pub template: Option<MessageTemplate>,
}

/// Names a message template that WhatsApp has approved of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageTemplate {
    /// Its name.
    #[schema(min_length = 1, max_length = 512)]
    pub name: String,
    /// Its language, as WhatsApp names it, e.g. `en_US`.
    #[schema(min_length = 2, max_length = 16)]
    pub language: String,
    /// Whether its body has one place, `{{1}}`, which gets the words of the answer.
    #[serde(default)]
    pub words: bool,
}

/// Messages a second that WhatsApp takes from a number, unless it is raised and at most.
pub const USUAL_PACE: u32 = 80;
const MOST_PACE: u32 = 1_000;

/// Holds secrets that are valid beside the newest, until they are removed.
#[derive(Clone, Debug, Default)]
pub struct FormerSecrets {
    /// Tokens to try when the newest is refused.
    pub access_tokens: Vec<SecretString>,
    /// Secrets that may have signed a webhook.
    pub app_secrets: Vec<SecretString>,
    /// Secrets that 360dialog may show with a webhook.
    pub webhook_secrets: Vec<SecretString>,
    /// Secrets that 360dialog may have signed a webhook with.
    pub signature_secrets: Vec<SecretString>,
}

/// Names a secret of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretName {
    /// Shows the provider who calls.
    AccessToken,
    /// Signs Meta's webhooks.
    AppSecret,
    /// Is shown with 360dialog's webhooks.
    WebhookSecret,
    /// Signs 360dialog's webhooks.
    SignatureSecret,
}

impl SecretName {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AccessToken, Self::AppSecret, Self::WebhookSecret, Self::SignatureSecret];

    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::AppSecret => "app_secret",
            Self::WebhookSecret => "webhook_secret",
            Self::SignatureSecret => "signature_secret",
        }
    }
}

impl Number {
    /// Returns a secret of it and the older ones that are valid beside that.
    pub fn secret(
        &mut self,
        name: SecretName,
    ) -> (&mut Option<SecretString>, &mut Vec<SecretString>) {
        let former = &mut self.former;
        match name {
            SecretName::AccessToken => (&mut self.access_token, &mut former.access_tokens),
            SecretName::AppSecret => (&mut self.app_secret, &mut former.app_secrets),
            SecretName::WebhookSecret => (&mut self.webhook_secret, &mut former.webhook_secrets),
            SecretName::SignatureSecret => {
                (&mut self.signature_secret, &mut former.signature_secrets)
            }
        }
    }

    /// Returns the secrets that may have signed its webhooks.
    pub fn app_secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.app_secret.iter().chain(&self.former.app_secrets)
    }

    /// Returns what is wrong with how fast it may send, if anything is.
    pub fn pace_problem(&self) -> Option<String> {
        let odd = self.messages_per_second.filter(|pace| !(1..=MOST_PACE).contains(pace));
        odd.map(|_| format!("must be from 1 to {MOST_PACE}"))
    }

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

    /// Returns the header in which 360dialog shows `webhook_secret`, in lower case.
    pub fn webhook_header(&self) -> String {
        let header = self.webhook_header.as_deref().unwrap_or("authorization");
        header.to_ascii_lowercase()
    }

    /// Returns the hosts, beside the API's own, that may see the token when media is downloaded; of
    /// 360dialog those whose files its own API hands out, which see nothing.
    pub fn media_hosts(&self) -> Vec<String> {
        self.media_hosts.clone().unwrap_or_else(|| vec!["lookaside.fbsbx.com".to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::registry::{Agent, Numbers};

    fn number(id: &str, secret: &str) -> Number {
        let json = serde_json::json!({
            "phone_number_id": id, "access_token": "my-token", "app_secret": secret,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let number = number("106", "my-secret");
        let token = number.access_token.as_ref().unwrap();
        assert_eq!(token.expose_secret(), "my-token");
        let written = serde_json::to_string(&number).unwrap();
        for shown in [format!("{number:?}"), written] {
            assert!(!shown.contains("my-") && shown.contains("106"), "{shown}");
        }
    }

    #[test]
    fn numbers_of_one_app_share_its_secret() {
        let numbers = [number("1", "a"), number("2", "b"), number("3", "a")];
        let numbers: Numbers = numbers.into_iter().collect();
        let ids = |app: usize| -> Vec<&str> {
            numbers.app_secrets()[app].numbers.iter().map(|id| id.0.as_str()).collect()
        };
        assert_eq!((numbers.app_secrets().len(), ids(0), ids(1)), (2, vec!["1", "3"], vec!["2"]));
    }

    #[test]
    fn an_agent_is_the_same_in_toml_and_json() {
        let toml = "name = \"a\"\nlanguages = [\"en\"]\nreply = \"reciprocal\"\n\
                    gate = { repetition = \"answer\" }\nstt = \"whisper\"\n\
                    llm = { text = \"hi\", tokens_per_s = 1.5 }\nvoice = { es = \"es-419\" }\n\
                    knowledge = [\"faq.csv\"]";
        let agent: Agent = toml::from_str(toml).unwrap();
        let json = serde_json::to_string(&agent).unwrap();
        let again: Agent = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("{agent:?}"), format!("{again:?}"));
        assert_eq!(agent.llm, again.llm);
    }

    #[test]
    fn an_agents_own_key_is_not_shown() {
        let agent: Agent = toml::from_str("name = \"a\"\nllm = { api_key = \"4711\" }").unwrap();
        for shown in [format!("{agent:?}"), serde_json::to_string(&agent).unwrap()] {
            assert!(shown.contains("\"a\"") && !shown.contains("4711"), "{shown}");
        }
    }
}
