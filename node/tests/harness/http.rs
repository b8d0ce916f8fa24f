//! JSON-RPC over HTTP with bodies of any bytes.

use std::{net::SocketAddr, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Uri, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// A client of one node.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
}

impl Http {
    pub fn new(address: SocketAddr) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, uri: format!("http://{address}/").parse().unwrap() }
    }

    /// Status and body of the answer to `body`, within 30 seconds.
    pub async fn post(&self, body: impl Into<Bytes>) -> Result<(u16, Vec<u8>), String> {
        let request = Request::post(self.uri.clone())
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let exchange = async {
            let response = self.client.request(request).await.map_err(|e| format!("no answer: {e:?}"))?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|e| format!("answer cut: {e}"))?;
            Ok((status, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(Duration::from_secs(30), exchange).await.map_err(|_| "no answer in time")?
    }

    /// Result of a call, or code and message of its error.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, (i64, String)> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (status, body) = self.post(request.to_string()).await.unwrap();
        assert_eq!(status, 200, "{method}: {}", String::from_utf8_lossy(&body));
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        match answer.get("error") {
            Some(e) => Err((e["code"].as_i64().unwrap(), e["message"].as_str().unwrap().to_owned())),
            None => Ok(answer["result"].take()),
        }
    }
}
