//! `eth_getProof` of a running chain, checked against the `stateRoot` of its blocks and nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address};
use cairn_node::{
    chain::{Chain, Produced},
    config::Config,
    proof::MockEngine,
    rpc::{budget::Budget, module, proof::MAX_PROOF_SLOTS},
    wiring::{open_chain, open_store},
};
use cairn_protocol::{
    constants::{DEVNET_CHAIN_ID, KECCAK_EMPTY, SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT},
    state_proof::{StateProof, StateProofError},
};
use jsonrpsee::{MethodsError, RpcModule};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const SENDER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const RECIPIENT: Address = Address::repeat_byte(0xee);
const ABSENT: Address = Address::repeat_byte(0xab);

fn transfer(nonce: u64, value: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(RECIPIENT),
        value: U256::from(value),
        ..TxEip1559::default()
    };
    let key = SigningKey::from_slice(&hex::decode(KEY).unwrap()).unwrap();
    let signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718().into()
}

/// A chain of `blocks` blocks, a transfer of one wei in each, and its methods.
fn chain(dir: &std::path::Path, blocks: u64) -> (Arc<Chain>, RpcModule<()>) {
    let mut config = Config::default();
    config.chain.data_dir = dir.to_owned();
    let engine = MockEngine { capacity: config.batch.mock_capacity };
    let chain = open_chain(&config, open_store(&config).unwrap(), &engine).unwrap();
    for nonce in 0..blocks {
        chain.submit(&transfer(nonce, 1)).unwrap();
        // Sealing a batch may come first.
        assert!((0..4).any(|_| matches!(chain.produce().unwrap(), Produced::Blocks { .. })));
    }
    let methods = module(&chain, &config.rpc, &Budget::new(1 << 30)).unwrap();
    (chain, methods)
}

async fn call(methods: &RpcModule<()>, method: &str, parameters: Value) -> Result<Value, (i32, String)> {
    let parameters = parameters.as_array().unwrap().clone();
    match methods.call(method, parameters).await {
        Ok(value) => Ok(value),
        Err(MethodsError::JsonRpc(error)) => Err((error.code(), error.message().to_owned())),
        Err(other) => panic!("{other}"),
    }
}

fn proof(value: &Value) -> StateProof {
    StateProof::from_bytes(&serde_json::from_value::<Vec<Bytes>>(value.clone()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_proofs_of_every_block_against_its_state_root() {
    let dir = tempfile::tempdir().unwrap();
    let (_chain, methods) = chain(dir.path(), 3);
    for number in 0..=3u64 {
        let tag = format!("{number:#x}");
        let block = call(&methods, "eth_getBlockByNumber", json!([tag, false])).await.unwrap();
        let root: B256 = serde_json::from_value(block["stateRoot"].clone()).unwrap();
        for at in [json!(tag), json!({ "blockHash": block["hash"] })] {
            let answer = call(&methods, "eth_getProof", json!([RECIPIENT, [], at])).await.unwrap();
            let account = proof(&answer["accountProof"]).verify_account(root, RECIPIENT).unwrap();
            // Absent at genesis.
            assert_eq!(account.map(|a| a.balance), (number > 0).then(|| U256::from(number)));
            assert_eq!(answer["balance"], json!(format!("{number:#x}")));
            assert_eq!(answer["storageHash"], json!(root));
            assert_eq!(answer["codeHash"], json!(KECCAK_EMPTY));

            let answer = call(&methods, "eth_getProof", json!([SENDER, [], at])).await.unwrap();
            let account = proof(&answer["accountProof"]).verify_account(root, SENDER).unwrap().unwrap();
            assert_eq!(account.nonce, number);
            assert_eq!(answer["nonce"], json!(tag));
            assert_eq!(answer["balance"], json!(account.balance));

            let slots = json!([SYSTEM_BLOCK_NUMBER_SLOT, B256::with_last_byte(7)]);
            let answer = call(&methods, "eth_getProof", json!([SYSTEM_ACCOUNT, slots, at])).await.unwrap();
            let [set, unset] = [0, 1].map(|i| &answer["storageProof"][i]);
            // A key comes back as it was asked.
            assert_eq!([&set["key"], &unset["key"]], [&slots[0], &slots[1]]);
            assert_eq!([&set["value"], &unset["value"]], [&json!(tag), &json!("0x0")]);
            let verified =
                proof(&set["proof"]).verify_storage(root, SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT);
            assert_eq!(verified, Ok(U256::from(number)));
            let verified = proof(&unset["proof"]).verify_storage(root, SYSTEM_ACCOUNT, U256::from(7));
            assert_eq!(verified, Ok(U256::ZERO));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_absence_and_rejects_it_for_who_is_present() {
    let dir = tempfile::tempdir().unwrap();
    let (_chain, methods) = chain(dir.path(), 1);
    let block = call(&methods, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let root: B256 = serde_json::from_value(block["stateRoot"].clone()).unwrap();
    // The block may be left out.
    let answer = call(&methods, "eth_getProof", json!([ABSENT, []])).await.unwrap();
    let absent = proof(&answer["accountProof"]);
    assert_eq!(absent.verify_account(root, ABSENT), Ok(None));
    assert_eq!([&answer["nonce"], &answer["balance"]], [&json!("0x0"), &json!("0x0")]);
    let leaf = absent.opening.leaf;
    // The same proof says nothing of an account outside its gap.
    let outside = (0..=255u8)
        .map(Address::repeat_byte)
        .find(|a| !leaf.precedes(cairn_protocol::leaf::LeafId::Account(*a).key()));
    let refused = absent.verify_account(root, outside.unwrap());
    assert!(matches!(refused, Err(StateProofError::NotPredecessor { .. })));
    // Nor of another block.
    let genesis = call(&methods, "eth_getBlockByNumber", json!(["0x0", false])).await.unwrap();
    let genesis: B256 = serde_json::from_value(genesis["stateRoot"].clone()).unwrap();
    let refused = absent.verify_account(genesis, ABSENT);
    assert_eq!(refused, Err(StateProofError::WrongStateRoot { expected: genesis, got: root }));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_too_many_slots_unknown_blocks_and_malformed_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (_chain, methods) = chain(dir.path(), 0);
    let ask = async |slots: Value, block: &str| {
        call(&methods, "eth_getProof", json!([SYSTEM_ACCOUNT, slots, block])).await
    };
    let slots = |count: usize| json!((0..count).map(U256::from).collect::<Vec<_>>());
    let most = ask(slots(MAX_PROOF_SLOTS), "latest").await.unwrap();
    assert_eq!(most["storageProof"].as_array().unwrap().len(), MAX_PROOF_SLOTS);
    let error = ask(slots(MAX_PROOF_SLOTS + 1), "latest").await.unwrap_err();
    assert_eq!(error, (-32005, "257 storage slots, the limit is 256".to_owned()));
    assert_eq!(ask(json!([]), "0x9").await.unwrap_err(), (-32000, "header not found".to_owned()));
    let too_long = format!("0x{}", "1".repeat(65));
    for key in ["0xzz", &too_long] {
        assert_eq!(ask(json!([key]), "latest").await.unwrap_err().0, -32602, "{key}");
    }
    assert_eq!(ask(json!("0x0"), "latest").await.unwrap_err().0, -32602);
}
