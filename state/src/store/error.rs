//! Why a store cannot answer or write, each with what to do about it.

/// Why the database cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("database: {message}")]
    Backend { message: String },
    #[error("the database lacks the table {table}")]
    MissingTable { table: &'static str },
    /// `key` in hex, cut off after 64 bytes.
    #[error(
        "table {table} holds a damaged entry at key {key}: restore the database from a backup, or remove it and \
         synchronise again"
    )]
    Corrupt { table: &'static str, key: String },
    /// `key` as in [`Self::Corrupt`].
    #[error(
        "table {table} holds a {record} record of version {got} at key {key}, this program reads version {expected}: use the \
         version of the program that wrote it, or remove the database and synchronise again"
    )]
    OtherVersion { table: &'static str, record: &'static str, key: String, expected: u8, got: u8 },
    #[error(
        "the files of the database are damaged ({message}): restore them from a backup, or remove them and synchronise \
         again"
    )]
    Damaged { message: String },
    #[error("no space is left for the database ({message}): free some and restart")]
    NoSpace { message: String },
    #[error("the database cannot be written ({message}): make its directory writable and restart")]
    ReadOnly { message: String },
    /// 0: from before formats were numbered.
    #[error(
        "the database has format {got}, this program reads {expected}: use the version that wrote it, or remove it and \
         synchronise again"
    )]
    OtherFormat { expected: u8, got: u8 },
}

/// The most bytes of a key in a message.
pub const MAX_KEY: usize = 64;

impl StoreError {
    /// A damaged entry.
    pub(super) fn corrupt(table: &'static str, key: &[u8]) -> Self {
        Self::Corrupt { table, key: shown(key) }
    }
}

/// A key as errors show it.
pub(super) fn shown(key: &[u8]) -> String {
    let start = &key[..key.len().min(MAX_KEY)];
    let cut = if start.len() < key.len() { "…" } else { "" };
    format!("0x{}{cut}", alloy_primitives::hex::encode(start))
}

impl From<rocksdb::Error> for StoreError {
    /// By the message: the C interface passes no error number, but the message has the system's text for it ("IO error: No
    /// space left on device: While appending to file: …: No space left on device", "IO error: While mkdir if missing: …:
    /// Read-only file system").
    fn from(e: rocksdb::Error) -> Self {
        let kind = e.kind();
        let message = e.into_string();
        let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
        match kind {
            rocksdb::ErrorKind::Corruption => Self::Damaged { message },
            // ENOSPC, EDQUOT.
            _ if says(&["No space left on device", "Disk quota exceeded"]) => Self::NoSpace { message },
            // EROFS, EACCES, EPERM.
            _ if says(&["Read-only file system", "Permission denied", "Operation not permitted"]) => {
                Self::ReadOnly { message }
            }
            _ => Self::Backend { message },
        }
    }
}
