//! Deployment of the contracts.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_contracts::{Artifact, VERIFYING_KEY_WORDS};
use ethers::abi::{Token, Tokenizable, encode};
use serde::{Deserialize, Serialize};

use super::{
    bindings::{global_exit_root as ger, groth_16_verifier as groth16, zk_evm as abi},
    client::{At, Client},
    convert,
    error::RequestError,
    rollup::Rollup,
    sender::{ForgetError, Job, SendError, Sender},
    store::{SendStoreError, Sent},
};

const JOB_GLOBAL_EXIT_ROOT: &str = "deploy:global-exit-root";
const JOB_ZKEVM: &str = "deploy:zkevm";

/// What accepts the proofs of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifierKind {
    /// Proves nothing; the contract refuses to deploy on chains other than 31337 and 1337.
    Mock,
    /// Words of the verifying key: α₁ (2), β₂ (4), γ₂ (4), δ₂ (4), σ·G₂ (4), IC₀ to IC₃ (8); the imaginary part of a
    /// coordinate first.
    Groth16(Box<[U256; VERIFYING_KEY_WORDS]>),
}

impl VerifierKind {
    /// What the contract reports as its key's digest.
    #[must_use]
    pub fn vk_digest(&self) -> B256 {
        match self {
            Self::Mock => keccak256("cairn.mock-verifier.v1"),
            Self::Groth16(words) => keccak256(key_bytes(words)),
        }
    }

    fn creation_code(&self) -> Bytes {
        match self {
            Self::Mock => creation_code(cairn_contracts::mock_verifier(), &[]),
            // Every member of the struct is static: its encoding is the words.
            Self::Groth16(words) => creation_code(cairn_contracts::groth16_verifier(), &key_bytes(words)),
        }
    }
}

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployPlan {
    pub l2_chain_id: u64,
    pub fork_id: u64,
    pub genesis_state_root: B256,
    pub admin: Address,
    pub trusted_sequencer: Address,
    pub trusted_aggregator: Address,
    pub trusted_sequencer_url: String,
    /// Shape and verifier, at least one.
    pub verifiers: Vec<(u32, VerifierKind)>,
    /// The bridge on L1; None keeps the place for the contract that the deployer creates next.
    pub bridge: Option<Address>,
}

/// A verifier on L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedVerifier {
    pub shape_id: u32,
    pub address: Address,
    pub vk_digest: B256,
}

/// What is on L1, and what it was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub l1_chain_id: u64,
    /// L1 block of the rollup: nothing of it is older.
    pub block: u64,
    pub zkevm: Address,
    pub global_exit_root: Address,
    /// The bridge that the global exit root listens to; it may have no code yet.
    pub bridge: Address,
    /// Those that the rollup began with; others may have been added since, see [`add_verifier`].
    pub verifiers: Vec<DeployedVerifier>,
    pub l2_chain_id: u64,
    pub fork_id: u64,
    pub genesis_state_root: B256,
}

/// Why there is no deployment.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Made so far stays; the same call goes on from there.
    #[error("{contract} is not deployed: {source}")]
    Send { contract: &'static str, source: SendError },
    #[error(transparent)]
    Store(#[from] SendStoreError),
    #[error(transparent)]
    Forget(#[from] ForgetError),
    #[error("two verifiers for shape {shape_id}")]
    ShapeTwice { shape_id: u32 },
    /// The receipt names no contract, or another one than the nonce gives.
    #[error("{contract} is at {got:?}, expected {expected:?}")]
    Address { contract: &'static str, expected: Option<Address>, got: Option<Address> },
}

/// Why a deployment is not what it says it is.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the endpoint is of chain {got}, the deployment is on {expected}")]
    L1Chain { expected: u64, got: u64 },
    #[error("there is no code at the address of {contract}, {address}")]
    NoCode { contract: &'static str, address: Address },
    #[error("the rollup is of L2 chain {got}, expected {expected}")]
    L2Chain { expected: u64, got: u64 },
    #[error("the rollup is of fork {got}, expected {expected}")]
    Fork { expected: u64, got: u64 },
    #[error("the rollup began with state root {got}, expected {expected}")]
    GenesisStateRoot { expected: B256, got: B256 },
    #[error("the rollup uses the global exit root {got}, expected {expected}")]
    GlobalExitRoot { expected: Address, got: Address },
    #[error("the global exit root is of rollup {got}, expected {expected}")]
    Rollup { expected: Address, got: Address },
    #[error("the global exit root is of bridge {got}, expected {expected}")]
    Bridge { expected: Address, got: Address },
    #[error("the verifier of shape {shape_id} is {got}, expected {expected}")]
    Verifier { shape_id: u32, expected: Address, got: Address },
    #[error("the verifier of shape {shape_id} has the key {got}, expected {expected}")]
    VkDigest { shape_id: u32, expected: B256, got: B256 },
}

/// Deploys what is planned: the verifiers, the global exit root, the rollup. Nothing else may send from the account meanwhile:
/// the global exit root is made for the address that the account's next contract will get.
///
/// Each contract is a job of the sender; a call after a crash goes on. Write the result down, then call [`forget`].
///
/// # Errors
/// If a contract refuses its arguments or cannot be sent.
pub async fn deploy(sender: &Sender, plan: &DeployPlan) -> Result<Deployment, DeployError> {
    let mut verifiers: Vec<DeployedVerifier> = Vec::with_capacity(plan.verifiers.len());
    for (shape_id, kind) in &plan.verifiers {
        let shape_id = *shape_id;
        if verifiers.iter().any(|v| v.shape_id == shape_id) {
            return Err(DeployError::ShapeTwice { shape_id });
        }
        let job = Job::create(job_verifier(shape_id), kind.creation_code());
        let (address, _) = create(sender, "the verifier", &job, None).await?;
        verifiers.push(DeployedVerifier { shape_id, address, vk_digest: kind.vk_digest() });
    }

    const GLOBAL_EXIT_ROOT: &str = "the global exit root";
    let nonce = match sender.recorded(JOB_GLOBAL_EXIT_ROOT)? {
        Some(record) => record.nonce,
        None => sender
            .next_nonce()
            .await
            .map_err(|source| DeployError::Send { contract: GLOBAL_EXIT_ROOT, source })?,
    };
    let deployer = sender.address();
    let zkevm = deployer.create(nonce + 1);
    let bridge = plan.bridge.unwrap_or_else(|| deployer.create(nonce + 2));
    let arguments =
        encode(&[Token::Address(convert::address(zkevm)), Token::Address(convert::address(bridge))]);
    let code = creation_code(cairn_contracts::global_exit_root(), &arguments);
    let mut job = Job::create(JOB_GLOBAL_EXIT_ROOT.to_owned(), code);
    job.nonce = Some(nonce);
    let (global_exit_root, _) = create(sender, GLOBAL_EXIT_ROOT, &job, Some(deployer.create(nonce))).await?;

    let code =
        creation_code(cairn_contracts::zk_evm(), &rollup_arguments(plan, global_exit_root, &verifiers));
    let mut job = Job::create(JOB_ZKEVM.to_owned(), code);
    job.nonce = Some(nonce + 1);
    let (zkevm, sent) = create(sender, "the rollup", &job, Some(zkevm)).await?;

    Ok(Deployment {
        l1_chain_id: sender.client().chain_id(),
        block: sent.block_number,
        zkevm,
        global_exit_root,
        bridge,
        verifiers,
        l2_chain_id: plan.l2_chain_id,
        fork_id: plan.fork_id,
        genesis_state_root: plan.genesis_state_root,
    })
}

/// Deploys the verifier of a shape that the rollup has none for, and adds it. `admin` sends as the rollup's admin. Both are
/// jobs of the sender, by the key: a call after a crash goes on, and one with another key does not meet the first's.
///
/// # Errors
/// If a contract refuses, as it does if the shape has a verifier by now, or L1 does not answer.
pub async fn add_verifier(
    admin: &Sender,
    rollup: &Rollup,
    shape_id: u32,
    kind: &VerifierKind,
) -> Result<DeployedVerifier, DeployError> {
    let name = format!("verifier:{shape_id}:{}", kind.vk_digest());
    let (address, _) = create(admin, "the verifier", &Job::create(name, kind.creation_code()), None).await?;
    let add = rollup.add_verifier(shape_id, address);
    let added = admin.send(&add).await;
    if let Err(SendError::Reverted { .. } | SendError::NonceTaken { .. }) = &added {
        // It had no effect, and its name is free for another try.
        admin.forget(&add.name)?;
    }
    added.map_err(|source| DeployError::Send { contract: "the rollup's verifier", source })?;
    Ok(DeployedVerifier { shape_id, address, vk_digest: kind.vk_digest() })
}

/// Removes the records of a deployment that is written down elsewhere, so that another one can be made.
///
/// # Errors
/// If one of its contracts has no outcome yet, or the store fails.
pub fn forget(sender: &Sender, plan: &DeployPlan) -> Result<(), ForgetError> {
    // The last contract first: whoever finds the rollup's record finds all.
    sender.forget(JOB_ZKEVM)?;
    sender.forget(JOB_GLOBAL_EXIT_ROOT)?;
    plan.verifiers.iter().try_for_each(|(shape_id, _)| sender.forget(&job_verifier(*shape_id)))
}

/// Compares a deployment with what L1 has at its addresses.
///
/// # Errors
/// The first difference.
pub async fn check(client: &Client, deployment: &Deployment) -> Result<(), CheckError> {
    let d = deployment;
    if client.chain_id() != d.l1_chain_id {
        return Err(CheckError::L1Chain { expected: d.l1_chain_id, got: client.chain_id() });
    }
    let verifiers = d.verifiers.iter().map(|v| ("a verifier", v.address));
    let contracts = [("the rollup", d.zkevm), ("the global exit root", d.global_exit_root)];
    for (contract, address) in contracts.into_iter().chain(verifiers) {
        if client.code(address).await?.is_empty() {
            return Err(CheckError::NoCode { contract, address });
        }
    }

    let (expected, got) = (d.l2_chain_id, client.read(d.zkevm, abi::ChainIDCall, At::Latest).await?);
    if got != expected {
        return Err(CheckError::L2Chain { expected, got });
    }
    let (expected, got) = (d.fork_id, client.read(d.zkevm, abi::ForkIDCall, At::Latest).await?);
    if got != expected {
        return Err(CheckError::Fork { expected, got });
    }
    let root: [u8; 32] =
        client.read(d.zkevm, abi::BatchNumToStateRootCall { num_batch: 0 }, At::Latest).await?;
    let (expected, got) = (d.genesis_state_root, B256::from(root));
    if got != expected {
        return Err(CheckError::GenesisStateRoot { expected, got });
    }
    let (expected, got) =
        (d.global_exit_root, address(client, d.zkevm, abi::GlobalExitRootManagerCall).await?);
    if got != expected {
        return Err(CheckError::GlobalExitRoot { expected, got });
    }
    let (expected, got) = (d.zkevm, address(client, d.global_exit_root, ger::RollupAddressCall).await?);
    if got != expected {
        return Err(CheckError::Rollup { expected, got });
    }
    let (expected, got) = (d.bridge, address(client, d.global_exit_root, ger::BridgeAddressCall).await?);
    if got != expected {
        return Err(CheckError::Bridge { expected, got });
    }
    for verifier in &d.verifiers {
        check_verifier(client, d.zkevm, verifier).await?;
    }
    Ok(())
}

async fn check_verifier(client: &Client, zkevm: Address, v: &DeployedVerifier) -> Result<(), CheckError> {
    let shape_id = v.shape_id;
    let (expected, got) = (v.address, address(client, zkevm, abi::VerifiersCall { shape_id }).await?);
    if got != expected {
        return Err(CheckError::Verifier { shape_id, expected, got });
    }
    let digest: [u8; 32] = client.read(v.address, groth16::VkDigestCall, At::Latest).await?;
    let (expected, got) = (v.vk_digest, B256::from(digest));
    if got != expected {
        return Err(CheckError::VkDigest { shape_id, expected, got });
    }
    Ok(())
}

async fn address(
    client: &Client,
    contract: Address,
    function: impl ethers::abi::AbiEncode + Send,
) -> Result<Address, RequestError> {
    let address: ethers::types::Address = client.read(contract, function, At::Latest).await?;
    Ok(convert::from_address(address))
}

async fn create(
    sender: &Sender,
    contract: &'static str,
    job: &Job,
    expected: Option<Address>,
) -> Result<(Address, Sent), DeployError> {
    let sent = sender.send(job).await.map_err(|source| DeployError::Send { contract, source })?;
    match sent.created {
        Some(address) if expected.is_none_or(|e| e == address) => Ok((address, sent)),
        got => Err(DeployError::Address { contract, expected, got }),
    }
}

fn rollup_arguments(plan: &DeployPlan, manager: Address, verifiers: &[DeployedVerifier]) -> Vec<u8> {
    let params = abi::InitParams {
        chain_id: plan.l2_chain_id,
        fork_id: plan.fork_id,
        genesis_state_root: plan.genesis_state_root.0,
        admin: convert::address(plan.admin),
        trusted_sequencer: convert::address(plan.trusted_sequencer),
        trusted_aggregator: convert::address(plan.trusted_aggregator),
        trusted_sequencer_url: plan.trusted_sequencer_url.clone(),
    };
    let shapes = verifiers.iter().map(|v| {
        abi::ShapeVerifier { shape_id: v.shape_id, verifier: convert::address(v.address) }.into_token()
    });
    encode(&[Token::Address(convert::address(manager)), params.into_token(), Token::Array(shapes.collect())])
}

fn job_verifier(shape_id: u32) -> String {
    format!("deploy:verifier:{shape_id}")
}

fn creation_code(artifact: &Artifact, arguments: &[u8]) -> Bytes {
    [&artifact.bytecode[..], arguments].concat().into()
}

fn key_bytes(words: &[U256; VERIFYING_KEY_WORDS]) -> Vec<u8> {
    words.iter().flat_map(U256::to_be_bytes::<32>).collect()
}
