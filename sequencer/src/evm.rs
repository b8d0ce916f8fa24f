//! revm under Cairn's rules: Cancun, base fee 0, prevrandao 0, no blobs (DESIGN 3.5).

use alloy_primitives::{Address, B256, TxKind, U256};
use cairn_protocol::{
    constants::BLOCK_GAS_LIMIT,
    tx::{DecodedTx, TxType},
};
use cairn_state::{StateError, StateView, StoreError};
use revm::{
    Context, DatabaseRef, ExecuteEvm, MainBuilder, MainContext,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        result::{EVMError, ResultAndState},
    },
    database_interface::{DBErrorMarker, WrapDatabaseRef},
    primitives::hardfork::SpecId,
    state::{AccountInfo, Bytecode},
};

/// Hashes of the blocks of the chain, for BLOCKHASH.
pub trait BlockHashes: Send + Sync {
    /// Hash of a block, `None` if there is none.
    ///
    /// # Errors
    /// If the store fails.
    fn block_hash(&self, number: u64) -> Result<Option<B256>, StoreError>;
}

/// No blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockHashes;

impl BlockHashes for NoBlockHashes {
    fn block_hash(&self, _: u64) -> Result<Option<B256>, StoreError> {
        Ok(None)
    }
}

/// A read by revm failed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("code {code_hash} is not known")]
    UnknownCode { code_hash: B256 },
}

impl DBErrorMarker for ViewError {}

/// Shows the state after a block to revm.
#[derive(Clone, Copy)]
pub struct EvmDb<'a> {
    pub state: &'a StateView,
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
        Ok(self.hashes.block_hash(number).map_err(StateError::from)?.unwrap_or_default())
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

/// Runs one transaction; nothing is written.
pub(crate) fn transact(db: EvmDb<'_>, block: BlockEnv, cfg: CfgEnv, tx: TxEnv) -> EvmResult {
    let mut evm =
        Context::mainnet().with_db(WrapDatabaseRef(db)).with_cfg(cfg).with_block(block).build_mainnet();
    evm.transact(tx)
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

/// Runs a signed transaction as a block of its own; nothing is written.
///
/// # Errors
/// An invalid transaction, or a state that cannot be read.
pub fn run(db: EvmDb<'_>, context: &BlockContext, tx: &DecodedTx, sender: Address) -> EvmResult {
    transact(db, context.block_env(), context.cfg_env(), tx_env(tx, sender))
}
