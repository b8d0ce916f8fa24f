//! Multi-scalar multiplication against its definition.

use ark_bn254::{G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{BigInt, PrimeField};
use proptest::prelude::*;

use crate::{F, msm};

/// Scalars of every size that the digits tell apart, negative ones included.
fn scalar() -> impl Strategy<Value = F> {
    prop_oneof![
        (-2i64..=2).prop_map(F::from),
        any::<i64>().prop_map(F::from),
        any::<u128>().prop_map(F::from),
        any::<u128>().prop_map(|n| -F::from(n)),
        any::<[u8; 32]>().prop_map(|bytes| F::from_le_bytes_mod_order(&bytes)),
        Just(F::from_bigint(F::MODULUS_MINUS_ONE_DIV_TWO).unwrap_or_default()),
    ]
}

/// Few multiples of the generator, so that points meet themselves, their negatives and infinity in a bucket.
const LARGEST: i64 = 5;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn prop_sums_agree_with_the_definition(terms in prop::collection::vec((-LARGEST..=LARGEST, scalar()), 0..700)) {
        let scalars: Vec<BigInt<4>> = terms.iter().map(|(_, s)| s.into_bigint()).collect();
        let expected: F = terms.iter().map(|(base, s)| F::from(*base) * s).sum();
        let multiples = |base: &i64| (base + LARGEST) as usize;

        let table: Vec<_> =
            (-LARGEST..=LARGEST).map(|b| (G1Projective::generator() * F::from(b)).into_affine()).collect();
        let points: Vec<_> = terms.iter().map(|(base, _)| table[multiples(base)]).collect();
        prop_assert_eq!(msm::g1(&points, &scalars), G1Projective::generator() * expected);

        let table: Vec<_> =
            (-LARGEST..=LARGEST).map(|b| (G2Projective::generator() * F::from(b)).into_affine()).collect();
        let points: Vec<_> = terms.iter().map(|(base, _)| table[multiples(base)]).collect();
        prop_assert_eq!(msm::g2(&points, &scalars), G2Projective::generator() * expected);
    }

    #[test]
    fn prop_weighted_sums_agree_with_the_definition(
        bits in 1usize..18,
        terms in prop::collection::vec((any::<u32>(), -LARGEST..=LARGEST), 0..400),
    ) {
        let mut terms: Vec<_> = terms.into_iter().map(|(b, base)| (1 + b % (1 << bits), base)).collect();
        // The largest bucket, and several sums of one bucket.
        terms.extend([(1 << bits, 3), (1 << bits, -1), (1, 1)]);
        terms.sort_by_key(|(bucket, _)| *bucket);
        let expected: F = terms.iter().map(|(bucket, base)| F::from(*bucket) * F::from(*base)).sum();
        let point = |base: &i64| (G1Projective::generator() * F::from(*base)).into_affine();
        let sums = terms.iter().map(|(bucket, base)| (*bucket, point(base))).collect();
        prop_assert_eq!(msm::weigh(sums, bits), G1Projective::generator() * expected);
    }
}
