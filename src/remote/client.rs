//! The HTTP clients of all calls: a pool each, with time limits. Where a client has no limit for an
//! answer its caller has: it alone knows when it waits, and when it is itself who is late.
//!
//! `app` makes them and hands them out. Invariant: a redirect is followed only to the
//! same scheme, host and port, so that a token never leaves for a host nobody configured. Downloads
//! of models have a client of their own, which is sent on to other hosts and has no token to lose.

use std::time::Duration;

use reqwest::{Url, redirect};

/// Time to open a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest silence of a server while it is waited for.
pub const SILENCE: Duration = Duration::from_secs(20);
/// Redirects followed within one host.
const HOPS: usize = 3;
/// Redirects followed to a public file.
const DOWNLOAD_HOPS: usize = 5;

/// Builds the client of provider calls: it bounds the time to connect, and its caller every other
/// wait by [`SILENCE`]. On a machine without CA certificates every `https` call fails, plain `http` to
/// a configured fake works.
///
/// # Panics
/// If the TLS library refuses its own defaults, which only a broken build can cause.
#[must_use]
pub fn http_client() -> reqwest::Client {
    model_client(CONNECT)
}

/// Builds a client of model servers: it bounds the time to `connect`, and its caller every other
/// wait.
///
/// # Panics
/// As [`http_client`].
#[must_use]
pub fn model_client(connect: Duration) -> reqwest::Client {
    build(|| builder(connect))
}

/// Builds the client for public files that are checked by their checksums: it follows redirects to
/// any host, as Hugging Face needs, and never from `https` to `http`. Nothing secret may be sent
/// with it.
///
/// # Panics
/// As [`http_client`].
#[must_use]
pub fn download_client() -> reqwest::Client {
    let anywhere = || redirect::Policy::custom(follow_anywhere);
    build(|| builder(CONNECT).read_timeout(SILENCE).referer(false).redirect(anywhere()))
}

fn build(builder: impl Fn() -> reqwest::ClientBuilder) -> reqwest::Client {
    // An error means that a provider is installed already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    builder().build().unwrap_or_else(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "no CA certificates found, https calls will fail"
        );
        builder().tls_certs_only([]).build().expect("a client without certificates needs nothing")
    })
}

fn builder(connect: Duration) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "the one place that sets the timeouts")]
    let builder = reqwest::Client::builder();
    builder
        // Meta's media hosts answer errors to requests without a User-Agent.
        .user_agent(concat!("hark/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .pool_idle_timeout(Duration::from_secs(90))
        .pool_max_idle_per_host(64)
        .tcp_nodelay(true)
        .redirect(redirect::Policy::custom(follow_same_host))
}

fn follow_same_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same_host =
        attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
    if same_host && attempt.previous().len() <= HOPS { attempt.follow() } else { attempt.stop() }
}

fn follow_anywhere(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() <= DOWNLOAD_HOPS && is_as_safe(attempt.previous(), attempt.url()) {
        attempt.follow()
    } else {
        attempt.error("too many redirects, or one from https to http")
    }
}

/// Returns whether nothing that came over `https` goes on over `http`.
fn is_as_safe(previous: &[Url], next: &Url) -> bool {
    next.scheme() == "https" || previous.iter().all(|url| url.scheme() == "http")
}

/// Returns whether a text is an address that a browser opens: HTTP, with a host.
pub fn is_web_address(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}

/// Returns the address of `path`, such as `/audio/speech`, on the server at `base`, whose operator
/// may have written it out already.
#[must_use]
pub fn endpoint_of(base: &Url, path: &str) -> Url {
    let mut endpoint = base.clone();
    let own = base.path().trim_end_matches('/');
    let whole = if own.ends_with(path) { own.to_owned() } else { format!("{own}{path}") };
    endpoint.set_path(&whole);
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_is_built_twice_and_without_certificates() {
        let _one = http_client();
        let _two = http_client();
        let _three = model_client(CONNECT);
        let _four = download_client();
        builder(CONNECT).tls_certs_only([]).build().unwrap();
    }

    #[test]
    fn a_download_never_goes_on_from_https_to_http() {
        let url = |text: &str| Url::parse(text).unwrap();
        let safe = |previous: &[&str], next: &str| {
            let previous: Vec<Url> = previous.iter().map(|text| url(text)).collect();
            is_as_safe(&previous, &url(next))
        };
        assert!(safe(&["https://a"], "https://b") && safe(&["http://a"], "https://b"));
        assert!(safe(&["http://a", "http://b"], "http://c"));
        assert!(!safe(&["https://a"], "http://a") && !safe(&["http://a", "https://b"], "http://a"));
        assert!(!safe(&["https://a"], "ftp://a"));
    }
}
