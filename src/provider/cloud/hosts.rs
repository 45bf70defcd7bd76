//! Where the access token may go: the configured API host and the allow-listed media hosts.
//!
//! Media addresses come from webhook bodies and look-ups, so each is checked before a request.

use url::{Origin, Url};

use crate::provider::ProviderError;

/// Lists the hosts a token may be sent to.
#[derive(Clone, Debug)]
pub(super) struct TokenHosts {
    api: Origin,
    /// `host` or `host:port`, in lower case.
    media: Vec<String>,
}

impl TokenHosts {
    pub(super) fn new(api_url: &Url, media_hosts: &[String]) -> Self {
        let media = media_hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect();
        Self { api: api_url.origin(), media }
    }

    /// Parses an address and checks that it is the API's own scheme, host and port, or `https` on
    /// an allow-listed host. A listed host without a port means port 443.
    pub(super) fn check(&self, address: &str) -> Result<Url, ProviderError> {
        let url = Url::parse(address)
            .map_err(|_| ProviderError::HostNotAllowed { host: "(not an address)".to_owned() })?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let listed = |entry: &String| match port {
            443 => entry == host || *entry == format!("{host}:443"),
            port => *entry == format!("{host}:{port}"),
        };
        let on_media_host = url.scheme() == "https" && self.media.iter().any(listed);
        let on_api_host = url.origin() == self.api && self.api.is_tuple();
        let without_login = url.username().is_empty() && url.password().is_none();
        if without_login && (on_media_host || on_api_host) {
            Ok(url)
        } else {
            Err(ProviderError::HostNotAllowed { host: format!("{host}:{port}") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, allowed: bool) {
        let api = Url::parse("http://127.0.0.1:8090/graph").unwrap();
        let media = ["lookaside.fbsbx.com".to_owned(), "Media.example:8443".to_owned()];
        assert_eq!(TokenHosts::new(&api, &media).check(address).is_ok(), allowed, "{address}");
    }

    #[test]
    fn only_configured_hosts_are_allowed() {
        check("http://127.0.0.1:8090/sim/media/1", true);
        check("https://lookaside.fbsbx.com/whatsapp?mid=1", true);
        check("https://LOOKASIDE.fbsbx.com:443/a", true);
        check("https://media.example:8443/a", true);
        check("http://127.0.0.1:8091/sim/media/1", false);
        check("https://127.0.0.1:8090/a", false);
        check("http://lookaside.fbsbx.com/a", false);
        check("https://lookaside.fbsbx.com:8443/a", false);
        check("https://media.example/a", false);
        check("https://evil.lookaside.fbsbx.com/a", false);
        check("https://lookaside.fbsbx.com.evil.example/a", false);
        check("https://lookaside.fbsbx.com@evil.example/a", false);
        check("https://me:pw@lookaside.fbsbx.com/a", false);
        check("file:///etc/passwd", false);
        check("data:text/plain,a", false);
        check("", false);
    }
}
