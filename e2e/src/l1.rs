//! L1 as tests need it: an anvil of their own and the contracts on it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use cairn_node::{
    l1::{
        account::Account,
        anvil::{Anvil, AnvilOptions},
        client::Client,
        deploy::{DeployPlan, Deployment, deploy},
        rollup::Rollup,
        sender::{Sender, SenderOptions},
        store::MemoryStore,
    },
    proof::ProofEngine,
};
use cairn_protocol::{constants::FORK_ID, genesis::Genesis};
use cairn_state::StateDb;
use ethers::{
    providers::{Http, Middleware, Provider},
    types::{self as e, BlockNumber, TransactionRequest},
};
use eyre::OptionExt;

use crate::L1_ACCOUNTS;

/// How often a client asks L1 for news.
pub const POLL: Duration = Duration::from_millis(50);

/// A running chain.
pub struct L1 {
    pub client: Client,
    pub provider: Provider<Http>,
    anvil: Anvil,
}

impl L1 {
    /// Starts anvil on a free port.
    ///
    /// # Errors
    /// If it is not found or does not start.
    pub async fn start() -> eyre::Result<Self> {
        let anvil = tokio::task::spawn_blocking(|| Anvil::start(&AnvilOptions::default())).await??;
        let client = Client::connect(&anvil.url(), POLL).await?;
        let provider = Provider::<Http>::try_from(anvil.url())?.interval(POLL);
        Ok(Self { client, provider, anvil })
    }

    /// The chain's address over HTTP.
    #[must_use]
    pub fn url(&self) -> String {
        self.anvil.url()
    }

    /// A sender whose records end with it.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn sender(&self, account: u32) -> eyre::Result<Sender> {
        let (client, store) = (self.client.clone(), Arc::new(MemoryStore::default()));
        Ok(Sender::new(client, Account::development(account)?, store, SenderOptions::default()))
    }

    /// Deploys the contracts for the development chain and the engine's verifiers.
    ///
    /// # Errors
    /// If a contract refuses.
    pub async fn deploy(&self, engine: &dyn ProofEngine) -> eyre::Result<Deployment> {
        self.deploy_plan(&plan(engine)?).await
    }

    /// Deploys the contracts.
    ///
    /// # Errors
    /// If a contract refuses.
    pub async fn deploy_plan(&self, plan: &DeployPlan) -> eyre::Result<Deployment> {
        Ok(deploy(&self.sender(L1_ACCOUNTS[0])?, plan).await?)
    }

    /// The rollup of a deployment.
    #[must_use]
    pub fn rollup(&self, deployment: &Deployment) -> Rollup {
        Rollup::new(self.client.clone(), deployment.zkevm)
    }

    /// Calls a function without arguments.
    ///
    /// # Errors
    /// If the contract refuses.
    pub async fn view(&self, contract: Address, function: &str) -> eyre::Result<Bytes> {
        let call = TransactionRequest::new().to(e::H160(contract.into_array())).data(selector(function));
        Ok(Bytes(self.provider.call(&call.into(), None).await?.0))
    }

    /// Transactions of an account in blocks; those that wait too if `pending`.
    ///
    /// # Errors
    /// If anvil does not answer.
    pub async fn nonce(&self, account: u32, pending: bool) -> eyre::Result<u64> {
        let address = e::H160(Account::development(account)?.address().into_array());
        let at = if pending { BlockNumber::Pending } else { BlockNumber::Latest };
        Ok(self.provider.get_transaction_count(address, Some(at.into())).await?.as_u64())
    }

    /// Whether transactions get a block at once; if not, they wait for [`L1::mine`].
    ///
    /// # Errors
    /// If anvil does not answer.
    pub async fn automine(&self, on: bool) -> eyre::Result<()> {
        Ok(self.provider.request("evm_setAutomine", [on]).await?)
    }

    /// Makes one block.
    ///
    /// # Errors
    /// If anvil does not answer.
    pub async fn mine(&self) -> eyre::Result<()> {
        let _: serde_json::Value = self.provider.request("evm_mine", ()).await?;
        Ok(())
    }
}

/// First bytes of calldata.
#[must_use]
pub fn selector(function: &str) -> Vec<u8> {
    keccak256(function)[..4].to_vec()
}

/// State root of the development chain's genesis.
///
/// # Errors
/// If the genesis breaks a rule.
pub fn genesis_state_root() -> eyre::Result<B256> {
    let state = StateDb::open(Arc::new(cairn_state::MemoryStore::default()), &Genesis::devnet())?;
    Ok(state.at(0)?.state_root())
}

/// The contracts for the development chain and the engine's verifiers.
///
/// # Errors
/// If the development chain has no genesis or no accounts.
pub fn plan(engine: &dyn ProofEngine) -> eyre::Result<DeployPlan> {
    let [admin, trusted_sequencer, trusted_aggregator] = L1_ACCOUNTS.map(Account::development);
    Ok(DeployPlan {
        l2_chain_id: Genesis::devnet().chain_id,
        fork_id: FORK_ID,
        genesis_state_root: genesis_state_root()?,
        admin: admin?.address(),
        trusted_sequencer: trusted_sequencer?.address(),
        trusted_aggregator: trusted_aggregator?.address(),
        trusted_sequencer_url: "http://127.0.0.1:8123".to_owned(),
        verifiers: engine.verifiers().into_iter().map(|(id, spec)| (id.0, spec.into())).collect(),
        bridge: None,
    })
}

/// A program that comes with anvil, such as cast.
///
/// # Errors
/// If it is not there.
pub fn foundry_program(name: &str) -> eyre::Result<PathBuf> {
    let installed = std::path::Path::new(cairn_contracts::ARTIFACTS_DIR).with_file_name("node_modules/.bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([installed]).map(|dir| dir.join(name));
    let missing = || format!("{name} was not found; `npm ci --prefix contracts` installs it");
    places.find(|place| place.is_file()).ok_or_eyre(missing())
}
