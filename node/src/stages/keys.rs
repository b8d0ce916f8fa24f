//! Keys of shapes, smallest first: loaded or made, compared with the verifiers on L1, added there where the rollup has none.
//! Batches are proven meanwhile, in the shapes that are usable. Resumes from key files and L1 alone: a key is a whole file
//! or none, and whether L1 has a verifier is asked before one is made.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use alloy_primitives::B256;
use async_trait::async_trait;
use cairn_prover::KeyFileError;
use cairn_sequencer::shapes::ShapeId;
use tokio_util::sync::CancellationToken;

use super::{Stage, StageError, run as run_stage};
use crate::{
    chain::Chain,
    keys::KeyRing,
    l1::deploy::VerifierKind,
    proof::{VerifierSpec, VerifyingKeyWords},
    settlement::{Settlement, Verifier},
    shapes,
};

/// Why a shape cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A new key has another verifier: no proof with it would be accepted.
    #[error(
        "L1 has the verifier of a key of shape {shape} (digest {on_l1}), and {file} is missing: copy the key that the rollup was \
         deployed with there"
    )]
    Missing { shape: String, on_l1: B256, file: PathBuf },
    #[error(
        "the key of shape {shape} has digest {ours}, its verifier on L1 {on_l1}: replace {file} by the key that the rollup was \
         deployed with"
    )]
    Other { shape: String, on_l1: B256, ours: B256, file: PathBuf },
}

/// See the module.
pub struct KeyMaker {
    chain: Arc<Chain>,
    keys: Arc<KeyRing>,
    l1: Arc<dyn Settlement>,
    done: BTreeSet<ShapeId>,
}

impl KeyMaker {
    /// Sees to the keys of `keys`, and tells the chain's watchers.
    #[must_use]
    pub fn new(chain: Arc<Chain>, keys: Arc<KeyRing>, l1: Arc<dyn Settlement>) -> Self {
        keys.await_all();
        Self { chain, keys, l1, done: BTreeSet::new() }
    }

    /// Makes every shape usable, one after the other.
    ///
    /// # Errors
    /// If a key cannot be made, read or written, or L1 has the verifier of another one.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), StageError> {
        let heads = self.chain.subscribe();
        run_stage(self, heads, cancel).await
    }

    async fn work(&mut self) -> Result<bool, StageError> {
        let Some(id) = self.keys.ids().find(|id| !self.done.contains(id)) else { return Ok(false) };
        let shape = shapes::name(id);
        // Before the key: one that L1 has a verifier of must not be made anew.
        let on_l1 = self.l1.verifier(id).await?;
        let Some(words) = self.key(id, on_l1.as_ref()).await? else { return Ok(false) };
        let spec = VerifierSpec::Groth16(Box::new(words));
        let digest = VerifierKind::from(spec.clone()).vk_digest();
        let verifier = match on_l1 {
            Some(verifier) => verifier,
            None => {
                let added = self.l1.add_verifier(id, spec).await?;
                tracing::info!(shape, shape_id = %id, address = %added.address, "verifier added on L1");
                added
            }
        };
        if verifier.vk_digest != digest {
            let file = self.keys.file(id).unwrap_or_default();
            return Err(KeyError::Other { shape, on_l1: verifier.vk_digest, ours: digest, file }.into());
        }
        self.chain.feed.add_verifier(verifier);
        self.keys.set_usable(id);
        self.done.insert(id);
        tracing::info!(shape, shape_id = %id, left = self.keys.ids().count() - self.done.len(), "shape is usable");
        Ok(true)
    }

    /// The verifying key of a listed shape. Makes the key if L1 has no verifier yet, else it must be there.
    async fn key(
        &self,
        id: ShapeId,
        on_l1: Option<&Verifier>,
    ) -> Result<Option<VerifyingKeyWords>, StageError> {
        let (keys, on_l1) = (Arc::clone(&self.keys), on_l1.map(|verifier| verifier.vk_digest));
        // Synthesises the circuit, and takes all cores for up to a minute: not for an async thread. If the node stops
        // meanwhile, nobody waits for it.
        let make = move || -> Result<Option<VerifyingKeyWords>, KeyError> {
            if let (Some(on_l1), None) = (on_l1, keys.get(id)) {
                let file = keys.file(id).unwrap_or_default();
                if !file.exists() {
                    return Err(KeyError::Missing { shape: shapes::name(id), on_l1, file });
                }
            }
            Ok(keys.make(id, &())?.map(|key| key.vk.words()))
        };
        Ok(tokio::task::spawn_blocking(make).await??)
    }
}

#[async_trait]
impl Stage for KeyMaker {
    const NAME: &'static str = "keys";

    async fn step(&mut self) -> Result<bool, StageError> {
        self.work().await
    }
}
