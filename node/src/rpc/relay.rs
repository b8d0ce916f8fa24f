//! Raw transactions of a node that makes no blocks go to the sequencer.

use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use jsonrpsee::{
    core::{ClientError, client::ClientT},
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
};

use super::error::RpcError;

/// How long the sequencer may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The sequencer's JSON-RPC.
#[derive(Clone, Debug)]
pub struct Relay {
    client: HttpClient,
}

impl Relay {
    /// The sequencer at `url`; it is not connected to before there is a transaction.
    ///
    /// # Errors
    /// If this is no URL of HTTP.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Ok(Self { client: HttpClientBuilder::default().request_timeout(TIMEOUT).build(url)? })
    }

    /// Gives the sequencer a raw transaction.
    ///
    /// # Errors
    /// The sequencer's own, or that it does not answer.
    pub async fn send(&self, raw: Bytes) -> Result<B256, RpcError> {
        let sent = self.client.request("eth_sendRawTransaction", rpc_params![raw]).await;
        sent.map_err(|error| match error {
            ClientError::Call(error) => RpcError::Relayed(error),
            ClientError::RequestTimeout => RpcError::SequencerTimeout { after_s: TIMEOUT.as_secs() },
            source => RpcError::SequencerUnreachable { source },
        })
    }
}
