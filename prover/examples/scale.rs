//! Setup and proof of a synthetic circuit: `cargo run --release --example scale -- 18 [directory for the key]` for 2¹⁸
//! constraints, half of them 16-bit lookups, the others products and tuples of two.

use std::{
    io::{Write, stdout},
    time::Instant,
};

use cairn_circuits::{
    cs::{Cs, Lc, Mode},
    lookup::{
        bus::{BatchByte, Bus},
        tables,
    },
};
use cairn_prover::{Circuit, F, Observer, Phase, bench, load_or_setup, prove, setup, verify};

/// Blocks of eight constraints: four range lookups (1 each), two products, one tuple of two (2).
struct Synthetic {
    blocks: usize,
}

impl Circuit for Synthetic {
    type Witness = u64;

    fn synthesize(&self, mode: Mode, seed: Option<&u64>) -> Cs {
        let mut cs = Cs::new(mode);
        let x = cs.public_input(F::from(1u64));
        let one = cs.one();
        let mut state = seed.copied().unwrap_or(1) | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 48
        };
        let mut accumulator = Lc::from(x);
        for i in 0..self.blocks {
            let limbs = [(); 4].map(|()| cs.commit("synthetic.limb", next()));
            for limb in limbs {
                cs.lookup("synthetic.range", Bus::Range16, one, limb);
            }
            let word = Lc::recompose(&limbs, 16);
            let product = cs.product("synthetic.word", word.clone(), limbs[0]);
            accumulator = cs.product("synthetic.full", accumulator + product + one, word).into();
            let sign = if i % 2 == 0 { one * 1 } else { -(one * 1) };
            // Pairs of blocks send and receive the same tuple.
            let shared = cs.commit("synthetic.shared", i as u64 / 2);
            cs.send(
                "synthetic.tuple",
                sign,
                BatchByte { byte: shared.into(), position: (i as u64 / 2).into() },
            );
        }
        tables::range16().close(&mut cs);
        cs
    }
}

struct Log(Instant);

impl Observer for Log {
    fn progress(&self, phase: Phase, fraction: f64) {
        let _ = writeln!(
            stdout(),
            "{:8.2} s  {phase}: {:.0} %",
            self.0.elapsed().as_secs_f64(),
            100.0 * fraction
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = stdout();
    let mut args = std::env::args().skip(1);
    let log_size: u32 = args.next().map_or(Ok(18), |arg| arg.parse())?;
    let directory = args.next();
    // The table of 2¹⁶ rows, 12 powers, the sum and four consistency rows count too.
    let circuit = Synthetic { blocks: ((1usize << log_size) - (1 << 16) - 17) / 16 * 2 };

    let start = Instant::now();
    let recorded = circuit.record();
    let terms =
        [&recorded.matrices().a, &recorded.matrices().b, &recorded.matrices().c].map(|m| m.wires.len());
    writeln!(out, "{:?} terms {terms:?}, recorded in {:?}", recorded.shape(), start.elapsed())?;

    let start = Instant::now();
    let key = match &directory {
        Some(directory) => load_or_setup(directory.as_ref(), recorded, &Log(start))?,
        None => setup(recorded, &Log(start))?,
    };
    let (g1, g2) = key.num_points();
    let cpu = bench::cpu_seconds()?;
    let peak = bench::peak_rss_bytes()? >> 20;
    writeln!(
        out,
        "key: {:?}, {g1} points in G1, {g2} in G2; processor time {cpu:.2} s; peak {peak} MiB",
        start.elapsed()
    )?;

    for seed in [5, 6] {
        bench::reset_peak_rss()?;
        let cpu = bench::cpu_seconds()?;
        let proven = prove(&key, &circuit, &seed)?;
        let (start, cpu) = (Instant::now(), bench::cpu_seconds()? - cpu);
        verify(&key.vk, proven.public_input, &proven.proof)?;
        let (elapsed, peak) = (start.elapsed(), bench::peak_rss_bytes()? >> 20);
        writeln!(out, "{:#.3?}", proven.stats)?;
        writeln!(
            out,
            "msm {:.3} s; processor time {cpu:.2} s; verified in {elapsed:?}; peak {peak} MiB",
            proven.stats.msm_s()
        )?;
    }
    Ok(())
}
