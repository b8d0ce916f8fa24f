//! Forgeries of integers: encodings that are not canonical, for each of the eight items.

use super::*;

/// An integer of a transaction: the constraints of one name in `tx.<name>.*`, where it is on the wire, and how it is set.
struct Item {
    name: &'static str,
    kind: Kind,
    field: usize,
    set: fn(&mut Sample, u64),
    hint: fn(&mut SlotRow) -> &mut IntHint,
    /// A value of two bytes, of one byte below 0x80, and one that is 0x82 in its third byte and 0 in its second.
    two: u64,
    one: u64,
    three: u64,
}

impl Item {
    fn full_name(&self, constraint: &str) -> &'static str {
        format!("tx.{}.{constraint}", self.name).leak()
    }

    /// The item's value is `value`, and on the wire are `raw` bytes.
    fn forgery(&self, value: u64, raw: &[u8]) -> Forgery {
        Forgery::of(self.kind, |s| (self.set)(s, value)).field(self.field, raw)
    }
}

fn items() -> [Item; 8] {
    let item = |name, field, set, hint| Item {
        name,
        kind: Kind::Eip1559,
        field,
        set,
        hint,
        two: 0x5302,
        one: 5,
        three: 0x82_0091,
    };
    [
        item("nonce", 1, |s, v| s.nonce = v, |r| &mut r.nonce),
        item("priority_fee", 2, |s, v| s.priority_fee = v.into(), |r| &mut r.priority_fee),
        item("max_fee", 3, |s, v| (s.max_fee, s.priority_fee) = (v.into(), 1), |r| &mut r.max_fee),
        item("gas_limit", 4, |s, v| s.gas_limit = v, |r| &mut r.gas_limit),
        item("value", 6, |s, v| s.value = U256::from(v), |r| &mut r.value),
        item("r", 10, |s, v| s.r = U256::from(v), |r| &mut r.r),
        item("s", 11, |s, v| s.s = U256::from(v), |r| &mut r.s),
        // v is 36 + 2 · chain id, as the parity is 1.
        Item {
            kind: Kind::Eip155,
            one: 38,
            three: 0x82_0092,
            ..item("v", 6, |s, v| s.chain_id = (v - 36) / 2, |r| &mut r.v)
        },
    ]
}

/// 0x5302 as the bytes 53 02 without a prefix: nothing else says that only a lone byte stands for itself.
#[test]
fn rejects_integers_of_two_bytes_without_a_prefix() {
    for item in items() {
        let raw = (item.two as u16).to_be_bytes();
        item.forgery(item.two, &raw)
            .lies(&[lie(item.full_name("top"), 0, u64::from(raw[1]))])
            .assert_rejected_only_by(item.full_name("single"), |r| {
                *(item.hint)(r) = hint(item.two, 2, true);
            });
    }
}

/// A lone byte below 0x80 with a prefix. A gas limit of one byte is below the intrinsic gas, whatever it looks like.
#[test]
fn rejects_lone_bytes_with_a_prefix_they_do_not_need() {
    for item in items().into_iter().filter(|item| item.name != "gas_limit") {
        item.forgery(item.one, &[0x81, item.one as u8]).assert_rejected_only_by(
            item.full_name("canonical"),
            |r| {
                *(item.hint)(r) = hint(item.one, 1, false);
            },
        );
    }
}

#[test]
fn rejects_leading_zeros() {
    for item in items() {
        let raw = [&[0x83, 0][..], &(item.two as u16).to_be_bytes()].concat();
        item.forgery(item.two, &raw).assert_rejected_only_by(item.full_name("top"), |r| {
            *(item.hint)(r) = hint(item.two, 3, false);
        });
    }
}

/// Digits 0 and 2 are present and digit 1 is not, which makes two, so that the prefix is read as the highest digit:
/// 82 11 91 passes for 0x820091.
#[test]
fn rejects_digits_with_a_gap() {
    for item in items() {
        let [present, byte] = ["present", "byte"].map(|c| item.full_name(c));
        item.forgery(item.three, &[0x82, 0x11, item.three as u8])
            .lies(&[lie(present, 2, 1u64), lie(byte, 2, 0x82u64)])
            .assert_rejected_only_by(present, |r| *(item.hint)(r) = hint(item.three, 1, false));
    }
}

/// A digit that counts but is not there: two bytes on the wire pass for three.
#[test]
fn rejects_digits_that_are_not_there() {
    for item in items() {
        let byte = item.full_name("byte");
        item.forgery(0x55 << 16 | item.two, &[0x82, 0x53, 0x02])
            .lies(&[lie(byte, 2, 0x55u64)])
            .assert_rejected_only_by(byte, |r| *(item.hint)(r) = hint(item.two, 2, false));
    }
}

/// Two bytes behind the prefix that nobody reads: the end is no sum, or a flag of −2 makes it one.
#[test]
fn rejects_bytes_hidden_behind_a_prefix_of_an_integer() {
    for item in items() {
        let [end, single] = ["end", "single"].map(|c| item.full_name(c));
        let honest = Forgery::of(item.kind, |_| ());
        let checker = honest.batch.checker();
        let ends = checker.value(checker.named(end)[0]);
        let mut raw = honest.fields[item.field].clone();
        raw.splice(1..1, [raw[1], 0xaa]);
        let forgery = || Forgery::of(item.kind, |_| ()).field(item.field, &raw);
        forgery().lies(&[lie(end, 0, ends + F::from(2u64))]).assert_rejected_only_by(end, |_| ());
        forgery().lies(&[lie(single, 0, -F::from(2u64))]).assert_rejected_only_by(single, |_| ());
    }
}
