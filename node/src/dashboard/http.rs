//! Serves the page: a layer in front of JSON-RPC that answers GET and HEAD for the paths of [`super::assets`] and passes
//! everything else on, WebSocket upgrades included.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use futures::future::Either;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use tower::{Layer, Service};

use super::assets::{Asset, asset};

/// Headers of every asset. Scripts and styles come from here alone, data from the node's own port; nothing is inline.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    // A newer node has a newer page.
    ("cache-control", "no-cache"),
];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct DashboardLayer;

impl<S> Layer<S> for DashboardLayer {
    type Service = Dashboard<S>;

    fn layer(&self, inner: S) -> Dashboard<S> {
        Dashboard { inner }
    }
}

/// The layer around a service.
#[derive(Clone, Debug)]
pub struct Dashboard<S> {
    inner: S,
}

/// The asset that a request asks for: a browser that wants a page, not a WebSocket.
fn asked<B>(request: &HttpRequest<B>) -> Option<&'static Asset> {
    let reads = matches!(request.method().as_str(), "GET" | "HEAD");
    if !reads || request.headers().contains_key("upgrade") {
        return None;
    }
    asset(request.uri().path())
}

fn answer(asset: &Asset, head: bool) -> HttpResponse {
    let body = if head { HttpBody::empty() } else { HttpBody::from(asset.bytes.to_vec()) };
    let mut response = HttpResponse::new(body);
    let headers = response.headers_mut();
    for (name, value) in HEADERS.into_iter().chain([("content-type", asset.content_type)]) {
        // Constants: every one of them is a header's value.
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    response
}

impl<S, B> Service<HttpRequest<B>> for Dashboard<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Either<Ready<Result<HttpResponse, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        match asked(&request) {
            Some(asset) => Either::Left(ready(Ok(answer(asset, request.method().as_str() == "HEAD")))),
            None => Either::Right(self.inner.call(request)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> HttpRequest<()> {
        let mut request = HttpRequest::new(());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        request
    }

    #[test]
    fn accepts_readers_of_known_paths() {
        assert!(asked(&request("GET", "/")).is_some());
        assert!(asked(&request("HEAD", "/dashboard/js/main.js?v=1")).is_some());
        let response = answer(asked(&request("GET", "/")).unwrap(), false);
        for (name, value) in HEADERS {
            assert_eq!(response.headers()[name], value);
        }
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    }

    #[test]
    fn rejects_what_is_for_others() {
        assert!(asked(&request("POST", "/")).is_none());
        assert!(asked(&request("GET", "/metrics")).is_none());
        assert!(asked(&request("GET", "/dashboard/../Cargo.toml")).is_none());
        let mut upgrade = request("GET", "/");
        upgrade.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        assert!(asked(&upgrade).is_none());
    }
}
