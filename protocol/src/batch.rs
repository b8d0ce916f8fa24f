//! Batches as L1 sees them: input hashes and the public input of a proof. Every hash is over packed, big-endian
//! bytes (`abi.encodePacked`).

use alloy_primitives::{Address, B256, Bytes, keccak256};
use ark_bn254::Fr;
use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};

use crate::{leaf::field_to_b256, witness::BatchWitness};

/// Length of the public input before hashing, in bytes.
pub const PUBLIC_INPUT_LENGTH: usize = 212;

/// One batch as given to `sequenceBatches`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchData {
    pub transactions: Bytes,
    /// Zero, or a root known on L1.
    pub global_exit_root: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// Unix time in seconds; 0 unless the batch is forced.
    pub min_forced_timestamp: u64,
}

impl BatchData {
    /// The accumulated input hash after this batch.
    #[must_use]
    pub fn acc_input_hash(&self, previous: B256, coinbase: Address) -> B256 {
        acc_input_hash(
            previous,
            keccak256(&self.transactions),
            self.global_exit_root,
            self.timestamp,
            coinbase,
        )
    }

    /// The hash under which Polygon zkEVM's `forceBatch` stores a forced batch. Cairn's contract accepts none yet.
    #[must_use]
    pub fn forced_hash(&self) -> B256 {
        forced_hash(keccak256(&self.transactions), self.global_exit_root, self.min_forced_timestamp)
    }
}

/// keccak256(previous ‖ transactions hash ‖ global exit root ‖ uint64 timestamp ‖ coinbase).
#[must_use]
pub fn acc_input_hash(
    previous: B256,
    transactions_hash: B256,
    global_exit_root: B256,
    timestamp: u64,
    coinbase: Address,
) -> B256 {
    let mut bytes = [0u8; 124];
    bytes[..32].copy_from_slice(previous.as_slice());
    bytes[32..64].copy_from_slice(transactions_hash.as_slice());
    bytes[64..96].copy_from_slice(global_exit_root.as_slice());
    bytes[96..104].copy_from_slice(&timestamp.to_be_bytes());
    bytes[104..].copy_from_slice(coinbase.as_slice());
    keccak256(bytes)
}

/// keccak256(transactions hash ‖ global exit root ‖ uint64 minForcedTimestamp).
#[must_use]
pub fn forced_hash(transactions_hash: B256, global_exit_root: B256, min_forced_timestamp: u64) -> B256 {
    let mut bytes = [0u8; 72];
    bytes[..32].copy_from_slice(transactions_hash.as_slice());
    bytes[32..64].copy_from_slice(global_exit_root.as_slice());
    bytes[64..].copy_from_slice(&min_forced_timestamp.to_be_bytes());
    keccak256(bytes)
}

/// What a batch proof states, in the order of its packed encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicInput {
    /// `msg.sender` of the verification on L1.
    pub aggregator: Address,
    pub old_state_root: B256,
    pub old_acc_input_hash: B256,
    pub init_num_batch: u64,
    pub chain_id: u64,
    pub fork_id: u64,
    pub new_state_root: B256,
    pub new_acc_input_hash: B256,
    pub new_local_exit_root: B256,
    pub final_new_batch: u64,
}

impl PublicInput {
    /// The packed encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PUBLIC_INPUT_LENGTH] {
        let parts: [&[u8]; 10] = [
            self.aggregator.as_slice(),
            self.old_state_root.as_slice(),
            self.old_acc_input_hash.as_slice(),
            &self.init_num_batch.to_be_bytes(),
            &self.chain_id.to_be_bytes(),
            &self.fork_id.to_be_bytes(),
            self.new_state_root.as_slice(),
            self.new_acc_input_hash.as_slice(),
            self.new_local_exit_root.as_slice(),
            &self.final_new_batch.to_be_bytes(),
        ];
        let mut out = [0u8; PUBLIC_INPUT_LENGTH];
        let mut at = 0;
        for part in parts {
            out[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        out
    }

    /// keccak256 of the packed encoding.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(self.to_bytes())
    }

    /// The circuit's public input: [`Self::hash`] modulo the field's order.
    #[must_use]
    pub fn to_field(&self) -> Fr {
        Fr::from_be_bytes_mod_order(self.hash().as_slice())
    }
}

impl BatchWitness {
    /// The batch as given to L1. `min_forced_timestamp` is 0: a proof does not cover it.
    #[must_use]
    pub fn batch_data(&self) -> BatchData {
        BatchData {
            transactions: self.transactions.clone(),
            global_exit_root: self.global_exit_root,
            timestamp: self.timestamp,
            min_forced_timestamp: 0,
        }
    }

    /// The accumulated input hash after this batch.
    #[must_use]
    pub fn new_acc_input_hash(&self) -> B256 {
        self.batch_data().acc_input_hash(self.old_acc_input_hash, self.coinbase)
    }

    /// What a proof of this batch states when `aggregator` sends it.
    #[must_use]
    pub fn public_input(&self, aggregator: Address) -> PublicInput {
        PublicInput {
            aggregator,
            old_state_root: field_to_b256(self.old_state.state_root()),
            old_acc_input_hash: self.old_acc_input_hash,
            // Batch numbers start at 1; a witness for batch 0 is refused by the circuit, not here.
            init_num_batch: self.batch_number.wrapping_sub(1),
            chain_id: self.chain_id,
            fork_id: self.fork_id,
            new_state_root: field_to_b256(self.new_state.state_root()),
            new_acc_input_hash: self.new_acc_input_hash(),
            new_local_exit_root: self.new_local_exit_root,
            final_new_batch: self.batch_number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_public_input_layout() {
        let input = PublicInput {
            aggregator: Address::repeat_byte(1),
            old_state_root: B256::repeat_byte(2),
            old_acc_input_hash: B256::repeat_byte(3),
            init_num_batch: 0x0404_0404_0404_0404,
            chain_id: 0x0505_0505_0505_0505,
            fork_id: 0x0606_0606_0606_0606,
            new_state_root: B256::repeat_byte(7),
            new_acc_input_hash: B256::repeat_byte(8),
            new_local_exit_root: B256::repeat_byte(9),
            final_new_batch: 0x0a0a_0a0a_0a0a_0a0a,
        };
        let expected: Vec<u8> =
            [(1, 20), (2, 32), (3, 32), (4, 8), (5, 8), (6, 8), (7, 32), (8, 32), (9, 32), (10, 8)]
                .into_iter()
                .flat_map(|(b, n)| vec![b; n])
                .collect();
        assert_eq!(input.to_bytes().to_vec(), expected);
        assert_eq!(input.to_field(), Fr::from_be_bytes_mod_order(input.hash().as_slice()));
    }

    #[test]
    fn accepts_acc_input_and_forced_hash_layout() {
        let data = BatchData {
            transactions: Bytes::from_static(b"abc"),
            global_exit_root: B256::repeat_byte(2),
            timestamp: 0x0102_0304_0506_0708,
            min_forced_timestamp: 9,
        };
        let coinbase = Address::repeat_byte(5);
        let mut packed = vec![1u8; 32];
        packed.extend(keccak256(b"abc"));
        packed.extend([2u8; 32]);
        packed.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        packed.extend([5u8; 20]);
        assert_eq!(data.acc_input_hash(B256::repeat_byte(1), coinbase), keccak256(&packed));
        let mut packed = keccak256(b"abc").to_vec();
        packed.extend([2u8; 32]);
        packed.extend([0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(data.forced_hash(), keccak256(&packed));
    }
}
