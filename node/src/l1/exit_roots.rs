//! What the global exit root contract recorded: each root with the two exit trees' roots that it is made of. Not here: the
//! trees themselves.

use alloy_primitives::Address;
use cairn_protocol::exit_tree::global_exit_root;
use ethers::{abi::RawLog, contract::EthEvent, types::Filter};

use super::{
    bindings::global_exit_root as abi,
    client::{At, Client},
    convert,
    error::RequestError,
};
use crate::settlement::ExitRootUpdate;

/// Most blocks of one `eth_getLogs`: what endpoints commonly allow.
const MAX_BLOCKS: u64 = 10_000;
/// Blocks that are looked at again: a reorganisation may have moved what was in them.
const AGAIN: u64 = 64;

/// The contract at an address.
#[derive(Clone, Debug)]
pub struct ExitRootContract {
    pub client: Client,
    pub address: Address,
    /// Nothing of it is older.
    pub first_block: u64,
    /// Blocks on top of an update's before it counts.
    pub confirmations: u64,
}

impl ExitRootContract {
    /// Updates from block `from` on, in the order of the chain, and the block to ask from the next time. Some that were
    /// given before are given again.
    ///
    /// # Errors
    /// If the endpoint does not answer, or answers with something that is not asked for.
    pub async fn updates(&self, from: u64) -> Result<(Vec<ExitRootUpdate>, u64), RequestError> {
        let newest = self.client.head().await?.number.saturating_sub(self.confirmations);
        // With confirmations, the contract itself may be too new.
        if newest < from.max(self.first_block) {
            return Ok((Vec::new(), from));
        }
        let from = from.saturating_sub(AGAIN).max(self.first_block);
        let to = newest.min(from.saturating_add(MAX_BLOCKS - 1));
        let filter = Filter::new()
            .address(convert::address(self.address))
            .topic0(abi::UpdateGlobalExitRootFilter::signature())
            .from_block(from)
            .to_block(to);
        let malformed = || RequestError::Answer { method: "eth_getLogs" };
        let mut logs = self.client.logs(&filter).await?;
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        let mut updates = Vec::with_capacity(logs.len());
        for log in logs {
            let block_number = log.block_number.ok_or_else(malformed)?.as_u64();
            let raw = RawLog { topics: log.topics, data: log.data.to_vec() };
            let event = abi::UpdateGlobalExitRootFilter::decode_log(&raw).map_err(|_| malformed())?;
            let block = self.client.block(At::Block(block_number)).await?.ok_or_else(malformed)?;
            let (mainnet, rollup) = (event.mainnet_exit_root.into(), event.rollup_exit_root.into());
            updates.push(ExitRootUpdate {
                global_exit_root: global_exit_root(mainnet, rollup),
                mainnet_exit_root: mainnet,
                rollup_exit_root: rollup,
                block_number,
                timestamp: block.timestamp,
            });
        }
        Ok((updates, to + 1))
    }
}
