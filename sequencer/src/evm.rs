//! revm under Cairn's rules: Cancun, base fee 0, prevrandao 0, no blobs.
//! Not here: what its results mean for the tree, see `effects`.

use std::cell::RefCell;

use alloy_primitives::{Address, B256, TxKind, U256};
use cairn_protocol::{
    constants::BLOCK_GAS_LIMIT,
    tx::{DecodedTx, TxType},
};
use cairn_state::{StateError, StoreError};
use revm::{
    Context, DatabaseRef, ExecuteEvm, InspectEvm, Inspector, MainBuilder, MainContext,
    context::{
        BlockEnv, CfgEnv, Evm, TxEnv,
        result::{EVMError, ResultAndState},
    },
    database_interface::{DBErrorMarker, WrapDatabaseRef},
    handler::{EthFrame, MainnetContext, instructions::EthInstructions},
    interpreter::interpreter::EthInterpreter,
    primitives::hardfork::SpecId,
    state::{AccountInfo, Bytecode},
};

use crate::{
    pending::ReadState,
    precompiles::Precompiles,
    trail::{Trail, TrailDb, TrailInspector},
    usage::EvmUsage,
};

/// Why a block's hash is not at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockHashError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The block is executed; its hash follows with its state root.
    #[error("the hash of block {number} is not worked out yet")]
    Pending { number: u64 },
}

/// Hashes of the blocks of the chain, for BLOCKHASH.
pub trait BlockHashes: Send + Sync {
    /// Hash of a block, `None` if there is none.
    ///
    /// # Errors
    /// See [`BlockHashError`].
    fn block_hash(&self, number: u64) -> Result<Option<B256>, BlockHashError>;
}

/// No blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockHashes;

impl BlockHashes for NoBlockHashes {
    fn block_hash(&self, _: u64) -> Result<Option<B256>, BlockHashError> {
        Ok(None)
    }
}

/// A read by revm failed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    BlockHash(#[from] BlockHashError),
    #[error("code {code_hash} is not known")]
    UnknownCode { code_hash: B256 },
}

impl DBErrorMarker for ViewError {}

/// Shows a state to revm.
#[derive(Clone, Copy)]
pub struct EvmDb<'a> {
    pub state: &'a dyn ReadState,
    pub hashes: &'a dyn BlockHashes,
}

impl DatabaseRef for EvmDb<'_> {
    type Error = ViewError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ViewError> {
        Ok(self.state.account(address)?.map(|a| AccountInfo {
            balance: a.balance,
            nonce: a.nonce,
            code_hash: a.keccak_code_hash,
            // The code is served by its hash.
            code: None,
            ..AccountInfo::default()
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, ViewError> {
        if code_hash.is_zero() {
            return Ok(Bytecode::default());
        }
        let code = self.state.code(code_hash)?.ok_or(ViewError::UnknownCode { code_hash })?;
        Ok(Bytecode::new_raw(code))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        Ok(self.state.storage(address, slot)?)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ViewError> {
        Ok(self.hashes.block_hash(number)?.unwrap_or_default())
    }
}

/// The environment of one L2 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockContext {
    pub chain_id: u64,
    pub number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
    pub coinbase: Address,
}

impl BlockContext {
    pub(crate) fn block_env(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number),
            beneficiary: self.coinbase,
            timestamp: U256::from(self.timestamp),
            gas_limit: BLOCK_GAS_LIMIT,
            basefee: 0,
            prevrandao: Some(B256::ZERO),
            ..BlockEnv::default()
        }
    }

    pub(crate) fn cfg_env(&self) -> CfgEnv {
        CfgEnv::new_with_spec(SpecId::CANCUN).with_chain_id(self.chain_id)
    }
}

/// What revm says of a transaction, an error included.
pub type EvmResult = Result<ResultAndState, EVMError<ViewError>>;

/// What a run sees besides the state.
#[derive(Clone, Debug)]
pub struct EvmEnv {
    pub block: BlockEnv,
    pub cfg: CfgEnv,
    pub precompiles: Precompiles,
}

impl From<&BlockContext> for EvmEnv {
    fn from(context: &BlockContext) -> Self {
        let cfg = context.cfg_env();
        Self { block: context.block_env(), precompiles: Precompiles::new(*cfg.spec()), cfg }
    }
}

/// The context of a run on `D`.
pub(crate) type RunContext<D> = MainnetContext<WrapDatabaseRef<D>>;

type MovableEvm<D, I> = Evm<
    RunContext<D>,
    I,
    EthInstructions<EthInterpreter, RunContext<D>>,
    Precompiles,
    EthFrame<EthInterpreter>,
>;

/// The one EVM: every run goes through it.
fn evm<D: DatabaseRef, I>(db: D, env: EvmEnv, inspector: I) -> MovableEvm<D, I> {
    let context = Context::mainnet().with_db(WrapDatabaseRef(db)).with_cfg(env.cfg).with_block(env.block);
    context.build_mainnet_with_inspector(inspector).with_precompiles(env.precompiles)
}

/// Runs one transaction; nothing is written.
pub(crate) fn transact<D>(db: D, env: EvmEnv, tx: TxEnv) -> EvmResult
where
    D: DatabaseRef<Error = ViewError>,
{
    evm(db, env, ()).transact(tx)
}

/// As [`transact`], and `inspector` sees every step.
pub(crate) fn inspect<D, I>(db: D, env: EvmEnv, tx: TxEnv, inspector: I) -> EvmResult
where
    D: DatabaseRef<Error = ViewError>,
    I: Inspector<RunContext<D>>,
{
    evm(db, env, inspector).inspect_tx(tx)
}

/// A decoded transaction as revm takes it.
#[must_use]
pub fn tx_env(tx: &DecodedTx, sender: Address) -> TxEnv {
    TxEnv {
        tx_type: tx.tx_type.number(),
        caller: sender,
        gas_limit: tx.gas_limit,
        gas_price: tx.max_fee_per_gas,
        kind: tx.to.map_or(TxKind::Create, TxKind::Call),
        value: tx.value,
        data: tx.data.clone(),
        nonce: tx.nonce,
        chain_id: tx.chain_id,
        access_list: tx.access_list.clone(),
        gas_priority_fee: (tx.tx_type == TxType::Eip1559).then_some(tx.max_priority_fee_per_gas),
        ..TxEnv::default()
    }
}

/// A run and what it did on the way.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    pub out: ResultAndState,
    pub usage: EvmUsage,
    pub trail: Trail,
}

/// As [`run`], with what the EVM did.
///
/// # Errors
/// As [`run`].
pub fn run_recorded(
    db: EvmDb<'_>,
    context: &BlockContext,
    tx: &DecodedTx,
    sender: Address,
) -> Result<RecordedRun, EVMError<ViewError>> {
    let trail = RefCell::new(Trail::declared(tx, sender));
    let mut usage = EvmUsage::default();
    let inspector = (&mut usage, TrailInspector::new(&trail));
    let out = inspect(TrailDb { db, trail: &trail }, context.into(), tx_env(tx, sender), inspector)?;
    Ok(RecordedRun { out, usage, trail: trail.into_inner() })
}

/// Runs a signed transaction as a block of its own; nothing is written.
///
/// # Errors
/// An invalid transaction, or a state that cannot be read.
pub fn run(db: EvmDb<'_>, context: &BlockContext, tx: &DecodedTx, sender: Address) -> EvmResult {
    transact(db, context.into(), tx_env(tx, sender))
}
