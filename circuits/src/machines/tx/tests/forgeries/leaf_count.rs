//! Forgeries of positions: leaves that are created several times, or a negative number of times.

use super::*;

/// Two accesses to one account that exists: as if created −50 times, then 100 times. 100 leaves become 150.
#[test]
fn rejects_a_leaf_count_that_drifts() {
    let mut samples = each_kind(|_| ());
    samples.truncate(2);
    let mut journal = journal_for(&samples);
    for (who, index) in [(COINBASE, 33), (samples[0].to, 34)] {
        journal.accounts.insert(who, Entry { value: AccountValue::default(), index, time: 0 });
    }
    let mut batch = Batch::with_journal(&samples, journal);
    assert_eq!(batch.after.leaf_count, 100);
    batch.after.leaf_count = 150;
    let mut checker = batch.checker();
    let wires = |name| checker.named(name);
    let (absent, created) = (wires("journal.leaf.absent"), wires("journal.leaf.created"));
    let (position, index) = (wires("journal.leaf.index"), wires("journal.account.index"));
    let inverse = wires(INVERSE);
    let f = |x: i64| F::from(x);
    let changes = [
        (absent[2], f(-50)),
        (inverse[INVERSES - 1], f(51) / f(33)),
        (created[2], f(-50)),
        (position[2], f(-5000)),
        (index[5], f(33 - 5000)),
        (absent[5], f(100)),
        (inverse[2 * INVERSES - 1], f(-99) / f(33 - 5000)),
        (created[5], f(100)),
        (position[5], f(5000)),
    ];
    checker.change(&changes);
    assert_eq!(checker.failures(), Failures::from(["journal.leaf.absent"]));
}

/// As if created twice: the recipient's leaf stands at 200 instead of 100, and 100 leaves become 102.
#[test]
fn rejects_a_leaf_beyond_the_next_position() {
    let s = Sample::new(Kind::Eip1559);
    let mut journal = journal_for(std::slice::from_ref(&s));
    journal.accounts.insert(COINBASE, Entry { value: AccountValue::default(), index: 33, time: 0 });
    let mut batch = Batch::with_journal(std::slice::from_ref(&s), journal);
    batch.after.leaf_count = 102;
    batch.after.accounts.get_mut(&s.to).expect("there").index = 200;
    let mut checker = batch.checker();
    let sum = batch.after.accounts[&s.to].value.balance;
    let (hi, lo) = halves(sum);
    let [empty, created, position] = ["journal.leaf.nonempty", "journal.leaf.created", "journal.leaf.index"]
        .map(|name| checker.named(name));
    let changes = [
        (empty[0], -F::from(1u64)),
        (checker.named(INVERSE)[3], F::from(2u64) / (hi + lo)),
        (created[1], F::from(2u64)),
        (position[1], F::from(200u64)),
    ];
    checker.change(&changes);
    assert_eq!(checker.failures(), Failures::from(["journal.leaf.nonempty"]));
}
