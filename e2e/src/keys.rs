//! Engines and their keys.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_node::{
    config::Config,
    engine::Groth16Engine,
    proof::{MockEngine, ProofEngine},
    shapes::ShapeSpec,
    wiring::first_key,
};
use eyre::{OptionExt, WrapErr};

/// The shapes that tests prove with: of one transfer and of two.
#[must_use]
pub fn shapes() -> Vec<ShapeSpec> {
    [1, 2].into_iter().filter_map(|transfers| ShapeSpec::transfers(transfers).ok()).collect()
}

/// Where the keys of tests are: `$CAIRN_KEYS_DIR`, or a directory below cargo's for temporary files.
///
/// # Errors
/// If this program is not where cargo puts tests.
pub fn keys_dir() -> eyre::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("CAIRN_KEYS_DIR") {
        return Ok(dir.into());
    }
    // target/debug/deps/<test>
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).ok_or_eyre("no target directory above this program")?;
    Ok(target.join("tmp/cairn-e2e-keys"))
}

/// The real prover. Whoever comes first makes the keys, which takes a minute or more; others wait for them.
///
/// # Errors
/// If the key cannot be made, read or written.
pub async fn groth16() -> eyre::Result<Arc<dyn ProofEngine>> {
    let dir = keys_dir()?;
    let load = move || {
        std::fs::create_dir_all(&dir)?;
        let lock = File::create(dir.join("lock"))?;
        lock.lock()?;
        Groth16Engine::load(&shapes(), &dir, &()).wrap_err("keys")
    };
    Ok(Arc::new(tokio::task::spawn_blocking(load).await??))
}

/// The real prover of a node that has just started: with the smallest key, the others yet to come.
///
/// # Errors
/// As [`groth16`], which makes the keys.
pub async fn groth16_begun() -> eyre::Result<Arc<dyn ProofEngine>> {
    groth16().await?;
    let engine = Groth16Engine::new(&shapes(), &keys_dir()?)?;
    first_key(&engine).await?;
    Ok(Arc::new(engine))
}

/// The real prover with a directory of keys that holds none.
///
/// # Errors
/// If there are no shapes.
pub fn groth16_without_keys(dir: &Path) -> eyre::Result<Arc<dyn ProofEngine>> {
    Ok(Arc::new(Groth16Engine::new(&shapes(), dir)?))
}

/// Proofs of nothing, for tests of everything else.
#[must_use]
pub fn mock() -> Arc<dyn ProofEngine> {
    Arc::new(MockEngine { capacity: Config::default().batch.mock_capacity })
}
