//! JSON-RPC over HTTP and WebSocket on one port. Spec: docs/rpc.md.

pub mod cairn;
mod connection;
pub mod error;
pub mod eth;
pub mod fees;
pub mod filter;
mod logs;
pub mod proof;
mod reader;
mod relay;
pub mod subscribe;
pub mod transactions;
pub mod txpool;
pub mod zkevm;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jsonrpsee::{
    RpcModule,
    core::{ClientError, RegisterMethodError},
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

use crate::{chain::Chain, config::RpcConfig, dashboard::http::DashboardLayer};
use cairn::{CairnApiServer, CairnRpc};
use eth::{EthApiServer, EthRpc, NetApiServer, Web3ApiServer};
use proof::{ProofApiServer, ProofRpc};
use fees::{FeeApiServer, FeeRpc};
use filter::{FilterApiServer, FilterRpc};
use relay::Relay;
use subscribe::{SubscribeApiServer, SubscribeRpc};
use transactions::{TransactionApiServer, TransactionRpc};
use txpool::{TxpoolApiServer, TxpoolRpc};
use zkevm::{ZkevmApiServer, ZkevmRpc};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcServerError {
    #[error("JSON-RPC cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("two JSON-RPC methods have one name: {0}")]
    Register(#[from] RegisterMethodError),
    #[error("rpc.sequencer_url: {0}")]
    Sequencer(#[from] ClientError),
}

/// A running server.
pub struct RpcServer {
    pub address: SocketAddr,
    pub handle: ServerHandle,
}

/// All methods.
///
/// # Errors
/// If two methods have one name, or the sequencer's URL is none.
pub fn module(chain: &Arc<Chain>, config: &RpcConfig) -> Result<RpcModule<()>, RpcServerError> {
    let relay = config.sequencer_url.as_deref().map(Relay::new).transpose()?;
    let eth = EthRpc { chain: Arc::clone(chain) };
    let mut module = RpcModule::new(());
    module.merge(EthApiServer::into_rpc(eth.clone()))?;
    module.merge(NetApiServer::into_rpc(eth.clone()))?;
    module.merge(Web3ApiServer::into_rpc(eth))?;
    module.merge(ProofRpc { chain: Arc::clone(chain) }.into_rpc())?;
    module.merge(CairnRpc { chain: Arc::clone(chain) }.into_rpc())?;
    module.merge(TransactionRpc { chain: Arc::clone(chain), relay }.into_rpc())?;
    module.merge(FeeRpc { chain: Arc::clone(chain) }.into_rpc())?;
    module.merge(FilterRpc::new(Arc::clone(chain)).into_rpc())?;
    module.merge(TxpoolRpc { chain: Arc::clone(chain) }.into_rpc())?;
    let timeout = Duration::from_millis(config.subscriber_timeout_ms);
    let max_lag = config.subscriber_max_lag_blocks;
    module.merge(SubscribeRpc { chain: Arc::clone(chain), timeout, max_lag }.into_rpc())?;
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
    let limits = connection::bounded(ServerConfig::builder())
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_connections(config.max_connections)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch_entries))
        .build();
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    // A client that is told why its subscription closed has until then to read it.
    let stalled = Duration::from_millis(config.subscriber_timeout_ms.saturating_mul(3));
    connection::drop_stalled(&listener, stalled).map_err(listen)?;
    let server = Server::builder()
        .set_config(limits)
        .set_http_middleware(
            tower::ServiceBuilder::new().layer(CorsLayer::permissive()).layer(DashboardLayer),
        )
        .build_from_tcp(listener.into_std().map_err(listen)?)
        .map_err(listen)?;
    let address = server.local_addr().map_err(listen)?;
    let handle = server.start(module(chain, config)?);
    Ok(RpcServer { address, handle })
}
