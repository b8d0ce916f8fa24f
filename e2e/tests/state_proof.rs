//! What a node answers to `eth_getProof` convinces a contract on L1, given a state root that L1 has verified.

use std::sync::Arc;

use alloy_primitives::Address;
use cairn_e2e::{
    client::{User, h160, wallet},
    keys,
    l1::{L1, selector},
    node::Devnet,
    wait::{SOON, until},
};
use cairn_node::l1::client::At;
use cairn_protocol::constants::{SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT};
use ethers::{
    abi::Abi,
    contract::{Contract, ContractFactory},
    middleware::{Middleware, SignerMiddleware},
    types::{self as e, BlockNumber, TransactionRequest},
};
use eyre::OptionExt;
use serde_json::Value;

const DEPLOYER: u32 = 7;
const SENDER: u32 = 3;
const RECIPIENT: Address = Address::repeat_byte(0x9f);
const ABSENT: Address = Address::repeat_byte(0xab);

type Verifier = Contract<User>;
type Account = (bool, u64, e::U256, [u8; 32]);

/// Deploys `StateProof` on L1.
async fn deploy(l1: &L1) -> eyre::Result<Verifier> {
    let chain_id = l1.provider.get_chainid().await?.as_u64();
    let client = SignerMiddleware::new(l1.provider.clone(), wallet(DEPLOYER, chain_id)?);
    let artifact = cairn_contracts::state_proof();
    let abi: Abi = serde_json::from_value(Value::Array(artifact.abi.clone()))?;
    let factory = ContractFactory::new(abi, e::Bytes::from(artifact.bytecode.to_vec()), Arc::new(client));
    Ok(factory.deploy(())?.send().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_proofs_of_the_node_on_l1() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    let verifier = deploy(&net.l1).await?;
    let user = net.l2.user(SENDER).await?;
    let sent =
        user.send_transaction(TransactionRequest::new().to(h160(RECIPIENT)).value(12_345), None).await?;
    net.l2.receipt(sent.tx_hash()).await?;
    net.l2.finalized(1).await?;

    // The root comes from the rollup contract alone.
    let batch = net.l2.number("zkevm_verifiedBatchNumber").await?;
    let look = || async { Ok(net.rollup.state_root(batch, At::Latest).await?) };
    let root = until("L1 has the state root", SOON, look).await?.0;
    let block = net.l2.block_number(BlockNumber::Finalized).await?;
    // A client that knows the execution API only.
    let ask = async |address: Address, slots: Vec<e::H256>| -> eyre::Result<e::EIP1186ProofResponse> {
        Ok(net.l2.provider.get_proof(h160(address), slots, Some(block.into())).await?)
    };
    let verify = async |address: Address, proof: &[e::Bytes]| -> eyre::Result<Account> {
        let arguments = (root, h160(address), proof.to_vec());
        Ok(verifier.method::<_, Account>("verifyAccount", arguments)?.call().await?)
    };

    let present = ask(RECIPIENT, vec![]).await?;
    assert_eq!(present.balance, 12_345.into());
    assert_eq!(verify(RECIPIENT, &present.account_proof).await?, (true, 0, 12_345.into(), [0; 32]));
    let absent = ask(ABSENT, vec![]).await?;
    assert_eq!(verify(ABSENT, &absent.account_proof).await?, (false, 0, 0.into(), [0; 32]));
    // Refused by the error's name, not by chance.
    let error =
        verify(ABSENT, &present.account_proof).await.err().ok_or_eyre("a foreign proof is accepted")?;
    let wrong_key = hex::encode(selector("WrongKey(uint256,uint256)"));
    assert!(format!("{error:?}").contains(&wrong_key), "{error:?}");

    let slot = SYSTEM_BLOCK_NUMBER_SLOT.to_be_bytes::<32>();
    let system = ask(SYSTEM_ACCOUNT, vec![e::H256(slot)]).await?;
    let [storage] = system.storage_proof.as_slice() else { eyre::bail!("one slot was asked") };
    let arguments = (root, h160(SYSTEM_ACCOUNT), e::U256::from_big_endian(&slot), storage.proof.clone());
    let value: e::U256 = verifier.method("verifyStorage", arguments)?.call().await?;
    assert_eq!((value, storage.value), (block.into(), block.into()));
    net.stop().await
}
