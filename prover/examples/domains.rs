//! Processor time of the transforms of `domain`, beside ark-poly's: `cargo run --release --example domains -- 17 20` for
//! domains of 2¹⁷ to 2²⁰ points. docs/adr/0009 has the numbers.

use std::io::{Write, stdout};

use ark_ff::{FftField, Field, One, Zero};
use ark_poly::{EvaluationDomain, MixedRadixEvaluationDomain, Radix2EvaluationDomain};
use cairn_prover::{F, bench::cpu_seconds, domain::Domain};

/// Values on a coset by ark's transforms of a power of two, one for each of the cosets g·ζᶜ·⟨ω⟩ of the domain: the remainder
/// modulo Xᴺ − (g·ζᶜ)ᴺ first, for which the coefficients are folded.
fn by_cosets(coefficients: &[F], g: F) -> Vec<F> {
    let n = coefficients.len();
    let block = 1 << n.trailing_zeros();
    let inner = Radix2EvaluationDomain::<F>::new(block);
    let zeta = F::get_root_of_unity(n as u64);
    let (Some(inner), Some(zeta)) = (inner, zeta) else { return vec![] };
    let mut values = Vec::with_capacity(n);
    for c in 0..(n / block) as u64 {
        let shift = g * zeta.pow([c]);
        let power = shift.pow([block as u64]);
        let mut folded = vec![F::zero(); block];
        for part in coefficients.chunks_exact(block).rev() {
            folded.iter_mut().zip(part).for_each(|(f, p)| *f = *f * power + p);
        }
        if let Some(coset) = inner.get_coset(shift) {
            coset.fft_in_place(&mut folded);
        }
        values.extend(folded);
    }
    values
}

/// Milliseconds of processor time over all threads, the mean over as many runs as fill a second.
fn time(mut f: impl FnMut()) -> Result<f64, std::io::Error> {
    let start = cpu_seconds()?;
    for runs in 1.. {
        f();
        let seconds = cpu_seconds()? - start;
        if seconds > 1.0 {
            return Ok(1e3 * seconds / f64::from(runs));
        }
    }
    Ok(f64::NAN)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let range: Vec<u32> = std::env::args().skip(1).map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let (Some(from), Some(to)) = (range.first(), range.last()) else {
        return Err("give the logarithms of the smallest and the largest size".into());
    };
    let mut sizes: Vec<usize> = (*from..=*to).flat_map(|k| [1 << k, 9 << (k - 3), 3 << (k - 1)]).collect();
    sizes.sort_unstable();
    let mut out = stdout();
    writeln!(
        out,
        "        n  ms: evaluate  interpolate  ark radix-2 there and back  ark mixed  ark by cosets"
    )?;
    for n in sizes {
        let domain = Domain::<F>::new(n).ok_or("no such domain")?;
        let coefficients: Vec<F> =
            std::iter::successors(Some(F::from(3u64)), |x| Some(x.square() + F::one())).take(n).collect();
        let mut values = coefficients.clone();
        let evaluate = time(|| domain.evaluate(F::GENERATOR, &mut values))?;
        let interpolate = time(|| domain.interpolate(F::ONE, &mut values))?;
        let mut values = coefficients.clone();
        let (mut radix2, mut back, mut mixed, mut cosets) = (f64::NAN, f64::NAN, f64::NAN, f64::NAN);
        if n.is_power_of_two() {
            let ark = Radix2EvaluationDomain::<F>::new(n).ok_or("no such domain")?;
            let coset = ark.get_coset(F::GENERATOR).ok_or("no such coset")?;
            radix2 = time(|| coset.fft_in_place(&mut values))?;
            back = time(|| ark.ifft_in_place(&mut values))?;
        } else {
            let ark = MixedRadixEvaluationDomain::<F>::new(n).ok_or("no such domain")?;
            let coset = ark.get_coset(F::GENERATOR).ok_or("no such coset")?;
            mixed = time(|| coset.fft_in_place(&mut values))?;
            cosets = time(|| values = by_cosets(&coefficients, F::GENERATOR))?;
        }
        writeln!(
            out,
            "{n:>9}      {evaluate:>8.1}     {interpolate:>8.1}      {radix2:>8.1} {back:>8.1}             {mixed:>8.1}       {cosets:>8.1}"
        )?;
    }
    Ok(())
}
