//! One committed artifact: its parser, and its deployed bytecode with the immutables filled in.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};
use serde::Deserialize;

/// A compiled contract.
#[derive(Debug)]
pub struct Artifact {
    /// Name of the contract.
    pub name: &'static str,
    /// The artifact's file, as committed.
    pub json: &'static str,
    /// Entries of the ABI.
    pub abi: Vec<serde_json::Value>,
    /// Creation bytecode; the encoded constructor arguments follow it.
    pub bytecode: Bytes,
    /// Code on the chain, with zeros where immutables go.
    pub deployed_bytecode: Bytes,
    /// Byte offsets of each immutable in the deployed bytecode, 32 bytes at each.
    pub immutables: BTreeMap<String, Vec<usize>>,
}

/// Why an artifact could not be read or used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// The file is not an artifact.
    #[error("artifact of {contract} does not parse: {reason}")]
    Malformed { contract: &'static str, reason: String },
    /// An immutable was given no value.
    #[error("immutable {name} of {contract} has no value")]
    MissingImmutable { contract: &'static str, name: String },
    /// A value was given for an immutable that the contract does not have.
    #[error("{contract} has no immutable {name}")]
    UnknownImmutable { contract: &'static str, name: String },
}

/// The file's layout.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ArtifactFile {
    abi: Vec<serde_json::Value>,
    bytecode: Bytes,
    deployed_bytecode: Bytes,
    immutables: BTreeMap<String, Vec<usize>>,
}

impl Artifact {
    pub(crate) fn parse(name: &'static str, json: &'static str) -> Result<Self, ArtifactError> {
        let malformed = |reason: String| ArtifactError::Malformed { contract: name, reason };
        let file: ArtifactFile = serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
        let code_length = file.deployed_bytecode.len();
        if let Some(start) = file.immutables.values().flatten().find(|start| **start + 32 > code_length) {
            return Err(malformed(format!("immutable at {start} is outside the code")));
        }
        Ok(Self {
            name,
            json,
            abi: file.abi,
            bytecode: file.bytecode,
            deployed_bytecode: file.deployed_bytecode,
            immutables: file.immutables,
        })
    }

    /// Code on the chain with its immutables filled in, as a genesis needs it for a predeployed contract.
    ///
    /// `values` holds one word for each immutable, by name; an address is padded on the left.
    ///
    /// # Errors
    /// [`ArtifactError::MissingImmutable`] and [`ArtifactError::UnknownImmutable`].
    pub fn deployed_bytecode_with(&self, values: &[(&str, B256)]) -> Result<Bytes, ArtifactError> {
        if let Some((name, _)) = values.iter().find(|(name, _)| !self.immutables.contains_key(*name)) {
            return Err(ArtifactError::UnknownImmutable { contract: self.name, name: (*name).into() });
        }
        let mut code = self.deployed_bytecode.to_vec();
        for (name, places) in &self.immutables {
            let Some((_, value)) = values.iter().find(|(given, _)| given == name) else {
                return Err(ArtifactError::MissingImmutable { contract: self.name, name: name.clone() });
            };
            for start in places {
                // Within the code: `parse` has checked it.
                code[*start..*start + 32].copy_from_slice(value.as_slice());
            }
        }
        Ok(code.into())
    }
}
