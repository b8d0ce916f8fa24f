//! JSON-RPC over HTTP and WebSocket on one port. Spec: docs/rpc.md.

pub mod cairn;
pub mod error;
pub mod eth;
pub mod proof;
mod reader;
pub mod zkevm;

use std::{net::SocketAddr, sync::Arc};

use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
};
use tower_http::cors::CorsLayer;

use crate::{chain::Chain, config::RpcConfig, dashboard::http::DashboardLayer};
use cairn::{CairnApiServer, CairnRpc};
use eth::{EthApiServer, EthRpc, NetApiServer, Web3ApiServer};
use proof::{ProofApiServer, ProofRpc};
use zkevm::{ZkevmApiServer, ZkevmRpc};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcServerError {
    #[error("JSON-RPC cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("two JSON-RPC methods have one name: {0}")]
    Register(#[from] RegisterMethodError),
}

/// A running server.
pub struct RpcServer {
    pub address: SocketAddr,
    pub handle: ServerHandle,
}

/// All methods.
///
/// # Errors
/// If two methods have one name.
pub fn module(chain: &Arc<Chain>) -> Result<RpcModule<()>, RegisterMethodError> {
    let eth = EthRpc { chain: Arc::clone(chain) };
    let mut module = RpcModule::new(());
    module.merge(EthApiServer::into_rpc(eth.clone()))?;
    module.merge(NetApiServer::into_rpc(eth.clone()))?;
    module.merge(Web3ApiServer::into_rpc(eth))?;
    module.merge(ProofRpc { chain: Arc::clone(chain) }.into_rpc())?;
    module.merge(CairnRpc { chain: Arc::clone(chain) }.into_rpc())?;
    module.merge(ZkevmRpc { chain: Arc::clone(chain) }.into_rpc())?;
    Ok(module)
}

/// Starts to serve.
///
/// # Errors
/// If the address cannot be used.
pub async fn serve(chain: &Arc<Chain>, config: &RpcConfig) -> Result<RpcServer, RpcServerError> {
    let address = config.listen;
    let listen = |source| RpcServerError::Listen { address, source };
    let limits = ServerConfig::builder()
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_connections(config.max_connections)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch_entries))
        .build();
    let server = Server::builder()
        .set_config(limits)
        .set_http_middleware(
            tower::ServiceBuilder::new().layer(CorsLayer::permissive()).layer(DashboardLayer),
        )
        .build(address)
        .await
        .map_err(listen)?;
    let address = server.local_addr().map_err(listen)?;
    let handle = server.start(module(chain)?);
    Ok(RpcServer { address, handle })
}
