//! The stored and transmitted form of a [`BatchWitness`]: version (2 bytes, big-endian) ‖ keccak256 of the rest ‖
//! the witness as [`crate::encoding`] writes it.

use alloy_primitives::{B256, keccak256};

use crate::{
    encoding::{self, EncodingError},
    witness::{BATCH_WITNESS_VERSION, BatchWitness},
};

const HEADER_LENGTH: usize = 2 + 32;

/// Why bytes are not a batch witness, or a witness cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessBytesError {
    #[error("a batch witness has a header of {HEADER_LENGTH} bytes, got {got} bytes")]
    TooShort { got: usize },
    #[error(
        "the witness has version {got}, this program reads {expected}: prove the batch with the release that wrote it"
    )]
    VersionMismatch { expected: u16, got: u16 },
    #[error("the witness is damaged: its checksum is {got}, expected {expected}")]
    ChecksumMismatch { expected: B256, got: B256 },
    #[error("witness is malformed: {0}")]
    Malformed(#[from] EncodingError),
}

impl BatchWitness {
    /// The stored form.
    ///
    /// # Errors
    /// [`WitnessBytesError::VersionMismatch`] if the witness claims another version than this build writes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WitnessBytesError> {
        check_version(self.version)?;
        let body = encoding::append(Vec::new(), self)?;
        let mut out = Vec::with_capacity(HEADER_LENGTH + body.len());
        out.extend(BATCH_WITNESS_VERSION.to_be_bytes());
        out.extend(keccak256(&body));
        out.extend(body);
        Ok(out)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// See [`WitnessBytesError`]; the version is checked first, then the checksum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WitnessBytesError> {
        let Some((header, body)) = bytes.split_at_checked(HEADER_LENGTH) else {
            return Err(WitnessBytesError::TooShort { got: bytes.len() });
        };
        check_version(u16::from_be_bytes([header[0], header[1]]))?;
        let expected = B256::from_slice(&header[2..]);
        let got = keccak256(body);
        if got != expected {
            return Err(WitnessBytesError::ChecksumMismatch { expected, got });
        }
        let witness: Self = encoding::read(body)?;
        check_version(witness.version)?;
        Ok(witness)
    }
}

const fn check_version(got: u16) -> Result<(), WitnessBytesError> {
    if got == BATCH_WITNESS_VERSION {
        Ok(())
    } else {
        Err(WitnessBytesError::VersionMismatch { expected: BATCH_WITNESS_VERSION, got })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes, U256};
    use ark_bn254::Fr;

    use super::*;
    use crate::{
        access::{BlockAccess, TouchedLeaf},
        leaf::{Leaf, LeafId, StateCommitment},
        witness::{LeafAccess, LeafOp, Opening, Siblings, WitnessAccessError},
    };

    fn touched(id: LeafId, old: [u64; 3], new: [u64; 3], created: Option<u64>) -> TouchedLeaf {
        TouchedLeaf { id, old_value: old.map(Fr::from), new_value: new.map(Fr::from), created }
    }

    fn witness() -> BatchWitness {
        let opening = Opening {
            index: 3,
            leaf: Leaf {
                key: -Fr::from(1),
                value: [2, 3, 4].map(Fr::from),
                next_key: Fr::from(4),
                next_index: 5,
            },
            siblings: Box::new([[-Fr::from(7); 7]; 10]),
        };
        BatchWitness {
            version: BATCH_WITNESS_VERSION,
            chain_id: 1001,
            fork_id: 1,
            batch_number: 2,
            old_acc_input_hash: B256::repeat_byte(1),
            old_state: StateCommitment { tree_root: Fr::from(9), leaf_count: 11 },
            new_state: StateCommitment { tree_root: Fr::from(10), leaf_count: 12 },
            transactions: Bytes::from_static(b"transactions"),
            global_exit_root: B256::ZERO,
            timestamp: 1,
            coinbase: Address::repeat_byte(3),
            new_local_exit_root: B256::repeat_byte(4),
            accesses: vec![
                BlockAccess {
                    leaves: vec![touched(LeafId::Account(Address::repeat_byte(1)), [2, 3, 4], [9; 3], None)],
                },
                BlockAccess {
                    leaves: vec![
                        touched(
                            LeafId::Storage(Address::repeat_byte(1), U256::MAX),
                            [0; 3],
                            [1; 3],
                            Some(11),
                        ),
                        touched(LeafId::Account(Address::repeat_byte(1)), [9; 3], [1; 3], None),
                        touched(LeafId::Account(Address::repeat_byte(2)), [0; 3], [0; 3], None),
                    ],
                },
            ],
            leaf_ops: vec![
                LeafOp {
                    id: LeafId::Account(Address::repeat_byte(1)),
                    access: LeafAccess::Update { opening: opening.clone(), new_value: [Fr::from(1); 3] },
                },
                LeafOp {
                    id: LeafId::Storage(Address::repeat_byte(1), U256::MAX),
                    access: LeafAccess::Insert {
                        predecessor: opening.clone(),
                        index: 11,
                        siblings: Box::new(Siblings::default()),
                        new_value: [Fr::from(1); 3],
                    },
                },
                LeafOp {
                    id: LeafId::Account(Address::repeat_byte(2)),
                    access: LeafAccess::Absent { predecessor: opening },
                },
            ],
        }
    }

    #[test]
    fn accepts_round_trip() {
        let w = witness();
        assert_eq!(BatchWitness::from_bytes(&w.to_bytes().unwrap()).unwrap(), w);
        let json = serde_json::to_string(&w).unwrap();
        assert_eq!(serde_json::from_str::<BatchWitness>(&json).unwrap(), w);
    }

    #[test]
    fn rejects_openings_that_are_not_those_of_the_records_by_name() {
        let rejected = |change: &dyn Fn(&mut BatchWitness)| {
            let mut w = witness();
            assert_eq!(w.check_accesses(), Ok(()));
            change(&mut w);
            w.check_accesses().unwrap_err()
        };
        let [account, slot, absent] = witness().leaf_ops.iter().map(|op| op.id).collect::<Vec<_>>()[..]
        else {
            panic!("three leaves");
        };
        for (at, id) in [account, slot, absent].into_iter().enumerate() {
            let is = rejected(&|w| drop(w.leaf_ops.remove(at)));
            assert_eq!(is, WitnessAccessError::NotOpened { id });
            let other = LeafId::Account(Address::repeat_byte(9));
            assert_eq!(
                rejected(&|w| w.leaf_ops[at].id = other),
                WitnessAccessError::NotTouched { id: other }
            );
        }
        let honest = BlockAccess::merge(&witness().accesses).unwrap();
        type Change = (LeafId, &'static dyn Fn(&mut BatchWitness));
        let changes: [Change; 5] = [
            (account, &|w| w.accesses[0].leaves[0].old_value[0] += Fr::from(1)),
            (account, &|w| w.accesses[1].leaves[1].new_value[0] += Fr::from(1)),
            (account, &|w| w.accesses[0].leaves[0].created = Some(12)),
            (slot, &|w| w.accesses[1].leaves[0].created = Some(12)),
            (slot, &|w| w.accesses[1].leaves[0].created = None),
        ];
        for (id, change) in changes {
            let WitnessAccessError::OpenedOtherwise { expected, got } = rejected(change) else {
                panic!("{id:?}")
            };
            assert_eq!(Some(&*got), honest.leaves.iter().find(|leaf| leaf.id == id));
            assert_eq!(expected.id, id);
            assert_ne!(expected, got);
        }
        let is = rejected(&|w| w.accesses[0].leaves[0].new_value[0] += Fr::from(1));
        assert!(matches!(is, WitnessAccessError::Records(_)), "{is}");
    }

    #[test]
    fn rejects_other_versions_damage_and_truncation_by_name() {
        let bytes = witness().to_bytes().unwrap();
        let mut other = bytes.clone();
        other[1] = 1;
        assert_eq!(
            BatchWitness::from_bytes(&other),
            Err(WitnessBytesError::VersionMismatch { expected: 2, got: 1 })
        );
        for at in (2..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(matches!(
                BatchWitness::from_bytes(&damaged),
                Err(WitnessBytesError::ChecksumMismatch { .. })
            ));
        }
        assert_eq!(BatchWitness::from_bytes(&bytes[..33]), Err(WitnessBytesError::TooShort { got: 33 }));
        assert!(BatchWitness::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        let mut w = witness();
        w.version = 9;
        assert_eq!(w.to_bytes(), Err(WitnessBytesError::VersionMismatch { expected: 2, got: 9 }));
        // A correct checksum over a body that is no witness.
        let mut forged = BATCH_WITNESS_VERSION.to_be_bytes().to_vec();
        forged.extend(keccak256([0xffu8; 40]));
        forged.extend([0xffu8; 40]);
        assert!(matches!(BatchWitness::from_bytes(&forged), Err(WitnessBytesError::Malformed(_))));
    }
}
