//! What the state needs of a database: ordered tables, atomic and durable batches. Entries of the state are written
//! once and never changed, except the pointer to the newest block, so that readers of a block need no snapshot.

mod checksum;
mod error;
mod memory;
mod record;
mod rocks;

pub use error::StoreError;
pub use memory::MemoryStore;
pub use record::RecordType;
pub use rocks::RocksStore;

/// A table; keys are ordered bytewise within it. Every value starts with a version byte, see [`RecordType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Newest block, genesis digest.
    Meta,
    /// Block number → commitment and changed leaves.
    Blocks,
    /// Block number → what the block touched.
    Accesses,
    /// Level ‖ node ‖ block → children.
    Nodes,
    /// Position ‖ block → leaf.
    Leaves,
    /// Tree key → position, block of creation.
    Keys,
    /// Leaf id → position, block of creation.
    Ids,
    /// keccak code hash → Poseidon code hash, code.
    Codes,
    /// Poseidon code hash → keccak code hash.
    CodeHashes,
    /// The node's blocks, hashes, transactions and batches. This table and those below are left to the users of the store,
    /// which may write them in one batch with a block of the state.
    Chain,
    /// The transactions that wait in the pool.
    Pool,
    /// What was sent to L1, and its outcome: jobs, sequences, verifications.
    L1,
    /// Proofs and their measurements.
    Proofs,
    /// Anything else. The first byte of a key names the owner.
    App,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 14] = [
        Self::Meta,
        Self::Blocks,
        Self::Accesses,
        Self::Nodes,
        Self::Leaves,
        Self::Keys,
        Self::Ids,
        Self::Codes,
        Self::CodeHashes,
        Self::Chain,
        Self::Pool,
        Self::L1,
        Self::Proofs,
        Self::App,
    ];

    /// Name of the column family.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Blocks => "blocks",
            Self::Accesses => "accesses",
            Self::Nodes => "nodes",
            Self::Leaves => "leaves",
            Self::Keys => "keys",
            Self::Ids => "ids",
            Self::Codes => "codes",
            Self::CodeHashes => "code_hashes",
            Self::Chain => "chain",
            Self::Pool => "pool",
            Self::L1 => "l1",
            Self::Proofs => "proofs",
            Self::App => "app",
        }
    }
}

/// Writes that happen together or not at all; a later one wins over an earlier one of the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub(crate) ops: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// No writes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an entry.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.ops.push((table, key.into(), Some(value.into())));
    }

    /// Removes an entry, if present.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.ops.push((table, key.into(), None));
    }

    /// Adds the writes of `other` after the own ones.
    pub fn append(&mut self, mut other: Self) {
        self.ops.append(&mut other.ops);
    }

    /// Number of writes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}

/// Takes key and value of an entry and returns whether to go on.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> bool + 'a;

/// An ordered key-value store with atomic batches.
pub trait Store: Send + Sync {
    /// The value at `key`.
    ///
    /// # Errors
    /// If the database fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the entries with keys ≥ `from`, ascending.
    ///
    /// # Errors
    /// If the database fails.
    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError>;

    /// Visits the entries with keys ≤ `from`, descending.
    ///
    /// # Errors
    /// If the database fails.
    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError>;

    /// The newest version of an entry whose keys end in a block number, up to the block in `key`: block and value of the
    /// largest key ≤ `key` that equals it but for the last eight bytes.
    ///
    /// # Errors
    /// If the database fails.
    fn last_version(&self, table: Table, key: &[u8]) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let mut found = None;
        let prefix = &key[..key.len().saturating_sub(8)];
        self.scan_back(table, key, &mut |k, v| {
            if let Some((_, block)) = k.split_last_chunk().filter(|(p, _)| *p == prefix) {
                found = Some((u64::from_be_bytes(*block), v.to_vec()));
            }
            false
        })?;
        Ok(found)
    }

    /// Applies the batch as a whole. Once this returns, it and every earlier write survive a crash of the machine.
    ///
    /// # Errors
    /// If the database fails; then either all of the batch is in the store or nothing.
    fn write(&self, batch: Batch) -> Result<(), StoreError>;

    /// Applies the batch as a whole. Once this returns, it survives a crash of the process; that of the machine only
    /// after [`Self::sync`] or a later [`Self::write`]. If the machine crashes before, what is lost is a tail of the
    /// unsynced batches: none is kept without those before it.
    ///
    /// # Errors
    /// If the database fails; then either all of the batch is in the store or nothing.
    fn write_unsynced(&self, batch: Batch) -> Result<(), StoreError>;

    /// Makes every write so far survive a crash of the machine.
    ///
    /// # Errors
    /// If the database fails; the writes are in the store nevertheless.
    fn sync(&self) -> Result<(), StoreError>;
}
