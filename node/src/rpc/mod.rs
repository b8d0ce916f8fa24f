//! JSON-RPC over HTTP and WebSocket on one port. Spec: docs/rpc.md.

pub mod budget;
pub mod cairn;
pub mod call;
pub(crate) mod connection;
pub mod debug;
pub mod discover;
pub mod error;
pub mod eth;
pub mod fees;
pub mod filter;
pub mod limit;
mod logs;
pub mod message;
pub mod proof;
mod reader;
mod relay;
pub mod service;
pub mod subscribe;
pub mod transactions;
pub mod txpool;
pub mod zkevm;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jsonrpsee::{
    RpcModule,
    core::{ClientError, RegisterMethodError},
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    chain::Chain,
    config::RpcConfig,
    http::{self, Server, ServerError, health::Health},
};
use budget::Budget;
use cairn::{CairnApiServer, CairnRpc};
use call::{CallApiServer, CallRpc};
use debug::{DebugApiServer, DebugRpc};
use eth::{EthApiServer, EthRpc, NetApiServer, Web3ApiServer};
use fees::{FeeApiServer, FeeRpc};
use filter::{FilterApiServer, FilterRpc};
use proof::{ProofApiServer, ProofRpc};
use relay::Relay;
use service::{Rules, namespace};
use subscribe::{SubscribeApiServer, SubscribeRpc};
use transactions::{TransactionApiServer, TransactionRpc};
use txpool::{TxpoolApiServer, TxpoolRpc};
use zkevm::{ZkevmApiServer, ZkevmRpc};

/// Namespaces that there are, all of them offered by default. None lets a caller change how the node runs.
pub const NAMESPACES: [&str; 8] = ["eth", "net", "web3", "txpool", "zkevm", "rpc", "cairn", "debug"];

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcServerError {
    #[error(transparent)]
    Listen(#[from] ServerError),
    #[error("two JSON-RPC methods have one name: {0}")]
    Register(#[from] RegisterMethodError),
    #[error("rpc.sequencer_url: {0}")]
    Sequencer(#[from] ClientError),
}

/// All methods. What their subscriptions have waiting counts against `budget`.
///
/// # Errors
/// If two methods have one name, or the sequencer's URL is none.
pub fn module(
    chain: &Arc<Chain>,
    config: &RpcConfig,
    budget: &Budget,
) -> Result<RpcModule<()>, RpcServerError> {
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
    module.merge(
        SubscribeRpc { chain: Arc::clone(chain), timeout, max_lag, budget: budget.clone() }.into_rpc(),
    )?;
    module.merge(CallRpc { chain: Arc::clone(chain), gas_cap: config.gas_cap }.into_rpc())?;
    module.merge(DebugRpc::new(chain, config).into_rpc())?;
    module.merge(ZkevmRpc { chain: Arc::clone(chain), gas_cap: config.gas_cap }.into_rpc())?;
    module.merge(discover::DiscoverApiServer::into_rpc(discover::DiscoverRpc))?;
    Ok(module)
}

/// Starts to serve the namespaces that the configuration names.
///
/// # Errors
/// If the address cannot be used.
pub async fn serve(
    chain: &Arc<Chain>,
    config: &RpcConfig,
    health: Arc<Health>,
    metrics: PrometheusHandle,
) -> Result<Server, RpcServerError> {
    let budget = Budget::new(config.max_buffered_bytes);
    let mut module = module(chain, config, &budget)?;
    let offered = |name: &str| config.namespaces.iter().any(|offered| offered == namespace(name));
    let disabled: BTreeSet<_> = module.method_names().filter(|name| !offered(name)).collect();
    for name in &disabled {
        module.remove_method(name);
    }
    let rules = Rules::new(config, module.into(), disabled, budget);
    Ok(http::start(config, rules, health, metrics).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, proof::MockEngine, wiring::open_chain};

    /// A method outside the known namespaces could not be switched off.
    #[test]
    fn accepts_only_methods_of_known_namespaces() {
        let config = Config::default();
        let engine = MockEngine { capacity: config.batch.mock_capacity };
        let chain = open_chain(&config, Arc::new(cairn_state::MemoryStore::default()), &engine).unwrap();
        for method in module(&chain, &config.rpc, &Budget::new(1)).unwrap().method_names() {
            assert!(NAMESPACES.contains(&namespace(method)), "{method}");
        }
    }
}
