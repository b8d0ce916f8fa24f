//! Whether a request may come from where it comes from: host names against DNS rebinding, origins against pages of
//! others. Neither replaces a firewall: only browsers are held by them.

use std::net::IpAddr;

use http::{HeaderValue, Method, Request, header};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    #[error("invalid host specified: {host:?} is not among rpc.hosts")]
    Host { host: String },
    #[error("invalid origin specified: {origin:?} is not among rpc.cors_origins")]
    Origin { origin: String },
}

/// Allowed host names and origins.
#[derive(Clone, Debug)]
pub struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// The host of `host:port`, `host`, `[v6]:port` or `[v6]`.
fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(authority, |(host, _)| host);
    }
    match authority.rsplit_once(':') {
        // More than one colon outside brackets is a bare IPv6 address.
        Some((host, _)) if !host.contains(':') => host,
        _ => authority,
    }
}

fn is_ip(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

impl Guard {
    /// `"*"` among hosts or origins allows any.
    #[must_use]
    pub fn new(hosts: &[String], origins: &[String]) -> Self {
        Self { hosts: hosts.to_vec(), origins: origins.to_vec() }
    }

    /// The authority that the request is addressed to, if it says.
    fn authority<B>(request: &Request<B>) -> Option<String> {
        let uri = request.uri().authority().map(|a| a.as_str().to_owned());
        uri.or_else(|| request.headers().get(header::HOST).map(shown))
    }

    /// Refuses a host name that is not allowed. IP addresses are: a page cannot make a browser believe that it is one.
    ///
    /// # Errors
    /// [`GuardError::Host`].
    pub fn check_host<B>(&self, request: &Request<B>) -> Result<(), GuardError> {
        // A client without a Host is no browser.
        let Some(authority) = Self::authority(request) else { return Ok(()) };
        let host = without_port(&authority).trim_end_matches('.');
        let allowed = host.is_empty()
            || is_ip(host)
            || self.hosts.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(host));
        if allowed { Ok(()) } else { Err(GuardError::Host { host: host.to_owned() }) }
    }

    /// Refuses a WebSocket that a page of another origin opens: browsers ask nobody before they do.
    ///
    /// # Errors
    /// [`GuardError::Origin`].
    pub fn check_websocket_origin<B>(&self, request: &Request<B>) -> Result<(), GuardError> {
        let Some(origin) = request.headers().get(header::ORIGIN).map(shown) else { return Ok(()) };
        let same = origin.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
        let own = Self::authority(request).map(|a| a.to_ascii_lowercase());
        let allowed = (same.is_some() && same == own)
            || self.origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(&origin));
        if allowed { Ok(()) } else { Err(GuardError::Origin { origin }) }
    }

    /// Answers what browsers ask before they let a page of another origin in; none if no origin is allowed.
    #[must_use]
    pub fn cors(&self) -> Option<CorsLayer> {
        let origin = if self.origins.iter().any(|o| o == "*") {
            Any.into()
        } else if self.origins.is_empty() {
            return None;
        } else {
            AllowOrigin::list(self.origins.iter().filter_map(|o| HeaderValue::from_str(o).ok()))
        };
        let methods = [Method::GET, Method::POST];
        Some(
            CorsLayer::new()
                .allow_origin(origin)
                .allow_methods(methods)
                .allow_headers([header::CONTENT_TYPE]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, origin: Option<&str>) -> Request<()> {
        let mut builder = Request::builder().uri("/").header(header::HOST, host);
        if let Some(origin) = origin {
            builder = builder.header(header::ORIGIN, origin);
        }
        builder.body(()).unwrap()
    }

    fn guard(hosts: &[&str], origins: &[&str]) -> Guard {
        let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Guard::new(&owned(hosts), &owned(origins))
    }

    #[test]
    fn accepts_listed_hosts_and_addresses() {
        let guard = guard(&["localhost", "node.example"], &[]);
        for host in [
            "localhost",
            "LOCALHOST:8123",
            "node.example",
            "node.example.:80",
            "127.0.0.1:8123",
            "10.1.2.3",
            "[::1]:8123",
            "[::1]",
            "",
        ] {
            assert_eq!(guard.check_host(&request(host, None)), Ok(()), "{host}");
        }
        assert_eq!(guard.check_host(&Request::builder().uri("/").body(()).unwrap()), Ok(()));
    }

    #[test]
    fn rejects_other_hosts_by_name() {
        let localhost = guard(&["localhost"], &[]);
        for host in
            ["evil.example", "evil.example:8123", "localhost.evil.example", "127.0.0.1.evil.example", "1"]
        {
            let error = localhost.check_host(&request(host, None)).unwrap_err();
            assert_eq!(error, GuardError::Host { host: host.trim_end_matches(":8123").to_owned() });
        }
        assert_eq!(guard(&["*"], &[]).check_host(&request("evil.example", None)), Ok(()));
    }

    #[test]
    fn rejects_websockets_of_other_origins() {
        let own = guard(&["localhost"], &["https://app.example"]);
        for origin in [None, Some("http://localhost:8123"), Some("https://app.example")] {
            assert_eq!(own.check_websocket_origin(&request("localhost:8123", origin)), Ok(()), "{origin:?}");
        }
        for origin in ["http://localhost:1", "http://evil.example", "http://app.example", "null"] {
            let error = own.check_websocket_origin(&request("localhost:8123", Some(origin))).unwrap_err();
            assert_eq!(error, GuardError::Origin { origin: origin.to_owned() });
        }
        let any = guard(&["localhost"], &["*"]);
        assert_eq!(any.check_websocket_origin(&request("localhost", Some("http://evil.example"))), Ok(()));
    }
}
