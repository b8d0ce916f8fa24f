//! Oracles: k256, Wycheproof, sha3.

use ark_ff::{Field, UniformRand};
use k256::{
    ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey},
    elliptic_curve::{PrimeField, sec1::ToEncodedPoint},
};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use wycheproof::{
    TestResult,
    ecdsa::{TestName, TestSet},
};

use super::{
    curve::{Base, Group, Point, ScalarField},
    split::{Relation, shortest_relation},
    *,
};
use crate::{
    F,
    cs::{Cs, Mode, NUM_PUBLIC},
    gadgets::nonnative::{scalar::ORDER, words},
    lookup::{
        argument, bus,
        challenge::Challenges,
        tables::{range8, range16},
    },
    testing::{Checker, Failures},
};

pub(super) fn signed(rng: &mut StdRng) -> (SignatureEvent, [u8; 64]) {
    let key = SigningKey::random(rng);
    let mut z = [0; 32];
    rng.fill_bytes(&mut z);
    let (sig, id): (Signature, RecoveryId) = key.sign_prehash_recoverable(&z).unwrap();
    let event = SignatureEvent {
        z,
        r: sig.r().to_bytes().into(),
        s: sig.s().to_bytes().into(),
        y_parity: id.is_y_odd(),
    };
    (event, key_bytes(key.verifying_key()))
}

fn key_bytes(key: &VerifyingKey) -> [u8; 64] {
    key.to_encoded_point(false).as_bytes()[1..].try_into().unwrap()
}

/// k256's own recovery.
fn oracle(event: &SignatureEvent) -> Option<[u8; 64]> {
    let sig = Signature::from_scalars(event.r, event.s).ok()?;
    let key =
        VerifyingKey::recover_from_prehash(&event.z, &sig, RecoveryId::new(event.y_parity, false)).ok()?;
    Some(key_bytes(&key))
}

fn f(bytes: &[u8]) -> F {
    ark_ff::PrimeField::from_be_bytes_mod_order(bytes)
}

pub(super) fn be(x: Words) -> [u8; 32] {
    let bytes: Vec<u8> = x.into_iter().rev().flat_map(u64::to_be_bytes).collect();
    bytes.try_into().unwrap()
}

fn event(z: Words, r: Words, s: Words, y_parity: bool) -> SignatureEvent {
    SignatureEvent { z: be(z), r: be(r), s: be(s), y_parity }
}

fn small(x: u64) -> Words {
    [x, 0, 0, 0]
}

/// n − x.
fn below_order(x: u64) -> Words {
    words(-ScalarField::from(x))
}

/// What the outside of a row's buses says: the key that is hashed and its digest, and the signature's tuple.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// In the order of [`bus::KeccakWords`]: halves of x, of y, of the digest.
    pub hash: [F; 6],
    /// In the order of [`bus::Signature`].
    pub signature: [F; 8],
}

impl Claim {
    /// What the row says.
    pub fn of(row: &Secp256k1Row) -> Self {
        let half = |w: Words| tables::halves(w).map(F::from);
        let ([zl, zh], [rl, rh], [sl, sh]) = (half(row.z), half(row.r), half(row.s));
        Self {
            hash: std::array::from_fn(|k| match k {
                0..4 => f(&row.public_key[16 * k..16 * k + 16]),
                k => f(&row.digest[16 * (k - 4)..16 * (k - 4) + 16]),
            }),
            signature: [f(&row.address()), zh, zl, rh, rl, sh, sl, F::from(row.y_parity)],
        }
    }
}

/// The machine with its rows, and the outside of its buses as the rows claim it.
pub(super) fn system(mode: Mode, rows: &[Secp256k1Row]) -> Cs {
    let enabled: Vec<_> = rows.iter().filter(|row| row.enabled).map(Claim::of).collect();
    system_claiming(mode, rows, &enabled)
}

/// The machine with its rows, and the outside of the enabled ones.
pub(super) fn system_claiming(mode: Mode, rows: &[Secp256k1Row], claims: &[Claim]) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, rows);
    for Claim { hash, signature } in claims {
        let one = cs.one();
        let [first_high, first_low, second_high, second_low, high, low] = hash.map(bus::Element::from);
        let tuple = bus::KeccakWords { first_high, first_low, second_high, second_low, high, low };
        cs.send("test.keccak", one, tuple);
        let [address, z_high, z_low, r_high, r_low, s_high, s_low, parity] =
            signature.map(bus::Element::from);
        let tuple = bus::Signature { address, z_high, z_low, r_high, r_low, s_high, s_low, parity };
        cs.receive("test.signature", one, tuple);
    }
    cs
}

pub(super) fn checker(rows: &[Secp256k1Row]) -> Checker {
    Checker::new(&system(Mode::Check, rows), fixed_tables())
}

pub(super) fn failures(row: Secp256k1Row) -> Failures {
    checker(&[row]).failures()
}

fn accept(event: &SignatureEvent) -> Secp256k1Row {
    let row = witness(event).unwrap();
    let failures = failures(row.clone());
    assert!(failures.is_empty(), "{event:?}: {failures:?}");
    row
}

#[test]
fn accepts_random_signatures_of_both_parities() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut parities = [false; 2];
    for _ in 0..4 {
        let (event, key) = signed(&mut rng);
        let row = accept(&event);
        assert_eq!(row.public_key, key);
        let digest = <sha3::Keccak256 as sha3::Digest>::digest(key);
        assert_eq!(row.address()[..], digest[12..]);
        assert_eq!(is_provable(&event), Ok(Recovered { public_key: key, address: row.address() }));
        parities[usize::from(event.y_parity)] = true;
    }
    assert_eq!(parities, [true; 2]);
}

#[test]
fn prop_recovery_agrees_with_k256() {
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..200 {
        let (event, key) = signed(&mut rng);
        assert_eq!(is_provable(&event).unwrap().public_key, key);
        // The other parity recovers another key, or the same none.
        let other = SignatureEvent { y_parity: !event.y_parity, ..event };
        assert_eq!(is_provable(&other).ok().map(|r| r.public_key), oracle(&other));
    }
}

/// x coordinates of points at both ends of the range.
fn edge_r() -> [Words; 2] {
    let on_curve = |x: &Words| Point::decompress(Base::new(ark_ff::BigInt::new(*x)), false).is_some();
    let low = (1..).map(small).find(on_curve).unwrap();
    let high = (1..).map(below_order).find(on_curve).unwrap();
    [low, high]
}

#[test]
fn accepts_edge_scalars() {
    let max = [u64::MAX; 4];
    let z = [small(0), ORDER, max, small(1), below_order(1)];
    let s = [small(1), HALF_ORDER, small(2)];
    for (i, r) in edge_r().into_iter().enumerate() {
        for (j, z) in z.into_iter().enumerate() {
            for (k, s) in s.into_iter().enumerate() {
                let event = event(z, r, s, (i + j + k) % 2 == 1);
                let expected = oracle(&event).unwrap();
                assert_eq!(is_provable(&event).unwrap().public_key, expected, "{event:?}");
                if (j + k) % 4 == 0 {
                    accept(&event);
                }
            }
        }
    }
}

/// Ratios r/s that make the lattice as skewed as it gets.
#[test]
fn accepts_short_ratios() {
    let lambda = ScalarField::new(ark_ff::BigInt::new(crate::gadgets::nonnative::scalar::LAMBDA));
    let [r, _] = edge_r();
    let rn = ScalarField::new(ark_ff::BigInt::new(r));
    let half = ScalarField::from(2u64).inverse().unwrap();
    for (i, ratio) in [ScalarField::from(1u64), half, ScalarField::from(3u64), lambda, lambda * half]
        .into_iter()
        .enumerate()
    {
        let mut s = rn * ratio;
        if ark_ff::PrimeField::into_bigint(s) > ark_ff::BigInt::new(HALF_ORDER) {
            s = -s;
        }
        let event = event(small(77 + i as u64), r, words(s), i % 2 == 0);
        assert_eq!(Some(accept(&event).public_key), oracle(&event).map(Vec::from));
    }
}

/// A signer whose key is the first starting point S: with R = a·S + b·G, s = r/a, z = s·b. The accumulator may then
/// meet ±S at once, and another starting point serves.
#[test]
fn accepts_a_key_that_is_a_starting_point() {
    let mut rng = StdRng::seed_from_u64(8);
    let start = tables::start(0).start;
    let row = (0..200).find_map(|_| {
        let (a, b) = (ScalarField::rand(&mut rng), ScalarField::rand(&mut rng));
        let big_r = Point::from_group(start.to_group() * a + Point::generator().to_group() * b)?;
        let r = words(big_r.x);
        let s = ScalarField::new(ark_ff::BigInt::new(r)) * a.inverse()?;
        let event = event(words(s * b), r, words(s), words(big_r.y)[0] & 1 == 1);
        let row = witness(&event).ok()?;
        assert_eq!(row.public_key[..32], be(words(start.x)));
        (row.start != 0).then_some(row)
    });
    let row = row.unwrap();
    let failures = failures(row);
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn refuses_what_is_not_a_signature() {
    let [r, _] = edge_r();
    let error = |r, s| is_provable(&event(small(9), r, s, false)).unwrap_err();
    assert_eq!(error(small(0), small(1)), SignatureError::ROutOfRange);
    assert_eq!(error(ORDER, small(1)), SignatureError::ROutOfRange);
    assert_eq!(error([u64::MAX; 4], small(1)), SignatureError::ROutOfRange);
    assert_eq!(error(r, small(0)), SignatureError::SOutOfRange);
    let mut above_half = HALF_ORDER;
    above_half[0] += 1;
    assert_eq!(error(r, above_half), SignatureError::SOutOfRange);
    assert_eq!(error(r, below_order(1)), SignatureError::SOutOfRange);
    assert_eq!(error(r, ORDER), SignatureError::SOutOfRange);
    assert_eq!(error(small(5), small(1)), SignatureError::NotOnCurve, "5³ + 7 is not a square");

    // R = 3G and z = 3s: sR = zG.
    let big_r =
        Point::from_group(Group::from(Point::generator().to_group()) * ScalarField::from(3u64)).unwrap();
    let parity = words(big_r.y)[0] & 1 == 1;
    let infinite = event(small(21), words(big_r.x), small(7), parity);
    assert_eq!(is_provable(&infinite), Err(SignatureError::InfinitePublicKey));
    assert_eq!(oracle(&infinite), None);
}

#[test]
fn agrees_with_wycheproof() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256P1363).unwrap();
    let (mut recovered, mut high_s, mut refused) = (0, 0, 0);
    for group in &set.test_groups {
        let key: &[u8] = &group.key.key;
        for test in &group.tests {
            let sig: &[u8] = &test.sig;
            let z = <sha2::Sha256 as sha2::Digest>::digest(&test.msg[..]).into();
            let results: Vec<_> = match <[u8; 64]>::try_from(sig) {
                Ok(sig) => {
                    let (r, s) = (sig[..32].try_into().unwrap(), sig[32..].try_into().unwrap());
                    [false, true].map(|y_parity| SignatureEvent { z, r, s, y_parity }).into()
                }
                Err(_) => Vec::new(),
            };
            let outcomes: Vec<_> = results.iter().map(is_provable).collect();
            let hit = outcomes.iter().position(|o| o.is_ok_and(|o| o.public_key == key[1..]));
            match (test.result == TestResult::Valid, hit) {
                (true, Some(i)) => {
                    recovered += 1;
                    if recovered % 16 == 0 {
                        accept(&results[i]);
                    }
                }
                (true, None) if outcomes.contains(&Err(SignatureError::SOutOfRange)) => high_s += 1,
                (valid, hit) => {
                    assert!(!valid && hit.is_none(), "case {}: {} {outcomes:?}", test.tc_id, test.comment);
                    refused += 1;
                }
            }
        }
    }
    // ECDSA itself accepts both s and n − s, and x = r + n, which no vector here has.
    assert_eq!((recovered, high_s, refused), (95, 72, 85));
}

#[test]
fn prop_short_relations_fit_their_windows() {
    let mut rng = StdRng::seed_from_u64(3);
    let lambda = ScalarField::new(ark_ff::BigInt::new(crate::gadgets::nonnative::scalar::LAMBDA));
    let value = |e: [i128; 2]| ScalarField::from(e[0]) + ScalarField::from(e[1]) * lambda;
    for i in 0..1000u64 {
        let s = ScalarField::rand(&mut rng);
        let r = if i < 500 {
            ScalarField::rand(&mut rng)
        } else {
            s * ScalarField::from(i * i) * lambda.pow([i % 3])
        };
        if r == ScalarField::from(0u64) {
            continue;
        }
        let Relation { alpha, beta } = shortest_relation(r, s).unwrap();
        assert_eq!(s * value(alpha) + r * value(beta), ScalarField::from(0u64));
        assert!(beta != [0, 0]);
        assert!(
            alpha.iter().chain(&beta).all(|k| k.unsigned_abs() < u128::from(u64::MAX) - 2),
            "{alpha:?} {beta:?}"
        );
    }
}

#[test]
fn starting_points_follow_from_their_label() {
    for i in 0..tables::START_POINTS {
        let start = tables::start(i);
        let x = (0u8..).find_map(|counter| {
            let mut message = START_LABEL.as_bytes().to_vec();
            message.extend([i as u8, counter]);
            let hash: [u8; 32] = <sha3::Keccak256 as sha3::Digest>::digest(message).into();
            let mut compressed = vec![2];
            compressed.extend(hash);
            k256::PublicKey::from_sec1_bytes(&compressed).ok()
        });
        let point = x.unwrap();
        let encoded = point.to_encoded_point(false);
        assert_eq!(be(words(start.start.x))[..], encoded.x().unwrap()[..]);
        assert_eq!(be(words(start.start.y))[..], encoded.y().unwrap()[..]);
        // end = 2⁶⁰·S + (Σ 256ʲ)·G
        let ones = k256::Scalar::from_repr([1u8; 32].into()).unwrap();
        let end =
            point.to_projective() * k256::Scalar::from(1u64 << 60) + k256::ProjectivePoint::GENERATOR * ones;
        let end = end.to_affine().to_encoded_point(false);
        assert_eq!(be(words(start.end.x))[..], end.x().unwrap()[..]);
        assert_eq!(be(words(start.end.y))[..], end.y().unwrap()[..]);
    }
}

#[test]
fn fixed_base_holds_multiples_of_the_generator() {
    for (window, digit) in [(0, 0), (0, 255), (7, 3), (31, 0), (31, 255)] {
        let mut repr = [0u8; 32];
        repr[31 - window] = digit;
        let base = k256::Scalar::from_repr(repr.into());
        let mut unit = [0u8; 32];
        unit[31 - window] = 1;
        // 256·256³¹ exceeds the order, so the digit and the one are added as scalars.
        let k = base.into_option().map(|b| b + k256::Scalar::from_repr(unit.into()).unwrap());
        let Some(k) = k else { continue };
        let expected = (k256::ProjectivePoint::GENERATOR * k).to_affine().to_encoded_point(false);
        let point = tables::base_point(window, digit);
        assert_eq!(be(words(point.x))[..], expected.x().unwrap()[..]);
        assert_eq!(be(words(point.y))[..], expected.y().unwrap()[..]);
    }
    for table in fixed_tables() {
        assert!(table.rows.iter().enumerate().all(|(i, row)| table.find(row) == Some(i)));
    }
}

#[test]
fn accepts_disabled_rows_at_no_cost() {
    let cs = system(Mode::Check, &[Secp256k1Row::default(), Secp256k1Row::default()]);
    assert!(cs.committed().iter().chain(cs.witness_values()).all(|v| *v == F::from(0u64)));
    let (event, _) = signed(&mut StdRng::seed_from_u64(4));
    let rows = [Secp256k1Row::default(), witness(&event).unwrap(), witness(&event).unwrap()];
    assert!(checker(&rows).failures().is_empty());
}

#[test]
fn accepts_with_the_argument_closed() {
    let mut rng = StdRng::seed_from_u64(5);
    let (event, _) = signed(&mut rng);
    let mut cs = system(Mode::Check, &[witness(&event).unwrap(), Secp256k1Row::default()]);
    for table in fixed_tables().into_iter().chain([range16(), range8()]) {
        table.close(&mut cs);
    }
    argument::close(&mut cs, Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) });
    let z = cs.assignment();
    assert!(cs.matrices().failures(&z, NUM_PUBLIC as usize + cs.committed().len()).is_empty());
}

#[test]
fn structure_does_not_depend_on_values() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(6));
    let real = system(Mode::Check, &[witness(&event).unwrap()]);
    let mut empty = Cs::new(Mode::Record);
    synthesize(&mut empty, &[Secp256k1Row::default()]);
    let of =
        |cs: &Cs, n: usize| (0..n).map(|i| format!("{:?}", cs.matrices().constraint(i))).collect::<Vec<_>>();
    let n = empty.matrices().num_constraints();
    assert_eq!(of(&real, n), of(&empty, n));
    let values = system(Mode::Assign, &[witness(&event).unwrap()]);
    assert_eq!(real.assignment(), values.assignment());
}

/// The committed cost of one signature.
#[test]
fn constraint_count() {
    let count = |rows: usize| {
        let mut cs = Cs::new(Mode::Record);
        synthesize(&mut cs, &vec![Secp256k1Row::default(); rows]);
        cs
    };
    let one = count(1);
    let mut families: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (name, n) in one.counts() {
        *families.entry(name.split('.').nth(1).unwrap()).or_default() += n;
    }
    let table: Vec<String> = families.iter().map(|(family, n)| format!("{family} {n}")).collect();
    assert_eq!(table.join("\n"), include_str!("counts.txt").trim());
    assert_eq!(one.num_constraints(), 19_059);
    assert_eq!(count(2).num_constraints(), 2 * 19_059);
}

/// Prints what a signature costs the prover before proving; no bound, because machines differ.
#[test]
fn prints_witness_time() {
    let mut rng = StdRng::seed_from_u64(7);
    let events: Vec<_> = (0..20).map(|_| signed(&mut rng).0).collect();
    let _ = fixed_tables();
    let start = std::time::Instant::now();
    let rows: Vec<_> = events.iter().map(|e| witness(e).unwrap()).collect();
    let witness_time = start.elapsed();
    let start = std::time::Instant::now();
    let mut cs = Cs::new(Mode::Assign);
    synthesize(&mut cs, &rows);
    eprintln!("witness {:?}, assignment {:?} a signature", witness_time / 20, start.elapsed() / 20);
}
