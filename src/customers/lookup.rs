//! Asks a server of the business who somebody is: one GET, and a JSON object or 404 in answer.
//!
//! While a person waits. Invariants: every wait and every size is bounded; the request goes to the
//! configured scheme, host and port alone; neither the token nor a word of anybody is in an error.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::json;
use tokio::time::timeout;

use super::settings::{CustomerSettings, PHONE, USER_ID, address};
use crate::clock::Clock;
use crate::engine::{Circuit, EngineFault, Notice};
use crate::registry::{AddressTemplate, JsonObject};
use crate::remote::failure::{Asks, ErrorResponse, is_page};
use crate::remote::greeting::with_key;
use crate::remote::words::{Redactor, error_chain, outside};
use crate::telemetry::{self, Seldom};
use crate::turn::{ContactRef, Customer, CustomerFields, Personal};

/// Names its section.
const SECTION: &str = "customers";
/// Most bytes of an answer: what is known of a person, as JSON.
const MAX_ANSWER: usize = 256 << 10;
/// Keys of an answer that say who was asked about.
const IDS: [&str; 4] = [PHONE, USER_ID, "phone_number", "id"];

/// Says why a server did not tell who somebody is. Never holds the token, a number or an id.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// It did not answer in time: look at its load, or raise `customers.timeout_ms`.
    #[error("did not answer within {0} ms")]
    TooSlow(u64),
    /// It could not be reached or broke off: start it, or correct `customers.url`.
    #[error("could not be reached: {0}")]
    Network(String),
    /// It refuses the token or the request, or has a problem of its own.
    #[error("refuses (HTTP {status}): {said}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words, redacted.
        said: String,
        /// What it tells of the next call.
        fault: EngineFault,
    },
    /// It sent something that is no answer: correct `customers.url`, or the server.
    #[error("sent {0}")]
    NoAnswer(String),
}

impl LookupError {
    /// Names its kind, for logs and metrics.
    fn kind(&self) -> &'static str {
        match self {
            Self::TooSlow(_) => "timed_out",
            Self::Network(_) => "unreachable",
            Self::Refused { .. } => "refused",
            Self::NoAnswer(_) => "unreadable",
        }
    }

    fn fault(&self) -> EngineFault {
        match self {
            Self::TooSlow(_) => EngineFault::IN_VAIN,
            Self::Network(_) | Self::NoAnswer(_) => EngineFault::Passing,
            Self::Refused { fault, .. } => *fault,
        }
    }

    /// Gives the HTTP status of a refusal, if it is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Asks one server.
pub struct Lookup {
    settings: CustomerSettings,
    address: AddressTemplate,
    client: Client,
    circuit: Arc<Circuit>,
    seldom: Arc<Seldom>,
}

impl Lookup {
    /// Makes one that has asked nothing yet; `None` where no server is configured, or its address is
    /// wrong, which was said of the configuration. `client` limits the time to connect.
    #[must_use]
    pub fn new(
        settings: &CustomerSettings,
        client: Client,
        clock: Clock,
        notice: Notice,
    ) -> Option<Self> {
        let address = address(settings.url.as_deref()?).ok()?;
        let circuit = Circuit::new(SECTION, address.host().to_owned(), clock, notice);
        Some(Self { settings: settings.clone(), address, client, circuit, seldom: Arc::default() })
    }

    /// Names the server.
    #[must_use]
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// Returns for how long an answer holds, in milliseconds.
    pub(super) fn holds_ms(&self) -> i64 {
        i64::try_from(self.settings.cache_minutes.saturating_mul(60_000)).unwrap_or(i64::MAX)
    }

    /// Returns what the server knows of a person, `Some(None)` if it does not know them. `None` if
    /// nobody could be asked, or the answer was none; that is logged now and then.
    pub(super) async fn ask(&self, contact: &ContactRef) -> Option<Option<Customer>> {
        let url = self.address_of(contact)?;
        let Some(call) = self.circuit.call() else {
            telemetry::customer_lookup("left_alone");
            return None;
        };
        match self.fetch(url, contact).await {
            Ok(told) => {
                call.succeeded();
                telemetry::customer_lookup(if told.is_some() { "known" } else { "unknown" });
                Some(told)
            }
            Err(error) => {
                let kind = error.kind();
                telemetry::customer_lookup(kind);
                call.failed(error.fault(), &error);
                let (host, said) = (self.host().to_owned(), error.to_string());
                self.seldom.tell(kind, move |count| {
                    let (host, error) = (host.as_str(), said.as_str());
                    tracing::warn!(
                        host, error, count,
                        "the server of customers.url did not say who writes: they are answered without it"
                    );
                });
                None
            }
        }
    }

    /// Returns the address that is asked about a person; `None` if it needs what is not known of them.
    #[must_use]
    pub fn address_of(&self, contact: &ContactRef) -> Option<Url> {
        let ids = [(PHONE, &contact.phone), (USER_ID, &contact.user_id)];
        let asks = |name: &str| ids.iter().any(|(id, value)| *id == name && value.is_some());
        if !self.address.arguments().any(asks) {
            return None;
        }
        let text = |id: &Option<Personal>| json!(id.as_ref().map_or("", Personal::reveal));
        let arguments: JsonObject =
            ids.into_iter().map(|(name, id)| (name.to_owned(), text(id))).collect();
        // A part of the path that is empty has no address.
        self.address.filled(&arguments).ok()
    }

    /// Asks once, at the address of a person.
    ///
    /// # Errors
    /// Why the server did not say who it is.
    pub async fn fetch(
        &self,
        url: Url,
        contact: &ContactRef,
    ) -> Result<Option<Customer>, LookupError> {
        let limit = Duration::from_millis(self.settings.timeout_ms);
        let asked = timeout(limit, self.send(url, contact)).await;
        asked.map_err(|_late| LookupError::TooSlow(self.settings.timeout_ms))?
    }

    async fn send(&self, url: Url, contact: &ContactRef) -> Result<Option<Customer>, LookupError> {
        let request = self.client.get(url).header(ACCEPT, "application/json");
        let sent = with_key(request, self.settings.token()).send().await;
        let answer = sent.map_err(|error| LookupError::Network(outside(&error_chain(error))))?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => Ok(None),
            status if status.is_success() => read(&whole(answer).await?),
            status if status.is_redirection() => Err(LookupError::NoAnswer(format!(
                "us to another place (HTTP {}), which is not followed",
                status.as_u16()
            ))),
            _ => Err(self.refused(&ErrorResponse::read(answer).await, contact)),
        }
    }

    fn refused(&self, refusal: &ErrorResponse, contact: &ContactRef) -> LookupError {
        let fault = match refusal.asks() {
            Asks::Key => EngineFault::TO_MEND,
            Asks::Time => refusal.retry_after.map_or(EngineFault::Passing, EngineFault::Lasting),
            Asks::Request => EngineFault::Passing,
        };
        let ids = [&contact.phone, &contact.user_id].into_iter().flatten().map(Personal::reveal);
        let ids = ids.collect::<Vec<_>>().join(" ");
        let said =
            Redactor { key: self.settings.token(), text: &ids }.clean(&refusal.error.message);
        let said = if refusal.page { "a web page".to_owned() } else { said };
        LookupError::Refused { status: refusal.status, said, fault }
    }
}

/// Reads a body up to its largest size.
async fn whole(mut answer: Response) -> Result<Vec<u8>, LookupError> {
    let page = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if page.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html")) {
        return Err(LookupError::NoAnswer("a web page".to_owned()));
    }
    let network = |error| LookupError::Network(outside(&error_chain(error)));
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(network)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER {
            return Err(LookupError::NoAnswer(format!("more than {} KiB", MAX_ANSWER >> 10)));
        }
    }
    Ok(body)
}

/// Reads an answer; `None` if it says nothing of anybody.
fn read(body: &[u8]) -> Result<Option<Customer>, LookupError> {
    let no_answer = |what: &str| Err(LookupError::NoAnswer(what.to_owned()));
    if is_page(body) {
        return no_answer("a web page");
    }
    if matches!(body.trim_ascii(), b"" | b"null") {
        return Ok(None);
    }
    let Ok(fields) = serde_json::from_slice::<CustomerFields>(body) else {
        return no_answer("something else than a JSON object");
    };
    let mut customer = Customer::default();
    for (name, value) in fields.iter().filter(|(name, _)| !IDS.contains(name)) {
        match (name, value.reveal().trim()) {
            (_, "") => {}
            ("name", name) => customer.name = Some(name.into()),
            ("language", language) => {
                customer.set_language(language);
            }
            (name, value) => customer.fields.set(name, value),
        }
    }
    match customer.too_long() {
        // The key is the server's, and may be anything.
        Some((_, problem)) => no_answer(&format!("a field or fields that {problem}")),
        None => Ok(Some(customer).filter(|customer| !customer.is_empty())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_about_without_what_the_address_needs() {
        let asked = |url: &str, phone: Option<&str>, user_id: Option<&str>| {
            let settings = CustomerSettings { url: Some(url.to_owned()), ..<_>::default() };
            let client = crate::remote::model_client(Duration::from_secs(1));
            let notice = Arc::new(|_: &'static str, _: &str, _| {});
            let lookup = Lookup::new(&settings, client, Clock::System, notice).unwrap();
            let id = |id: Option<&str>| id.map(Personal::from);
            let contact = ContactRef { user_id: id(user_id), phone: id(phone), profile_name: None };
            lookup.address_of(&contact).map(|url| url.to_string())
        };
        let of = |url: &str| [asked(url, Some("1"), None), asked(url, None, Some("U/1"))];
        let some = |url: &str| Some(url.to_owned());
        assert_eq!(of("http://a/{phone}"), [some("http://a/1"), None]);
        assert_eq!(of("http://a/{phone}/{user_id}"), [None, None]);
        assert_eq!(
            of("http://a/?p={phone}&u={user_id}"),
            [some("http://a/?p=1&u="), some("http://a/?p=&u=U%2F1")]
        );
    }

    #[test]
    fn an_object_is_somebody_and_nothing_is_nobody() {
        let body = br#"{"phone":"+49 1","name":" Ann ","language":"German","plan":"gold","open":{"a":1},"x":null}"#;
        let ann = read(body).unwrap().unwrap();
        assert_eq!((ann.name, ann.language), (Some("Ann".into()), Some("de".into())));
        let fields = serde_json::to_string(&ann.fields).unwrap();
        assert_eq!(fields, r#"{"plan":"gold","open":"{\"a\":1}"}"#);
        for nobody in [&b""[..], b"null", b"{}", br#"{"name":null,"phone":"1"}"#] {
            assert_eq!(read(nobody).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let long = format!("{{\"plan\":\"{}\"}}", "x".repeat(3_000));
        for (body, words) in [
            ("<!doctype html>", "a web page"),
            ("[]", "something else than a JSON object"),
            ("{\"name\":", "something else than a JSON object"),
            ("\"Ann\"", "something else than a JSON object"),
            (&long, "is longer than 2000 characters"),
        ] {
            let error = read(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
