//! Finds logs: the header's bloom tells most blocks apart that have none, without decoding them. Not here: filters that
//! are polled (`filter`) and subscriptions (`subscribe`), which read through this module.

use std::ops::RangeInclusive;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::keccak256;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};

use super::{
    error::RpcError,
    reader::{self, resolve_number},
};
use crate::chain::Chain;

/// Most blocks of one `eth_getLogs`.
pub const MAX_LOG_BLOCKS: u64 = 10_000;
/// Most logs of one `eth_getLogs` over more than one block.
pub const MAX_LOGS: usize = 10_000;
/// Most addresses and topics of one filter, taken together.
pub const MAX_CRITERIA: usize = 1_000;

/// The three bits that a value sets in a bloom: byte and mask of each. Source: Yellow Paper, section 4.3.1.
type BloomBits = [(usize, u8); 3];

fn bloom_bits(value: &[u8]) -> BloomBits {
    let hash = keccak256(value);
    [0, 2, 4].map(|i| {
        let bit = usize::from(u16::from_be_bytes([hash[i], hash[i + 1]]) & 0x7ff);
        (255 - bit / 8, 1 << (bit % 8))
    })
}

/// Which logs are wanted, whatever the block.
#[derive(Clone, Debug)]
pub struct LogQuery {
    filter: Filter,
    /// Addresses, then each topic position: a log has one of each group; an empty group asks for nothing.
    groups: [Vec<BloomBits>; 5],
}

impl LogQuery {
    /// # Errors
    /// If the filter names more than [`MAX_CRITERIA`] values.
    pub fn new(filter: Filter) -> Result<Self, RpcError> {
        let got = filter.address.len() + filter.topics.iter().map(|t| t.len()).sum::<usize>();
        if got > MAX_CRITERIA {
            return Err(RpcError::FilterTooLarge { got, limit: MAX_CRITERIA });
        }
        let topics = |i: usize| filter.topics[i].iter().map(|t| bloom_bits(t.as_slice())).collect();
        let addresses = filter.address.iter().map(|a| bloom_bits(a.as_slice())).collect();
        let groups = [addresses, topics(0), topics(1), topics(2), topics(3)];
        Ok(Self { filter, groups })
    }

    /// The blocks that the filter names.
    #[must_use]
    pub const fn blocks(&self) -> &FilterBlockOption {
        &self.filter.block_option
    }

    /// Whether a block with this bloom may have a wanted log.
    #[must_use]
    pub fn may_match(&self, bloom: &[u8; 256]) -> bool {
        let set = |bits: &BloomBits| bits.iter().all(|(byte, mask)| bloom[*byte] & mask != 0);
        self.groups.iter().all(|group| group.is_empty() || group.iter().any(set))
    }

    fn matches(&self, log: &alloy_primitives::Log) -> bool {
        self.filter.matches_address(log.address) && self.filter.matches_topics(log.topics())
    }
}

/// Gives `each` the wanted logs of every block that has some, in order, until it says no.
pub fn read(
    chain: &Chain,
    query: &LogQuery,
    blocks: RangeInclusive<u64>,
    mut each: impl FnMut(u64, Vec<Log>) -> bool,
) -> Result<(), RpcError> {
    chain.storage().scan_blocks(blocks, |block| {
        // No log leaves the bloom of its block empty, whatever is asked for.
        let skip = block.logs_bloom().is_some_and(|b| b.iter().all(|b| *b == 0) || !query.may_match(b));
        if skip {
            return Ok(true);
        }
        let logs = reader::logs(block.number, &block.decode()?, |log| query.matches(log))?;
        Ok(logs.is_empty() || each(block.number, logs))
    })
}

/// The blocks of an `eth_getLogs`, up to the head.
fn blocks_of(chain: &Chain, blocks: &FilterBlockOption) -> Result<RangeInclusive<u64>, RpcError> {
    let (from_block, to_block) = match *blocks {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = chain.block_named(hash)?.ok_or(RpcError::UnknownLogBlock)?;
            return Ok(number..=number);
        }
        FilterBlockOption::Range { from_block, to_block } => (from_block, to_block),
    };
    let head = chain.heads().trusted_block;
    let bound = |block: Option<BlockNumberOrTag>| -> Result<u64, RpcError> {
        match block {
            None => Ok(head),
            // A number past the head is a bound like any other.
            Some(BlockNumberOrTag::Number(number)) => Ok(number),
            Some(tag) => Ok(resolve_number(chain, tag)?.unwrap_or(head)),
        }
    };
    let (from, to) = (bound(from_block)?, bound(to_block)?);
    if from > to {
        return Err(RpcError::InvalidRange { from, to });
    }
    let to = to.min(head);
    let got = (to + 1).saturating_sub(from);
    if got > MAX_LOG_BLOCKS {
        return Err(RpcError::RangeTooLarge { got, limit: MAX_LOG_BLOCKS });
    }
    Ok(from..=to)
}

/// All logs of an `eth_getLogs`.
pub fn find(chain: &Chain, query: &LogQuery) -> Result<Vec<Log>, RpcError> {
    let blocks = blocks_of(chain, query.blocks())?;
    let from = *blocks.start();
    let (mut logs, mut fits) = (Vec::new(), None);
    read(chain, query, blocks, |number, found| {
        // The logs of one block are given however many: there is no smaller range to ask for.
        if !logs.is_empty() && logs.len() + found.len() > MAX_LOGS {
            fits = Some(number - 1);
            return false;
        }
        logs.extend(found);
        true
    })?;
    match fits {
        Some(to) => Err(RpcError::TooManyLogs { limit: MAX_LOGS, from, to }),
        None => Ok(logs),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bloom, BloomInput};

    use super::*;

    #[test]
    fn prop_a_bloom_matches_what_was_put_into_it_as_alloy_has_it() {
        for n in 0..=255u8 {
            let (address, topic) = (Address::repeat_byte(n), B256::repeat_byte(n));
            let mut bloom = Bloom::ZERO;
            bloom.accrue(BloomInput::Raw(address.as_slice()));
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
            for other in [0, n, n.wrapping_add(1), 255] {
                let filter = Filter::new().address(Address::repeat_byte(other));
                let filter = filter.topic1([B256::repeat_byte(other), B256::with_last_byte(1)].to_vec());
                let expected = filter.matches_bloom(bloom);
                assert_eq!(LogQuery::new(filter).unwrap().may_match(&bloom.0), expected, "{n} {other}");
            }
        }
    }
}
