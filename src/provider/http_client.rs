//! The HTTP client of every provider call: one pool, with time limits.
//!
//! Made once by `app` and handed to who needs it. Invariant: a redirect is followed only to the
//! same scheme, host and port, so that a token never leaves for a host nobody configured.

use std::time::Duration;

use reqwest::redirect;

/// Time to open a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest silence while an answer is read.
const READ: Duration = Duration::from_secs(20);
/// Redirects followed within one host.
const HOPS: usize = 3;

/// Builds the client. On a machine without CA certificates every `https` call fails, plain `http`
/// to a configured fake works.
///
/// # Panics
/// If the TLS library refuses its own defaults, which only a broken build can cause.
#[must_use]
pub fn http_client() -> reqwest::Client {
    http_client_within(CONNECT, READ)
}

/// As [`http_client`], for a server with time limits of its own: to open a connection, and the
/// longest silence while an answer is read.
///
/// # Panics
/// As [`http_client`].
#[must_use]
pub fn http_client_within(connect: Duration, read: Duration) -> reqwest::Client {
    // An error means that a provider is installed already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    builder(connect, read).build().unwrap_or_else(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "no CA certificates found, https calls will fail"
        );
        let bare = builder(connect, read).tls_certs_only([]);
        bare.build().expect("a client without certificates needs nothing")
    })
}

fn builder(connect: Duration, read: Duration) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "the one place that sets the timeouts")]
    let builder = reqwest::Client::builder();
    builder
        // Meta's media hosts answer errors to requests without a User-Agent.
        .user_agent(concat!("hark/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .read_timeout(read)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_is_built_twice_and_without_certificates() {
        let _one = http_client();
        let _two = http_client();
        builder(CONNECT, READ).tls_certs_only([]).build().unwrap();
    }
}
