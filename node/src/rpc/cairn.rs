//! The `cairn` namespace: what the chain does, for people who watch it. Spec: docs/rpc.md#cairn.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U64};
use jsonrpsee::{
    PendingSubscriptionSink,
    core::{RpcResult, SubscriptionResult, to_json_raw_value},
    proc_macros::rpc,
    types::ErrorObject,
};
use serde::Serialize;

use super::error::{INVALID_PARAMS, RpcError};
use crate::{
    chain::Chain,
    dashboard::{
        batches::{BatchSummary, batches},
        feed::Sample,
        status::{Status, status},
        transactions::{AddressPage, TransactionStatus, address_transactions, transaction_status},
    },
    metrics::SubscriptionGauge,
};

/// Most entries of one page.
const MAX_PAGE: u64 = 100;
/// Entries of a page for those who do not say.
const PAGE: u64 = 25;

/// The overview, with the last minutes.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    #[serde(flatten)]
    pub status: Status,
    /// One a second, oldest first, ten minutes at most.
    pub samples: Vec<Sample>,
}

/// Methods of the `cairn` namespace.
#[rpc(server, namespace = "cairn")]
pub trait CairnApi {
    #[method(name = "status", blocking)]
    fn status(&self) -> RpcResult<Overview>;
    #[method(name = "getBatches", blocking)]
    fn batches(&self, from: Option<U64>, count: Option<U64>) -> RpcResult<Vec<BatchSummary>>;
    #[method(name = "getTransactionStatus", blocking)]
    fn transaction_status(&self, hash: B256) -> RpcResult<TransactionStatus>;
    #[method(name = "getAddressTransactions", blocking)]
    fn address_transactions(
        &self,
        address: Address,
        before: Option<U64>,
        count: Option<U64>,
    ) -> RpcResult<AddressPage>;
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = Status)]
    async fn watch(&self, kind: String) -> SubscriptionResult;
}

/// Serves the namespace from a chain.
#[derive(Clone)]
pub struct CairnRpc {
    pub chain: Arc<Chain>,
}

fn page(count: Option<U64>) -> Result<u64, RpcError> {
    let got = count.map_or(PAGE, |count| count.to());
    if !(1..=MAX_PAGE).contains(&got) {
        return Err(RpcError::PageSize { got, limit: MAX_PAGE });
    }
    Ok(got)
}

#[jsonrpsee::core::async_trait]
impl CairnApiServer for CairnRpc {
    fn status(&self) -> RpcResult<Overview> {
        let status = status(&self.chain).map_err(RpcError::from)?;
        Ok(Overview { status, samples: self.chain.feed.samples() })
    }

    fn batches(&self, from: Option<U64>, count: Option<U64>) -> RpcResult<Vec<BatchSummary>> {
        Ok(batches(&self.chain, from.map(|n| n.to()), page(count)?).map_err(RpcError::from)?)
    }

    fn transaction_status(&self, hash: B256) -> RpcResult<TransactionStatus> {
        Ok(transaction_status(&self.chain, hash).map_err(RpcError::from)?)
    }

    fn address_transactions(
        &self,
        address: Address,
        before: Option<U64>,
        count: Option<U64>,
    ) -> RpcResult<AddressPage> {
        // A page is small.
        let count = page(count)? as usize;
        Ok(address_transactions(&self.chain, address, before.map(|n| n.to()), count)
            .map_err(RpcError::from)?)
    }

    async fn watch(&self, pending: PendingSubscriptionSink, kind: String) -> SubscriptionResult {
        if kind != "status" {
            let message = "no such subscription: there is \"status\"";
            pending.reject(ErrorObject::owned(INVALID_PARAMS, message, None::<()>)).await;
            return Ok(());
        }
        let mut latest = self.chain.feed.subscribe();
        let sink = pending.accept().await?;
        let _gauge = SubscriptionGauge::open();
        loop {
            // What comes while a slow reader reads is overwritten by what comes later.
            let status = latest.borrow_and_update().clone();
            if let Some(status) = status {
                sink.send(to_json_raw_value(&*status)?).await?;
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                changed = latest.changed() => changed?,
            }
        }
    }
}
