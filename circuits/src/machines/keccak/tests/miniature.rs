//! The lemma of `digits` in miniature: lanes of four digits, chunks of two, cut for a rotation by one.

/// Numbers below 64 with octal digits 0 and 1: the table.
const TABLE: [i64; 4] = [0, 1, 8, 9];

/// Over all S with digits up to `max_digit`: the largest number of choices of looked-up chunks that satisfy
/// 8·S = weight·8·X + Σ 8·w·H, H being planes in place with weights w in `others`. `x` gives 8·X from (u, w′, c).
fn most_solutions(max_digit: i64, weight: i64, others: &[i64], x: impl Fn(i64, i64, i64) -> i64) -> usize {
    let lanes: Vec<i64> = TABLE.iter().flat_map(|a| TABLE.map(|b| a + 64 * b)).collect();
    let mut values = Vec::new();
    for u in TABLE {
        for w in TABLE {
            values.extend(TABLE.map(|c| weight * x(u, w, c)));
        }
    }
    for other in others {
        values = values.iter().flat_map(|v| lanes.iter().map(move |h| v + 8 * other * h)).collect();
    }
    let mut counts = std::collections::HashMap::<i64, usize>::new();
    for v in values {
        *counts.entry(v).or_default() += 1;
    }
    let digits = 0..=max_digit;
    let sums = digits.clone().flat_map(|a| {
        let digits = digits.clone();
        digits.clone().flat_map(move |b| {
            let digits = digits.clone();
            digits.clone().flat_map(move |c| digits.clone().map(move |d| a + 8 * b + 64 * c + 512 * d))
        })
    });
    let found: Vec<usize> = sums.map(|s| counts.get(&(8 * s)).copied().unwrap_or_default()).collect();
    assert!(found.iter().all(|&n| n > 0), "the honest decomposition is one");
    found.into_iter().max().unwrap_or_default()
}

/// As committed: X = w′/8 + 8·c + 8³·u.
#[test]
fn prop_decomposition_is_unique() {
    let x = |u, w, c| w + 64 * c + 4096 * u;
    assert_eq!(most_solutions(3, 1, &[2], x), 1);
    assert_eq!(most_solutions(7, 1, &[2, 4], x), 1);
    assert_eq!(most_solutions(7, 2, &[1, 4], x), 1);
}

/// The short chunk scaled at the top, X = c + 8²·(w′/8) + 8³·u: a digit 2 passes, see the end of the lemma.
#[test]
fn decomposition_cut_the_other_way_is_not_unique() {
    let x = |u, w, c| 8 * c + 64 * w + 4096 * u;
    assert!(most_solutions(3, 1, &[2], x) > 1);
}
