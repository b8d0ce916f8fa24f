//! Engines and their keys.

use std::{fs::File, path::PathBuf, sync::Arc};

use cairn_node::{
    config::Config,
    engine::Groth16Engine,
    proof::{MockEngine, ProofEngine},
};
use eyre::{OptionExt, WrapErr};

/// The shapes that tests prove with, by the number of transfers they hold.
pub const SHAPES: [usize; 1] = [2];

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

/// The real prover. Whoever comes first makes the key, which takes a minute or more; others wait for it.
///
/// # Errors
/// If the key cannot be made, read or written.
pub async fn groth16() -> eyre::Result<Arc<dyn ProofEngine>> {
    let dir = keys_dir()?;
    let load = move || {
        std::fs::create_dir_all(&dir)?;
        let lock = File::create(dir.join("lock"))?;
        lock.lock()?;
        Groth16Engine::load(&SHAPES, &dir, &()).wrap_err("keys")
    };
    Ok(Arc::new(tokio::task::spawn_blocking(load).await??))
}

/// Proofs of nothing, for tests of everything else.
#[must_use]
pub fn mock() -> Arc<dyn ProofEngine> {
    Arc::new(MockEngine { capacity: Config::default().batch.mock_capacity })
}
