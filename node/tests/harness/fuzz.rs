//! The loop of a fuzz test: values of a strategy until the time is up; the first that fails is made smaller and shown.
//!
//! `CAIRN_FUZZ_SECONDS` sets the time of each test (20 by default), `CAIRN_FUZZ_SEED` (hex) repeats a run.

use std::time::{Duration, Instant};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// How long a fuzz test runs.
pub fn time() -> Duration {
    let seconds = std::env::var("CAIRN_FUZZ_SECONDS").ok().map(|s| s.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(20))
}

/// Random values of a strategy, from a printed seed.
pub fn runner() -> TestRunner {
    let seed: [u8; 32] = match std::env::var("CAIRN_FUZZ_SEED") {
        Ok(seed) => hex::decode(seed).unwrap().try_into().unwrap(),
        Err(_) => rand::random(),
    };
    eprintln!("CAIRN_FUZZ_SEED={}", hex::encode(seed));
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Checks values of `strategy` for `time`. Returns how many.
pub async fn run<S: Strategy>(
    runner: &mut TestRunner,
    time: Duration,
    strategy: &S,
    mut check: impl AsyncFnMut(&S::Value) -> Result<(), String>,
) -> u64 {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < time {
        let mut tree = strategy.new_tree(runner).unwrap();
        count += 1;
        let Err(mut reason) = check(&tree.current()).await else { continue };
        let (mut smallest, shrinking) = (tree.current(), Instant::now());
        while shrinking.elapsed() < Duration::from_secs(10) {
            match check(&tree.current()).await {
                Err(e) => {
                    (reason, smallest) = (e, tree.current());
                    if !tree.simplify() {
                        break;
                    }
                }
                Ok(()) if tree.complicate() => {}
                Ok(()) => break,
            }
        }
        panic!("value {count}: {reason}\n{smallest:?}");
    }
    count
}
