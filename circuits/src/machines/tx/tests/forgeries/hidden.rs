//! Forgeries of integers: bytes that nobody reads, digits that are not there.

use super::*;

/// An integer item: its place in the list, its names, and its hint.
type Item = (usize, [&'static str; 4], fn(&mut SlotRow) -> &mut IntHint);

macro_rules! item {
    ($index:literal, $field:ident) => {
        (
            $index,
            [
                concat!("tx.", stringify!($field), ".end"),
                concat!("tx.", stringify!($field), ".single"),
                concat!("tx.", stringify!($field), ".top"),
                concat!("tx.", stringify!($field), ".canonical"),
            ],
            |row| &mut row.$field,
        )
    };
}

const ITEMS: [Item; 7] = [
    item!(1, nonce),
    item!(2, priority_fee),
    item!(3, max_fee),
    item!(4, gas_limit),
    item!(6, value),
    item!(10, r),
    item!(11, s),
];

const V: Item = item!(6, v);

#[test]
fn rejects_bytes_hidden_in_an_integer() {
    let batch = single(Kind::Eip1559, |_| ());
    let mut fields = batch.fields();
    assert_eq!(fields[1][..2], [0x88, 1]);
    fields[1].splice(1..1, [1, 0xaa]);
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.nonce.end", &[lie("tx.nonce.end", 0, 14u64)]);
    batch.refused_by("tx.nonce.single", &[lie("tx.nonce.single", 0, -F::from(2u64))]);
}

#[test]
fn rejects_every_integer_with_hidden_bytes_or_a_leading_zero() {
    let of_1559 = ITEMS.map(|item| (Kind::Eip1559, 9, &[][..], item));
    for (kind, shared, tail, (index, [end, single_name, top, _], hint)) in
        of_1559.into_iter().chain([(Kind::Eip155, 6, &TAIL[..], V)])
    {
        let honest = single(kind, |_| ());
        let mut checker = honest.checker();
        let ends = checker.value(checker.named(end)[0]);
        assert!(checker.failures_with(&[]).is_empty());
        let mut fields = honest.fields();
        let first = fields[index][1];
        fields[index].splice(1..1, [first, 0xaa]);
        let batch = honest.clone().of_fields(&slices(&fields), shared, tail, |_| ());
        batch.refused_by(end, &[lie(end, 0, ends + F::from(2u64))]);
        batch.refused_by(single_name, &[lie(single_name, 0, -F::from(2u64))]);
        // Where a digit more still fits.
        if !["tx.nonce.top", "tx.r.top", "tx.s.top"].contains(&top) {
            let mut fields = honest.fields();
            fields[index][0] += 1;
            fields[index].insert(1, 0);
            let grow = |r: &mut SlotRow| hint(r).len += 1;
            honest.clone().of_fields(&slices(&fields), shared, tail, grow).refused_by(top, &[]);
        }
    }
}

#[test]
fn rejects_leading_zeros_of_r_and_s_and_digits_of_v_that_are_not_there() {
    let (short, shared) = (U256::from(0x0102u64), 9);
    for (index, name) in [(10, "tx.r.top"), (11, "tx.s.top")] {
        let batch = single(Kind::Eip1559, |s| (s.r, s.s) = (short, short));
        let mut fields = batch.fields();
        fields[index] = vec![0x83, 0, 1, 2];
        let grow = |r: &mut SlotRow| if index == 10 { r.r.len = 3 } else { r.s.len = 3 };
        batch.of_fields(&slices(&fields), shared, &[], grow).refused_by(name, &[]);
    }
    let batch = single(Kind::Eip155, |_| ());
    let mut fields = batch.fields();
    assert_eq!(fields[6], [0x82, 0x07, 0xf6]);
    fields[6] = vec![0x76];
    let v = IntHint::canonical(U256::from(0x76u64));
    let batch = batch.of_fields(&slices(&fields), 6, &TAIL, |r| r.v = v);
    let rest = F::from(0x07f6u64 - 0x76) / F::from(256u64);
    batch.refused_by("tx.v.byte", &[lie("tx.v.byte", 1, rest)]);
}
