//! Each relation modulo p and modulo n, against a forger who satisfies everything but one of its equations or ranges. The
//! machine's own functions synthesize his values with all their hints; what he chooses otherwise he solves for, see
//! [`crate::testing::forge`].

use ark_ff::{Field, PrimeField};
use num_bigint::{BigInt, BigUint, Sign};

use super::{
    constraints::scalars,
    curve::{BETA, Base},
    multiples,
    points::{Accumulator, Operands, Ordinate, Point, enforce_on_curve},
    *,
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, Wire, WireId},
    gadgets::nonnative::{
        base::{Element, FOLD, MODULUS},
        scalar::{LAMBDA, ORDER, Scalar},
        words,
    },
    testing::Checker,
};

fn big(x: Words) -> BigInt {
    BigInt::from_bytes_le(Sign::Plus, &x.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>())
}

/// The words of 0 ≤ x < 2²⁵⁶.
fn to_words(x: &BigInt) -> Words {
    let digits = x.to_biguint().unwrap().to_u64_digits();
    assert!(digits.len() <= 4);
    std::array::from_fn(|i| digits.get(i).copied().unwrap_or_default())
}

fn modulo(x: &BigInt, m: &BigInt) -> BigInt {
    ((x % m) + m) % m
}

fn p2(n: u32) -> BigInt {
    BigInt::from(1) << n
}

fn native_modulus() -> BigInt {
    big(F::MODULUS.0)
}

fn field(x: &BigInt) -> F {
    F::from(modulo(x, &native_modulus()).to_biguint().unwrap())
}

fn integer(x: F) -> BigInt {
    big(x.into_bigint().0)
}

fn base(x: &BigInt) -> Base {
    Base::from(modulo(x, &big(MODULUS)).to_biguint().unwrap())
}

fn inverse(x: &BigInt, m: &BigInt) -> BigInt {
    x.modinv(m).unwrap()
}

fn element(cs: &mut Cs, en: Wire, x: u64) -> Element {
    Element::commit(cs, "test.value", en, [x, 0, 0, 0])
}

fn checker(build: impl FnOnce(&mut Cs, Wire)) -> Checker {
    let mut cs = Cs::new(Mode::Check);
    let en = cs.commit_boolean("test.enable", true);
    build(&mut cs, en);
    Checker::new(&cs, Vec::new())
}

/// A relation whose operands are such that it says ±v ≡ 0 or 2v ≡ 0 modulo p, without a part that is folded.
struct Relation {
    name: &'static str,
    build: fn(&mut Cs, Wire, &BigInt),
    /// The binary equation is modulo 2 to this power.
    bits: u32,
    /// Which product is low(a₂)·low(b₂), that the binary equation alone has.
    product: Option<usize>,
}

const RELATIONS: [Relation; 6] = [
    Relation { name: "secp256k1.slope", build: slope, bits: 128, product: Some(5) },
    Relation { name: "secp256k1.x", build: x, bits: 128, product: Some(3) },
    Relation { name: "secp256k1.y", build: y, bits: 128, product: Some(5) },
    Relation { name: "secp256k1.tangent", build: tangent, bits: 128, product: Some(3) },
    Relation { name: "secp256k1.square", build: square, bits: 128, product: Some(3) },
    Relation { name: "secp256k1.phi", build: phi, bits: 96, product: None },
];

/// (3, 5) + (4, 5) by the slope v.
fn slope(cs: &mut Cs, en: Wire, v: &BigInt) {
    let [x, y, other] = [3, 5, 4].map(|v| element(cs, en, v));
    let sum = base(v).square() - Base::from(7u64);
    let other = Point { x: other, y: y.linear() };
    let step = Step { slope: to_words(v), x: words(sum), y: Words::default() };
    let _ = Accumulator { x, y: Ordinate::Value(y.into()) }.add(cs, en, &other, Operands::Any, &step);
}

/// (0, 5) + (1, 5), whose x is −1: v − 1 is claimed.
fn x(cs: &mut Cs, en: Wire, v: &BigInt) {
    let [x, y, other] = [0, 5, 1].map(|v| element(cs, en, v));
    let other = Point { x: other, y: y.linear() };
    let step = Step { x: to_words(&(v - 1)), ..Step::default() };
    let _ = Accumulator { x, y: Ordinate::Value(y.into()) }.add(cs, en, &other, Operands::Any, &step);
}

/// 0·1 − 1 = −1: v − 1 is claimed.
fn y(cs: &mut Cs, en: Wire, v: &BigInt) {
    let [zero, one] = [0, 1].map(|v| element(cs, en, v));
    let y0 = one.linear();
    let y = Ordinate::Implied { slope: zero.clone().into(), run: one.into(), y0 };
    let step = Step { y: to_words(&(v - 1)), ..Step::default() };
    let _ = Accumulator { x: zero, y }.with_value(cs, en, &step);
}

/// 2·(0, 1) by the slope v: 2·v·1 − 3·0².
fn tangent(cs: &mut Cs, en: Wire, v: &BigInt) {
    let [x, y] = [0, 1].map(|v| element(cs, en, v));
    let step = Step { slope: to_words(v), x: words(base(v).square()), y: Words::default() };
    let _ = Accumulator { x, y: Ordinate::Value(y.clone().into()) }.double(cs, en, &y, &step);
}

/// k² + v as the square of k, k such that a y fits.
fn square(cs: &mut Cs, en: Wire, v: &BigInt) {
    let (k, square, y) = (1u64..)
        .find_map(|k| {
            let square = v + k * k;
            let y = (base(&square) * Base::from(k) + Base::from(7u64)).sqrt()?;
            Some((k, square, y))
        })
        .unwrap();
    let x = element(cs, en, k);
    let y = Element::commit(cs, "test.value", en, words(y));
    enforce_on_curve(cs, en, &x, &y, to_words(&square));
}

/// v as β·0.
fn phi(cs: &mut Cs, en: Wire, v: &BigInt) {
    let zero = element(cs, en, 0);
    let _ = multiples::scale(cs, en, &zero, BETA, to_words(v));
}

fn hint(c: &Checker, relation: &str, hint: &str) -> Vec<WireId> {
    c.named(&format!("{relation}.{hint}"))
}

#[track_caller]
fn assert_refused_by(c: &Checker, relation: &str, part: &str) {
    assert_eq!(c.only_failure(), format!("{relation}.{part}"));
}

#[test]
fn accepts_what_holds() {
    // v = p stands for zero; zero itself for those that claim v.
    for Relation { name, build, .. } in RELATIONS {
        let failures = checker(|cs, en| build(cs, en, &big(MODULUS))).failures();
        assert!(failures.is_empty(), "{name}: {failures:?}");
    }
}

/// A multiple of 2¹²⁸ with a quotient of zero.
#[test]
fn rejects_an_error_that_only_the_native_equation_sees() {
    for Relation { name, build, .. } in RELATIONS {
        let mut c = checker(|cs, en| build(cs, en, &p2(128)));
        c.set_signed(&hint(&c, name, "quotient"), F::from(0u64));
        c.solve_signed(&format!("{name}.binary"), 0, &hint(&c, name, "carry"));
        assert_refused_by(&c, name, "native");
    }
}

/// The native modulus; and hints that would hide it, the carry out of its range or a product that is none.
#[test]
fn rejects_an_error_that_only_the_binary_equation_sees() {
    for Relation { name, build, product, .. } in RELATIONS {
        let forged = || checker(|cs, en| build(cs, en, &native_modulus()));
        assert_binary_alone_refuses(name, product, forged);
    }
}

fn assert_binary_alone_refuses(name: &str, product: Option<usize>, forged: impl Fn() -> Checker) {
    let binary = format!("{name}.binary");
    assert_refused_by(&forged(), name, "binary");
    let mut c = forged();
    c.solve_signed(&binary, 0, &hint(&c, name, "carry"));
    assert_refused_by(&c, name, "carry");
    if let Some(product) = product {
        let mut c = forged();
        c.solve(&binary, 0, hint(&c, name, "product")[product]);
        assert_refused_by(&c, name, "product");
    }
}

/// v such that a quotient in the field, but out of its range, satisfies both equations with the carry t: from
/// q = v/p and low(v) + c·q = 2ᵇ·t follows low(v)·2²⁵⁶⁻ᵇ + c·high(v) = t·p in the field.
fn hidden_by_a_quotient(bits: u32) -> BigInt {
    let (c, high) = (BigInt::from(FOLD), p2(256 - bits));
    (1..)
        .find_map(|t| {
            let sum = modulo(&(big(MODULUS) * t), &native_modulus());
            let v_high = modulo(&(&sum * inverse(&c, &high)), &high);
            let v_low = (sum - c.clone() * &v_high) / &high;
            (v_low > BigInt::from(1000)).then(|| v_low + v_high * p2(bits))
        })
        .unwrap()
}

#[test]
fn rejects_a_quotient_out_of_range() {
    for Relation { name, build, bits, .. } in RELATIONS {
        let mut c = checker(|cs, en| build(cs, en, &hidden_by_a_quotient(bits)));
        c.solve_signed(&format!("{name}.native"), 0, &hint(&c, name, "quotient"));
        c.solve_signed(&format!("{name}.binary"), 0, &hint(&c, name, "carry"));
        assert_refused_by(&c, name, "quotient");
    }
}

fn on_curve(x: &BigInt, y: &BigInt) -> Checker {
    checker(|cs, en| {
        let square = words(base(x).square());
        let [x, y] = [x, y].map(|v| Element::commit(cs, "test.value", en, to_words(v)));
        enforce_on_curve(cs, en, &x, &y, square);
    })
}

/// y² ≡ 5³ + 7 = 132 modulo 2¹²⁸.
#[test]
fn rejects_a_point_on_the_curve_modulo_a_power_of_two() {
    // A root of 33, bit by bit.
    let root = (3u32..130).fold(BigInt::from(1), |root, bit| {
        let error = modulo(&(&root * &root - 33), &p2(bit + 1));
        if error == BigInt::from(0) { root } else { root + p2(bit - 1) }
    });
    let y = modulo(&(root * 2), &p2(128));
    assert_eq!(modulo(&(&y * &y), &p2(128)), BigInt::from(132));
    let mut c = on_curve(&BigInt::from(5), &y);
    let name = "secp256k1.curve";
    c.set_signed(&hint(&c, name, "quotient"), F::from(0u64));
    c.solve_signed("secp256k1.curve.binary", 0, &hint(&c, name, "carry"));
    assert_refused_by(&c, name, "native");
}

/// y² = x³ + 7 + 4r, for the native modulus r.
#[test]
fn rejects_a_point_on_the_curve_modulo_the_native_modulus() {
    let multiple: BigInt = native_modulus() * 4;
    let root = BigInt::from(multiple.to_biguint().unwrap().sqrt());
    let power: BigUint = (big(MODULUS).to_biguint().unwrap() + 2u32) / 9u32;
    let (x, y) = (1u64..)
        .find_map(|i| {
            let y: BigInt = &root + i;
            let square: BigInt = &y * &y;
            let cube = base(&(square - 7 - &multiple));
            let x = cube.pow(power.to_u64_digits());
            (x * x * x == cube).then_some((big(words(x)), y))
        })
        .unwrap();
    assert_binary_alone_refuses("secp256k1.curve", Some(3), || on_curve(&x, &y));
}

/// The numbers of the relations modulo n. Honest: α ≡ α₁ + λα₂, β ≡ β₁ + λβ₂, α·s + β·r ≡ 0, w·s + β·z ≡ 0.
#[derive(Clone)]
struct Scalars {
    combined: [BigInt; 2],
    z: BigInt,
    r: BigInt,
    s: BigInt,
    w: BigInt,
}

const SMALL: [[i64; 2]; 2] = [[5, -7], [-3, 2]];

/// a/b modulo n.
fn quotient(a: &BigInt, b: &BigInt) -> BigInt {
    let n = big(ORDER);
    modulo(&(a * inverse(&modulo(b, &n), &n)), &n)
}

fn unreduced([e1, e2]: [i64; 2]) -> BigInt {
    big(LAMBDA) * e2 + e1
}

impl Scalars {
    /// For α and β that may be lies; all that follows from them is right.
    fn of(combined: [BigInt; 2]) -> Self {
        let (s, w) = (p2(254) - 12_345, p2(255) + 678);
        let [alpha, beta] = &combined;
        let [r, z]: [BigInt; 2] = [alpha, &w].map(|x| x * &s);
        let [r, z] = [r, z].map(|x| quotient(&-x, beta));
        Self { combined, z, r, s, w }
    }

    fn honest() -> Self {
        Self::of(SMALL.map(|small| modulo(&unreduced(small), &big(ORDER))))
    }

    fn checker(&self) -> Checker {
        checker(|cs, en| {
            let small =
                SMALL.map(|pair| pair.map(|e| Lc::from(cs.commit("test.small", field(&BigInt::from(e))))));
            let [z, r, s, w] = [&self.z, &self.r, &self.s, &self.w]
                .map(|v| Scalar::commit(cs, "test.value", en, to_words(v)));
            let combined = self.combined.each_ref().map(to_words);
            scalars(cs, en, combined, small.each_ref(), [&z, &r, &s], &w);
        })
    }
}

#[test]
fn accepts_scalars_that_are_related() {
    let failures = Scalars::honest().checker().failures();
    assert!(failures.is_empty(), "{failures:?}");
}

const COMBINED: &str = "secp256k1.combined";

/// α or β as a lie, with the first wires of its hints.
fn combined_lie(which: usize, lie: &BigInt) -> (Checker, Vec<WireId>, Vec<WireId>) {
    let mut combined = Scalars::honest().combined;
    combined[which] = lie.clone();
    let c = Scalars::of(combined).checker();
    let [quotient, carry] = ["quotient", "carry"].map(|h| hint(&c, COMBINED, h));
    (c, quotient[5 * which..][..5].to_vec(), carry[6 * which..][..6].to_vec())
}

/// α + 2⁹⁶ with the quotient of α.
#[test]
fn rejects_a_combination_that_only_the_native_equation_refuses() {
    for (which, small) in SMALL.into_iter().enumerate() {
        let honest = Scalars::honest().combined[which].clone();
        let (mut c, quotient, carry) = combined_lie(which, &(&honest + p2(96)));
        c.set_signed(&quotient, field(&((unreduced(small) - honest) / big(ORDER))));
        c.solve_signed("secp256k1.combined.position", which, &carry);
        assert_refused_by(&c, COMBINED, "native");
    }
}

/// α and the native modulus, more or less.
#[test]
fn rejects_a_combination_that_only_the_position_refuses() {
    for which in 0..2 {
        let honest = &Scalars::honest().combined[which];
        let more = honest + native_modulus();
        let lie = if more < p2(256) { more } else { honest - native_modulus() };
        let (mut c, _, carry) = combined_lie(which, &lie);
        assert_refused_by(&c, COMBINED, "position");
        c.solve_signed("secp256k1.combined.position", which, &carry);
        assert_refused_by(&c, COMBINED, "carry");
    }
}

/// From q = (E − e)/n and E₀ − e₀ − q·n₀ = 2⁹⁶·t, with n = n₀ + 2⁹⁶·n₁ and e = e₀ + 2⁹⁶·e₁, follows
/// n₀·e₁ − n₁·e₀ = t·n + (n₀·E − n·E₀)/2⁹⁶ in the field.
#[test]
fn rejects_a_combination_that_a_quotient_out_of_range_hides() {
    let (n, r) = (big(ORDER), native_modulus());
    let (n0, n1) = (modulo(&n, &p2(96)), &n >> 96u32);
    for (which, small) in SMALL.into_iter().enumerate() {
        let whole = unreduced(small);
        let [e1, e2] = small;
        let low = modulo(&big(LAMBDA), &p2(96)) * e2 + e1;
        let lie = (1..)
            .find_map(|t| {
                let right = field(&(&n * t)) + field(&(&n0 * &whole - &n * low.clone())) / field(&p2(96));
                let right = integer(right) - &r;
                let high = modulo(&(&right * inverse(&n0, &n1)), &n1);
                let low = (&n0 * &high - right) / &n1;
                (low < p2(96)).then(|| low + high * p2(96))
            })
            .unwrap();
        let (mut c, quotient, carry) = combined_lie(which, &lie);
        c.solve_signed("secp256k1.combined.native", which, &quotient);
        c.solve_signed("secp256k1.combined.position", which, &carry);
        assert_refused_by(&c, COMBINED, "quotient");
    }
}

/// A relation a·b + c·d − q·n = error, instead of 0.
struct SumLie {
    name: &'static str,
    checker: Checker,
    /// The sums of the three positions, carries apart.
    sums: [BigInt; 3],
}

fn limbs(x: &BigInt) -> [BigInt; 3] {
    [modulo(x, &p2(96)), modulo(&(x >> 96u32), &p2(96)), x >> 192u32]
}

impl SumLie {
    fn new(name: &'static str, error: &BigInt) -> Self {
        let n = big(ORDER);
        let mut scalars = Scalars::honest();
        let [alpha, beta] = scalars.combined.clone();
        let a = if name == "secp256k1.ratio" { alpha } else { scalars.w.clone() };
        let b = scalars.s.clone();
        let d = quotient(&(error - &a * &b), &beta);
        *(if name == "secp256k1.ratio" { &mut scalars.r } else { &mut scalars.z }) = d.clone();
        let total: BigInt = &a * &b + &beta * &d - error;
        assert_eq!(modulo(&total, &n), BigInt::from(0));
        let q = total / &n;

        let mut checker = scalars.checker();
        let pieces = hint(&checker, name, "quotient");
        let changes: Vec<_> =
            (0u32..).zip(pieces).map(|(i, id)| (id, field(&modulo(&(&q >> (16 * i)), &p2(16))))).collect();
        assert!(changes.len() == 17 && q < p2(16 * 17) && q >= BigInt::from(0));
        checker.change(&changes);
        let [a, b, c, d, q, n] = [&a, &b, &beta, &d, &q, &n].map(limbs);
        let sums = std::array::from_fn(|p| {
            (0..=p).map(|i| &a[i] * &b[p - i] + &c[i] * &d[p - i] - &q[i] * &n[p - i]).sum()
        });
        Self { name, checker, sums }
    }

    fn carry(&self, position: usize) -> Vec<WireId> {
        hint(&self.checker, self.name, "carry")[7 * position..][..7].to_vec()
    }

    /// Makes the position hold.
    fn solve(&mut self, position: usize) {
        let carry = self.carry(position);
        self.checker.solve_signed(&format!("{}.position", self.name), position, &carry);
    }

    /// Gives the position the carry of its sum less `error`.
    fn shift(&mut self, position: usize, sum: &BigInt, error: &BigInt) {
        let shifted: BigInt = sum - error;
        assert_eq!(modulo(&shifted, &p2(96)), BigInt::from(0));
        let value: BigInt = shifted / p2(96);
        let carry = self.carry(position);
        self.checker.set_signed(&carry, field(&value));
    }
}

const SUMS: [&str; 2] = ["secp256k1.ratio", "secp256k1.base_scalar"];

/// 2²⁸⁸.
#[test]
fn rejects_a_sum_that_only_the_native_equation_refuses() {
    for name in SUMS {
        let mut lie = SumLie::new(name, &p2(288));
        (0..3).for_each(|position| lie.solve(position));
        assert_refused_by(&lie.checker, name, "native");
    }
}

/// A small (x, y) with x + 2ᵏ·y a multiple of the native modulus, by Euclid's algorithm.
fn small_multiple(k: u32) -> (BigInt, BigInt) {
    let r = native_modulus();
    let (mut a, mut b) = ((r.clone(), BigInt::from(0)), (modulo(&-p2(k), &r), BigInt::from(1)));
    while b.0 >= p2(127) {
        let q = &a.0 / &b.0;
        let next = (&a.0 - &q * &b.0, &a.1 - &q * &b.1);
        a = std::mem::replace(&mut b, next);
    }
    assert_eq!(modulo(&(&b.0 + p2(k) * &b.1), &r), BigInt::from(0));
    b
}

/// A multiple of the native modulus that is a multiple of 2²⁸⁸ but for what the first position has to see.
#[test]
fn rejects_a_sum_that_only_the_first_position_refuses() {
    let (error, high) = small_multiple(288);
    for name in SUMS {
        let mut lie = SumLie::new(name, &(&error + p2(288) * &high));
        let sum = lie.sums[0].clone();
        lie.shift(0, &sum, &error);
        lie.solve(1);
        lie.solve(2);
        assert_refused_by(&lie.checker, name, "position");
    }
}

/// The same of the second position.
#[test]
fn rejects_a_sum_that_only_the_second_position_refuses() {
    let (error, high) = small_multiple(192);
    for name in SUMS {
        let mut lie = SumLie::new(name, &(&error * p2(96) + p2(288) * &high));
        lie.solve(0);
        let sum = &lie.sums[1] + &lie.sums[0] / p2(96);
        lie.shift(1, &sum, &error);
        lie.solve(2);
        assert_refused_by(&lie.checker, name, "position");
    }
}

/// The same of the last position; and hints that would hide it, its carry out of range or a product that is none.
#[test]
fn rejects_a_sum_that_only_the_last_position_refuses() {
    for name in SUMS {
        let last = || {
            let mut lie = SumLie::new(name, &(native_modulus() * p2(192)));
            lie.solve(0);
            lie.solve(1);
            lie
        };
        assert_refused_by(&last().checker, name, "position");
        let mut lie = last();
        lie.solve(2);
        assert_refused_by(&lie.checker, name, "carry");
        let mut lie = last();
        // The first product of the last position: one native, then one, then three.
        let product = hint(&lie.checker, name, "product")[5];
        lie.checker.solve(&format!("{name}.position"), 2, product);
        assert_refused_by(&lie.checker, name, "product");
    }
}
