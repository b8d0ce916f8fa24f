//! `eth_getProof`: openings of the node's own tree in the outer shape of the execution API. Spec: docs/rpc.md#eth_getproof.
//! Not here: the format of a proof and its check, see `cairn_protocol::state_proof`.

use std::sync::Arc;

use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, U256};
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use alloy_serde::JsonStorageKey;
use cairn_protocol::{constants::KECCAK_EMPTY, leaf::LeafId};
use cairn_state::{StateView, TreeReader};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use super::{error::RpcError, reader::state_at};
use crate::chain::Chain;

/// Most slots of one `eth_getProof`: about 1.3 MB of answer.
pub const MAX_PROOF_SLOTS: usize = 256;

/// Proofs of state.
#[rpc(server, namespace = "eth")]
pub trait ProofApi {
    /// Returns an account and slots of it with proofs against the block's `stateRoot`.   Spec: docs/rpc.md#eth_getproof
    /// slots: at most [`MAX_PROOF_SLOTS`], as quantities or 32 bytes.   Finality: that of the block.
    /// Errors: -32602 malformed parameter; -32000 unknown block; -32005 too many slots.
    #[method(name = "getProof", blocking)]
    fn proof(
        &self,
        address: Address,
        slots: Vec<JsonStorageKey>,
        block: Option<BlockId>,
    ) -> RpcResult<EIP1186AccountProofResponse>;
}

/// Serves proofs from a chain.
#[derive(Clone)]
pub struct ProofRpc {
    pub chain: Arc<Chain>,
}

/// The proof of a leaf, present or absent.
fn prove(state: &StateView, id: &LeafId) -> Result<Vec<Bytes>, RpcError> {
    Ok(state.state_proof(id)?.to_bytes())
}

impl ProofRpc {
    fn find(
        &self,
        address: Address,
        slots: Vec<JsonStorageKey>,
        block: Option<BlockId>,
    ) -> Result<EIP1186AccountProofResponse, RpcError> {
        if slots.len() > MAX_PROOF_SLOTS {
            return Err(RpcError::TooManySlots { got: slots.len(), limit: MAX_PROOF_SLOTS });
        }
        let (state, _) = state_at(&self.chain, block)?;
        let account = state.account(address)?;
        let storage_proof = slots.into_iter().map(|key| -> Result<_, RpcError> {
            let slot = U256::from_be_bytes(key.as_b256().0);
            let (value, proof) =
                (state.storage(address, slot)?, prove(&state, &LeafId::Storage(address, slot))?);
            Ok(EIP1186StorageProof { key, value, proof })
        });
        Ok(EIP1186AccountProofResponse {
            address,
            balance: account.map_or(U256::ZERO, |a| a.balance),
            code_hash: account.map_or(KECCAK_EMPTY, |a| a.keccak_code_hash),
            nonce: account.map_or(0, |a| a.nonce),
            // One tree holds the storage of all accounts.
            storage_hash: state.state_root(),
            account_proof: prove(&state, &LeafId::Account(address))?,
            storage_proof: storage_proof.collect::<Result<_, _>>()?,
        })
    }
}

impl ProofApiServer for ProofRpc {
    fn proof(
        &self,
        address: Address,
        slots: Vec<JsonStorageKey>,
        block: Option<BlockId>,
    ) -> RpcResult<EIP1186AccountProofResponse> {
        Ok(self.find(address, slots, block)?)
    }
}
