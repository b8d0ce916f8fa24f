//! What every value in a table starts with: the version of its type, one byte. The bytes behind it do not say what they
//! are, so that a value of another version is refused by name and never read as something that it is not.

use super::{StoreError, Table, error::shown};

/// A type of values: one layout, in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordType {
    pub table: Table,
    /// As errors name it.
    pub name: &'static str,
    /// Is raised with every change of the layout, of what is left out of it, or of what it means.
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
