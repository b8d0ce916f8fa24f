//! The version byte at the start of every value in a table. The bytes behind it are not self-describing: without a version,
//! a value of an older layout could be misread.

use super::{StoreError, Table, error::shown};

/// A type of values: one layout, in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordType {
    pub table: Table,
    /// As errors name it.
    pub name: &'static str,
    /// To be raised with every change of the layout, of defaults that are left out, or of the meaning.
    pub version: u8,
}

impl RecordType {
    /// The start of a value, to which its content is added.
    #[must_use]
    pub fn start(self) -> Vec<u8> {
        vec![self.version]
    }

    /// The content of a stored value.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`], or [`StoreError::Corrupt`] if the value is empty.
    pub fn content<'a>(self, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], StoreError> {
        match value.split_first() {
            Some((&got, content)) if got == self.version => Ok(content),
            Some((&got, _)) => Err(StoreError::OtherVersion {
                table: self.table.name(),
                record: self.name,
                key: shown(key),
                expected: self.version,
                got,
            }),
            None => Err(self.damaged(key)),
        }
    }

    /// The error for content that is not of this type.
    #[must_use]
    pub fn damaged(self, key: &[u8]) -> StoreError {
        StoreError::corrupt(self.table.name(), key)
    }
}
