//! Numbers: added once the provider knows them, changed, removed, and their secrets.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use url::Url;

use super::{Office, changed, invalid, name_of, new_id, time};
use crate::app::stored::{Stored, WEBHOOK};
use crate::config::{Config, ConfigError};
use crate::engine::Level;
use crate::http::api::{
    ApiRefusal, CheckView, EntrySource, FieldProblem, NumberInput, NumberView, NumbersApi,
    SecretInput, SecretName, SecretView,
};
use crate::provider::ProviderError;
use crate::provider::cloud::checkup::{Trouble, about_app, about_number};
use crate::provider::cloud::{Answered, CloudClient, CloudSettings};
use crate::registry::{FormerSecrets, Number, ProviderKind};
use crate::store::vault::random;
use crate::store::{Directory as _, DirectoryRows, Expected, SecretRow};

/// Limits the wait for a provider.
const PROVIDER_TIME: Duration = Duration::from_secs(10);

#[async_trait]
impl NumbersApi for Office {
    async fn numbers(&self) -> Result<Vec<NumberView>, ApiRefusal> {
        let (config, stored) = (self.config().await, self.stored().await?);
        let rows = self.store.directory().await?;
        let verify = verify_token(&config, &stored);
        let all = config.numbers.iter().chain(&stored.numbers);
        Ok(all.map(|number| view(&config, number, &rows, verify.as_ref())).collect())
    }

    async fn number(&self, id: &str) -> Result<NumberView, ApiRefusal> {
        let all = self.numbers().await?;
        let found = all.into_iter().find(|number| number.phone_number_id == id);
        found.ok_or_else(|| ApiRefusal::NotFound("number of this id".to_owned()))
    }

    async fn add_number(&self, input: NumberInput) -> Result<NumberView, ApiRefusal> {
        let id = input.phone_number_id.clone().unwrap_or_default();
        let is_id = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if id.is_empty() || id.len() > 64 || !id.chars().all(is_id) {
            let problem = "is missing: the provider's id of the number, mostly 15 digits";
            return Err(ApiRefusal::invalid("phone_number_id", problem));
        }
        let subscribe = input.subscribe;
        let number = read(&id, &input, None)?;
        self.refuse_file_number(&id).await?;
        if self.number(&id).await.is_ok() {
            return Err(ApiRefusal::Conflict(format!("there is a number {id} already")));
        }
        self.check_fields(&number).await?;
        let problems = self.ask_provider(&number).await.0;
        refuse(problems)?;
        if subscribe {
            self.subscribe(&number).await?;
        }
        self.keep_verify_token().await?;
        self.keep(number, Expected::New, &SecretName::ALL).await
    }

    async fn put_number(
        &self,
        id: &str,
        version: u32,
        input: NumberInput,
    ) -> Result<NumberView, ApiRefusal> {
        self.refuse_file_number(id).await?;
        if input.phone_number_id.as_deref().is_some_and(|own| own != id) {
            return Err(ApiRefusal::invalid("phone_number_id", "is another than the path's"));
        }
        let stored = self.stored().await?;
        let before = stored.numbers.iter().find(|number| number.phone_number_id.0 == id);
        let before = before.ok_or_else(|| ApiRefusal::NotFound("number of this id".to_owned()))?;
        current(before, version)?;
        let is_fresh = |name: &SecretName| input.secret(*name).is_some();
        let fresh: Vec<_> = SecretName::ALL.into_iter().filter(is_fresh).collect();
        let number = read(id, &input, Some(before))?;
        self.check_fields(&number).await?;
        let moved = number.api_url() != before.api_url() || number.provider != before.provider;
        if !fresh.is_empty() || moved {
            refuse(self.ask_provider(&number).await.0)?;
        }
        self.keep(number, Expected::Version(version), &fresh).await
    }

    async fn remove_number(&self, id: &str, version: u32) -> Result<(), ApiRefusal> {
        self.refuse_file_number(id).await?;
        let removed = self.store.remove_number(id, version).await?;
        changed("number of this id", removed)?;
        self.live().await;
        Ok(())
    }

    async fn check_number(&self, id: &str) -> Result<CheckView, ApiRefusal> {
        let (config, stored) = (self.config().await, self.stored().await?);
        let all = config.numbers.iter().chain(&stored.numbers);
        let number = all.into_iter().find(|number| number.phone_number_id.0 == id);
        let number = number.ok_or_else(|| ApiRefusal::NotFound("number of this id".to_owned()))?;
        let (troubles, quality) = self.ask_provider(number).await;
        let ok = !troubles.iter().any(|trouble| trouble.level == Level::Error);
        Ok(CheckView { ok, problems: troubles.into_iter().map(said).collect(), quality })
    }

    async fn add_secret(
        &self,
        id: &str,
        version: u32,
        input: SecretInput,
    ) -> Result<NumberView, ApiRefusal> {
        self.refuse_file_number(id).await?;
        let stored = self.stored().await?;
        let before = stored.numbers.into_iter().find(|number| number.phone_number_id.0 == id);
        let before = before.ok_or_else(|| ApiRefusal::NotFound("number of this id".to_owned()));
        let mut number = before?;
        current(&number, version)?;
        let SecretInput { name, value } = input;
        *number.secret(name).0 = Some(value.clone());
        self.check_fields(&number).await?;
        refuse(self.ask_provider(&number).await.0)?;
        let secret = self.seal(id, name.name(), &value).await?;
        changed("number of this id", self.store.add_secret(secret, version).await?)?;
        self.live().await;
        self.number(id).await
    }

    async fn remove_secret(
        &self,
        id: &str,
        secret: &str,
        version: u32,
    ) -> Result<NumberView, ApiRefusal> {
        self.refuse_file_number(id).await?;
        let number = self.number(id).await?;
        let found = number.secrets.iter().find(|known| known.id == secret);
        let found = found.ok_or_else(|| ApiRefusal::NotFound("secret of this id".to_owned()))?;
        if number.secrets.iter().filter(|other| other.name == found.name).count() == 1 {
            let name = found.name.name();
            return Err(ApiRefusal::Conflict(format!(
                "it is the number's only {name}: add another first"
            )));
        }
        let now_ms = self.clock.now_ms();
        let removed = self.store.remove_secret(id, secret, version, now_ms).await?;
        changed("secret of this id", removed)?;
        self.live().await;
        self.number(id).await
    }
}

impl Office {
    /// Refuses to change what the configuration file has.
    async fn refuse_file_number(&self, id: &str) -> Result<(), ApiRefusal> {
        let config = self.config().await;
        let index = config.numbers.iter().position(|number| number.phone_number_id.0 == id);
        let Some(index) = index else { return Ok(()) };
        let file = name_of(config.origins.find(&format!("numbers[{index}]")));
        Err(ApiRefusal::ReadOnly { what: format!("number {id}"), file })
    }

    /// Checks a number as one of the configuration file is.
    async fn check_fields(&self, number: &Number) -> Result<(), ApiRefusal> {
        let (config, stored) = (self.config().await, self.stored().await?);
        // Problems are named by the number's own keys.
        let number = Number { version: None, ..number.clone() };
        let joined = config.with_stored(vec![number], stored.agents);
        let index = joined.numbers.len() - 1;
        let problems = joined.number_problems(index);
        if !problems.is_empty() {
            return Err(invalid(&problems));
        }
        let nobody = |error: ConfigError| ApiRefusal::invalid("agent", error.to_string());
        joined.unknown_agent(index).map_or(Ok(()), |error| Err(nobody(error)))
    }

    fn provider(&self, number: &Number) -> CloudClient {
        CloudClient::new(CloudSettings::from_number(number, 0), self.client.clone())
    }

    /// Asks the provider whether it knows the number, takes the token and has the app's secret.
    async fn ask_provider(&self, number: &Number) -> (Vec<Trouble>, Option<String>) {
        let provider = self.provider(number);
        let about = in_time(provider.number_info()).await;
        if number.provider == ProviderKind::D360
            && let Err(ProviderError::Refused { http_status: 404 | 405, .. }) = &about
        {
            // It does not show its webhook setting, so that the key cannot be tried.
            return Default::default();
        }
        let mut troubles = about_number(number, &about);
        if let (Some(app), Some(secret), Ok(_)) = (&number.app_id, &number.app_secret, &about)
            && number.provider != ProviderKind::D360
        {
            let about = in_time(provider.app_info(app, secret)).await;
            troubles.extend(about_app(&about).ok().flatten());
        }
        (troubles, about.ok().and_then(|info| info.quality))
    }

    /// Has the provider send the webhooks of a number here.
    async fn subscribe(&self, number: &Number) -> Result<(), ApiRefusal> {
        let (provider, header) = (self.provider(number), number.webhook_header());
        let config = self.config().await;
        let asked = async {
            if number.provider == ProviderKind::D360 {
                let Some(webhook) = config.server.callback_url_360dialog() else {
                    let problem = "needs [server] public_url, where 360dialog sends webhooks to";
                    return Err(ApiRefusal::invalid("subscribe", problem));
                };
                let shows = number.webhook_secret.as_ref().map(|secret| (header.as_str(), secret));
                return Ok(provider.register_webhook(&webhook, shows).await);
            }
            let Some(business) = &number.business_id else {
                let problem = "is missing: subscribe needs the WhatsApp Business account's id";
                return Err(ApiRefusal::invalid("business_id", problem));
            };
            Ok(provider.subscribe(business).await)
        };
        let late = |_| Ok(Err(ProviderError::Network("no answer".to_owned())));
        let done = timeout(PROVIDER_TIME, asked).await.unwrap_or_else(late)?;
        done.map_err(|error| ApiRefusal::invalid("subscribe", error.to_string()))
    }

    /// Keeps a number, with those of its secrets that are `fresh`, and lets it answer.
    async fn keep(
        &self,
        mut number: Number,
        expected: Expected,
        fresh: &[SecretName],
    ) -> Result<NumberView, ApiRefusal> {
        let spec = serde_json::to_string(&number).expect("a number is JSON");
        let id = &number.phone_number_id.0.clone();
        let mut secrets = Vec::new();
        for name in fresh {
            if let Some(secret) = number.secret(*name).0 {
                secrets.push(self.seal(id, name.name(), secret).await?);
            }
        }
        let now_ms = self.clock.now_ms();
        let kept = self.store.put_number(id, &spec, expected, secrets, now_ms).await?;
        changed("number of this id", kept)?;
        self.live().await;
        self.number(id).await
    }

    async fn seal(
        &self,
        owner: &str,
        name: &str,
        secret: &SecretString,
    ) -> Result<SecretRow, ApiRefusal> {
        let vault = self.keyring.open_or_make(self.store.as_ref()).await?;
        let place = format!("secrets/{owner}/{name}");
        let now_ms = self.clock.now_ms();
        Ok(SecretRow {
            id: new_id(now_ms),
            owner: owner.to_owned(),
            name: name.to_owned(),
            sealed: vault.seal(&place, secret.expose_secret().as_bytes()),
            created_ms: now_ms,
        })
    }

    /// Makes the webhook's verify token, unless there is one.
    async fn keep_verify_token(&self) -> Result<(), ApiRefusal> {
        let (config, stored) = (self.config().await, self.stored().await?);
        if verify_token(&config, &stored).is_some() {
            return Ok(());
        }
        let token = SecretString::from(hex::encode(random::<16>()));
        let secret = self.seal(WEBHOOK, "verify_token", &token).await?;
        self.store.keep_secret(secret).await?;
        Ok(())
    }
}

fn verify_token(config: &Config, stored: &Stored) -> Option<SecretString> {
    config.webhook.verify_token.clone().or_else(|| stored.verify_token.clone())
}

/// Waits for a provider, but not for ever.
async fn in_time<T>(call: impl Future<Output = Answered<T>>) -> Result<T, ProviderError> {
    match timeout(PROVIDER_TIME, call).await {
        Ok(answered) => answered.result,
        Err(_late) => Err(ProviderError::Network("no answer within 10 s".to_owned())),
    }
}

/// Refuses a number of which the provider says that it cannot be answered.
fn refuse(troubles: Vec<Trouble>) -> Result<(), ApiRefusal> {
    let errors = troubles.into_iter().filter(|trouble| trouble.level == Level::Error);
    let errors: Vec<_> = errors.map(said).collect();
    if errors.is_empty() { Ok(()) } else { Err(ApiRefusal::Invalid(errors)) }
}

fn said(trouble: Trouble) -> FieldProblem {
    let Trouble { key, message, fix, .. } = trouble;
    FieldProblem { key: key.to_owned(), problem: format!("{message}; {fix}") }
}

/// Refuses a change of another version than the one that is there.
fn current(number: &Number, version: u32) -> Result<(), ApiRefusal> {
    match number.version.unwrap_or_default() {
        now if now == version => Ok(()),
        now => Err(ApiRefusal::Stale { now }),
    }
}

/// Makes a number of what was sent; its secrets stay where none were.
fn read(id: &str, input: &NumberInput, before: Option<&Number>) -> Result<Number, ApiRefusal> {
    let url = |text: String| {
        let odd = |error| ApiRefusal::invalid("api_url", format!("is no address: {error}"));
        text.parse::<Url>().map_err(odd)
    };
    let mut number = Number {
        phone_number_id: id.into(),
        display_number: input.display_number.clone(),
        display_name: input.display_name.clone(),
        provider: input.provider,
        access_token: None,
        access_token_file: None,
        app_id: input.app_id.clone(),
        app_secret: None,
        webhook_secret: None,
        webhook_header: input.webhook_header.clone(),
        signature_secret: None,
        business_id: input.business_id.clone(),
        former: FormerSecrets::default(),
        version: None,
        api_url: input.api_url.clone().map(url).transpose()?,
        api_version: input.api_version.clone(),
        media_hosts: input.media_hosts.clone(),
        agent: input.agent.clone(),
        status: input.status,
        messages_per_second: input.messages_per_second,
        template: input.template.clone(),
    };
    let mut before = before.cloned();
    for name in SecretName::ALL {
        let (newest, former) = number.secret(name);
        if let Some(fresh) = input.secret(name) {
            *newest = Some(fresh.clone());
        } else if let Some((kept, older)) = before.as_mut().map(|before| before.secret(name)) {
            (*newest, *former) = (kept.take(), std::mem::take(older));
        }
    }
    Ok(number)
}

/// Shows a number.
fn view(
    config: &Config,
    number: &Number,
    rows: &DirectoryRows,
    verify: Option<&SecretString>,
) -> NumberView {
    let id = &number.phone_number_id.0;
    let row = rows.numbers.iter().find(|row| row.id == *id && number.version.is_some());
    let secrets = rows.secrets.iter().filter(|secret| secret.owner == *id);
    let secret = |row: &SecretRow| SecretView {
        id: row.id.clone(),
        name: SecretName::ALL
            .into_iter()
            .find(|name| name.name() == row.name)
            .unwrap_or(SecretName::AccessToken),
        created_at: time(row.created_ms),
    };
    NumberView {
        phone_number_id: id.clone(),
        display_number: number.display_number.clone(),
        display_name: number.display_name.clone(),
        provider: number.provider,
        webhook_header: number.webhook_header.clone(),
        app_id: number.app_id.clone(),
        business_id: number.business_id.clone(),
        api_url: number.api_url.as_ref().map(Url::to_string),
        api_version: number.api_version.clone(),
        media_hosts: number.media_hosts.clone(),
        agent: number.agent.clone(),
        status: number.status,
        messages_per_second: number.messages_per_second,
        template: number.template.clone(),
        source: if row.is_some() { EntrySource::Store } else { EntrySource::File },
        version: number.version.unwrap_or_default(),
        created_at: row.map(|row| time(row.created_ms)),
        changed_at: row.map(|row| time(row.changed_ms)),
        secrets: secrets.filter(|_| row.is_some()).map(secret).collect(),
        webhook_url: match number.provider {
            ProviderKind::D360 => config.server.callback_url_360dialog(),
            ProviderKind::Meta | ProviderKind::Simulator => config.server.callback_url(),
        }
        .map(String::from),
        verify_token: verify.map(|token| token.expose_secret().to_owned()),
    }
}
