//! JSON-RPC over HTTP: one POST, one answer. Source: JSON-RPC 2.0; the statuses are those that jsonrpsee and geth give.

use http::{Method, StatusCode};
use hyper::body::Bytes;
use jsonrpsee::{
    core::http_helpers::{HttpError, read_body},
    server::{
        HttpBody, HttpRequest, HttpResponse,
        http::{content_type_is_json, response as fixed},
    },
};

use super::refusal;
use crate::rpc::service::Service;

/// Answers a request. A notification is answered with an empty body.
pub async fn answer(request: HttpRequest, service: &Service, max_request_bytes: u32) -> HttpResponse {
    if request.method() != Method::POST {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "JSON-RPC is a POST".to_owned());
    }
    if !content_type_is_json(&request) {
        return refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "JSON-RPC has Content-Type: application/json".to_owned(),
        );
    }
    let (head, body) = request.into_parts();
    let body = match read_body(&head.headers, body, max_request_bytes).await {
        Ok((body, _)) => body,
        Err(HttpError::TooLarge) => return fixed::too_large(max_request_bytes),
        Err(HttpError::Malformed) => return fixed::malformed(),
        Err(HttpError::Stream(error)) => {
            return refusal(StatusCode::BAD_REQUEST, format!("the request's body ended early: {error}"));
        }
    };
    match service.answer(&body).await {
        // What the answer holds is given back when its last byte is written.
        Some(answer) => {
            fixed::ok_response(HttpBody::new(http_body_util::Full::new(Bytes::from_owner(answer))))
        }
        None => HttpResponse::default(),
    }
}
