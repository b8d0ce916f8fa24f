//! Constraints of the batch itself: header, messages, state roots; and between them the machines of the list.

use cairn_protocol::leaf::halves;

use super::{
    Assignment, Header, fixed_tables,
    message::{Bytes, hash},
};
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::{poseidon, pow2, words::Word},
    lookup::bus::KeccakOutput,
    machine::{BatchWires, Layout, Shape},
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
/// batch.transactions.digest  digest of the batch's bytes, of their full length                    3 (bus)
/// batch.acc_input            accumulated input hash                                               124 + 2 (bus)
/// batch.public_input         x = digest high · 2¹²⁸ + digest low                                  212 + 2 (bus) + 1
/// ```
/// All bytes are range-checked by the keccak machine.
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
        Layout::PUBLIC_INPUT_STREAM,
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
        Layout::ACC_INPUT_STREAM,
        &[&h.old_acc_input_hash, &h.transactions_hash, &h.global_exit_root, &h.timestamp, &h.coinbase],
        h.new_acc_input_hash.halves(),
    );

    let tree_root = cs.witness("batch.state.tree_root", assignment.header.old_state.tree_root);
    let leaf_count = cs.commit("batch.state.leaf_count", assignment.header.old_state.leaf_count);
    let old_root =
        poseidon::hash(cs, "batch.state.old_root", &one.into(), &[tree_root.into(), leaf_count.into()]);
    cs.enforce_equal("batch.state.old", old_root, h.old_state_root.value());

    let mut wires = BatchWires {
        chain_id: h.chain_id.value(),
        coinbase: h.coinbase.value(),
        timestamp: h.timestamp.value(),
        global_exit_root: word(&h.global_exit_root),
        new_local_exit_root: word(&h.new_local_exit_root),
        leaf_count: leaf_count.into(),
        tree_root: tree_root.into(),
        transactions: Lc::zero(),
        total_len: Lc::zero(),
    };
    assignment.synthesize_machines(cs, shape, &mut wires);

    let Word { hi, lo } = word(&h.transactions_hash);
    let tuple = KeccakOutput {
        high: hi.into(),
        low: lo.into(),
        length: wires.total_len.into(),
        stream: Layout::BATCH_STREAM.into(),
    };
    cs.receive("batch.transactions.digest", one, tuple);
    let new_root =
        poseidon::hash(cs, "batch.state.new_root", &one.into(), &[wires.tree_root, wires.leaf_count]);
    cs.enforce_equal("batch.state.new", new_root, h.new_state_root.value());
    for table in fixed_tables() {
        table.close(cs);
    }
}

fn word(bytes: &Bytes) -> Word {
    let (hi, lo) = bytes.halves();
    Word { hi, lo }
}

fn digest(cs: &mut Cs, name: &'static str, d: alloy_primitives::B256) -> (Wire, Wire) {
    let (hi, lo) = halves(d.into());
    (cs.commit(name, hi), cs.commit(name, lo))
}
