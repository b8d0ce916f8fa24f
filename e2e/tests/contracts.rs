//! Contracts that everybody uses do on L2 what they do on anvil: see `e2e/clients/contracts.mjs`.

use cairn_e2e::{
    keys,
    node::Devnet,
    scripts::{Endpoint, javascript, reference},
};
use cairn_protocol::constants::DEVNET_CHAIN_ID;

#[tokio::test(flavor = "multi_thread")]
async fn prop_contracts_run_as_on_anvil() -> eyre::Result<()> {
    let anvil = reference(DEVNET_CHAIN_ID).await?;
    let net = Devnet::start(keys::mock()).await?;
    let endpoint = Endpoint::new(&net.l2.url, DEVNET_CHAIN_ID)?;
    let environment = [("REFERENCE_URL", anvil.url())];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let said = javascript(&endpoint, &["contracts.mjs"], &environment).await?;
    // The last line is written once everything was compared.
    assert!(said.contains("60 transactions, 16 addresses"), "{said}");
    net.stop().await
}
