//! Constraints of the batch itself: header, messages, system state, and the calls that place the machines.

use cairn_protocol::constants::{
    GLOBAL_EXIT_ROOT_L2, GLOBAL_EXIT_ROOT_MAP_SLOT, LAST_ROLLUP_EXIT_ROOT_SLOT, SYSTEM_ACCOUNT,
    SYSTEM_BLOCK_NUMBER_SLOT,
};
use cairn_protocol::{
    leaf::{address_to_field, halves},
    resources::Resource,
};

use super::{
    ACC_INPUT_STREAM, BATCH_STREAM, EXIT_ROOT_TIME, FIRST_PAYLOAD_STREAM, PUBLIC_INPUT_STREAM, Shape,
    message::{Bytes, hash},
    witness::{Assignment, Header, StorageHint},
};
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::{poseidon, pow2, words::Word, zero::is_zero},
    lookup::{
        bus::{KeccakOutput, KeccakWords},
        tables,
    },
    machines::{journal, keccak, secp256k1, tree, tx},
};

/// The header as wires: bytes of what is hashed.
struct HeaderWires {
    aggregator: Bytes,
    old_state_root: Bytes,
    old_acc_input_hash: Bytes,
    init_num_batch: Bytes,
    chain_id: Bytes,
    fork_id: Bytes,
    new_state_root: Bytes,
    new_acc_input_hash: Bytes,
    new_local_exit_root: Bytes,
    final_new_batch: Bytes,
    transactions_hash: Bytes,
    global_exit_root: Bytes,
    timestamp: Bytes,
    coinbase: Bytes,
}

impl HeaderWires {
    fn commit(cs: &mut Cs, h: &Header) -> Self {
        let p = &h.public_input;
        let mut bytes = |name, b: &[u8]| Bytes::commit(cs, name, b);
        Self {
            aggregator: bytes("batch.aggregator", p.aggregator.as_slice()),
            old_state_root: bytes("batch.old_state_root", p.old_state_root.as_slice()),
            old_acc_input_hash: bytes("batch.old_acc_input_hash", p.old_acc_input_hash.as_slice()),
            init_num_batch: bytes("batch.init_num_batch", &p.init_num_batch.to_be_bytes()),
            chain_id: bytes("batch.chain_id", &p.chain_id.to_be_bytes()),
            fork_id: bytes("batch.fork_id", &p.fork_id.to_be_bytes()),
            new_state_root: bytes("batch.new_state_root", p.new_state_root.as_slice()),
            new_acc_input_hash: bytes("batch.new_acc_input_hash", p.new_acc_input_hash.as_slice()),
            new_local_exit_root: bytes("batch.new_local_exit_root", p.new_local_exit_root.as_slice()),
            final_new_batch: bytes("batch.final_new_batch", &p.final_new_batch.to_be_bytes()),
            transactions_hash: bytes("batch.transactions_hash", h.transactions_hash.as_slice()),
            global_exit_root: bytes("batch.global_exit_root", h.global_exit_root.as_slice()),
            timestamp: bytes("batch.timestamp", &h.timestamp.to_be_bytes()),
            coinbase: bytes("batch.coinbase", h.coinbase.as_slice()),
        }
    }
}

/// The whole batch circuit but for the lookup argument, which the prover closes with the challenges.
///
/// ```text
/// batch.number.next          finalNewBatch = initNumBatch + 1                                     1
/// batch.state.old, .new      state root = Poseidon(tree root, leaf count)                         2 + 2 · 240
/// batch.transactions.digest  digest of the batch's bytes, of their full length                    4 (bus)
/// batch.acc_input            accumulated input hash                                               3 · 124 + 4 (bus)
/// batch.public_input         x = digest high · 2¹²⁸ + digest low                                  3 · 212 + 4 (bus) + 1
/// ```
/// and `global_exit_root`, `block_number`, `local_exit_root` below. All bytes are range-checked by the keccak machine.
/// Without `number.next` one proof could skip batches; without `state.*` the roots on L1 would not be those of the
/// tree; without the digests the data on L1 would not be what was executed.
pub fn synthesize(cs: &mut Cs, shape: &Shape, assignment: &Assignment) {
    let one = cs.one();
    let h = HeaderWires::commit(cs, &assignment.header);

    let (pi_hi, pi_lo) = digest(cs, "batch.public_input.digest", assignment.header.public_input.hash());
    hash(
        cs,
        "batch.public_input",
        one,
        PUBLIC_INPUT_STREAM,
        &[
            &h.aggregator,
            &h.old_state_root,
            &h.old_acc_input_hash,
            &h.init_num_batch,
            &h.chain_id,
            &h.fork_id,
            &h.new_state_root,
            &h.new_acc_input_hash,
            &h.new_local_exit_root,
            &h.final_new_batch,
        ],
        (pi_hi.into(), pi_lo.into()),
    );
    let x = cs.public_input(pi_hi.value() * pow2(128) + pi_lo.value());
    cs.enforce_equal("batch.public_input.value", pi_hi * pow2(128) + pi_lo, x);
    cs.enforce_equal("batch.number.next", h.init_num_batch.value() + one, h.final_new_batch.value());
    hash(
        cs,
        "batch.acc_input",
        one,
        ACC_INPUT_STREAM,
        &[&h.old_acc_input_hash, &h.transactions_hash, &h.global_exit_root, &h.timestamp, &h.coinbase],
        h.new_acc_input_hash.halves(),
    );

    let tree_root = cs.witness("batch.state.tree_root", assignment.header.old_state.tree_root);
    let leaf_count = cs.commit("batch.state.leaf_count", assignment.header.old_state.leaf_count);
    let old_root =
        poseidon::hash(cs, "batch.state.old_root", &one.into(), &[tree_root.into(), leaf_count.into()]);
    cs.enforce_equal("batch.state.old", old_root, h.old_state_root.value());

    let leaf_count = global_exit_root(cs, &h, assignment, leaf_count.into());

    let context = tx::TxContext {
        chain_id: h.chain_id.value(),
        coinbase: h.coinbase.value(),
        batch_stream: BATCH_STREAM,
        first_stream: FIRST_PAYLOAD_STREAM,
        time_offset: EXIT_ROOT_TIME,
        leaf_count,
    };
    let out = tx::synthesize(cs, &assignment.transactions, &context);
    let (hi, lo) = h.transactions_hash.halves();
    let tuple = KeccakOutput {
        high: hi.into(),
        low: lo.into(),
        length: out.total_len.into(),
        stream: BATCH_STREAM.into(),
    };
    cs.receive("batch.transactions.digest", one, tuple);

    let last_time = EXIT_ROOT_TIME + 3 * shape.rows(Resource::Transactions) as u64;
    let leaf_count = block_number(cs, assignment, last_time + 1, out.transactions, out.leaf_count);
    let leaf_count = local_exit_root(cs, &h, assignment, last_time + 2, leaf_count);

    let new_tree_root = tree::synthesize(cs, &assignment.tree, tree_root.into());
    let new_root = poseidon::hash(cs, "batch.state.new_root", &one.into(), &[new_tree_root, leaf_count]);
    cs.enforce_equal("batch.state.new", new_root, h.new_state_root.value());

    secp256k1::synthesize(cs, &assignment.signatures);
    keccak::synthesize(cs, &assignment.keccak);
    keccak::words::synthesize(cs, &assignment.keccak_words);
    for table in fixed_tables() {
        table.close(cs);
    }
}

/// Every fixed table that the batch circuit uses.
#[must_use]
pub fn fixed_tables() -> Vec<tables::FixedTable> {
    let mut all = vec![tables::range16(), tables::range8(), tables::sparse16(), tables::byte_sparse()];
    all.extend(secp256k1::fixed_tables());
    all
}

fn digest(cs: &mut Cs, name: &'static str, d: alloy_primitives::B256) -> (Wire, Wire) {
    let (hi, lo) = halves(d.into());
    (cs.commit(name, hi), cs.commit(name, lo))
}

/// The batch's global exit root enters L2: `globalExitRootMap[root]` becomes the timestamp, unless it is known there or
/// the root is zero. Returns the leaf count.
///
/// ```text
/// batch.exit_root.zero    zero = (root = 0)                                     2
/// batch.exit_root.slot    slot = keccak256(root ‖ uint256 0)                    4 (bus)
/// batch.exit_root.unset   unset = (old value = 0)                               2
/// batch.exit_root.value   timestamp · unset                                     1
/// ```
/// The sums that the zero tests look at have two terms below 2¹²⁸, so they cannot cancel. The root's bytes are range-checked
/// where the accumulated input hash sends them, the slot's halves by the row that hashes.
fn global_exit_root(cs: &mut Cs, h: &HeaderWires, assignment: &Assignment, leaf_count: Lc) -> Lc {
    let one = Lc::from(cs.one());
    let (hi, lo) = h.global_exit_root.halves();
    let zero = is_zero(cs, "batch.exit_root.zero", &one, &(hi.clone() + &lo));
    let present = cs.commit("batch.exit_root.present", (one.clone() - zero).value());
    cs.enforce_equal("batch.exit_root.present", present, one - zero);

    let hint = &assignment.exit_root;
    let slot = Word::commit_unchecked(cs, "batch.exit_root.slot_hint", hint.slot);
    let (map_slot_hi, map_slot_lo) = halves(GLOBAL_EXIT_ROOT_MAP_SLOT);
    let tuple = KeccakWords {
        first_high: hi.into(),
        first_low: lo.into(),
        second_high: map_slot_hi.into(),
        second_low: map_slot_lo.into(),
        high: (&slot.hi).into(),
        low: (&slot.lo).into(),
    };
    cs.receive("batch.exit_root.slot", present, tuple);

    let present = Lc::from(present);
    let old = Word::commit_unchecked(cs, "batch.exit_root.old", hint.access.value);
    let unset = is_zero(cs, "batch.exit_root.unset", &present, &(old.hi.clone() + &old.lo));
    let written = cs.committed_product("batch.exit_root.value", h.timestamp.value(), unset);
    let new = Word { hi: old.hi.clone(), lo: old.lo.clone() + written };
    let address = present.clone() * address_to_field(GLOBAL_EXIT_ROOT_L2);
    let at = at(hint, EXIT_ROOT_TIME);
    journal::storage_access(cs, &present, &address, &slot, &old, &new, at, &leaf_count)
}

/// The system account's block number grows by the number of transactions, each of which is a block.
fn block_number(cs: &mut Cs, assignment: &Assignment, time: u64, blocks: Lc, leaf_count: Lc) -> Lc {
    let one = Lc::from(cs.one());
    let hint = &assignment.block_number;
    let old = Word::commit_unchecked(cs, "batch.block_number.old", hint.access.value);
    let new = Word { hi: old.hi.clone(), lo: old.lo.clone() + blocks };
    let address = one.clone() * address_to_field(SYSTEM_ACCOUNT);
    let slot = constant_word(&one, SYSTEM_BLOCK_NUMBER_SLOT);
    journal::storage_access(cs, &one, &address, &slot, &old, &new, at(hint, time), &leaf_count)
}

/// `newLocalExitRoot` is what `lastRollupExitRoot` holds after all transactions.
fn local_exit_root(cs: &mut Cs, h: &HeaderWires, assignment: &Assignment, time: u64, leaf_count: Lc) -> Lc {
    let one = Lc::from(cs.one());
    let (hi, lo) = h.new_local_exit_root.halves();
    let value = Word { hi, lo };
    let address = one.clone() * address_to_field(GLOBAL_EXIT_ROOT_L2);
    let slot = constant_word(&one, LAST_ROLLUP_EXIT_ROOT_SLOT);
    let at = at(&assignment.local_exit_root, time);
    journal::storage_access(cs, &one, &address, &slot, &value, &value, at, &leaf_count)
}

fn constant_word(one: &Lc, v: alloy_primitives::U256) -> Word {
    let (hi, lo) = halves(v);
    Word { hi: one.clone() * hi, lo: one.clone() * lo }
}

/// The access at time `now`, which no access of this leaf before it can be further from than `now` itself.
fn at(hint: &StorageHint, now: u64) -> journal::At {
    let (gap, before, index) = (journal::Gap::within(now), hint.access.time, hint.access.index);
    journal::At { now: now.into(), gap, before, index }
}
