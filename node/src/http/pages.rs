//! Answers to GET: health, metrics and files.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jsonrpsee::server::HttpResponse;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use super::{
    assets::{self, HEADERS},
    health::Health,
    refusal, response,
};

const JSON: &str = "application/json; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What pages are made of.
#[derive(Clone)]
pub(super) struct Pages {
    pub health: Arc<Health>,
    pub metrics: PrometheusHandle,
    /// Whether files are served too.
    pub files: bool,
}

fn json(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    // Strings, numbers and truth values: always JSON.
    response(status, JSON, serde_json::to_vec(value).unwrap_or_default())
}

fn uncached(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Pages {
    /// Answers a GET or a HEAD; the server leaves out the body of the latter.
    pub async fn get(&self, path: &str, headers: &HeaderMap) -> HttpResponse {
        match path {
            "/health" => uncached(json(StatusCode::OK, &self.health.liveness())),
            "/ready" => {
                let readiness = self.health.readiness().await;
                let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                uncached(json(status, &readiness))
            }
            "/metrics" => self.metrics().await,
            _ if self.files => file(path, headers),
            _ => refusal(StatusCode::NOT_FOUND, format!("there is nothing at {path}")),
        }
    }

    async fn metrics(&self) -> HttpResponse {
        match self.health.metrics(self.metrics.clone()).await {
            Ok(text) => uncached(response(StatusCode::OK, METRICS, text)),
            Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

fn file(path: &str, headers: &HeaderMap) -> HttpResponse {
    let Some((asset, tag)) = assets::find(path) else {
        return refusal(StatusCode::NOT_FOUND, format!("there is nothing at {path}; JSON-RPC is a POST"));
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let same = known.is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == tag));
    let mut response = if same {
        response(StatusCode::NOT_MODIFIED, asset.content_type, Vec::new())
    } else {
        response(StatusCode::OK, asset.content_type, asset.bytes.to_vec())
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS.into_iter().chain([("etag", tag)]) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a request is for a page.
pub(super) fn is_page(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}
