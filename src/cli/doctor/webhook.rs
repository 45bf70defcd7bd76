//! The webhook as Meta sees it: the handshake, through `public_url` and whatever is in front of it.

use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use url::Url;

use super::TIME_LIMIT;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Check;
use crate::remote::words::error_chain;

/// Longest answer read; the right one has a few digits.
const ANSWER_LIMIT: usize = 4096;

const URL: &str = "server.public_url";
const TOKEN: &str = "webhook.verify_token";

pub(super) async fn check(config: &Config, client: &reqwest::Client) -> Check {
    let mut check = Check::new("webhook");
    let Some(public_url) = &config.server.public_url else {
        check.skipped(
            "not asked: server.public_url is not set. With it the doctor asks the webhook as Meta \
             does, and names the callback URL for Meta's form",
        );
        return check;
    };
    let Some(token) = &config.webhook.verify_token else {
        check.skipped("webhook.verify_token is not set: there is nothing to ask with");
        return check;
    };
    let challenge = Clock::System.now_ms().to_string();
    let Some(place) = config.server.callback_url() else {
        check.error(URL, format!("{public_url} cannot have a path"), "write an https address");
        return check;
    };
    let answer = timeout(TIME_LIMIT, ask(client, handshake(&place, token, &challenge))).await;
    let place = place.to_string();
    match answer {
        Err(_late) => check.error(
            URL,
            format!("{place} did not answer within {} s", TIME_LIMIT.as_secs()),
            "let the firewall and the proxy pass requests on to hark serve",
        ),
        Ok(Err(error)) => unreachable(&mut check, &place, error),
        Ok(Ok((StatusCode::OK, body))) if body == challenge.as_bytes() => {
            check.well(format!("{place} answers the handshake: the callback URL for Meta's form"));
        }
        Ok(Ok((status, body))) => refused(&mut check, &place, status, &body),
    }
    check
}

fn handshake(callback: &Url, token: &SecretString, challenge: &str) -> Url {
    let mut url = callback.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.verify_token", token.expose_secret())
        .append_pair("hub.challenge", challenge);
    url
}

async fn ask(client: &reqwest::Client, url: Url) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    let mut response = client.get(url).send().await?;
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT
        && let Some(bytes) = response.chunk().await?
    {
        body.extend_from_slice(&bytes);
    }
    Ok((response.status(), body))
}

/// Says at which step there was no answer.
fn unreachable(check: &mut Check, place: &str, error: reqwest::Error) {
    let why = error_chain(error);
    let has = |words: &[&str]| words.iter().any(|word| why.to_lowercase().contains(word));
    let (what, fix) = if has(&["certificate", "tls", "handshake", "corrupt message"]) {
        (
            "does not open a trusted TLS connection",
            "serve a certificate of a public authority for this host, with its intermediates: \
             Meta refuses a self-signed one too",
        )
    } else if has(&["dns", "resolve", "lookup"]) {
        ("has a host name that is not known", "make the name's DNS record, or correct public_url")
    } else {
        (
            "does not take connections",
            "start `hark serve`, and the proxy before it, and run hark doctor again",
        )
    };
    check.error(URL, format!("{place} {what}: {why}"), fix);
}

/// Says what another answer than the challenge means.
fn refused(check: &mut Check, place: &str, status: StatusCode, body: &[u8]) {
    let ours = body.windows(12).any(|word| word == b"verify token");
    let (key, what, fix) = match status.as_u16() {
        403 if ours => (
            TOKEN,
            "the service that runs has another verify token",
            "reload hark serve with this configuration (kill -HUP), and type this word into Meta's form",
        ),
        401 | 403 => (
            URL,
            "something before hark forbids the request",
            "let the proxy pass /webhook on without a login or a filter",
        ),
        404 | 405 => (
            URL,
            "there is no webhook at this address",
            "let the proxy pass /webhook on to hark serve, or correct the path of public_url",
        ),
        502..=504 => (
            URL,
            "the proxy reaches no hark",
            "start `hark serve`, and let the proxy point to [server] listen",
        ),
        300..=399 => (URL, "it redirects", "write the address that it redirects to"),
        200 => (
            URL,
            "something else answers there",
            "let the proxy pass /webhook on to hark serve, query included",
        ),
        _ => (URL, "it does not answer as hark does", "look at the logs of the proxy and of hark"),
    };
    check.error(key, format!("{place}: {what} (HTTP {})", status.as_u16()), fix);
}
