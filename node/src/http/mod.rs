//! One port for HTTP JSON-RPC, WebSocket JSON-RPC and a few pages: how bytes come in and go out. Not here: what JSON-RPC
//! means (`rpc::service`).
//!
//! ```text
//! TCP ─► connection limit ─► Host ─► CORS ─┬─► upgrade: websocket ─┬─► rpc::service ─► methods
//!                                          ├─► POST: post ─────────┘
//!                                          └─► GET: /health /ready /metrics, files of the dashboard
//! ```

pub mod assets;
mod deadline;
mod guard;
pub mod health;
mod pages;
mod post;
mod runtime;
mod server;
pub mod websocket;

pub use server::{Server, ServerError, Site, start, start_pages};

use jsonrpsee::server::{HttpBody, HttpResponse};

/// A response with a body of one piece.
fn response(status: http::StatusCode, content_type: &'static str, body: impl Into<HttpBody>) -> HttpResponse {
    let mut response = HttpResponse::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, http::HeaderValue::from_static("nosniff"));
    response
}

/// A refusal in words.
fn refusal(status: http::StatusCode, message: String) -> HttpResponse {
    response(status, "text/plain; charset=utf-8", message + "\n")
}
