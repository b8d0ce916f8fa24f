//! ABI and bytecode of the contracts, as committed under `artifacts/` by `npm run artifacts`.
//!
//! Nothing here connects to a chain, and no Solidity compiler is needed to build it. A client generator that wants a path
//! (`abigen!`) takes `../contracts/artifacts/<Name>.json`, relative to the manifest of the crate that calls it: the
//! file has the keys `abi` and `bytecode` it looks for.
//!
//! | artifact | constructor |
//! |---|---|
//! | [`global_exit_root`] | `(address rollup, address bridge)` |
//! | [`global_exit_root_l2`] | `(address bridge)`, or predeployed with the immutable filled in |
//! | [`groth16_verifier`] | one verifying key of 26 words, see [`VERIFYING_KEY_WORDS`] |
//! | [`mock_verifier`] | `()`, development chains only |
//! | [`state_proof`] | `()` |
//! | [`zk_evm`] | `(address globalExitRoot, InitParams, ShapeVerifier[])` |
//!
//! Order of a deployment: the verifiers; then [`global_exit_root`] with the addresses that the deployer's next nonces will
//! give the rollup and the bridge; then [`zk_evm`], which refuses a global exit root made for another rollup.

mod artifact;

use std::sync::LazyLock;

pub use artifact::{Artifact, ArtifactError};

/// Directory of the committed artifacts on the machine that compiled this crate.
pub const ARTIFACTS_DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts");

/// Words of a verifying key: α₁ (2), β₂ (4), γ₂ (4), δ₂ (4), σ·G₂ (4), IC₀ to IC₃ (8). Points of G2 have the imaginary part
/// of a coordinate first.
pub const VERIFYING_KEY_WORDS: usize = 26;

/// Words of a proof: A (2), B (4), C (2), D (2), D' (2). B has the imaginary part of a coordinate first.
pub const PROOF_WORDS: usize = 12;

/// Declares one accessor for each committed artifact, and the list of all of them.
macro_rules! artifacts {
    ($($(#[$doc:meta])* $accessor:ident = $name:literal;)*) => {
        $(
            $(#[$doc])*
            pub fn $accessor() -> &'static Artifact {
                static PARSED: LazyLock<Artifact> = LazyLock::new(|| {
                    let json = include_str!(concat!("../artifacts/", $name, ".json"));
                    // The text is part of the program, and a test parses every artifact.
                    Artifact::parse($name, json).expect(concat!("committed artifact ", $name))
                });
                &PARSED
            }
        )*

        /// Every artifact, by name.
        pub fn all() -> Vec<&'static Artifact> {
            vec![$($accessor()),*]
        }
    };
}

artifacts! {
    /// Global exit roots on L1.
    global_exit_root = "GlobalExitRoot";
    /// Global exit roots on L2, a predeployed contract.
    global_exit_root_l2 = "GlobalExitRootL2";
    /// Verifier of batch proofs of one circuit shape.
    groth16_verifier = "Groth16Verifier";
    /// Verifier that proves nothing; it refuses to deploy on chains other than 31337 and 1337.
    mock_verifier = "MockVerifier";
    /// Verifier of proofs of L2 state, see `IStateProof`.
    state_proof = "StateProof";
    /// The rollup on L1.
    zk_evm = "ZkEVM";
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, keccak256};

    #[test]
    fn accepts_every_committed_artifact() {
        let names: Vec<_> = all().iter().map(|artifact| artifact.name).collect();
        let expected =
            ["GlobalExitRoot", "GlobalExitRootL2", "Groth16Verifier", "MockVerifier", "StateProof", "ZkEVM"];
        assert_eq!(names, expected);
        for artifact in all() {
            assert!(artifact.bytecode.len() > artifact.deployed_bytecode.len(), "{}", artifact.name);
            assert!(!artifact.abi.is_empty(), "{}", artifact.name);
        }
    }

    #[test]
    fn prop_each_artifact_is_the_file_of_its_name() {
        for artifact in all() {
            let path = format!("{ARTIFACTS_DIR}/{}.json", artifact.name);
            assert_eq!(std::fs::read_to_string(path).expect("artifact file"), artifact.json);
        }
    }

    #[test]
    fn fills_immutables_in() {
        let bridge = B256::left_padding_from(&[0xb4; 20]);
        let artifact = global_exit_root_l2();
        let code = artifact.deployed_bytecode_with(&[("bridgeAddress", bridge)]).expect("one immutable");
        assert_eq!(code.len(), artifact.deployed_bytecode.len());
        let places = &artifact.immutables["bridgeAddress"];
        assert!(!places.is_empty());
        for start in places {
            assert_eq!(&code[*start..*start + 32], bridge.as_slice());
            assert_eq!(&artifact.deployed_bytecode[*start..*start + 32], [0; 32]);
        }
    }

    #[test]
    fn rejects_missing_and_unknown_immutables() {
        let artifact = global_exit_root_l2();
        assert_eq!(
            artifact.deployed_bytecode_with(&[]),
            Err(ArtifactError::MissingImmutable {
                contract: "GlobalExitRootL2",
                name: "bridgeAddress".into()
            })
        );
        let values = [("bridgeAddress", B256::ZERO), ("bridge", B256::ZERO)];
        assert_eq!(
            artifact.deployed_bytecode_with(&values),
            Err(ArtifactError::UnknownImmutable { contract: "GlobalExitRootL2", name: "bridge".into() })
        );
    }

    #[test]
    fn finds_functions_by_their_selector() {
        let signature = "sequenceBatches((bytes,bytes32,uint64,uint64)[],address)";
        let selector: [u8; 4] = keccak256(signature)[..4].try_into().expect("four bytes");
        assert!(zk_evm().deployed_bytecode.windows(4).any(|window| window == selector));
        assert!(zk_evm().abi.iter().any(|entry| entry["name"] == "sequenceBatches"));
    }
}
