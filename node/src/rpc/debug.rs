//! The `debug` namespace: traces, by re-execution, and consensus encodings. Nothing here changes how the node runs.
//! Spec: docs/rpc.md.

use std::sync::Arc;

use alloy_consensus::{BlockBody, Header, TxEnvelope};
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718, eip4895::Withdrawals};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
use cairn_protocol::tx::decode_tx;
use cairn_sequencer::{
    call::Caller,
    evm::EvmDb,
    pending::PendingState,
    trace::{Budget, Past, TraceLimits, Tracer, TransactionContext, trace_transaction},
};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use tokio::sync::Semaphore;

use super::{call::call_request, error::RpcError, reader::resolve};
use crate::{
    chain::{Chain, ChainError, receipt_envelope},
    config::RpcConfig,
    storage::{BlockRecord, Kind, StorageError, TxRecord},
};

/// Methods of the `debug` namespace.
#[rpc(server, namespace = "debug")]
pub trait DebugApi {
    #[method(name = "traceTransaction")]
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<GethTrace>;
    #[method(name = "traceCall")]
    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> RpcResult<GethTrace>;
    #[method(name = "traceBlockByNumber")]
    async fn trace_block_by_number(
        &self,
        block: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>>;
    #[method(name = "traceBlockByHash")]
    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>>;
    #[method(name = "traceBatchByNumber")]
    async fn trace_batch_by_number(
        &self,
        batch: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>>;
    #[method(name = "getRawTransaction", blocking)]
    fn raw_transaction(&self, hash: B256) -> RpcResult<Bytes>;
    #[method(name = "getRawBlock", blocking)]
    fn raw_block(&self, block: BlockId) -> RpcResult<Bytes>;
    #[method(name = "getRawHeader", blocking)]
    fn raw_header(&self, block: BlockId) -> RpcResult<Bytes>;
    #[method(name = "getRawReceipts", blocking)]
    fn raw_receipts(&self, block: BlockId) -> RpcResult<Vec<Bytes>>;
}

/// Serves the namespace from a chain.
#[derive(Clone)]
pub struct DebugRpc {
    pub chain: Arc<Chain>,
    /// Most gas of one call.
    pub gas_cap: u64,
    pub limits: TraceLimits,
    /// Traces that run at a time: each may take the memory of its limit. The others wait.
    pub running: Arc<Semaphore>,
}

impl DebugRpc {
    /// With the limits of a configuration.
    #[must_use]
    pub fn new(chain: &Arc<Chain>, config: &RpcConfig) -> Self {
        Self {
            chain: Arc::clone(chain),
            gas_cap: config.gas_cap,
            limits: TraceLimits { max_bytes: config.max_trace_bytes, timeout: config.trace_timeout() },
            running: Arc::new(Semaphore::new(config.max_traces.max(1))),
        }
    }

    /// Traces beside the threads that serve requests, once there is room for it.
    async fn trace<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> RpcResult<T> {
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let this = self.clone();
        let ran = tokio::task::spawn_blocking(move || {
            // Held until the trace is there. Nobody closes the semaphore.
            let _permit = permit;
            run(&this)
        });
        Ok(ran.await.map_err(RpcError::Aborted)??)
    }

    fn tracer(&self, options: Option<GethDebugTracingOptions>) -> Result<(Tracer, Budget), RpcError> {
        let tracer = Tracer::new(options.unwrap_or_default())?;
        let budget = Budget::new(self.limits, tracer.timeout());
        Ok((tracer, budget))
    }

    fn block(&self, block: BlockId) -> Result<(u64, BlockRecord), RpcError> {
        let number = resolve(&self.chain, Some(block))?.ok_or(RpcError::UnknownBlock)?;
        Ok((number, self.record(number)?))
    }

    fn record(&self, number: u64) -> Result<BlockRecord, RpcError> {
        let record = self.chain.storage().block(number)?;
        Ok(record.ok_or(StorageError::Missing { kind: Kind::Block })?)
    }

    /// The trace of the transaction of block `number`, on the state before that block.
    fn past(
        &self,
        number: u64,
        block_hash: B256,
        tx: &TxRecord,
        tracer: &Tracer,
        budget: &mut Budget,
    ) -> Result<GethTrace, RpcError> {
        let decoded = decode_tx(&tx.raw).map_err(|reason| ChainError::Decode { number, reason })?;
        let state = self.chain.before_transaction(number)?;
        let db = EvmDb { state: &state, hashes: self.chain.storage() };
        let place =
            TransactionContext::default().with_block_hash(block_hash).with_tx_hash(tx.hash).with_tx_index(0);
        let past = Past { tx: &decoded, sender: tx.sender, gas_used: tx.gas_used };
        Ok(trace_transaction(db, &self.chain.context_of(number)?, &past, place, tracer, budget)?)
    }

    fn past_blocks(
        &self,
        numbers: std::ops::RangeInclusive<u64>,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError> {
        let (tracer, mut budget) = self.tracer(options)?;
        let mut traces = Vec::new();
        for number in numbers {
            let record = self.record(number)?;
            if let Some(tx) = record.transaction {
                let trace = self.past(number, record.hash, &tx, &tracer, &mut budget)?;
                traces.push(TraceResult::new_success(trace, Some(tx.hash)));
            }
        }
        Ok(traces)
    }

    fn past_block(
        &self,
        block: BlockId,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError> {
        match self.block(block)? {
            (0, _) => Err(RpcError::GenesisNotTraceable),
            (number, _) => self.past_blocks(number..=number, options),
        }
    }

    fn past_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, RpcError> {
        let (tracer, mut budget) = self.tracer(options)?;
        let number = self.chain.block_with(hash)?.ok_or(RpcError::UnknownTransaction)?;
        let record = self.record(number)?;
        let tx = record.transaction.ok_or(StorageError::Missing { kind: Kind::Block })?;
        self.past(number, record.hash, &tx, &tracer, &mut budget)
    }

    fn batch(
        &self,
        batch: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, RpcError> {
        let heads = self.chain.heads();
        let number = match batch {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => heads.sealed_batch,
            BlockNumberOrTag::Safe => heads.virtual_batch,
            BlockNumberOrTag::Finalized => heads.verified_batch,
            BlockNumberOrTag::Earliest => 1,
            BlockNumberOrTag::Number(number) => number,
        };
        let record = self.chain.storage().batch(number)?.ok_or(RpcError::UnknownBatch { number })?;
        self.past_blocks(record.batch.header.first_block..=record.batch.last_block, options)
    }

    fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: GethDebugTracingCallOptions,
    ) -> Result<GethTrace, RpcError> {
        let (tracer, mut budget) = self.tracer(Some(options.tracing_options))?;
        let (number, record) = self.block(block.unwrap_or_default())?;
        // The state after the block, or before the transaction that is named.
        let state = match options.tx_index {
            None => PendingState::new(self.chain.state().at(number)?),
            Some(0) if record.transaction.is_some() => self.chain.before_transaction(number)?,
            Some(index) => return Err(RpcError::TransactionIndex { index, number }),
        };
        let db = EvmDb { state: &state, hashes: self.chain.storage() };
        let caller = Caller::new(db, &self.chain.context_of(number)?, self.gas_cap)
            .with_overrides(options.state_overrides, options.block_overrides)?;
        let request = call_request(request, self.chain.chain_id())?;
        Ok(caller.trace(&request, &tracer, &mut budget)?)
    }

    fn encoded_block(&self, block: BlockId) -> Result<Bytes, RpcError> {
        let (number, record) = self.block(block)?;
        let header = Header::decode(&mut record.header.as_ref());
        let header = header.map_err(|source| ChainError::Rlp { number, source })?;
        let tx = record.transaction.as_ref().map(|tx| receipt_envelope(number, tx)).transpose()?;
        let body = BlockBody::<TxEnvelope> {
            transactions: tx.map(|(envelope, _)| envelope).into_iter().collect(),
            ommers: Vec::new(),
            withdrawals: Some(Withdrawals::default()),
        };
        let mut rlp = Vec::new();
        body.into_block(header).encode(&mut rlp);
        Ok(rlp.into())
    }

    fn encoded_receipts(&self, block: BlockId) -> Result<Vec<Bytes>, RpcError> {
        let (number, record) = self.block(block)?;
        let receipts = record.transaction.iter().map(|tx| {
            let (_, receipt) = receipt_envelope(number, tx)?;
            Ok(receipt.encoded_2718().into())
        });
        receipts.collect()
    }

    fn encoded_transaction(&self, hash: B256) -> Result<Bytes, RpcError> {
        // The pool first: a transaction moves from it into a block, not back.
        let pooled = self.chain.with_pool(|pool| pool.get(&hash).map(|p| p.valid.tx.raw().clone()));
        if let Some(number) = self.chain.block_with(hash)? {
            let tx = self.record(number)?.transaction;
            return Ok(tx.ok_or(StorageError::Missing { kind: Kind::Block })?.raw);
        }
        // As geth answers for what it does not know.
        Ok(pooled.unwrap_or_default())
    }
}

#[jsonrpsee::core::async_trait]
impl DebugApiServer for DebugRpc {
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<GethTrace> {
        self.trace(move |this| this.past_transaction(hash, options)).await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> RpcResult<GethTrace> {
        self.trace(move |this| this.call(request, block, options.unwrap_or_default())).await
    }

    async fn trace_block_by_number(
        &self,
        block: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>> {
        self.trace(move |this| this.past_block(block.into(), options)).await
    }

    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>> {
        self.trace(move |this| this.past_block(hash.into(), options)).await
    }

    async fn trace_batch_by_number(
        &self,
        batch: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>> {
        self.trace(move |this| this.batch(batch, options)).await
    }

    fn raw_transaction(&self, hash: B256) -> RpcResult<Bytes> {
        Ok(self.encoded_transaction(hash)?)
    }

    fn raw_block(&self, block: BlockId) -> RpcResult<Bytes> {
        Ok(self.encoded_block(block)?)
    }

    fn raw_header(&self, block: BlockId) -> RpcResult<Bytes> {
        Ok(self.block(block)?.1.header)
    }

    fn raw_receipts(&self, block: BlockId) -> RpcResult<Vec<Bytes>> {
        Ok(self.encoded_receipts(block)?)
    }
}
