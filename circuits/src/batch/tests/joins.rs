//! Where machines meet: capacities used up to the last row, rows that nobody asked for, and trees that differ from the
//! journal. All parts of a forgery agree with each other, so that only the join can refuse it.

use cairn_protocol::{
    leaf::{AccountValue, LeafId},
    resources::Resource,
    witness::LeafAccess,
};

use super::*;
use crate::{
    machine::Levels,
    machines::{
        keccak::{self, KeccakEvent},
        tree::witness::rows_needed,
    },
    testing::tree::ReferenceTree,
};

/// Two transfers, one to a new account, and a new exit root.
fn two_transfers() -> (ReferenceTree, BatchWitness) {
    let (mut alice, mut bob) = (Wallet::new(1), Wallet::new(2));
    let mut chain = chain(&[&alice, &bob]);
    let first = alice.transfer(1, Address::repeat_byte(0x99), ether(1), 7, b"\x00\x01");
    let mut batch = input([first, bob.transfer(2, alice.address(), ether(2), 0, &[0; 70])].concat());
    batch.global_exit_root = B256::repeat_byte(0xee);
    (chain.tree.clone(), chain.execute(&batch).unwrap())
}

/// Two transfers in a shape without a disabled row.
pub(super) fn filled() -> (Shape, BatchWitness) {
    let (_, witness) = two_transfers();
    let spare = Shape::transfers(2).with(Resource::KeccakPermutations, 30);
    let Assignment { keccak, keccak_words, .. } = Assignment::new(&spare, &witness, AGGREGATOR).unwrap();
    let full = Shape::transfers(2)
        .with(Resource::Bytes, witness.transactions.len())
        .with(Resource::KeccakPermutations, keccak.iter().filter(|row| row.enabled).count())
        .with(Resource::KeccakWords, keccak_words.iter().filter(|row| row.enabled).count())
        .with(Resource::TreeRows, rows_needed(&witness.leaf_ops));
    (full, witness)
}

#[test]
fn accepts_a_batch_that_fills_every_machine_and_refuses_one_row_less() {
    let (full, witness) = filled();
    let full = Shape { levels: Levels::try_from(1).unwrap(), ..full };
    accept(&full, &witness);
    for (resource, rows) in full.capacity.iter().filter(|(_, rows)| *rows > 0) {
        let small = Shape { capacity: full.capacity.with(resource, rows - 1), ..full };
        assert!(Assignment::new(&small, &witness, AGGREGATOR).is_err(), "{resource}");
    }
}

#[test]
fn accepts_a_first_batch_on_an_empty_tree() {
    let mut nobody = Wallet::new(3);
    let mut chain = chain(&[]);
    chain.tree = ReferenceTree::new();
    let mut batch = input(nobody.transfer(0, Address::ZERO, U256::ZERO, 0, b""));
    // An exit root at time 0 leaves no entry.
    (batch.global_exit_root, batch.timestamp) = (B256::repeat_byte(0xee), 0);
    let witness = chain.execute(&batch).unwrap();
    assert_eq!(witness.new_state.leaf_count, 3, "sentinel, sender, block number");
    accept(&Shape::transfers(1), &witness);
}

#[test]
fn rejects_messages_that_nobody_asked_for() {
    let shape = Shape::transfers(2).with(Resource::KeccakPermutations, 20);
    let mut alice = Wallet::new(1);
    let mut chain = chain(&[&alice]);
    let tx = alice.transfer(3, Address::repeat_byte(0x99), ether(1), 1, b"");
    let witness = chain.execute(&input(tx.clone())).unwrap();
    let honest = accept(&shape, &witness);
    let used = honest.keccak.iter().filter(|row| row.enabled).count();
    // The batch or its public input once more, and the payload of a slot that is disabled.
    for (stream, message) in [
        (Layout::BATCH_STREAM, tx),
        (Layout::PUBLIC_INPUT_STREAM, witness.public_input(AGGREGATOR).to_bytes().to_vec()),
        (Layout::FIRST_PAYLOAD_STREAM + 1, vec![]),
    ] {
        let mut forged = honest.clone();
        let rows = keccak::rows(&[KeccakEvent { stream, message }], 20 - used).unwrap();
        forged.keccak.splice(used.., rows);
        let failed = failures(&shape, &forged);
        assert!(failed.contains("keccak.digest.send"), "{failed:?}");
    }
    // The slot of a root that is absent.
    let mut forged = honest.clone();
    forged.keccak_words[2] = keccak::words::rows(&[[0; 64]], 1).unwrap().remove(0);
    assert_eq!(failures(&shape, &forged), Failures::from(["keccak.words.send"]));
    forged.keccak_words[2].uses = 0;
    assert_eq!(failures(&shape, &forged), Failures::new(), "hashed, but not sent");
}

#[test]
fn accepts_one_row_for_a_key_that_signs_twice_and_rejects_another_number_of_uses() {
    let shape = Shape::transfers(2).with(Resource::KeccakWords, 1);
    let mut alice = Wallet::new(1);
    let mut chain = chain(&[&alice]);
    let txs = [1, 2].map(|value| alice.transfer(3, Address::repeat_byte(0x99), ether(value), 1, b""));
    let mut forged = accept(&shape, &chain.execute(&input(txs.concat())).unwrap());
    assert_eq!(forged.keccak_words[0].uses, 2);
    for uses in [0, 1, 3] {
        forged.keccak_words[0].uses = uses;
        assert!(failures(&shape, &forged).contains("secp256k1.keccak.receive"), "{uses}");
    }
}

#[test]
fn rejects_a_batch_or_payload_hashed_under_another_stream() {
    let (_, witness) = two_transfers();
    let shape = Shape::transfers(2).with(Resource::KeccakPermutations, 30);
    let honest = accept(&shape, &witness);
    let payload = Layout::FIRST_PAYLOAD_STREAM;
    for (a, b) in
        [(payload, payload + 1), (Layout::BATCH_STREAM, payload), (Layout::ACC_INPUT_STREAM, payload)]
    {
        let mut forged = honest.clone();
        for row in forged.keccak.iter_mut().filter(|row| row.enabled) {
            row.stream = match row.stream {
                s if s == a => b,
                s if s == b => a,
                s => s,
            };
        }
        let failed = failures(&shape, &forged);
        assert!(failed.contains("keccak.block.receive") && failed.contains("keccak.digest.send"));
    }
}

#[test]
fn rejects_a_signature_that_no_transaction_has() {
    let shape = Shape::transfers(2);
    let mut alice = Wallet::new(1);
    let mut chain = chain(&[&alice]);
    let tx = alice.transfer(3, Address::repeat_byte(0x99), ether(1), 1, b"");
    let mut forged = accept(&shape, &chain.execute(&input(tx)).unwrap());
    forged.signatures[1] = forged.signatures[0].clone();
    assert!(failures(&shape, &forged).contains("secp256k1.signature.send"));
}

/// What a batch leaves of each leaf: value and position, nothing for one that stays absent.
type Finals = Vec<(LeafId, Option<([F; 3], u64)>)>;

/// The failures of a batch whose tree holds something else than its journal, the new root being that of the tree.
fn with_another_tree(change: impl FnOnce(&mut Finals)) -> Failures {
    let (mut tree, mut witness) = two_transfers();
    let shape = Shape::transfers(2).with(Resource::TreeRows, 20);
    let last = |access: &LeafAccess| match access {
        LeafAccess::Update { opening, new_value } => Some((*new_value, opening.index)),
        LeafAccess::Insert { index, new_value, .. } => Some((*new_value, *index)),
        LeafAccess::Absent { .. } => None,
    };
    let mut finals: Finals = witness.leaf_ops.iter().map(|op| (op.id, last(&op.access))).collect();
    change(&mut finals);
    finals.sort_by_key(|(id, _)| id.key());
    witness.leaf_ops = finals
        .into_iter()
        .map(|(id, last)| match last {
            Some((value, index)) => tree.write_at(id, index, value),
            None => tree.read(id),
        })
        .collect();
    witness.new_state.tree_root = tree.root();
    let assignment = Assignment::new(&shape, &witness, AGGREGATOR).unwrap();
    failures(&shape, &assignment)
}

fn of(finals: &mut Finals, address: Address) -> &mut Option<([F; 3], u64)> {
    &mut finals.iter_mut().find(|(id, _)| *id == LeafId::Account(address)).unwrap().1
}

#[test]
fn rejects_a_tree_that_differs_from_the_journal() {
    let fresh = Address::repeat_byte(0x99);
    let (first, last) = ("tree.journal.account_first", "tree.journal.account_last");
    assert_eq!(with_another_tree(|_| ()), BTreeSet::new());
    // A new account at a free position that is not the next one.
    let failed = with_another_tree(|finals| of(finals, fresh).as_mut().unwrap().1 += 1);
    assert!(failed.contains(last), "{failed:?}");
    // A new account that is lost.
    let failed = with_another_tree(|finals| *of(finals, fresh) = None);
    assert!(failed.contains(last), "{failed:?}");
    // One wei more, or a nonce.
    for (element, gain) in [(0, F::from(1u64)), (0, crate::gadgets::pow2(128)), (1, F::from(1u64))] {
        let failed = with_another_tree(|finals| of(finals, fresh).as_mut().unwrap().0[element] += gain);
        assert!(failed.contains(last), "{failed:?}");
    }
    // Code that nobody deployed.
    let failed = with_another_tree(|finals| of(finals, COINBASE).as_mut().unwrap().0[2] = F::from(1u64));
    assert!(failed.contains(last), "{failed:?}");
    // An account that no transaction touches appears with money.
    let rich = AccountValue { nonce: 0, balance: ether(1), code_hash: F::from(0u64) };
    let ghost = (LeafId::Account(Address::repeat_byte(0x55)), Some((rich.to_fields(), 40)));
    let failed = with_another_tree(|finals| finals.push(ghost));
    assert!(failed.contains(first) && failed.contains(last), "{failed:?}");
    // One that is looked at and stays absent does no harm.
    let absent = (LeafId::Account(Address::repeat_byte(0x55)), None);
    assert_eq!(with_another_tree(|finals| finals.push(absent)), BTreeSet::new());
}

#[test]
fn rejects_a_header_byte_that_is_no_byte() {
    let (shape, assignment) = honest();
    let mut checker = Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables());
    // The same integer with a carry between two bytes: sums do not change, hashes would have to.
    for name in [
        "batch.aggregator",
        "batch.old_state_root",
        "batch.old_acc_input_hash",
        "batch.init_num_batch",
        "batch.chain_id",
        "batch.fork_id",
        "batch.new_state_root",
        "batch.new_acc_input_hash",
        "batch.new_local_exit_root",
        "batch.final_new_batch",
        "batch.transactions_hash",
        "batch.global_exit_root",
        "batch.timestamp",
        "batch.coinbase",
    ] {
        let bytes = checker.named(name);
        for pair in bytes.windows(2) {
            let high = checker.value(pair[0]) - F::from(1u64);
            let low = checker.value(pair[1]) + F::from(256u64);
            let failed = checker.failures_with(&[(pair[0], high), (pair[1], low)]);
            let hashed = ["batch.public_input", "batch.acc_input"].iter().any(|n| failed.contains(n));
            let taken = failed.contains("keccak.block.receive");
            assert!(hashed || taken, "{name}: {failed:?}");
        }
    }
}
