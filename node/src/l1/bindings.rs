//! Types generated from the ABI of the contracts, and their custom errors by selector.

#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::nursery)]

use std::{collections::HashMap, sync::LazyLock};

use ethers::{
    abi::{Abi, ethabi::AbiError},
    contract::abigen,
};

abigen!(
    ZkEVM,
    "../contracts/artifacts/ZkEVM.json",
    derives(serde::Serialize, serde::Deserialize);
    GlobalExitRoot,
    "../contracts/artifacts/GlobalExitRoot.json";
    Groth16Verifier,
    "../contracts/artifacts/Groth16Verifier.json";
    MockVerifier,
    "../contracts/artifacts/MockVerifier.json";
);

/// Custom errors of all contracts by their first four bytes. Errors of one signature are one error.
pub static CUSTOM_ERRORS: LazyLock<HashMap<[u8; 4], AbiError>> = LazyLock::new(|| {
    let abis: [&Abi; 4] = [&ZKEVM_ABI, &GLOBALEXITROOT_ABI, &GROTH16VERIFIER_ABI, &MOCKVERIFIER_ABI];
    let errors = abis.into_iter().flat_map(Abi::errors);
    errors.map(|error| (selector(error), error.clone())).collect()
});

fn selector(error: &AbiError) -> [u8; 4] {
    let hash = error.signature();
    [hash[0], hash[1], hash[2], hash[3]]
}
